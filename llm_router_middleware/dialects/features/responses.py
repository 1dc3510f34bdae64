"""What a Responses request asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_router_middleware.dialects.features.base import Features
from llm_router_middleware.dialects.media import size_of_image_url
from llm_router_middleware.dialects.parameters import RESPONSES
from llm_router_middleware.dialects.reading import as_int, as_list, as_map, as_text, maps

__all__ = ["read"]

_STATE = ("previous_response_id", "conversation", "background", "prompt", "context_management", "access_programs")
_CLIENT_TOOLS = frozenset({"function", "custom"})


def read(body: Mapping[str, Any]) -> Features:
    """Reads a Responses request's features."""
    items = maps(body.get("input"))
    parts = [part for item in items for key in ("content", "output") for part in maps(item.get(key))]
    tools = maps(body.get("tools"))
    shape = as_map(as_map(body.get("text")).get("format")).get("type")
    choice = body.get("tool_choice")
    images = [as_text(part.get("image_url")) for part in parts if part.get("type") == "input_image"]
    reasoning = as_map(body.get("reasoning"))
    kinds = [as_text(item.get("type")) for item in items]
    return Features(
        model=as_text(body.get("model")),
        tools=len(tools),
        forced_tool=choice == "required" or as_map(choice).get("type") in ("function", "custom"),
        strict_tools=sum(tool.get("strict") is True for tool in tools),
        images=len(images),
        largest_image=max(map(size_of_image_url, images), default=0),
        pdfs=sum(part.get("type") == "input_file" for part in parts),
        audio=any(part.get("type") == "input_audio" for part in parts),
        json_object=shape == "json_object",
        json_schema=shape == "json_schema",
        sampling=any(body.get(name) not in (None, 1) for name in ("temperature", "top_p")),
        logprobs=bool(body.get("top_logprobs")) or "message.output_text.logprobs" in as_list(body.get("include")),
        verbosity=bool(as_map(body.get("text")).get("verbosity")),
        effort=as_text(reasoning.get("effort")) or None,
        max_output=as_int(body.get("max_output_tokens")),
        bound=_bound(body, items, parts, tools, kinds),
        open_loop=kinds[-1:] == ["function_call_output"],
    )


def _bound(
    body: Mapping[str, Any],
    items: list[Mapping[str, Any]],
    parts: list[Mapping[str, Any]],
    tools: list[Mapping[str, Any]],
    kinds: list[str],
) -> str | None:
    state = next((name for name in _STATE if body.get(name)), None)
    if state is not None:
        return f"it depends on state of the provider ({state})"
    hosted = next((kind for kind in (as_text(tool.get("type")) for tool in tools) if kind not in _CLIENT_TOOLS), None)
    if hosted is not None:
        return f"it uses the provider's own tools ({hosted})"
    if any(part.get("file_id") for part in parts):
        return "it names files of the provider (file_id)"
    if "item_reference" in kinds:
        return "it names items that the provider stored (item_reference)"
    if kinds[-1:] == ["function_call_output"] and any(item.get("encrypted_content") for item in items):
        return "encrypted reasoning inside an open tool loop"
    if body.get("store") is not False:
        return "the answer is stored there (store)"
    unknown = next((name for name, value in body.items() if value is not None and name not in RESPONSES), None)
    return None if unknown is None else f"it carries a parameter that is not known here ({unknown})"
