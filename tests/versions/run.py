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
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a script, too

from tests.environments import REPO, UnobtainableError, bare_settings, environment

SETS: dict[str, dict[str, str]] = {
    "oldest": {"openai": "1.66.0", "anthropic": "0.49.0", "groq": "0.13.0"},
    "last with httpx": {"openai": "2.45.0", "anthropic": "0.121.0", "groq": "0.31.1"},
    "first with httpx2": {"openai": "3.0.0", "anthropic": "1.0.0", "groq": "1.0.0"},
    "newest": {"openai": "3.57.0", "anthropic": "2.13.0", "groq": "1.7.0"},
}
ENDS = ("oldest", "newest")
TESTS = ("tests/clients/test_call_forms.py",)
PLAIN = ("pytest>=8", "pytest-asyncio>=0.25", "hypothesis>=6.120")


def measured(name: str, cache: Path, python: str, select: list[str]) -> dict[str, Any]:
    """A set's environment, made if need be, and the table run in it; or the package that no index has."""
    wanted = (*(f"{sdk}=={version}" for sdk, version in SETS[name].items()), *PLAIN)
    result: dict[str, Any] = {"set": name, "versions": SETS[name]}
    folder = cache / name.replace(" ", "-")
    try:
        inside = environment(folder, wanted, python=python)
    except UnobtainableError as missing:
        return {**result, "result": {}, "ok": True, "missing": missing.package}
    return {**result, **run(inside, select)}


def run(python: Path, select: list[str]) -> dict[str, Any]:
    """Runs the table in an environment: how many tests passed, failed and were skipped, and what pytest wrote."""
    command = [str(python), "-m", "pytest", "-p", "tests.versions.plugin", "-p", "no:cacheprovider", "-q", "--tb=short"]
    command += ["-W", "ignore::DeprecationWarning", "-o", "addopts=--import-mode=importlib", *TESTS, *select]
    settings = bare_settings(dict(os.environ))
    done = subprocess.run(command, cwd=REPO, env=settings, capture_output=True, text=True, check=False)
    closing = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr[-400:]
    counted = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped|errors?)", closing)}
    written = done.stdout[-6000:] + done.stderr[-2000:]
    return {"result": counted, "ok": done.returncode == 0, "python": _version(python), "written": written}


def _version(python: Path) -> str:
    said = subprocess.check_output([str(python), "-c", "import platform; print(platform.python_version())"], text=True)
    return said.strip()


def show(result: dict[str, Any]) -> None:
    """A line for a set; all that pytest wrote where it failed."""
    said = ", ".join(f"{number} {word}" for word, number in result["result"].items())
    if "missing" in result:
        said = f"NOT RUN: no index of this machine has {result['missing']}"
    print(f"{result['set']:18} {result['versions']}: {said}", flush=True)
    written = result.pop("written", "")
    if not result["ok"]:
        print(written)


def main(arguments: list[str] | None = None) -> int:
    """The command line; fails where a version fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="what lies between the ends, too")
    parser.add_argument("--set", action="append", choices=sorted(SETS))
    parser.add_argument("--cache", type=Path, default=REPO / ".venv-versions", help="where the environments are kept")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--at-a-time", type=int, default=2, help="sets that are run at the same time")
    parser.add_argument("--quick", action="store_true", help="that each form is routed; not its failover")
    given = parser.parse_args(arguments)
    given.cache.mkdir(parents=True, exist_ok=True)
    select = ["-k", "routed_once"] if given.quick else []
    one = partial(measured, cache=given.cache, python=given.python, select=select)
    results = []
    with ThreadPoolExecutor(given.at_a_time) as pool:
        for result in pool.map(one, given.set or (SETS if given.all else ENDS)):
            show(result)
            results.append(result)
    (given.cache / "versions.json").write_text(json.dumps(results, indent=1))
    return 0 if all(result["ok"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
