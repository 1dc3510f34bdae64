"""Runs every framework's program without us, with a wrapped client, in a scope, and with no change at all.

    python tests/frameworks/run.py

Each run is a process of its own, in an environment of its own. A program holds when its result is the bare one, every
call was routed to a cheaper model, and each has exactly one event.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPO = HERE.parents[1]
QUIET = {"LANGSMITH_TRACING": "false", "LANGFUSE_TRACING_ENABLED": "false", "OPENAI_AGENTS_DISABLE_TRACING": "1"}
LISTED = (
    "openai", "anthropic", "instructor", "langchain-openai", "langchain-anthropic", "pydantic-ai-slim", "openai-agents",
    "llama-index-llms-openai", "langsmith", "langfuse", "opentelemetry-instrumentation-genai-openai",
    "opentelemetry-instrumentation-genai-anthropic",
)  # fmt: skip


def environment(cache: Path) -> Path:
    """The interpreter of the frameworks' environment, which is made if it isn't there."""
    python = cache / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(cache)], check=True)
        pip = [str(python), "-m", "pip", "install", "-q"]
        subprocess.run([*pip, "-r", str(HERE / "requirements.txt"), "-e", str(REPO)], check=True)
        # Its pin of jiter is older than what the newest OpenAI SDK wants; it works with the newer one.
        subprocess.run([*pip, "--no-deps", "instructor"], check=True)
        subprocess.run(
            [*pip, "docstring-parser", "jinja2", "tenacity", "diskcache", "rich", "typer", "aiohttp"], check=True
        )
    return python


def versions(python: Path) -> dict[str, str]:
    """What is installed."""
    code = (
        "import json, sys; from importlib.metadata import version as v; "
        "print(json.dumps({n: v(n) for n in sys.argv[1:]}))"
    )
    return dict(json.loads(subprocess.check_output([str(python), "-c", code, *LISTED], text=True)))


def one(python: Path, name: str, way: str) -> dict[str, Any]:
    """One program, in one way."""
    settings = {
        k: v for k, v in os.environ.items() if not k.startswith(("LLM_ROUTER_", "OPENAI_", "ANTHROPIC_"))
    } | QUIET
    command = [str(python), "-W", "ignore", str(HERE / "drive.py"), name, way]
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder) / "events.jsonl"
        if way == "no change":
            settings |= {"LLM_ROUTER_SINKS__JSONL": str(events), "LLM_ROUTER_SCORER": "heuristic"}
            command = [
                str(python),
                "-W",
                "ignore",
                "-m",
                "llm_router_middleware",
                "run",
                str(HERE / "drive.py"),
                name,
                "bare",
            ]
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


def main(arguments: list[str] | None = None) -> int:
    """The command line; fails where a program does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", type=Path, default=Path.home() / ".cache" / "llm-router-frameworks")
    parser.add_argument("--only", help="programs whose name contains this")
    given = parser.parse_args(arguments)
    python = environment(given.env)
    sys.path.insert(0, str(HERE))
    rows: dict[str, dict[str, str]] = {}
    for name, program in import_module("programs").PROGRAMS.items():
        if given.only and given.only not in name:
            continue
        bare = one(python, name, "bare")
        ways = (*(("client",) if program.given else ()), "scope", "no change")
        rows[name] = {way: verdict(bare, one(python, name, way)) for way in ways}
        print(f"{name:32} {rows[name]}", flush=True)
    result = {"versions": versions(python), "programs": rows}
    (given.env / "frameworks.json").write_text(json.dumps(result, indent=1))
    return 0 if all(said == "ok" for row in rows.values() for said in row.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
