"""Chat messages in Anthropic's form: one system list, alternating turns, results of tools first in theirs."""

from __future__ import annotations

from typing import Any

from llm_router_middleware.dialects.chat import SYSTEM, arguments_of, parts_of, text_of, tool_calls_of, turns
from llm_router_middleware.dialects.ids import call_id
from llm_router_middleware.dialects.media import parse_data_url
from llm_router_middleware.dialects.parameters import Losses
from llm_router_middleware.dialects.reading import as_map, as_text
from llm_router_middleware.errors import RuledOutError

__all__ = ["conversation"]

_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})

Block = dict[str, Any]


def conversation(messages: Any, losses: Losses) -> tuple[list[Block], list[dict[str, Any]]]:
    """Puts a conversation into Anthropic's form.

    Args:
        messages: the chat messages.
        losses: what may be lost.

    Returns:
        The system blocks and the messages.

    Raises:
        RuledOutError: something in it has no counterpart.
    """
    system: list[Block] = []
    out: list[dict[str, Any]] = []
    for where, message in turns(messages, losses):
        role = message["role"]
        if role in SYSTEM:
            blocks = _texts(text_of(parts_of(message.get("content"), where, losses), where))
            if out:
                _late(out, blocks, where)
            else:
                system += blocks
        elif role == "assistant":
            _say(out, "assistant", _assistant(message, where, losses))
        elif role == "tool":
            _answer(out, _result(message, where, losses))
        else:
            _say(out, "user", _user(message, where, losses))
    _check(out)
    return system, out


def _texts(texts: list[str]) -> list[Block]:
    """Text blocks. Blank ones are left out: Anthropic rejects them, and they say nothing."""
    return [{"type": "text", "text": text} for text in texts if text.strip()]


def _say(out: list[dict[str, Any]], role: str, blocks: list[Block]) -> None:
    """Adds a turn; what the same side says in a row is one turn of separate blocks."""
    if not blocks:
        return
    if out and out[-1]["role"] == role:
        out[-1]["content"] += blocks
    else:
        out.append({"role": role, "content": blocks})


def _answer(out: list[dict[str, Any]], result: Block) -> None:
    """Adds the result of a tool. All results of a turn stand in one user message, before anything else in it."""
    if not out or out[-1]["role"] != "user":
        out.append({"role": "user", "content": [result]})
        return
    content = out[-1]["content"]
    content.insert(sum(block["type"] == "tool_result" for block in content), result)


def _late(out: list[dict[str, Any]], blocks: list[Block], where: str) -> None:
    """A system message in the middle: Anthropic takes one after a user's turn only."""
    if not blocks:
        return
    if out[-1]["role"] == "assistant":
        raise RuledOutError(where + "role", "a system message can't follow the assistant's turn there")
    if out[-1]["role"] == "system":
        out[-1]["content"] += blocks
    else:
        out.append({"role": "system", "content": blocks})


def _assistant(message: dict[str, Any], where: str, losses: Losses) -> list[Block]:
    texts = text_of(parts_of(message.get("content"), where, losses), where)
    blocks = _texts([*texts, as_text(message.get("refusal"))])
    for call in tool_calls_of(message, where, losses):
        blocks.append(
            {"type": "tool_use", "id": call_id(call.id), "name": call.name, "input": arguments_of(call, where)}
        )
    return blocks


def _user(message: dict[str, Any], where: str, losses: Losses) -> list[Block]:
    blocks = _blocks(parts_of(message.get("content"), where, losses), where)
    if not blocks:
        raise RuledOutError(where + "content", "a user's message without content is rejected")
    return blocks


def _result(message: dict[str, Any], where: str, losses: Losses) -> Block:
    content = message.get("content")
    shown = content if isinstance(content, str) else _blocks(parts_of(content, where, losses), where)
    return {"type": "tool_result", "tool_use_id": call_id(as_text(message.get("tool_call_id"))), "content": shown}


def _blocks(parts: list[dict[str, Any]], where: str) -> list[Block]:
    blocks: list[Block] = []
    for part in parts:
        kind = part["type"]
        if kind == "text":
            blocks += _texts([as_text(part.get("text"))])
        elif kind == "image_url":
            blocks.append({"type": "image", "source": _image(as_text(as_map(part["image_url"]).get("url")), where)})
        elif kind == "file":
            blocks.append(_document(as_map(part["file"]), where))
        else:
            raise RuledOutError(where + "content", f"a part of type {kind} is not understood there")
    return blocks


def _image(url: str, where: str) -> Block:
    enclosed = parse_data_url(url)
    if enclosed is not None:
        if enclosed.media_type not in _IMAGES:
            raise RuledOutError(where + "content", f"an image of type {enclosed.media_type} is not understood there")
        return {"type": "base64", "media_type": enclosed.media_type, "data": enclosed.data}
    if not url.startswith("https://"):
        raise RuledOutError(where + "content", "an image is neither enclosed nor at an https address")
    return {"type": "url", "url": url}


def _document(file: Any, where: str) -> Block:
    enclosed = parse_data_url(as_text(file.get("file_data")))
    if enclosed is None or enclosed.media_type != "application/pdf":
        raise RuledOutError(where + "content", "of files, only enclosed PDF documents can be carried")
    block: Block = {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": enclosed.data},
    }
    if file.get("filename"):
        block["title"] = file["filename"]
    return block


def _check(out: list[dict[str, Any]]) -> None:
    if not out:
        raise RuledOutError("messages", "a conversation of system messages alone is rejected")
    if out[-1]["role"] == "assistant":
        raise RuledOutError("messages", "a conversation that ends with the assistant is rejected or continued there")
    for before, late, after in zip(out, out[1:], out[2:], strict=False):
        if late["role"] == "system" and _calls(before) and after["role"] == "user":
            raise RuledOutError("messages", "a system message can't stand between a call and its result")


def _calls(message: dict[str, Any]) -> bool:
    return any(block["type"] == "tool_use" for block in message["content"])
