"""Runs every framework's program without us, with a wrapped client, in a scope, and with no change at all.

    python tests/frameworks/run.py

Each run is a process of its own, in an environment with the newest SDKs, or with those that its framework wants. A
program holds when its result is the bare one, every call was routed to a cheaper model, and each has exactly one event.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a script, too

from tests.environments import REPO, UnobtainableError, bare_settings, environment, package_of

HERE = Path(__file__).parent
QUIET = {"LANGSMITH_TRACING": "false", "LANGFUSE_TRACING_ENABLED": "false", "OPENAI_AGENTS_DISABLE_TRACING": "1"}
PACKAGES = {
    "instructor": "instructor",
    "langchain_openai": "langchain-openai",
    "langchain_anthropic": "langchain-anthropic",
    "pydantic_ai": "pydantic-ai-slim",
    "openai_agents": "openai-agents",
    "llama_index": "llama-index-llms-openai",
    "langsmith": "langsmith",
    "langfuse": "langfuse",
    "opentelemetry_openai": "opentelemetry-instrumentation-genai-openai",
    "opentelemetry_anthropic": "opentelemetry-instrumentation-genai-anthropic",
}
"""How a program's name begins, and the package that it is about."""
ENVIRONMENTS = ("newest", "openai-2")
"""The lists of requirements; a program runs in the first that has its package."""


@dataclass
class Environment:
    """An environment for some of the programs.

    Attributes:
        name: of its list of requirements.
        python: its interpreter; None when it could not be made.
        versions: of what is installed, by package.
        missing: what is not to be had on this machine, by package: why.
    """

    name: str
    python: Path | None = None
    versions: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def requirements(name: str) -> list[str]:
    """What an environment should hold."""
    lines = (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def prepared(name: str, cache: Path) -> Environment:
    """An environment, without the packages that no index has."""
    made, wanted = Environment(name), requirements(name)
    while made.python is None and wanted:
        try:
            made.python = environment(cache / name, tuple(wanted))
        except UnobtainableError as error:
            kept = [each for each in wanted if package_of(each) != error.wanted_by]
            gone = set(wanted) - set(kept) or set(wanted)  # something below all of them: then it is all of them
            made.missing |= {package_of(each): str(error) for each in gone}
            wanted = [each for each in kept if each not in gone]
    if made.python is not None:
        code = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
        found = json.loads(subprocess.check_output([str(made.python), "-c", code], text=True))
        made.versions = {package_of(package): version for package, version in found.items()}
    return made


def one(python: Path, name: str, way: str) -> dict[str, Any]:
    """One program, in one way."""
    settings = bare_settings(dict(os.environ)) | QUIET
    start = [str(python), "-W", "ignore"]
    command = [*start, str(HERE / "drive.py"), name, way]
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder) / "events.jsonl"
        if way == "no change":
            settings |= {"LLM_ROUTER_SINKS__JSONL": str(events), "LLM_ROUTER_SCORER": "heuristic"}
            command = [*start, "-m", "llm_router_middleware", "run", str(HERE / "drive.py"), name, "bare"]
        done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=180, check=False)
        found = next((line for line in done.stdout.splitlines() if line.startswith("RESULT ")), None)
        if found is None:
            return {"error": (done.stderr or done.stdout).strip()[-300:]}
        got: dict[str, Any] = json.loads(found.removeprefix("RESULT "))
        if events.exists():
            lines = [json.loads(line) for line in events.read_text().splitlines()]
            keys = ("requested_model", "selected_model", "selection_reason", "success", "error")
            got["events"] = [[line.get(key) for key in keys] for line in lines]
        return got


def verdict(bare: dict[str, Any], got: dict[str, Any]) -> str:
    """ "ok", or what is wrong."""
    if "error" in bare or "error" in got:
        return "failed: " + (bare.get("error") or got.get("error", "")).splitlines()[-1]
    if got["result"] != bare["result"]:
        return f"another result: {got['result']!r}, not {bare['result']!r}"
    if len(got["asked"]) != len(bare["asked"]) or len(got["events"]) != len(got["asked"]):
        return f"{len(bare['asked'])} requests bare, {len(got['asked'])} routed, {len(got['events'])} events"
    if set(got["asked"]) & set(bare["asked"]) or not all(event[3] and event[4] is None for event in got["events"]):
        return f"not all routed: {got['asked']}, {got['events']}"
    return "ok"


def measured(name: str, given: bool, sdk: str, environments: list[Environment]) -> dict[str, Any]:
    """A program in all of its ways, and what it ran with; or the package that no index has."""
    package = next(package for start, package in PACKAGES.items() if name.startswith(start))
    for home in environments:
        if home.python is not None and package in home.versions:
            bare = one(home.python, name, "bare")
            ways = (*(("client",) if given else ()), "scope", "no change")
            said = {way: verdict(bare, one(home.python, name, way)) for way in ways}
            return {"with": {each: home.versions[each] for each in (package, sdk)}, "ways": said}
    return {"missing": next(home.missing[package] for home in environments if package in home.missing)}


def main(arguments: list[str] | None = None) -> int:
    """The command line; fails where a program does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=REPO / ".venv-frameworks", help="where the environments are kept")
    parser.add_argument("--only", default="", help="programs whose name contains this")
    parser.add_argument("--at-a-time", type=int, default=2, help="programs that are run at the same time")
    given = parser.parse_args(arguments)
    given.cache.mkdir(parents=True, exist_ok=True)
    programs = {n: p for n, p in import_module("tests.frameworks.programs").PROGRAMS.items() if given.only in n}
    rows: dict[str, dict[str, Any]] = {}
    with ThreadPoolExecutor(given.at_a_time) as pool:
        environments = list(pool.map(partial(prepared, cache=given.cache), ENVIRONMENTS))
        found = pool.map(lambda each: measured(each[0], each[1].given, each[1].sdk, environments), programs.items())
        for name, row in zip(programs, found, strict=True):
            rows[name] = row
            print(f"{name:32} {row.get('ways') or 'NOT RUN: ' + row['missing']}", flush=True)
    (given.cache / "frameworks.json").write_text(json.dumps(rows, indent=1))
    return 0 if all(said == "ok" for row in rows.values() for said in row.get("ways", {}).values()) else 1


if __name__ == "__main__":
    sys.exit(main())
