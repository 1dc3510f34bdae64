"""Writes docs/compatibility.md from what the suites have measured, and from the tables that they share.

python -m tests.compatibility.render collect --suites DIR --versions FILE --frameworks FILE --mutants FILE
python -m tests.compatibility.render > docs/compatibility.md
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPO = HERE.parents[1]
RESULTS = HERE / "results.json"
DOCUMENT = REPO / "docs" / "compatibility.md"

_INTRO = """# Compatibility

The tables here are written by `python -m tests.compatibility.render` from `tests/compatibility/results.json`, and a
test fails where the two differ. Unless a section says otherwise: openai {openai}, anthropic {anthropic}, groq {groq},
Python 3.11.
"""

_SUITES = """## The SDKs' own test suites

`python tests/sdk_suites/run.py` downloads the SDKs' source distributions and runs the tests in them against a mock of
their provider that is built from the SDK's own types, four times: *bare*; with the constructors swapped and nothing
wrapped (*identity*: what the harness itself would break); with every client wrapped and a router that knows no model
(*pass-through*); and with every client wrapped and a router that knows every model and puts each back in its place
(*rewritten*: planning, retries, circuit breakers and the stream observer at work on every chat call).

"Chat requests" passed the SDK; "seen" came through a wrapped client (the rest were made by clients that the tests
reach by other names). "Wire" counts the requests that reached the mock, and behind it how many of them came in the
bare run only / in this run only, compared by method, address, headers and body. "Gave up" are calls that went through
as they were written because of a bug of ours: such a lap has failed. The tests that fail bare fail in every lap: their
recordings or files are not in the source distribution, or they want another system.
"""

_NOT_THE_SAME = """### What can't be the same

Tests that pass bare and are known to fail wrapped:
"""

_FIXED = """### Can the harness fail?

`python tests/sdk_suites/run.py --sdk groq --mutants`: deliberate mistakes in the wrap, each run through the
pass-through lap of Groq's suite, the smallest of the three. A mistake is noticed by a broken test, by a request that is
not the bare one, or by a chat request that was not seen. Not noticed by this suite alone are those that its tests never
exercise against the mock; for these `tests/clients/test_surfaces_passthrough.py` compares the bytes.
"""

_VERSIONS = """## Versions

