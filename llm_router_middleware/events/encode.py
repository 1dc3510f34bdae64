"""An event as data that can be logged anywhere: plain, bounded, one line, and without anything that looks like a key.

Names of models and classes of errors can be text of a stranger's choosing. Every sink takes events through here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from llm_router_middleware.events.event import AttemptRecord, RoutingEvent, Usage

__all__ = ["MAX_ITEMS", "MAX_TEXT", "clean_name", "line", "record", "to_json"]

MAX_TEXT = 256
"""Characters that are kept of a text."""

MAX_ITEMS = 64
"""Entries that are kept of a list."""

_EVENT = "llm_routing_decision"
_KEY = re.compile(r"g?sk[-_][A-Za-z0-9_-]{12,}")
_NAME = re.compile(r"[A-Za-z0-9][\w.:/@+-]{0,255}", re.ASCII)
_NAMES = frozenset({"requested_model", "selected_model", "served_model", "selected_provider", "model", "provider"})


def record(event: RoutingEvent) -> dict[str, Any]:
    """The event as plain JSON types, in the order of its fields, `event` first."""
    return {"event": _EVENT, **_fields(event)}


def line(event: RoutingEvent) -> str:
    """The event as one line of JSON in ASCII, without a line end."""
    return to_json(record(event))


def to_json(value: Any) -> str:
    """One line of JSON in ASCII."""
    return _encode(value)


def _fields(noun: RoutingEvent | AttemptRecord | Usage) -> dict[str, Any]:
    return {
        name: clean_name(getattr(noun, name)) if is_name else _plain(getattr(noun, name))
        for name, is_name in _PLANS[type(noun)]
    }


def _plain(value: Any) -> Any:
    if value is None:
        return None
    write = _WRITERS.get(type(value))
    if write is not None:
        return write(value)
    # A subclass is written as what it is one of; nobody knows what the repr of a stranger's object tells.
    kind: type[Any] | None = next((kind for kind in _BASES if isinstance(value, kind)), None)
    return type(value).__name__ if kind is None else _WRITERS[kind](kind(value))


def _text(value: str) -> str:
    if "sk" in value:
        # Before cutting: half a key is still half a key.
        value = _KEY.sub("(redacted)", value[: 4 * MAX_TEXT])
    return value[:MAX_TEXT]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _items(values: Sequence[Any]) -> list[Any]:
    return [_plain(value) for value in values[:MAX_ITEMS]]


def clean_name(value: Any) -> Any:
    """A name, or a word in its place when what the caller passed for one is none."""
    if not isinstance(value, str) or not value:
        return _plain(value)
    return _text(value) if _NAME.fullmatch(value) else "(not a name)"


_BASES: tuple[type[Any], ...] = (str, int, float, list, tuple)
_WRITERS: dict[type, Callable[[Any], Any]] = {
    str: _text,
    bool: bool,
    int: int,
    float: _number,
    list: _items,
    tuple: _items,
    AttemptRecord: _fields,
    Usage: _fields,
}
_PLANS = {
    noun: tuple((field.name, field.name in _NAMES) for field in fields(noun))
    for noun in (RoutingEvent, AttemptRecord, Usage)
}
_encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
