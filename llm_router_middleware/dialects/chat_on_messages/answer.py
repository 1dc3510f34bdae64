"""Anthropic's whole answer in the words of a chat caller."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llm_router_middleware.dialects.base import Answer
from llm_router_middleware.dialects.chat_form import ChatForm
from llm_router_middleware.dialects.ids import call_id
from llm_router_middleware.dialects.reading import as_map, as_text, maps
from llm_router_middleware.dialects.stops import finish_reason
from llm_router_middleware.dialects.usage import read_usage
from llm_router_middleware.engine.call import Wire
from llm_router_middleware.errors import RefusedAnswerError, TranslationError

__all__ = ["SILENT_BLOCKS", "answer", "explanation", "tool_call"]

SILENT_BLOCKS = frozenset({"thinking", "redacted_thinking"})
"""Blocks for which the chat dialect has no place."""


def answer(caller: Wire, payload: Mapping[str, Any], about: Answer) -> dict[str, Any]:
    """Puts Anthropic's answer into the words of a chat caller.

    Args:
        caller: "openai_chat" or "groq_chat".
        payload: the answer.
        about: what else is known of it.

    Raises:
        TranslationError: it can't be carried.
    """
    form = ChatForm.of(caller, about, as_text(payload.get("id")), as_text(payload.get("model")))
    finish = finish_reason(payload.get("stop_reason"))
    if finish == "content_filter" and form.groq:
        raise RefusedAnswerError("a refusal has no form in Groq's whole answers")
    texts, calls, thoughts = _sorted(payload, cut=finish == "length")
    refusal = explanation(payload.get("stop_details")) if finish == "content_filter" else None
    return form.whole(
        content="".join(texts) or (None if calls or refusal else ""),
        tool_calls=calls,
        finish_reason=finish,
        usage=read_usage("anthropic_messages", payload),
        refusal=refusal,
        reasoning="".join(thoughts),
    )


def _sorted(payload: Mapping[str, Any], *, cut: bool) -> tuple[list[str], list[dict[str, Any]], list[str]]:
    texts: list[str] = []
    calls: list[dict[str, Any]] = []
    thoughts: list[str] = []
    for block in maps(payload.get("content")):
        kind = as_text(block.get("type"))
        if kind == "text":
            if block.get("citations"):
                raise TranslationError("citations have no counterpart")
            texts.append(as_text(block.get("text")))
        elif kind == "tool_use":
            calls.append(tool_call(block, _arguments(block, cut)))
        elif kind == "thinking":
            thoughts.append(as_text(block.get("thinking")))
        elif kind not in SILENT_BLOCKS:
            raise TranslationError(f"a block of type {kind} has no counterpart")
    return texts, calls, thoughts


def _arguments(block: Mapping[str, Any], cut: bool) -> str:
    """A call's input. None at all in an answer that was cut is not an empty one: it stays blank."""
    value = block.get("input") or {}
    return "" if cut and not value else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def tool_call(block: Mapping[str, Any], arguments: str) -> dict[str, Any]:
    """A `tool_use` block as a call of the chat dialect."""
    return {
        "id": call_id(as_text(block.get("id"))),
        "type": "function",
        "function": {"name": as_text(block.get("name")), "arguments": arguments},
    }


def explanation(details: Any) -> str | None:
    """What Anthropic says of a refusal; None if it says nothing."""
    return as_text(as_map(details).get("explanation")) or None
