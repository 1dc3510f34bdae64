"""An event as data that can be logged anywhere: plain, bounded, one line, and without anything that looks like a key.

Names of models and classes of errors can be text of a stranger's choosing. Every sink takes events through here.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from llm_router_middleware.events.event import RoutingEvent

__all__ = ["MAX_ITEMS", "MAX_TEXT", "line", "record", "to_json"]

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
    return {"event": _EVENT, **_table(event.to_dict())}


def line(event: RoutingEvent) -> str:
    """The event as one line of JSON in ASCII, without a line end."""
    return to_json(record(event))


def to_json(value: Any) -> str:
    """One line of JSON in ASCII."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def _table(values: dict[str, Any]) -> dict[str, Any]:
    return {key: _name(value) if key in _NAMES else _plain(value) for key, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value[:MAX_ITEMS]]
    if isinstance(value, dict):
        return _table(value)
    # Nobody knows what the repr of a stranger's object tells.
    return type(value).__name__


def _text(value: str) -> str:
    text = str(value)[:MAX_TEXT]
    return _KEY.sub("(redacted)", text) if "sk" in text else text


def _name(value: Any) -> Any:
    """A name, or a word in its place when what the caller passed for one is none."""
    if not isinstance(value, str) or not value:
        return _plain(value)
    return _text(value) if _NAME.fullmatch(value) else "(not a name)"
