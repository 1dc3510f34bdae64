"""Mutants of a module of the sandbox: its source with one thing wrong, run as a module of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import llm_router_middleware.sandbox


def survivors(name: str, mutants: Mapping[str, tuple[str, str]], law: Callable[[ModuleType], object]) -> list[str]:
    """The mutants that a law does not tell from the original.

    Args:
        name: of the module.
        mutants: by name, a text that stands once in the source and what replaces it.
        law: raises AssertionError (or any error of the mutant's own) when it is broken.
    """
    path = Path(llm_router_middleware.sandbox.__file__).with_name(f"{name}.py")
    source = path.read_text(encoding="utf-8")
    return [mutant for mutant, (old, new) in mutants.items() if _survives(name, source, old, new, law)]


def _survives(name: str, source: str, old: str, new: str, law: Callable[[ModuleType], object]) -> bool:
    assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in {name}.py"
    module = ModuleType(f"mutant_of_{name}")
    sys.modules[module.__name__] = module  # where dataclasses look for the annotations of theirs
    try:
        exec(compile(source.replace(old, new), module.__name__, "exec"), module.__dict__)
        law(module)
    except Exception:
        return False
    finally:
        del sys.modules[module.__name__]
    return True
