"""An answer of the Responses wire in the words of a chat caller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_router_middleware.dialects.base import Answer
from llm_router_middleware.dialects.chat_form import ChatForm
from llm_router_middleware.dialects.ids import call_id
from llm_router_middleware.dialects.reading import as_map, as_text, maps
from llm_router_middleware.dialects.usage import read_usage
from llm_router_middleware.errors import TranslationError

__all__ = ["answer", "finish_reason"]

_INCOMPLETE = {"max_output_tokens": "length", "content_filter": "content_filter"}


def answer(payload: Mapping[str, Any], about: Answer) -> dict[str, Any]:
    """Puts a response into the words of a chat caller. All its messages are one choice.

    Args:
        payload: the response.
        about: what else is known of it.

    Raises:
        TranslationError: it can't be carried, or it failed.
    """
    texts, refusals, calls = _sorted(payload)
    finish = finish_reason(payload, calls=bool(calls))
    form = ChatForm.of("openai_chat", about, as_text(payload.get("id")), as_text(payload.get("model")))
    refusal = "".join(refusals) or None
    return form.whole(
        content="".join(texts) or (None if calls or refusal else ""),
        tool_calls=calls,
        finish_reason=finish,
        usage=read_usage("openai_responses", payload),
        refusal=refusal,
    )


def finish_reason(response: Mapping[str, Any], *, calls: bool) -> str:
    """Why a response ended, as a chat `finish_reason`.

    Raises:
        TranslationError: it failed, has not ended, or says something unknown.
    """
    status = response.get("status")
    if status == "completed" and not response.get("error"):
        return "tool_calls" if calls else "stop"
    reason = as_map(response.get("incomplete_details")).get("reason")
    if status == "incomplete" and isinstance(reason, str) and reason in _INCOMPLETE:
        return _INCOMPLETE[reason]
    raise TranslationError(f"a response with status {status!r} has no counterpart")


def _sorted(payload: Mapping[str, Any]) -> tuple[list[str], list[str], list[dict[str, Any]]]:
    texts: list[str] = []
    refusals: list[str] = []
    calls: list[dict[str, Any]] = []
    for item in maps(payload.get("output")):
        kind = item.get("type")
        if kind == "message":
            _read_message(item, texts, refusals)
        elif kind == "function_call":
            function = {"name": as_text(item.get("name")), "arguments": as_text(item.get("arguments")) or "{}"}
            calls.append({"id": call_id(as_text(item.get("call_id"))), "type": "function", "function": function})
        elif kind != "reasoning":
            raise TranslationError(f"an item of type {kind} has no counterpart")
    return texts, refusals, calls


def _read_message(item: Mapping[str, Any], texts: list[str], refusals: list[str]) -> None:
    for part in maps(item.get("content")):
        if part.get("annotations"):
            raise TranslationError("citations have no counterpart")
        if part.get("type") == "output_text":
            texts.append(as_text(part.get("text")))
        elif part.get("type") == "refusal":
            refusals.append(as_text(part.get("refusal")))
        else:
            raise TranslationError(f"a part of type {part.get('type')} has no counterpart")
