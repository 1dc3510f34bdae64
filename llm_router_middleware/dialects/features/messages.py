"""What an Anthropic request asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llm_router_middleware.dialects.features.base import OUR_SIGNATURE, Features
from llm_router_middleware.dialects.parameters import MESSAGES
from llm_router_middleware.dialects.reading import as_int, as_list, as_map, as_text, maps

__all__ = ["read"]

_STATE = (
    "container",
    "mcp_servers",
    "fallbacks",
    "fallback_credit_token",
    "thread",
    "compaction",
    "context_management",
    "workspace_id",
    "user_profile_id",
    "inference_geo",
)
_CLIENT_BLOCKS = frozenset(
    {"text", "image", "document", "search_result", "thinking", "redacted_thinking", "tool_use", "tool_result"}
)
_CLIENT_TOOLS = ("custom", "bash_", "text_editor_", "computer_", "memory_", "browser_")


def read(body: Mapping[str, Any]) -> Features:
    """Reads an Anthropic request's features."""
    messages = maps(body.get("messages"))
    blocks = list(_blocks(messages))
    tools = maps(body.get("tools"))
    shown = as_map(body.get("output_config"))
    shape = as_map(shown.get("format")) or as_map(body.get("output_format"))
    roles = [as_text(message.get("role")) for message in messages]
    images = [as_map(block.get("source")) for block in blocks if block.get("type") == "image"]
    signatures = tuple(_signatures(blocks))
    open_loop = bool(messages) and _kinds(messages[-1]).count("tool_result") > 0
    return Features(
        model=as_text(body.get("model")),
        tools=len(tools),
        forced_tool=as_map(body.get("tool_choice")).get("type") in ("any", "tool"),
        strict_tools=sum(tool.get("strict") is True for tool in tools),
        images=len(images),
        largest_image=max((len(as_text(source.get("data"))) * 3 // 4 for source in images), default=0),
        pdfs=sum(block.get("type") == "document" for block in blocks),
        json_schema=bool(shape),
        sampling=any(body.get(name) not in (None, 1) for name in ("temperature", "top_p"))
        or body.get("top_k") is not None,
        names_sampling=any(body.get(name) is not None for name in ("temperature", "top_p", "top_k")),
        stop=len(as_list(body.get("stop_sequences"))),
        effort=as_text(shown.get("effort")) or None,
        thinking=as_text(as_map(body.get("thinking")).get("type")) or None,
        late_system="system" in roles,
        assistant_first=roles[:1] == ["assistant"],
        prefill=roles[-1:] == ["assistant"],
        max_output=as_int(body.get("max_tokens")),
        bound=_bound(body, blocks, tools, open_loop and bool(_signatures(list(_blocks(messages[-2:]))))),
        signatures=signatures,
        open_loop=open_loop,
    )


def _blocks(messages: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The content blocks of all messages, those inside tool results included."""
    for message in messages:
        for block in maps(message.get("content")):
            yield block
            if block.get("type") == "tool_result":
                yield from maps(block.get("content"))


def _kinds(message: Mapping[str, Any]) -> list[Any]:
    return [block.get("type") for block in maps(message.get("content"))]


def _signatures(blocks: list[Mapping[str, Any]]) -> list[str]:
    """The signatures of thinking blocks, and the whole of redacted ones, that a provider made."""
    found = (
        as_text(block.get("signature" if block.get("type") == "thinking" else "data"))
        for block in blocks
        if block.get("type") in ("thinking", "redacted_thinking")
    )
    return [signature for signature in found if signature and not signature.startswith(OUR_SIGNATURE)]


def _bound(
    body: Mapping[str, Any], blocks: list[Mapping[str, Any]], tools: list[Mapping[str, Any]], thinking: bool
) -> str | None:
    state = next((name for name in _STATE if body.get(name)), None)
    if state is not None:
        return f"it depends on state or rules of the provider ({state})"
    hosted = next((t for t in map(_kind_of_tool, tools) if not t.startswith(_CLIENT_TOOLS)), None)
    if hosted is not None:
        return f"it uses the provider's own tools ({hosted})"
    foreign = next((str(block.get("type")) for block in blocks if _is_theirs(block)), None)
    if foreign is not None:
        return f"its history holds what only the provider can read ({foreign})"
    if any(as_map(block.get("source")).get("type") == "file" for block in blocks):
        return "it names files of the provider (file_id)"
    if thinking:
        return "signed thinking inside an open tool loop"
    unknown = next((name for name, value in body.items() if value is not None and name not in MESSAGES), None)
    return None if unknown is None else f"it carries a parameter that is not known here ({unknown})"


def _kind_of_tool(tool: Mapping[str, Any]) -> str:
    return as_text(tool.get("type")) or "custom"


def _is_theirs(block: Mapping[str, Any]) -> bool:
    kind = block.get("type")
    return isinstance(kind, str) and kind not in _CLIENT_BLOCKS and kind not in ("content", "tool_reference")