`python tests/versions/run.py --all`: the call-form table (each form, sync and async: routed once, recorded once, the
bare SDK's type; failed over; untouched where nothing is wrapped) in an environment of its own per row. Skipped are the
forms that the version does not have yet.
"""

_FORMS = """## Call forms

Each form is tested sync and async (`tests/clients/test_call_forms.py`).
"""

_SURFACES = """## Endpoints

Every endpoint that takes a model or answers in a stream, found in the SDKs' own source. One that an SDK release adds
fails `tests/clients/test_surfaces_matrix.py` until it is listed. What is not routed passes through byte for byte, with
an event whose `selection_reason` is `passthrough`. WebSockets (`realtime`, `live`, `responses.connect`) do not pass
`client.request` and are neither routed nor recorded.
"""

_FRAMEWORKS = """## Frameworks and tracers

`python tests/frameworks/run.py`: real programs against the sandbox, each first bare; then with a client from `wrap()`
where the framework takes one, inside `with routed(...)` with the plain clients that the framework builds, and under
`llm-router run` with no change at all. *ok* means: the same result as bare, every call answered by a cheaper model, and
exactly one event per call. A framework that wants an older SDK has it. "Above" and "beneath" are a tracer that was put
on after us and before us.
"""


def collect(suites: Path, versions: Path, frameworks: Path, mutants: Path) -> dict[str, Any]:
    """What the suites have measured, in one object; single tests are kept by their number."""
    found: dict[str, Any] = {"suites": [], "versions": json.loads(versions.read_text())}
    for path in sorted(suites.glob("*-*.json")):
        result = json.loads(path.read_text())
        for lap in result["laps"].values():
            lap["counts"] = {key: value for key, value in lap["counts"].items() if "reason" not in key}
            lap["expected"] = len(lap.get("expected", []))
            lap.pop("seconds", None)
        found["suites"].append(result)
    found["frameworks"] = json.loads(frameworks.read_text())
    found["mutants"] = json.loads(mutants.read_text())
    return found


def table(head: list[str], rows: list[list[Any]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def suites(results: dict[str, Any]) -> str:
    """The SDKs' own tests, lap by lap."""
    rows = []
    for result in results["suites"]:
        for name, lap in result["laps"].items():
            tests, counts = lap["tests"], lap["counts"]
            broken = "" if name == "bare" else len(lap["broken"])
            broken = f"{broken} + {lap['expected']} listed" if lap["expected"] else broken
            wire = lap["requests"] if name == "bare" else (
                f"{lap['requests']} ({lap['requests_only_bare']} / {lap['requests_only_here']})"
            )  # fmt: skip
            chat, seen = counts.get("beneath.chat", 0), counts.get("visited.chat", "")
            label = f"{result['sdk']} {result['version']}" if name == "bare" else ""
            gave_up = "" if name in ("bare", "identity") else lap["gave_up"]
            rows.append(
                [label, name, tests.get("passed", 0), tests.get("failed", 0), broken, chat, seen, gave_up, wire]
            )
    head = ["SDK", "lap", "passed", "failed", "passes bare, fails here", "chat requests", "seen", "gave up", "wire"]
    return table(head, rows)


def not_the_same() -> str:
    """The reasons, from the harness itself."""
    from tests.sdk_suites.expected import EXPECTED

    entries = [(sdk, *entry) for sdk, listed in EXPECTED.items() for entry in listed]
    return "\n".join(f"- {sdk}, `{pattern}` ({', '.join(laps)}): {why}." for sdk, pattern, laps, why in entries) + "\n"


def versions(results: dict[str, Any]) -> str:
    """The call-form table over the versions."""
    rows = [
        [
            row["set"],
            *row["versions"].values(),
            *(row["result"].get(word, 0) for word in ("passed", "failed", "skipped")),
        ]
        for row in results["versions"]
    ]
    return table(["set", "openai", "anthropic", "groq", "passed", "failed", "skipped"], rows)


def forms() -> str:
    """The forms by SDK."""
    from tests.clients.forms import FORMS

    by_sdk: dict[str, list[str]] = {}
    for form in FORMS:
        by_sdk.setdefault(form.sdk, []).append(form.name.replace("_", " "))
    return table(["SDK", "forms"], [[sdk, ", ".join(names)] for sdk, names in by_sdk.items()])


def surfaces() -> str:
    """The matrix of endpoints."""
    from tests.clients.surfaces import MATRIX

    return table(
        ["SDK", "endpoint", ""], [[sdk, f"`{path}`", why] for sdk, m in MATRIX.items() for path, why in m.items()]
    )


def frameworks(results: dict[str, Any]) -> str:
    """The programs, way by way."""
    rows = []
    for name, row in results["frameworks"].items():
        beneath = ", ".join(f"{package} {version}" for package, version in row["with"].items())
        rows.append([name.replace("_", " "), beneath, *(row["ways"].get(way, "") for way in _WAYS)])
    return table(["program", "with", "`wrap(client)`", "`with routed()`", "`llm-router run`"], rows)


_WAYS = ("client", "scope", "no change")


def mutants(results: dict[str, Any]) -> str:
    """What the harness noticed."""
    rows = []
    for name, row in results["mutants"].items():
        wire = f"{row['requests_only_bare']}/{row['requests_only_here']}"
        rows.append([name, row["broken"], wire, row["seen"], "yes" if row["noticed"] else "no"])
    return table(["mistake", "tests broken", "wire: only bare / only here", "chat requests seen", "noticed"], rows)


def document(results: dict[str, Any]) -> str:
    """The whole page."""
    newest = {result["sdk"]: result["version"] for result in results["suites"]}
    parts = [
        _INTRO.format(**newest),
        _SUITES,
        suites(results),
        _NOT_THE_SAME,
        not_the_same(),
        _FIXED,
        mutants(results),
        _VERSIONS,
        versions(results),
        _FORMS,
        forms(),
        _SURFACES,
        surfaces(),
        _FRAMEWORKS,
        frameworks(results),
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts))


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=["render", "collect"], default="render")
    parser.add_argument("--suites", type=Path)
    parser.add_argument("--versions", type=Path)
    parser.add_argument("--frameworks", type=Path)
    parser.add_argument("--mutants", type=Path)
    given = parser.parse_args(arguments)
    if given.what == "collect":
        found = collect(given.suites, given.versions, given.frameworks, given.mutants)
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    else:
        print(document(json.loads(RESULTS.read_text())), end="")


if __name__ == "__main__":
    main()
