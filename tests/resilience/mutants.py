"""Loads the breaker with one change in its source text."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import llm_router_middleware.resilience as room

FOLDER = Path(room.__file__).parent
BREAKER = ("transition", "window", "health", "cooldown", "circuit", "breaker")
"""The modules that a circuit breaker is made of, each after those that it imports."""


def source(module: str) -> str:
    return (FOLDER / f"{module}.py").read_text(encoding="utf-8")


def changed(module: str, old: str, new: str) -> str:
    """The module's text with one change; fails where the text has moved on and the mutant no longer applies."""
    text = source(module)
    assert text.count(old) == 1, f"{module}.py: {text.count(old)} places for {old!r}"
    return text.replace(old, new)


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
