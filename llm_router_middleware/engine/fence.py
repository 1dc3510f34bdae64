"""The fence: a bug of ours is told to the log, and goes no further than that."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import TypeVar

__all__ = ["fenced", "report"]

T = TypeVar("T")

_logger = logging.getLogger("llm_router")


def fenced(act: Callable[..., T], *args: object) -> T | None:
    """Does something that no call may suffer from: what it raises is reported, and None comes of it."""
    try:
        return act(*args)
    except Exception as bug:  # noqa: BLE001 - fail open
        report("bookkeeping goes on without something", bug)
        return None


def report(what: str, bug: Exception) -> None:
    """Warns of a bug that the caller was not made to feel: its class and place.

    Not its message, which may quote the request.
    """
    with contextlib.suppress(Exception):  # a handler of the program's own
        _logger.warning("llm_router: %s after an internal %s", what, _whereabouts(bug))


def _whereabouts(bug: Exception) -> str:
    trace = bug.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" at {trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
    return type(bug).__name__ + where
