"""Why an answer ended, from one vocabulary to the other. An unknown reason is an error, never a default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_router_middleware.errors import TranslationError

__all__ = ["finish_reason", "stop_reason"]

_TO_CHAT: Mapping[Any, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}

_TO_MESSAGES: Mapping[Any, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}


def finish_reason(reason: Any) -> str:
    """Anthropic's `stop_reason` as a chat `finish_reason`.

    Raises:
        TranslationError: it says that the turn is not over (`pause_turn`, `compaction`), or is unknown.
    """
    word = _TO_CHAT.get(reason) if isinstance(reason, str) else None
    if word is None:
        raise TranslationError(f"stop_reason {reason!r} has no counterpart")
    return word


def stop_reason(reason: Any, *, tools: bool, refused: bool) -> str:
    """A chat `finish_reason` as Anthropic's `stop_reason`.

    Args:
        reason: the chat wire's word.
        tools: the answer has tool calls. Some servers say "stop" all the same.
        refused: the answer is a refusal.

    Raises:
        TranslationError: it is unknown.
    """
    word = _TO_MESSAGES.get(reason) if isinstance(reason, str) else None
    if word is None:
        raise TranslationError(f"finish_reason {reason!r} has no counterpart")
    if refused:
        return "refusal"
    if word == "end_turn" and tools:
        return "tool_use"
    return "end_turn" if word == "tool_use" and not tools else word
