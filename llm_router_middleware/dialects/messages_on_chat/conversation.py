"""Anthropic's messages in the chat dialect: one message per speaker, a message of its own for each tool's result."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from llm_router_middleware.dialects.ids import call_id, tool_name
from llm_router_middleware.dialects.media import sniff
from llm_router_middleware.dialects.messages_on_chat.profile import Profile
from llm_router_middleware.dialects.parameters import Losses, Row, Rows, settle
from llm_router_middleware.dialects.reading import as_map, as_text
from llm_router_middleware.errors import RuledOutError

__all__ = ["conversation"]

Message = dict[str, Any]

_CARRIED = Row("carried")
_CACHING = Row("inert", why="changes cost, not the answer")
_CITATIONS = Row("refused", same=([], {"enabled": False}), why="citations can't be carried")
_TURN: Rows = {"role": _CARRIED, "content": _CARRIED}
_MARK: Rows = {"type": _CARRIED, "cache_control": _CACHING}
_TRANSFORMED = Row("refused", same=({},), why="how an image is prepared can't be chosen there")
_TOOLSET = Row("refused", why="the provider's own toolsets are not known elsewhere")
_OWN = Row("inert", why="reasoning belongs to the model that wrote it")

_BLOCKS: Mapping[Any, Rows] = {
    "text": {**_MARK, "text": _CARRIED, "citations": Row("inert", why="written by a model, not read by one")},
    "image": {**_MARK, "source": _CARRIED, "transformations": _TRANSFORMED},
    "document": {**_MARK, "source": _CARRIED, "title": _CARRIED, "context": _CARRIED, "citations": _CITATIONS},
    "thinking": {**_MARK, "thinking": _OWN, "signature": _OWN},
    "redacted_thinking": {**_MARK, "data": _OWN},
    "tool_use": {
        **_MARK,
        "id": _CARRIED,
        "name": _CARRIED,
        "input": _CARRIED,
        "toolset_name": _TOOLSET,
        "caller": Row("refused", same=({"type": "direct"},), why="the call was made by the provider's own tool"),
    },
    "tool_result": {
        **_MARK,
        "tool_use_id": _CARRIED,
        "content": _CARRIED,
        "is_error": _CARRIED,
        "toolset_name": _TOOLSET,
    },
}
_TOOL_ERROR = "[tool error] "
"""Says in the text what the chat dialect has no field for."""


def conversation(given: Mapping[str, Any], profile: Profile, losses: Losses) -> list[Message]:
    """Puts a conversation into the chat dialect.

    Args:
        given: the request's parameters.
        profile: which chat wire.
        losses: what may be lost.

    Raises:
        RuledOutError: something in it has no counterpart.
    """
    messages = given.get("messages")
    if not isinstance(messages, (list, tuple)) or not messages:
        raise RuledOutError("messages", "not a list of messages")
    writer = _Writer(profile, losses)
    out = list(writer.system(_blocks(given.get("system"), "system", losses), "system"))
    for index, raw in enumerate(messages):
        where = f"messages[{index}]."
        message = settle(as_map(raw), _TURN, losses, where)
        speak = writer.speakers.get(as_text(message.get("role")))
        if speak is None:
            raise RuledOutError(where + "role", f"the role {message.get('role')!r} can't be translated")
        out.extend(speak(_blocks(message.get("content"), where, losses), where))
    if out[-1]["role"] == "assistant":
        raise RuledOutError("messages", "a conversation that ends with the assistant is not continued there")
    return out


def _blocks(content: Any, where: str, losses: Losses) -> list[dict[str, Any]]:
    if content is None:
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    if not isinstance(content, (list, tuple)):
        raise RuledOutError(where + "content", "neither a text nor a list of blocks")
    blocks = [_block(block, where, losses) for block in content]
    return [block for block in blocks if block["type"] != "text" or block.get("text")]


def _block(block: Any, where: str, losses: Losses) -> dict[str, Any]:
    kind = as_map(block).get("type")
    rows = _BLOCKS.get(kind) if isinstance(kind, str) else None
    if rows is None:
        raise RuledOutError(where + "content", f"a block of type {kind!r} can't be translated")
    return settle(block, rows, losses, where + "content.")


def _texts(blocks: list[dict[str, Any]], where: str) -> list[dict[str, Any]]:
    for block in blocks:
        if block["type"] != "text":
            raise RuledOutError(where, f"a block of type {block['type']} can't stand there")
    return [{"type": "text", "text": as_text(block.get("text"))} for block in blocks]


def _plain_or_parts(parts: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """A single text as a string, as most callers write it; anything else as parts."""
    return parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else parts


class _Writer:
    """Writes messages for one chat wire."""

    def __init__(self, profile: Profile, losses: Losses) -> None:
        self._profile = profile
        self._losses = losses
        self.speakers = {"system": self.system, "assistant": self.assistant, "user": self.user}

    def system(self, blocks: list[dict[str, Any]], where: str) -> Iterator[Message]:
        """Instructions, at the start or in the middle."""
        if blocks:
            yield {"role": self._profile.system_role, "content": _plain_or_parts(_texts(blocks, where))}

    def assistant(self, blocks: list[dict[str, Any]], where: str) -> Iterator[Message]:
        """Texts joined, then the calls: the chat dialect keeps no order between them."""
        texts: list[str] = []
        calls: list[dict[str, Any]] = []
        for block in blocks:
            if block["type"] == "text":
                texts.append(as_text(block.get("text")))
            elif block["type"] == "tool_use":
                calls.append(_call(block))
            elif block["type"] not in ("thinking", "redacted_thinking"):
                raise RuledOutError(where + "content", f"the assistant can't say a block of type {block['type']}")
        if texts or calls:
            message: Message = {"role": "assistant", "content": "".join(texts) or None}
            yield {**message, "tool_calls": calls} if calls else message

    def user(self, blocks: list[dict[str, Any]], where: str) -> Iterator[Message]:
        """The results of tools first, one message each; what else the user says follows as his own message."""
        rest = []
        for block in blocks:
            if block["type"] == "tool_result":
                yield self._result(block, where)
            else:
                rest.append(self._part(block, where))
        if rest:
            yield {"role": "user", "content": _plain_or_parts(rest)}

    def _result(self, block: Mapping[str, Any], where: str) -> Message:
        inner = _blocks(block.get("content"), where, self._losses)
        barred = {"image": not self._profile.result_images, "document": not self._profile.result_files}
        for item in inner:
            if barred.get(item["type"]):
                raise RuledOutError(
                    where + "content", f"the result of a tool can't hold a block of type {item['type']}"
                )
        parts = [self._part(item, where) for item in inner]
        if block.get("is_error") is True:
            parts = _marked(parts)
        return {
            "role": "tool",
            "tool_call_id": call_id(as_text(block.get("tool_use_id"))),
            "content": _plain_or_parts(parts) if parts else "",
        }

    def _part(self, block: Mapping[str, Any], where: str) -> dict[str, Any]:
        kind = block["type"]
        if kind == "text":
            return {"type": "text", "text": as_text(block.get("text"))}
        if kind == "image":
            return {"type": "image_url", "image_url": {"url": _image_url(as_map(block.get("source")), where)}}
        if kind == "document":
            return self._document(block, where)
        raise RuledOutError(where + "content", f"a block of type {kind} can't stand in the user's turn")

    def _document(self, block: Mapping[str, Any], where: str) -> dict[str, Any]:
        source, name = as_map(block.get("source")), as_text(block.get("title")) or "document.pdf"
        if block.get("context"):
            raise RuledOutError(where + "content", "the context of a document has no place there")
        if source.get("type") == "base64":
            url = f"data:application/pdf;base64,{source.get('data')}"
            return {"type": "file", "file": {"filename": name, "file_data": url}}
        if source.get("type") == "url" and self._profile.document_urls:
            return {"type": "file", "file": {"file_url": as_text(source.get("url"))}}
        if source.get("type") == "text":
            self._losses.take("document_as_text", where + "content", "a text document would become part of the message")
            return {"type": "text", "text": f"{name}\n\n{source.get('data')}"}
        raise RuledOutError(where + "content", f"a document of source {source.get('type')} can't be carried")


def _call(block: Mapping[str, Any]) -> dict[str, Any]:
    arguments = json.dumps(block.get("input") or {}, ensure_ascii=False, separators=(",", ":"))
    return {
        "id": call_id(as_text(block.get("id"))),
        "type": "function",
        "function": {"name": tool_name(as_text(block.get("name"))), "arguments": arguments},
    }


def _marked(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if parts and parts[0]["type"] == "text":
        return [{"type": "text", "text": _TOOL_ERROR + parts[0]["text"]}, *parts[1:]]
    return [{"type": "text", "text": _TOOL_ERROR.strip()}, *parts]


def _image_url(source: Mapping[str, Any], where: str) -> str:
    if source.get("type") == "url":
        return as_text(source.get("url"))
    if source.get("type") != "base64":
        raise RuledOutError(where + "content", "an image that the provider holds can't be carried")
    data = as_text(source.get("data"))
    return f"data:{sniff(data) or source.get('media_type')};base64,{data}"
