"""What one event of a wire's own stream means, for a stream that is watched and not translated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_router_middleware.dialects.reading import as_map, as_text, maps
from llm_router_middleware.dialects.sse import DONE
from llm_router_middleware.engine.call import Wire

__all__ = ["is_content", "is_terminator", "served_model", "stop_reason"]

_CHAT_CONTENT = ("content", "tool_calls", "refusal", "reasoning", "reasoning_content", "function_call", "audio")
_MESSAGES_CONTENT = ("text", "partial_json", "thinking", "citation", "data")
_EMPTY_AT_START = frozenset({"text", "thinking"})
_RESPONSES_END = frozenset({"response.completed", "response.incomplete", "response.failed"})
_RESPONSES_SHELLS = frozenset({"message", "reasoning"})


def is_content(wire: Wire, name: str | None, data: Mapping[str, Any]) -> bool:
    """Whether the event carries something that the caller reads as the answer: the commit point of a stream.

    Announcements (`message_start`, the chunk with the role, `response.created`) and keep-alives carry nothing.

    Args:
        wire: the dialect of the stream.
        name: the event's name, if it has one.
        data: the event's data.
    """
    if wire == "anthropic_messages":
        return _is_messages_content(data)
    if wire == "openai_responses":
        return _is_responses_content(name, data)
    return any(
        any(delta.get(key) for key in _CHAT_CONTENT)
        for delta in (as_map(choice.get("delta")) for choice in maps(data.get("choices")))
    )


def _is_messages_content(data: Mapping[str, Any]) -> bool:
    kind = data.get("type")
    if kind == "content_block_delta":
        delta = as_map(data.get("delta"))
        return any(delta.get(key) for key in _MESSAGES_CONTENT)
    if kind == "content_block_start":
        block = as_map(data.get("content_block"))
        return as_text(block.get("type")) not in _EMPTY_AT_START or bool(block.get("text") or block.get("thinking"))
    return False


def _is_responses_content(name: str | None, data: Mapping[str, Any]) -> bool:
    kind = as_text(data.get("type")) or name or ""
    if kind == "response.output_item.added":
        return as_text(as_map(data.get("item")).get("type")) not in _RESPONSES_SHELLS
    return kind.endswith(".delta") and bool(data.get("delta"))


def is_terminator(wire: Wire, name: str | None, data: Mapping[str, Any] | str) -> bool:
    """Whether the event says that the answer is whole. A stream that ends without one was cut.

    Args:
        wire: the dialect of the stream.
        name: the event's name, if it has one.
        data: the event's data, or the text "[DONE]".
    """
    if isinstance(data, str):
        return data.strip() == DONE
    if wire == "anthropic_messages":
        return data.get("type") == "message_stop"
    if wire == "openai_responses":
        return (as_text(data.get("type")) or name) in _RESPONSES_END
    return any(choice.get("finish_reason") for choice in maps(data.get("choices")))


def served_model(wire: Wire, data: Mapping[str, Any]) -> str | None:
    """The model that a whole answer, or an event of a stream, says has answered."""
    inner = {"anthropic_messages": "message", "openai_responses": "response"}.get(wire, "")
    return as_text(data.get("model")) or as_text(as_map(data.get(inner)).get("model")) or None


def stop_reason(wire: Wire, data: Mapping[str, Any]) -> str | None:
    """Why the answer ended, in the wire's own words; None where the answer or event doesn't say."""
    if wire == "anthropic_messages":
        return as_text(data.get("stop_reason")) or as_text(as_map(data.get("delta")).get("stop_reason")) or None
    if wire == "openai_responses":
        response = as_map(data.get("response")) or data
        reason = as_map(response.get("incomplete_details")).get("reason")
        return as_text(reason) or as_text(response.get("status")) or None
    reasons = (as_text(choice.get("finish_reason")) for choice in maps(data.get("choices")))
    return next((reason for reason in reasons if reason), None)
