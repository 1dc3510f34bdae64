"""Mutants: the package's own modules with one change in their text, written down as a diff of a few lines."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import llm_router_middleware.resilience as room

FOLDER = Path(room.__file__).parent
BREAKER = ("transition", "window", "health", "cooldown", "circuit", "breaker")
"""The modules that a circuit breaker is made of, each after those that it imports."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module.

    Attributes:
        module: its name in the room.
        name: what is wrong with it.
        old: lines of the module, once in its text.
        new: what stands there instead.
    """

    module: str
    name: str
    old: str
    new: str

    def text(self) -> str:
        """The module's text with the change; fails where the text has moved on and the change no longer applies."""
        text = source(self.module)
        assert text.count(self.old) == 1, f"{self.module}.py has {text.count(self.old)} places for {self.name!r}"
        return text.replace(self.old, self.new)

    def __str__(self) -> str:
        return self.name


def read(diff: str) -> list[Mutant]:
    """Reads mutants from a file beside this one: blocks that begin with `@@ module: name`, then lines as in a diff."""
    mutants = []
    for block in (Path(__file__).parent / diff).read_text(encoding="utf-8").split("\n\n"):
        head, *lines = block.rstrip("\n").split("\n")
        module, _, name = head.removeprefix("@@ ").partition(": ")
        mutants.append(Mutant(module, name, _side(lines, " -"), _side(lines, " +")))
    return mutants


def _side(lines: Iterable[str], marks: str) -> str:
    return "".join(f"{line[1:]}\n" for line in lines if line[0] in marks)


def source(module: str) -> str:
    return (FOLDER / f"{module}.py").read_text(encoding="utf-8")


def load(texts: dict[str, str], modules: tuple[str, ...] = BREAKER) -> dict[str, ModuleType]:
    """Fresh copies of these modules that import one another, some with other texts than on disk."""
    loaded: dict[str, ModuleType] = {}
    for name in modules:
        dotted = f"{room.__name__}.{name}"
        module = ModuleType(dotted)
        module.__file__ = str(FOLDER / f"{name}.py")
        with patch.dict(sys.modules, {f"{room.__name__}.{other}": m for other, m in loaded.items()}):
            sys.modules[dotted] = module
            exec(compile(texts.get(name) or source(name), module.__file__, "exec"), module.__dict__)
        loaded[name] = module
    return loaded
