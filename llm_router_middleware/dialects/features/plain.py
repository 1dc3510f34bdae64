"""The commonest request, a conversation in plain text, read in one pass: most calls ask for nothing else.

What it returns is what the full reading of the dialect would; a test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from llm_router_middleware.dialects.features.base import Features
from llm_router_middleware.engine.call import Wire

__all__ = ["plain"]

_CHAT_KEYS = frozenset({"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens"})
_MESSAGES_KEYS = frozenset({"model", "messages", "stream", "max_tokens"})
_TURNS = frozenset({"user", "assistant"})
_ROLES = _TURNS | {"system", "developer"}


def plain(wire: Wire, body: Mapping[str, Any]) -> Features | None:
    """The features of a conversation in plain text; None for any other request.

    Args:
        wire: the dialect of the body.
        body: the JSON body.
    """
    if wire == "anthropic_messages":
        return _plain_messages(body) if body.keys() <= _MESSAGES_KEYS else None
    if wire != "openai_responses" and body.keys() <= _CHAT_KEYS:
        return _plain_chat(body)
    return None


def _plain_chat(body: Mapping[str, Any]) -> Features | None:
    model, cap, old_cap = body.get("model"), body.get("max_completion_tokens"), body.get("max_tokens")
    roles = _roles(body.get("messages"), _ROLES)
    if not roles or type(model) is not str or not (_is_cap(cap) and _is_cap(old_cap)):
        return None
    turns = [index for index, role in enumerate(roles) if role in _TURNS]
    # System messages that stand together at the beginning are not late.
    late = bool(turns) and len(turns) != len(roles) - turns[0]
    first = bool(turns) and roles[turns[0]] == "assistant"
    return _chat(model, old_cap if cap is None else cap, old_cap is not None, late, first, roles[-1] == "assistant")


def _plain_messages(body: Mapping[str, Any]) -> Features | None:
    model, cap = body.get("model"), body.get("max_tokens")
    roles = _roles(body.get("messages"), _TURNS)
    if not roles or type(model) is not str or not _is_cap(cap):
        return None
    return _messages(model, cap, roles[0] == "assistant", roles[-1] == "assistant")


def _roles(messages: Any, known: frozenset[str]) -> list[str]:
    """The roles of messages that are text and nothing else; none for any others."""
    if type(messages) is not list:
        return []
    roles = []
    for message in messages:
        if type(message) is not dict or len(message) != 2 or type(message.get("content")) is not str:
            return []
        role = message.get("role")
        if type(role) is not str or role not in known:
            return []
        roles.append(role)
    return roles


def _is_cap(value: Any) -> bool:
    return value is None or type(value) is int


@lru_cache(maxsize=512)
def _chat(
    model: str, max_output: int | None, old_max_tokens: bool, late_system: bool, assistant_first: bool, prefill: bool
) -> Features:
    return Features(
        model=model,
        max_output=max_output,
        old_max_tokens=old_max_tokens,
        late_system=late_system,
        assistant_first=assistant_first,
        prefill=prefill,
    )


@lru_cache(maxsize=512)
def _messages(model: str, max_output: int | None, assistant_first: bool, prefill: bool) -> Features:
    return Features(model=model, max_output=max_output, assistant_first=assistant_first, prefill=prefill)
