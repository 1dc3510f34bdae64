"""Reading JSON of unknown shape: every helper takes anything and never raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["as_int", "as_list", "as_map", "as_text", "maps"]

_NOTHING: Mapping[str, Any] = {}


def as_map(value: Any) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    # Asking an abstract class is dear, and almost every object is a plain dict.
    return value if type(value) is dict or isinstance(value, Mapping) else _NOTHING


def as_list(value: Any) -> Sequence[Any]:
    """The value if it is an array, else an empty one."""
    return value if isinstance(value, (list, tuple)) else ()


def maps(value: Any) -> list[Mapping[str, Any]]:
    """The objects of an array."""
    return [item for item in as_list(value) if type(item) is dict or isinstance(item, Mapping)]


def as_text(value: Any) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def as_int(value: Any) -> int | None:
    """The value if it is a whole number, else None. A boolean is not a number."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
