"""Type checkers see the SDKs' own types on our clients, and every argument of their constructors."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.typing.stub import CLIENTS, stub

HERE = Path(__file__).parent
REPO = HERE.parents[1]
GOLDEN = HERE / "golden.py"
STUB = REPO / "llm_router_middleware" / "dropins.pyi"


def wanted() -> set[int]:
    """The lines that must be rejected."""
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    return {number for number, line in enumerate(lines, 1) if "  # error" in line}


def mypy() -> set[int]:
    """The lines that mypy rejects."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", str(GOLDEN)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return {int(match[1]) for match in re.finditer(r"golden\.py:(\d+): error", done.stdout)}


def pyright() -> set[int]:
    """The lines that pyright rejects."""
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(GOLDEN)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)["generalDiagnostics"]
    return {d["range"]["start"]["line"] + 1 for d in found if d["severity"] == "error"}


@pytest.mark.slow
@pytest.mark.parametrize("checker", [mypy, pyright], ids=["mypy", "pyright"])
def test_checkers_reject_exactly_the_wrong_lines(checker: Callable[[], set[int]]) -> None:
    """`wrap(x)` keeps the type, the six have the SDK's overloads and attributes, misspelt arguments are errors."""
    pytest.importorskip(checker.__name__, reason=f"{checker.__name__} is not installed")
    assert checker() == wanted()


@pytest.mark.parametrize(("sdk", "name"), CLIENTS, ids=[name for _, name in CLIENTS])
def test_the_stub_has_the_installed_constructors_parameters(sdk: str, name: str) -> None:
    """No argument of the installed SDK's constructor is missing in ours, and none is made up."""
    text = STUB.read_text(encoding="utf-8")
    (body,) = re.findall(rf"^class {name}\(.*?\n(.*?)^    \) -> None", text, re.MULTILINE | re.DOTALL)
    ours = set(re.findall(r"^        (\w+):", body, re.MULTILINE))
    theirs = set(inspect.signature(getattr(importlib.import_module(sdk), name).__init__).parameters)
    assert ours - {"router"} == theirs - {"self"}


def test_the_stub_is_what_the_generator_writes() -> None:
    """The stub is not edited by hand: annotations and all, it is the installed SDKs' own constructors."""
    generated, kept = (_squeezed(text) for text in (stub(), STUB.read_text(encoding="utf-8")))
    assert generated == kept


def _squeezed(text: str) -> list[str]:
    """The classes without their layout; of a union, its members in any order."""
    body = re.sub(r"\s", "", text.partition("\nclass OpenAI(")[2]).replace(",)", ")")
    return ["|".join(sorted(part.split("|"))) for part in re.split(r"[=:]", body)]
