"""Copies of the dialects' room, one of them with a change in its text: a mutant."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import llm_router_middleware

NAME = "llm_router_middleware.dialects"
FOLDER = Path(llm_router_middleware.__file__).parent / "dialects"


@dataclass(frozen=True)
class Room:
    """What the properties are asked of."""

    translator: Any
    decoder: Any
    encode: Any
    braces: Any


@dataclass(frozen=True)
class Mutant:
    """One change of one module.

    Attributes:
        module: its name in the room.
        name: what is wrong with it.
        old: a piece of its text, once in it.
        new: what stands there instead.
    """

    module: str
    name: str
    old: str
    new: str

    def __str__(self) -> str:
        return self.name

    def source(self) -> str:
        """The module's text with the change; fails where the text has moved on and the change no longer applies."""
        text = (FOLDER / f"{self.module.replace('.', '/')}.py").read_text("utf-8")
        assert text.count(self.old) == 1, f"{self.module} has {text.count(self.old)} places for {self.name!r}"
        return text.replace(self.old, self.new)


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from another text than its file's."""

    def __init__(self, mutant: Mutant) -> None:
        self._module = f"{NAME}.{mutant.module}"
        self._source = mutant.source()

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self._module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, f"<{self._module}>", "exec"), module.__dict__)


@contextmanager
def room(mutant: Mutant | None = None) -> Iterator[Room]:
    """A fresh copy of the room; everybody else keeps the one that he has."""
    before = {name: module for name, module in sys.modules.items() if name == NAME or name.startswith(NAME + ".")}
    for name in before:
        del sys.modules[name]
    finder = None if mutant is None else _Changed(mutant)
    if finder is not None:
        sys.meta_path.insert(0, finder)
    try:
        table = importlib.import_module(f"{NAME}.table")
        sse = importlib.import_module(f"{NAME}.sse")
        braces = importlib.import_module(f"{NAME}.braces")
        yield Room(table.translator, sse.SseDecoder, sse.encode, braces.ObjectEnd)
    finally:
        if finder is not None:
            sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name == NAME or name.startswith(NAME + ".")]:
            del sys.modules[name]
        sys.modules.update(before)
        llm_router_middleware.dialects = before[NAME]  # type: ignore[attr-defined]
