"""No regular expression of the package takes more than linear time on any text that a stranger may send."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import llm_router_middleware

ROOT = Path(llm_router_middleware.__file__).parent
METHODS = frozenset({"match", "fullmatch", "search", "sub", "subn", "findall", "finditer", "split"})

NOT_FOR_STRANGERS = {
    "sandbox/fit.py": "patterns and hints of a test's own schema",
    "evaluation/toml_edit.py": "the user's own file",
}
"""Where a pattern is written in a call instead of being named: on whose text it runs."""


@dataclass(frozen=True)
class Use:
    """A named pattern and one method that is called on it."""

    place: str
    name: str
    pattern: re.Pattern[str]
    method: str

    def __str__(self) -> str:
        return f"{self.place}:{self.name}.{self.method}"

    def run(self, text: str) -> None:
        method: Callable[..., Any] = getattr(self.pattern, self.method)
        result = method("", text) if self.method in ("sub", "subn") else method(text)
        if self.method == "finditer":
            list(result)


def _calls(tree: ast.AST) -> Iterator[tuple[str, str, ast.Call]]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            yield node.func.value.id, node.func.attr, node


def _read() -> tuple[list[Use], list[str], list[str]]:
    """Every use of a named pattern; the names of those that are never used; files with patterns that have no name."""
    uses: list[Use] = []
    unused: list[str] = []
    nameless: list[str] = []
    for path in sorted(ROOT.rglob("*.py")):
        place, tree = path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())
        named = {
            node.targets[0].id: eval(compile(ast.Expression(node.value), place, "eval"), {"re": re})
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _compiles(node.value)
        }
        calls = list(_calls(tree))
        compiled = sum(1 for owner, name, _ in calls if (owner, name) == ("re", "compile"))
        if compiled != len(named) or any(owner == "re" and name in METHODS for owner, name, _ in calls):
            nameless.append(place)
        for name, pattern in named.items():
            methods = {method for owner, method, _ in calls if owner == name and method in METHODS} | {
                node.attr
                for node in ast.walk(tree)
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
            } & METHODS
            uses += [Use(place, name, pattern, method) for method in sorted(methods)]
            unused += [] if methods else [f"{place}:{name}"]
    return uses, unused, nameless


def _compiles(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"


USES, UNUSED, NAMELESS = _read()


def hostile(pattern: re.Pattern[str], size: int) -> Iterator[str]:
    """Texts that a backtracking matcher may choke on: what the pattern itself is made of, over and over, and an end."""
    words = sorted(re.findall(r"[A-Za-z0-9_:;,.<>@-]{2,}", pattern.pattern), key=len)
    units = sorted({*words, *pattern.pattern, *"a0 \t\n.-_;:"})
    for unit in units:
        for head in ("", *words[-1:]) if len(unit) == 1 else ("",):
            for tail in ("", "\x00"):
                yield (head + unit * (size // len(unit)))[:size] + tail


def seconds(use: Use, text: str, runs: int) -> float:
    best = float("inf")
    for _ in range(runs):
        began = time.perf_counter()
        use.run(text)
        best = min(best, time.perf_counter() - began)
    return best


def is_superlinear(use: Use, size: int) -> bool:
    """Whether, for some text, four times as much of it takes over nine times as long, looked at ever closer."""
    pairs = zip(hostile(use.pattern, size), hostile(use.pattern, 4 * size), strict=True)
    return any(all(_grows(use, *pair, runs) for runs in (1, 3, 10)) for pair in pairs)


def _grows(use: Use, short: str, long: str, runs: int) -> bool:
    return seconds(use, long, runs) > 9 * seconds(use, short, runs)


@pytest.mark.parametrize("use", USES, ids=str)
def test_a_pattern_is_linear(use: Use) -> None:
    """Four times the text takes about four times as long, whatever the text."""
    assert not is_superlinear(use, 4_000)


@pytest.mark.parametrize(("pattern", "method"), [(r"[\w.]+@\w", "search"), (r"\s+$", "sub"), (r"a*a*b", "match")])
def test_a_bad_pattern_would_be_found(pattern: str, method: str) -> None:
    """The search is not blind: those of which the design warns are found."""
    assert is_superlinear(Use("here", "_BAD", re.compile(pattern), method), 400)


def test_no_pattern_is_forgotten() -> None:
    """Every pattern has a name and a use, but for those that never see a stranger's text."""
    assert set(NAMELESS) == set(NOT_FOR_STRANGERS)
    assert UNUSED == []
    assert len(USES) > 20
