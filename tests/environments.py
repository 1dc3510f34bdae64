"""Environments of their own, for the suites that want other packages than the checkout's own environment has.

One is made when it is first asked for, and made anew when what it should hold has changed.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["REPO", "UnobtainableError", "bare_settings", "environment", "package_of"]

REPO = Path(__file__).parents[1]

_NOWHERE = re.compile(r"satisfies the requirement (\S+)(?: \(from ([^()\s]+)\))? \(from versions:")


class UnobtainableError(Exception):
    """No index of this machine has a package.

    Attributes:
        package: the requirement that nothing satisfies.
        wanted_by: the name of the package that wants it, or its own.
    """

    def __init__(self, package: str, wanted_by: str) -> None:
        super().__init__(f"no index of this machine has {package}")
        self.package = package
        self.wanted_by = wanted_by


def environment(folder: Path, *steps: tuple[str, ...], python: str = sys.executable) -> Path:
    """The interpreter of an environment that holds this checkout and what the steps install.

    Args:
        folder: where it is kept.
        steps: arguments of `pip install`, a tuple per run of it. The checkout comes first, with its extras `cli` and
            `sandbox`.
        python: the interpreter that makes it.

    Raises:
        UnobtainableError: no index has one of the packages.
        RuntimeError: pip failed in another way, or the folder holds something else.
    """
    inside, stamp = folder / "bin" / "python", folder / "made-of.json"
    made_of = _made_of(python, *steps)
    if stamp.exists() and stamp.read_text() == made_of:
        return inside
    if (folder / "pyvenv.cfg").exists():
        shutil.rmtree(folder)
    elif folder.exists() and any(folder.iterdir()):
        raise RuntimeError(f"{folder} is there and no environment")
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    for step in (("-e", f"{REPO}[cli,sandbox]"), *steps):
        _install(inside, step)
    stamp.write_text(made_of)
    return inside


def _made_of(python: str, *steps: tuple[str, ...]) -> str:
    project = hashlib.sha256((REPO / "pyproject.toml").read_bytes()).hexdigest()
    return json.dumps([str(REPO), project, python, *steps], indent=1)


def _install(python: Path, wanted: tuple[str, ...]) -> None:
    # Not compiled: what a suite imports is compiled then, and most of what is installed never is.
    command = [str(python), "-m", "pip", "install", "-q", "--no-compile", *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    nowhere = _NOWHERE.search(done.stderr)
    if done.returncode and nowhere:
        raise UnobtainableError(nowhere[1], package_of(nowhere[2] or nowhere[1]))
    if done.returncode:
        raise RuntimeError(f"pip install {' '.join(wanted)}\n{done.stderr[-2000:]}")


def package_of(requirement: str) -> str:
    """The name in a requirement, as indexes spell it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[=<>!~; @]", requirement, maxsplit=1)[0]).lower()


def bare_settings(environ: dict[str, str]) -> dict[str, str]:
    """An environment without our settings, anybody's keys and addresses, and what tells Python to be otherwise.

    Of the last, PYTHONPATH may lead to another checkout, and PYTHONDONTWRITEBYTECODE has each process compile anew.
    """
    others = ("LLM_ROUTER_", "OPENAI_", "ANTHROPIC_", "GROQ_", "PYTHON")
    return {name: value for name, value in environ.items() if not name.startswith(others)}
