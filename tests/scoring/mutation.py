"""Mutants: a module's text with one change, put in the place of the module wherever its names are used."""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

PACKAGE = "llm_router_middleware"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module: what stands there, once, and what stands there instead."""

    module: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.module}: {' '.join(self.old.split())} -> {' '.join(self.new.split())}"


def kills(suite: str, mutant: Mutant | None) -> bool:
    """Whether some test of a module, run without pytest, fails on the mutant. None changes nothing."""
    tests = import_module(suite)
    with in_place(mutant):
        try:
            for test in _tests(tests):
                for arguments in _cases(test):
                    test(**arguments)
        except (Exception, pytest.fail.Exception):
            return True
    return False


def _tests(module: ModuleType) -> list[Callable[..., Any]]:
    return [value for name, value in vars(module).items() if name.startswith("test_")]


def _cases(test: Callable[..., Any]) -> Iterator[dict[str, Any]]:
    """The parametrized cases of a test; none for a test that needs fixtures."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    axes = []
    for mark in marks:
        names = mark.args[0] if isinstance(mark.args[0], tuple) else tuple(n.strip() for n in mark.args[0].split(","))
        values = (value if len(names) > 1 else (value,) for value in mark.args[1])
        axes.append([dict(zip(names, value, strict=True)) for value in values])
    needed = set() if hasattr(test, "hypothesis") else set(inspect.signature(test).parameters)
    for parts in itertools.product(*axes):
        case = {name: value for part in parts for name, value in part.items()}
        if needed <= case.keys():
            yield case


@contextmanager
def in_place(mutant: Mutant | None) -> Iterator[None]:
    """Puts the mutant's names in the place of the module's, in every module that holds them."""
    if mutant is None:
        yield
        return
    original = import_module(f"{PACKAGE}.{mutant.module}")
    text = inspect.getsource(original)
    assert text.count(mutant.old) == 1, f"{mutant}: {text.count(mutant.old)} places"
    changed = ModuleType(original.__name__)
    changed.__file__ = original.__file__
    # Dataclasses look their module up by name.
    sys.modules[original.__name__] = changed
    try:
        exec(compile(text.replace(mutant.old, mutant.new), str(original.__file__), "exec"), vars(changed))
    finally:
        sys.modules[original.__name__] = original
    swaps = {id(old): vars(changed)[name] for name, old in vars(original).items() if _own(original, old)}
    undo = []
    for module in [m for name, m in sys.modules.items() if name.startswith((PACKAGE, "tests."))]:
        for name, value in list(vars(module).items()):
            if id(value) in swaps:
                undo.append((module, name, value))
                setattr(module, name, swaps[id(value)])
    try:
        yield
    finally:
        for module, name, value in undo:
            setattr(module, name, value)


def _own(module: ModuleType, value: object) -> bool:
    return getattr(value, "__module__", None) == module.__name__
