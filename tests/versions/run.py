"""Runs the call-form table against versions of the SDKs, oldest to newest, each set in an environment of its own.

python tests/versions/run.py            # the two ends, as in CI
python tests/versions/run.py --all      # and what lies between: the last with httpx, the first with httpx2
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

REPO = Path(__file__).parents[2]
SETS: dict[str, dict[str, str]] = {
    "oldest": {"openai": "1.66.0", "anthropic": "0.49.0", "groq": "0.13.0"},
    "last with httpx": {"openai": "2.45.0", "anthropic": "0.121.0", "groq": "0.31.1"},
    "first with httpx2": {"openai": "3.0.0", "anthropic": "1.0.0", "groq": "1.0.0"},
    "newest": {"openai": "3.57.0", "anthropic": "2.13.0", "groq": "1.7.0"},
}
ENDS = ("oldest", "newest")
TESTS = ("tests/clients/test_call_forms.py",)


def environment(name: str, cache: Path, python: str) -> Path:
    """The interpreter of a set's environment, which is made if it isn't there."""
    venv = cache / f"{Path(python).name}-{name.replace(' ', '-')}"
    inside = venv / "bin" / "python"
    if not inside.exists():
        subprocess.run([python, "-m", "venv", str(venv)], check=True)
        wanted = [f"{sdk}=={version}" for sdk, version in SETS[name].items()]
        wanted += ["pytest>=8", "pytest-asyncio>=0.25", "h11", "-e", str(REPO)]
        subprocess.run([str(inside), "-m", "pip", "install", "-q", *wanted], check=True)
    return inside


def run(name: str, python: Path, report: Path, select: list[str]) -> dict[str, Any]:
    """Runs the table in an environment; the tests passed, failed and skipped, by SDK."""
    command = [str(python), "-m", "pytest", "-p", "tests.versions.plugin", "-p", "no:cacheprovider", "-q", "--tb=short"]
    command += ["-W", "ignore::DeprecationWarning"]
    command += ["-o", "addopts=--import-mode=importlib", f"--junit-xml={report}", *TESTS, *select]
    settings = {key: value for key, value in os.environ.items() if not key.startswith("LLM_ROUTER_")}
    done = subprocess.run(command, cwd=REPO, env=settings, capture_output=True, text=True, check=False)
    closing = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr[-400:]
    counted = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped|errors?)", closing)}
    if done.returncode:
        print(done.stdout[-6000:])
    return {"set": name, "versions": SETS[name], "result": counted, "ok": done.returncode == 0}


def main(arguments: list[str] | None = None) -> int:
    """The command line; fails where a version fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="what lies between the ends, too")
    parser.add_argument("--set", action="append", choices=sorted(SETS))
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "llm-router-versions")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--quick", action="store_true", help="that each form is routed; not its failover")
    given = parser.parse_args(arguments)
    given.cache.mkdir(parents=True, exist_ok=True)
    select = ["-k", "routed_once"] if given.quick else []
    results = []
    for name in given.set or (SETS if given.all else ENDS):
        python = environment(name, given.cache, given.python)
        results.append(run(name, python, given.cache / f"{name}.xml".replace(" ", "-"), select))
        counted = ", ".join(f"{number} {word}" for word, number in results[-1]["result"].items())
        print(f"{name:18} {results[-1]['versions']}: {counted}", flush=True)
    (given.cache / "versions.json").write_text(json.dumps(results, indent=1))
    return 0 if all(result["ok"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
