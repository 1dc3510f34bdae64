"""Answers in Anthropic's dialect: the envelope of whole ones and the events of a stream.

The fields are those that the provider itself always sends; they pass the SDK's strict validation.
"""

from __future__ import annotations

from typing import Any

from llm_router_middleware.dialects.base import Frame
from llm_router_middleware.dialects.features import OUR_SIGNATURE
from llm_router_middleware.dialects.ids import answer_id
from llm_router_middleware.dialects.usage import TokenCounts, messages_usage

__all__ = ["block_delta", "block_start", "block_stop", "closing", "message", "opening", "refusal_details", "signature"]


def message(
    identifier: str,
    model: str,
    content: list[dict[str, Any]],
    stop_reason: str | None,
    details: dict[str, Any] | None,
    usage: TokenCounts | None,
) -> dict[str, Any]:
    """A message, whole or about to be streamed.

    Args:
        identifier: the target's id of the answer, or of its request.
        model: the model that served.
        content: the content blocks.
        stop_reason: why it ended; None while it has not.
        details: more about that.
        usage: tokens that the target counted.
    """
    return {
        "id": answer_id("msg_", identifier),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "stop_details": details,
        "container": None,
        "usage": {**messages_usage(usage), "service_tier": "standard"},
    }


def refusal_details(explanation: str | None) -> dict[str, Any]:
    """What a refusal says of itself."""
    return {"type": "refusal", "category": None, "explanation": explanation or None}


def signature(provider: str) -> str:
    """The signature of reasoning that another provider wrote: Anthropic rejects it, we recognise and strip it."""
    return f"{OUR_SIGNATURE}{provider}"


def opening(identifier: str, model: str) -> Frame:
    """The event that announces a message. Its input tokens are not known yet: the closing event has them."""
    start = message(identifier, model, [], None, None, None)
    return "message_start", {"type": "message_start", "message": start}


def block_start(index: int, block: dict[str, Any]) -> Frame:
    """The event that opens a content block."""
    return "content_block_start", {"type": "content_block_start", "index": index, "content_block": block}


def block_delta(index: int, delta: dict[str, Any]) -> Frame:
    """The event with a piece of the open block."""
    return "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}


def block_stop(index: int) -> Frame:
    """The event that closes a content block."""
    return "content_block_stop", {"type": "content_block_stop", "index": index}


def closing(stop_reason: str, details: dict[str, Any] | None, usage: TokenCounts | None) -> list[Frame]:
    """The events that end a message."""
    delta = {"stop_reason": stop_reason, "stop_sequence": None, "stop_details": details, "container": None}
    return [
        ("message_delta", {"type": "message_delta", "delta": delta, "usage": messages_usage(usage)}),
        ("message_stop", {"type": "message_stop"}),
    ]
