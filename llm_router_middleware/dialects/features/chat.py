"""What a chat request asks for, of OpenAI or of Groq."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llm_router_middleware.dialects.features.base import Features
from llm_router_middleware.dialects.media import size_of_image_url
from llm_router_middleware.dialects.parameters import GROQ_CHAT, OPENAI_CHAT
from llm_router_middleware.dialects.reading import as_int, as_list, as_map, as_text, maps

__all__ = ["read"]

_SYSTEM = frozenset({"system", "developer"})
_KNOWN = OPENAI_CHAT | GROQ_CHAT
_HOSTED = ("web_search_options", "compound_custom", "search_settings", "include_domains", "exclude_domains")


def read(body: Mapping[str, Any]) -> Features:
    """Reads a chat request's features."""
    messages = maps(body.get("messages"))
    contents = [content for message in messages if type(content := message.get("content")) is not str]
    parts = [part for content in contents for part in maps(content)]
    tools = maps(body.get("tools"))
    choice = body.get("tool_choice")
    shape = as_map(body.get("response_format")).get("type")
    roles = [as_text(message.get("role")) for message in messages]
    turns = [role for role in roles if role not in _SYSTEM]
    images = [as_text(as_map(part.get("image_url")).get("url")) for part in parts if part.get("type") == "image_url"]
    return Features(
        model=as_text(body.get("model")),
        tools=len(tools) or len(as_list(body.get("functions"))),
        forced_tool=choice == "required" or _forces(as_map(choice)),
        strict_tools=sum(as_map(tool.get("function")).get("strict") is True for tool in tools),
        images=len(images),
        largest_image=max(map(size_of_image_url, images), default=0),
        pdfs=sum(part.get("type") == "file" for part in parts),
        audio="audio" in as_list(body.get("modalities")) or any(part.get("type") == "input_audio" for part in parts),
        json_object=shape == "json_object",
        json_schema=shape == "json_schema",
        sampling=_differs(body, ("temperature", "top_p"), 1),
        penalties=_differs(body, ("frequency_penalty", "presence_penalty"), 0),
        stop=_count(body.get("stop")),
        n=as_int(body.get("n")) or 1,
        logprobs=bool(body.get("logprobs")) or bool(body.get("top_logprobs")),
        logit_bias=bool(body.get("logit_bias")),
        verbosity=bool(body.get("verbosity")),
        effort=as_text(body.get("reasoning_effort")) or None,
        late_system=any(role in _SYSTEM for role in roles[_leading(roles) :]),
        assistant_first=turns[:1] == ["assistant"],
        prefill=roles[-1:] == ["assistant"],
        max_output=_limit(body),
        old_max_tokens=body.get("max_tokens") is not None,
        bound=_bound(body, messages, parts),
        open_loop=roles[-1:] == ["tool"],
    )


def _forces(choice: Mapping[str, Any]) -> bool:
    if choice.get("type") == "allowed_tools":
        return as_map(choice.get("allowed_tools")).get("mode") == "required"
    return bool(choice)


def _differs(body: Mapping[str, Any], names: Iterable[str], default: float) -> bool:
    return any(body.get(name) not in (None, default) for name in names)


def _count(stop: Any) -> int:
    return 1 if isinstance(stop, str) else len(as_list(stop))


def _leading(roles: list[str]) -> int:
    return next((index for index, role in enumerate(roles) if role not in _SYSTEM), len(roles))


def _limit(body: Mapping[str, Any]) -> int | None:
    limit = as_int(body.get("max_completion_tokens"))
    return as_int(body.get("max_tokens")) if limit is None else limit


def _bound(body: Mapping[str, Any], messages: list[Mapping[str, Any]], parts: list[Mapping[str, Any]]) -> str | None:
    if body.get("store") is True:
        return "the answer is to be stored there (store)"
    hosted = next((name for name in _HOSTED if body.get(name)), None)
    if hosted is not None:
        return f"it uses the provider's own tools ({hosted})"
    if any(as_map(part.get("file")).get("file_id") for part in parts):
        return "it names files of the provider (file_id)"
    if any(as_map(message.get("audio")).get("id") for message in messages):
        return "it names audio of the provider (audio.id)"
    unknown = next((name for name, value in body.items() if value is not None and name not in _KNOWN), None)
    return None if unknown is None else f"it carries a parameter that is not known here ({unknown})"
