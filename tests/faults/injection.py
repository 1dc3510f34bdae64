"""Raises an exception at any line of the package, once, while a call runs: the bug that nobody has written yet."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import llm_router_middleware

__all__ = ["InjectedError", "Site", "Watched", "lines_run", "raising_at"]

ROOT = str(Path(llm_router_middleware.__file__).parent)
SANDBOX = str(Path(ROOT) / "sandbox")

Site = tuple[str, str, int]
"""Module, function and line."""


class InjectedError(Exception):
    """A bug of ours."""


def _is_ours(filename: str) -> bool:
    return filename.startswith(ROOT) and not filename.startswith(SANDBOX) and not filename.endswith("testing.py")


def _site(frame: FrameType) -> Site:
    code = frame.f_code
    module = code.co_filename.removeprefix(ROOT).strip("/").removesuffix(".py")
    return module, code.co_qualname, frame.f_lineno


class Watched:
    """A block in which every line of the package is told to somebody.

    Args:
        on_line: who; what it raises is raised at that line.

    Attributes:
        lines: what it has chosen to keep, in order.
    """

    def __init__(self, on_line: Callable[[Site, dict[Site, None]], None]) -> None:
        self.lines: dict[Site, None] = {}
        self._on_line = on_line
        self._before: Any = None

    def __enter__(self) -> Watched:
        self._before = sys.gettrace()
        sys.settrace(self._start)
        return self

    def __exit__(self, *_exc: object) -> None:
        sys.settrace(self._before)

    def _start(self, frame: FrameType, _kind: str, _arg: Any) -> Any:
        return self._local if _is_ours(frame.f_code.co_filename) else None

    def _local(self, frame: FrameType, kind: str, _arg: Any) -> Any:
        if kind == "line":
            self._on_line(_site(frame), self.lines)
        return self._local


def lines_run() -> Watched:
    """Keeps every line of the package that is run, in the order in which it first comes to them."""
    return Watched(lambda site, lines: lines.setdefault(site))


def raising_at(site: Site, error: BaseException) -> Watched:
    """Raises an exception when this line is about to run for the first time, and then keeps it."""

    def on_line(at: Site, lines: dict[Site, None]) -> None:
        if at == site and not lines:
            lines[at] = None
            raise error

    return Watched(on_line)
