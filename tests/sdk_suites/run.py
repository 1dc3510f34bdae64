"""Runs the SDKs' own test suites bare and with every client wrapped, and compares.

    python tests/sdk_suites/run.py --sdk openai --workers 2

The suites come with the source distributions. Each lap runs against a mock of the SDK's provider; what differs between
the laps, in the tests' outcomes and in the requests that reached the mock, is printed and written as JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a script, too

from tests.environments import REPO, bare_settings, environment
from tests.sdk_suites.expected import EXPECTED

HERE = Path(__file__).parent
LAPS = ("bare", "identity", "passthrough", "rewritten")
NEWEST = {"openai": "3.57.0", "anthropic": "2.13.0", "groq": "1.7.0"}
EXTRAS = {
    "openai": "aiohttp,realtime,datalib,bedrock,vertex",
    "anthropic": "aiohttp,vertex,google_cloud,bedrock,aws,mcp,webhooks",
    "groq": "aiohttp",
}
CORE = {
    "openai": """
        lib/chat lib/responses lib/streaming lib/test_azure.py lib/test_azure_request_credentials.py
        lib/test_pydantic.py lib/test_responses_tool_runner.py lib/test_decisions_tool_runner.py
        lib/test_streaming_deltas.py
        lib/test_request_credentials.py lib/test_embeddings.py lib/test_old_api.py lib/test_bedrock_provider.py
        api_resources/chat api_resources/responses api_resources/test_responses.py api_resources/test_completions.py
        api_resources/test_embeddings.py api_resources/test_models.py api_resources/beta/test_responses.py
        test_client.py test_streaming.py test_response.py test_legacy_response.py test_module_client.py
        test_stream_mode.py test_sse_framing.py test_httpx2.py test_httpx_compat.py test_lazy_imports.py
        test_client_runtime_bindings.py test_debug_logging.py test_request_body_routing_order.py
        test_retry_after_overflow.py test_status_error_messages.py test_environment_credentials.py
        test_response_svg_reasoning.py test_usage_cache_write.py test_compaction_trigger_ids.py
    """,
    "anthropic": """
        lib/_parse lib/streaming lib/tools lib/test_client_copy.py lib/test_refusal_fallback.py
        lib/test_refusal_fallback_streaming.py lib/test_scoped_client.py lib/test_stainless_helpers.py
        lib/test_output_format_helpers.py lib/test_azure.py lib/test_bedrock.py lib/test_vertex.py
        lib/test_credentials.py lib/test_aws.py
        api_resources/test_messages.py api_resources/beta/test_messages.py api_resources/messages
        api_resources/beta/messages api_resources/test_models.py api_resources/test_completions.py
        test_client.py test_streaming.py test_response.py test_middleware.py test_tracing.py test_open_telemetry.py
        test_prepare.py test_exceptions.py test_header_case_sensitivity.py
    """,
    "groq": ".",
}
PLAIN = """
    pytest pytest-asyncio pytest-xdist pytest-timeout respx inline-snapshot dirty-equals time-machine trio rich
    azure-identity griffe hypothesis http-snapshot[httpx]==0.1.9 opentelemetry-sdk Pillow
