"""A whole chat answer in the words of an Anthropic caller."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llm_router_middleware.dialects import messages_form as form
from llm_router_middleware.dialects.base import Answer
from llm_router_middleware.dialects.ids import call_id
from llm_router_middleware.dialects.messages_on_chat.profile import Profile
from llm_router_middleware.dialects.reading import as_map, as_text, maps
from llm_router_middleware.dialects.stops import stop_reason
from llm_router_middleware.dialects.usage import read_usage
from llm_router_middleware.errors import TranslationError

__all__ = ["answer", "only_carriable", "shows_reasoning"]


def answer(profile: Profile, payload: Mapping[str, Any], about: Answer) -> dict[str, Any]:
    """Puts a chat answer into the words of an Anthropic caller.

    Args:
        profile: which chat wire.
        payload: the answer.
        about: what else is known of it.

    Raises:
        TranslationError: it can't be carried.
    """
    choices = maps(payload.get("choices"))
    if len(choices) != 1:
        raise TranslationError(f"{len(choices)} choices, Anthropic's dialect has one")
    spoken = as_map(choices[0].get("message"))
    only_carriable(spoken)
    refused = as_text(spoken.get("refusal"))
    blocks = _content(profile, spoken, about)
    calls = [_tool_use(call) for call in maps(spoken.get("tool_calls"))]
    stop = stop_reason(choices[0].get("finish_reason"), tools=bool(calls), refused=bool(refused))
    details = form.refusal_details(refused) if stop == "refusal" else None
    return form.message(
        as_text(payload.get("id")) or about.request_id,
        as_text(payload.get("model")) or about.model,
        [*blocks, *calls],
        stop,
        details,
        read_usage(profile.wire, payload),
    )


def shows_reasoning(request: Mapping[str, Any]) -> bool:
    """Whether the caller asked to read the reasoning."""
    return as_map(request.get("thinking")).get("display") == "summarized"


def only_carriable(spoken: Mapping[str, Any]) -> None:
    """Checks a message or delta for what Anthropic's dialect has no place for.

    Raises:
        TranslationError: there is such a thing in it.
    """
    for field in ("audio", "function_call", "executed_tools", "annotations"):
        if spoken.get(field):
            raise TranslationError(f"{field} of an answer has no counterpart")


def _content(profile: Profile, spoken: Mapping[str, Any], about: Answer) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    reasoning = as_text(spoken.get("reasoning")) or as_text(spoken.get("reasoning_content"))
    if reasoning and shows_reasoning(about.request):
        provider = "groq" if profile.wire == "groq_chat" else "openai"
        blocks.append({"type": "thinking", "thinking": reasoning, "signature": form.signature(provider)})
    text = as_text(spoken.get("content")) + as_text(spoken.get("refusal"))
    if text:
        blocks.append({"type": "text", "text": text, "citations": None})
    return blocks


def _tool_use(call: Mapping[str, Any]) -> dict[str, Any]:
    function = as_map(call.get("function"))
    name, arguments = as_text(function.get("name")), as_text(function.get("arguments"))
    if not name or call.get("type", "function") != "function":
        raise TranslationError("a call that is not one of a function has no counterpart")
    try:
        value = json.loads(arguments) if arguments.strip() else {}
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise TranslationError(f"the arguments of {name} are not a JSON object")
    return {"type": "tool_use", "id": call_id(as_text(call.get("id"))), "name": name, "input": value}
