"""Chat messages as input items of the Responses wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llm_router_middleware.dialects.chat import SYSTEM, parts_of, text_of, tool_calls_of, turns
from llm_router_middleware.dialects.ids import call_id
from llm_router_middleware.dialects.parameters import Losses
from llm_router_middleware.dialects.reading import as_map, as_text
from llm_router_middleware.errors import RuledOutError

__all__ = ["items"]

Item = dict[str, Any]


def items(messages: Any, losses: Losses) -> tuple[str | None, list[Item]]:
    """Puts a conversation into input items.

    Args:
        messages: the chat messages.
        losses: what may be lost.

    Returns:
        The instructions, if the conversation begins with exactly one, as a plain text; and the items.

    Raises:
        RuledOutError: something in it has no counterpart.
    """
    heard = list(turns(messages, losses))
    if heard and heard[-1][1]["role"] == "assistant":
        raise RuledOutError("messages", "a conversation that ends with the assistant is continued differently there")
    instructions = _instructions([message for _, message in heard])
    if instructions is not None:
        heard = heard[1:]
    return instructions, [item for where, message in heard for item in _items(message, where, losses)]


def _instructions(messages: list[dict[str, Any]]) -> str | None:
    leading = [message["role"] in SYSTEM for message in messages[:2]]
    if leading[:1] != [True] or leading[1:] == [True]:
        return None
    content = messages[0].get("content")
    return content if isinstance(content, str) else None


def _items(message: dict[str, Any], where: str, losses: Losses) -> Iterator[Item]:
    role = message["role"]
    if role == "assistant":
        yield from _assistant(message, where, losses)
    elif role == "tool":
        content = message.get("content")
        output = content if isinstance(content, str) else _parts(message, where, losses)
        yield {
            "type": "function_call_output",
            "call_id": call_id(as_text(message.get("tool_call_id"))),
            "output": output,
        }
    else:
        content = _parts(message, where, losses)
        yield {"type": "message", "role": "developer" if role in SYSTEM else "user", "content": content}


def _assistant(message: dict[str, Any], where: str, losses: Losses) -> Iterator[Item]:
    """What the assistant said and called. The items get no ids of the provider's: their reasoning is not there."""
    texts = [*text_of(parts_of(message.get("content"), where, losses), where), as_text(message.get("refusal"))]
    said = [{"type": "output_text", "text": text} for text in texts if text]
    if said:
        yield {"type": "message", "role": "assistant", "content": said}
    for call in tool_calls_of(message, where, losses):
        yield {
            "type": "function_call",
            "call_id": call_id(call.id),
            "name": call.name,
            "arguments": call.arguments or "{}",
        }


def _parts(message: dict[str, Any], where: str, losses: Losses) -> list[dict[str, Any]]:
    return [_part(part, where) for part in parts_of(message.get("content"), where, losses)]


def _part(part: dict[str, Any], where: str) -> dict[str, Any]:
    kind = part["type"]
    if kind == "text":
        return {"type": "input_text", "text": as_text(part.get("text"))}
    if kind == "image_url":
        image = as_map(part["image_url"])
        return {"type": "input_image", "image_url": as_text(image.get("url")), "detail": image.get("detail") or "auto"}
    if kind == "file":
        file = {name: value for name, value in as_map(part["file"]).items() if value is not None}
        if not file.keys() <= {"filename", "file_data", "file_url"}:
            raise RuledOutError(where + "content", "a file that the provider holds can't be carried")
        return {"type": "input_file", **file}
    raise RuledOutError(where + "content", f"a part of type {kind} can't be carried there")
