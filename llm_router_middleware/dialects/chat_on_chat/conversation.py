"""Chat messages without what the other provider would reject."""

from __future__ import annotations

from typing import Any

from llm_router_middleware.dialects.chat import SYSTEM, parts_of, text_of, tool_calls_of, turns
from llm_router_middleware.dialects.ids import call_id
from llm_router_middleware.dialects.parameters import Losses
from llm_router_middleware.dialects.reading import as_text
from llm_router_middleware.errors import RuledOutError

__all__ = ["conversation"]


def conversation(messages: Any, losses: Losses, *, to_groq: bool, plain: bool) -> list[dict[str, Any]]:
    """Puts a conversation into the form of the other chat provider.

    Args:
        messages: the chat messages.
        losses: what may be lost.
        to_groq: into Groq's form, else into OpenAI's.
        plain: instructions have the role "system" only.

    Raises:
        RuledOutError: something in it has no counterpart.
    """
    out = [_message(message, where, losses, to_groq, plain) for where, message in turns(messages, losses)]
    if out and out[-1]["role"] == "assistant":
        raise RuledOutError("messages", "a conversation that ends with the assistant is continued differently there")
    return out


def _message(message: dict[str, Any], where: str, losses: Losses, to_groq: bool, plain: bool) -> dict[str, Any]:
    role = message["role"]
    if role in SYSTEM:
        return {"role": "system" if plain else role, "content": _content(message, where, losses)}
    if role == "assistant":
        return _assistant(message, where, losses)
    content = _content(message, where, losses)
    if role == "tool":
        if isinstance(content, list) and not to_groq:
            text_of(content, where)
        return {"role": "tool", "tool_call_id": call_id(as_text(message.get("tool_call_id"))), "content": content}
    return {"role": "user", "content": content}


def _content(message: dict[str, Any], where: str, losses: Losses) -> str | list[dict[str, Any]]:
    content = message.get("content")
    return content if isinstance(content, str) else parts_of(content, where, losses)


def _assistant(message: dict[str, Any], where: str, losses: Losses) -> dict[str, Any]:
    texts = text_of(parts_of(message.get("content"), where, losses), where)
    text = "".join([*texts, as_text(message.get("refusal"))])
    calls = [
        {"id": call_id(call.id), "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in tool_calls_of(message, where, losses)
    ]
    out: dict[str, Any] = {"role": "assistant", "content": text or (None if calls else "")}
    return {**out, "tool_calls": calls} if calls else out