"""


MUTANTS = (
    "swaps the model", "drops the headers", "drops the query", "drops the extra body", "never retries",
    "overwrites the timeout", "asks twice", "forgets the stream", "loses copies",
)  # fmt: skip
"""The mistakes in the wrap that plugin.py can make."""


@dataclass
class Lap:
    """What one run of a suite gave."""

    name: str
    seconds: float = 0.0
    outcomes: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    wire: Counter[str] = field(default_factory=Counter)

    @property
    def tally(self) -> Counter[str]:
        """Tests by outcome."""
        return Counter(self.outcomes.values())


def prepare(sdk: str, version: str, cache: Path) -> tuple[Path, Path]:
    """The unpacked source distribution, and the interpreter of an environment with the same version installed."""
    source = cache / f"{sdk}-{version}"
    if not source.exists():
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-binary", ":all:", "--no-deps", "-d", str(cache)]
        subprocess.run([*pip, f"{sdk}=={version}"], check=True)
        with tarfile.open(next(cache.glob(f"{sdk}-{version}.tar.gz"))) as archive:
            archive.extractall(cache, filter="data")
    wanted = (*PLAIN.split(), f"{sdk}[{EXTRAS[sdk]}]=={version}")
    return source, environment(cache / f"venv-{sdk}-{version}", wanted)


@contextlib.contextmanager
def mock(sdk: str, python: Path, log: Path, port: int) -> Iterator[str]:
    """The mock provider, as long as the block runs; gives its address."""
    command = [str(python), str(HERE / "mock_server.py"), sdk, "--port", str(port), "--log", str(log)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if "serving" not in process.stdout.readline():
            raise RuntimeError(f"the mock server of {sdk} did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_lap(
    sdk: str, version: str, source: Path, python: Path, results: Path, options: list[str], reuse: bool,
    name: str, mutant: str = "",
) -> Lap:  # fmt: skip
    """Runs a suite once, or reads what an earlier run has left."""
    out = results / "-".join([sdk, version, name, *mutant.split()])
    if reuse and (out / "outcomes.json").exists():
        return _read(name, out, 0.0)
    out.mkdir(parents=True, exist_ok=True)
    for stale in out.iterdir():
        stale.unlink()
    log = out / "wire.jsonl"
    settings = bare_settings(dict(os.environ))
    settings |= {"SUITE_LAP": name, "SUITE_OUT": str(out), "SUITE_SDK": sdk, "PYTHONPATH": str(HERE)}
    settings["SUITE_MUTANT"] = mutant
    command = [str(python), "-m", "pytest", "-p", "plugin", "-o", "addopts=", "-q", "--timeout=120"]
    command += ["--no-header", "-p", "no:cacheprovider", "--tb=short", *options]
    if (source / "tests" / "_alias_httpx.py").exists():
        command += ["-p", "tests._alias_httpx"]
    began = time.monotonic()
    with mock(sdk, python, log, free_port()) as address, open(out / "pytest.log", "w", encoding="utf-8") as report:
        settings["TEST_API_BASE_URL"] = address
        subprocess.run(command, cwd=source, env=settings, stdout=report, stderr=subprocess.STDOUT, check=False)
    return _read(name, out, time.monotonic() - began)


def _read(name: str, out: Path, seconds: float) -> Lap:
    lap = Lap(name, seconds, json.loads((out / "outcomes.json").read_text()))
    for counts in out.glob("counts-*.json"):
        lap.counts.update(json.loads(counts.read_text()))
    with open(out / "wire.jsonl", encoding="utf-8") as lines:
        lap.wire = Counter(lines)
    return lap


def compare(sdk: str, bare: Lap, other: Lap) -> dict[str, Any]:
    """What passes bare and does not here, and which requests reached the mock in one lap only."""
    lost = sorted(t for t, o in bare.outcomes.items() if o == "passed" and other.outcomes.get(t) != "passed")
    known = [pattern for pattern, laps, _ in EXPECTED.get(sdk, []) if other.name in laps]
    expected = [test for test in lost if any(re.search(pattern, test) for pattern in known)]
    return {
        "broken": [test for test in lost if test not in expected],
        "expected": expected,
        "requests_only_bare": sum((bare.wire - other.wire).values()),
        "requests_only_here": sum((other.wire - bare.wire).values()),
    }


def selection(sdk: str, source: Path, *, full: bool) -> list[str]:
    """The tests to run."""
    wanted = ["."] if full else CORE[sdk].split()
    return [f"tests/{path}" for path in wanted if (source / "tests" / path).exists()]


def summary(sdk: str, version: str, laps: dict[str, Lap]) -> dict[str, object]:
    """Both results side by side, as data."""
    rows = {}
    for name, lap in laps.items():
        rows[name] = {
            "seconds": round(lap.seconds, 1),
            "tests": dict(sorted(lap.tally.items())),
            "counts": dict(sorted(lap.counts.items())),
            "requests": sum(lap.wire.values()),
            "gave_up": lap.counts["reason.router_error"],
            **(compare(sdk, laps["bare"], lap) if name != "bare" else {}),
        }
    return {"sdk": sdk, "version": version, "laps": rows}


def show(result: dict[str, object]) -> None:
    """Prints a result as a table. Where we gave up and let a call through as written, a lap has shown nothing of it."""
    print(f"\n{result['sdk']} {result['version']}")
    print(
        f"{'lap':12} {'passed':>7} {'failed':>7} {'skipped':>8} {'chat':>6} {'routed':>7} {'gave up':>8} "
        f"{'wire':>6} {'-/+':>7} broken"
    )
    for name, row in result["laps"].items():  # type: ignore[attr-defined]
        tests, counts = row["tests"], row["counts"]
        lost = f"{row.get('requests_only_bare', 0)}/{row.get('requests_only_here', 0)}"
        print(
            f"{name:12} {tests.get('passed', 0):7} {tests.get('failed', 0):7} {tests.get('skipped', 0):8} "
            f"{counts.get('beneath.chat', 0):6} {counts.get('visited.chat', 0):7} {row['gave_up']:8} "
            f"{row['requests']:6} {lost:>7} "
            f"{len(row.get('broken', []))}" + (f" (+{len(row['expected'])} expected)" if row.get("expected") else "")
        )
        for test in row.get("broken", []):
            print(f"    {test}")


def noticed(sdk: str, lap: Callable[[str, str], Lap], out: Path) -> dict[str, Any]:
    """What a pass-through lap shows of each deliberate mistake in the wrap."""
    bare, found = lap("bare", ""), {}
    for mutant in MUTANTS:
        wrong = lap("passthrough", mutant)
        compared = compare(sdk, bare, wrong)
        row = {
            "broken": len(compared["broken"]),
            "requests_only_bare": compared["requests_only_bare"],
            "requests_only_here": compared["requests_only_here"],
            "seen": wrong.counts["visited.chat"],
        }
        right = {"broken": 0, "requests_only_bare": 0, "requests_only_here": 0, "seen": bare.counts["beneath.chat"]}
        found[mutant] = {**row, "noticed": row != right}
        print(f"{mutant:24} {found[mutant]}", flush=True)
    (out / "mutants.json").write_text(json.dumps(found, indent=1))
    return found


def main(arguments: list[str] | None = None) -> int:
    """The command line; fails where a test that passes bare does not pass wrapped, or where we gave up on a call."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sdk", choices=sorted(NEWEST), action="append")
    parser.add_argument("--version", help="of the one SDK named; the newest tested when absent")
    parser.add_argument("--cache", type=Path, default=REPO / ".venv-suites")
    parser.add_argument("--lap", choices=LAPS, action="append")
    parser.add_argument("--full", action="store_true", help="all tests, not the core")
    parser.add_argument("--workers", default="2")
    parser.add_argument("--out", type=Path, help="a folder for the results; one in the cache when absent")
    parser.add_argument("--only", help="pytest's -k")
    parser.add_argument("--reuse", action="store_true", help="laps whose results are there are not run again")
    parser.add_argument("--mutants", action="store_true", help="laps with the wrap made wrong on purpose, instead")
    given = parser.parse_args(arguments)
    given.cache.mkdir(parents=True, exist_ok=True)
    worst = 0
    for sdk in given.sdk or sorted(NEWEST):
        version = given.version or NEWEST[sdk]
        source, python = prepare(sdk, version, given.cache)
        out = given.out or given.cache / "results"
        options = [*selection(sdk, source, full=given.full), "-n", given.workers]
        options += ["-k", given.only] if given.only else []
        lap = partial(run_lap, sdk, version, source, python, out, options, given.reuse)
        if given.mutants:
            noticed(sdk, lap, out)
            continue
        result = summary(sdk, version, {name: lap(name) for name in dict.fromkeys(["bare", *(given.lap or LAPS)])})
        (out / f"{sdk}-{version}.json").write_text(json.dumps(result, indent=1))
        show(result)
        rows = result["laps"].values()  # type: ignore[attr-defined]
        worst = max([worst, *(len(row.get("broken", [])) + row["gave_up"] for row in rows)])
    return 1 if worst else 0


if __name__ == "__main__":
    sys.exit(main())
