"""Chat messages, read strictly: every field is known, or the request is not translated."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from llm_router_middleware.dialects.parameters import Losses, Row, Rows, settle
from llm_router_middleware.dialects.reading import as_map, as_text
from llm_router_middleware.errors import RuledOutError

__all__ = ["SYSTEM", "ToolCall", "arguments_of", "parts_of", "text_of", "tool_calls_of", "turns"]

SYSTEM = frozenset({"system", "developer"})

_CARRIED = Row("carried")
_OUTPUT = Row("inert", why="written by a model, not read by one")
_NAME = Row("lossy", why="the model would not see the name", opt_in="message_name")
_CACHING = Row("inert", why="changes cost, not the answer")
_INSTRUCTION: Rows = {"role": _CARRIED, "content": _CARRIED, "name": _NAME}

_ROLES: Mapping[Any, Rows] = {
    "system": _INSTRUCTION,
    "developer": _INSTRUCTION,
    "user": _INSTRUCTION,
    "assistant": {
        **_INSTRUCTION,
        "tool_calls": _CARRIED,
        "refusal": _CARRIED,
        "annotations": _OUTPUT,
        "reasoning": Row("inert", why="reasoning belongs to the model that wrote it"),
        "reasoning_content": Row("inert", why="reasoning belongs to the model that wrote it"),
        "audio": Row("refused", why="it names audio that the provider holds"),
        "function_call": Row("refused", why="the answer would have to take the deprecated form as well"),
        "executed_tools": Row("refused", same=([],), why="the provider's own tools are not known elsewhere"),
    },
    "tool": {
        "role": _CARRIED,
        "content": _CARRIED,
        "tool_call_id": _CARRIED,
        "name": Row("inert", why="the call says which tool it was"),
    },
}

_TOOL_CALL: Rows = {
    "id": _CARRIED,
    "type": _CARRIED,
    "function": _CARRIED,
    "index": Row("inert", why="left over from a stream"),
}
_PARTS: Mapping[Any, Rows] = {
    kind: {
        "type": _CARRIED,
        kind: _CARRIED,
        "prompt_cache_breakpoint": _CACHING,
        "cache_control": _CACHING,
    }
    for kind in ("text", "image_url", "file", "input_audio", "refusal")
}
_INNER = frozenset({"url", "detail", "file_data", "filename", "file_id", "file_url", "data", "format"})
"""What stands inside an image, a file or a piece of audio."""


class ToolCall(NamedTuple):
    """A call that the model made in an earlier turn."""

    id: str
    name: str
    arguments: str


def turns(messages: Any, losses: Losses) -> Iterator[tuple[str, dict[str, Any]]]:
    """The messages of a conversation: where each stands, and its fields that matter.

    Raises:
        RuledOutError: a message has a role or a field that can't be translated.
    """
    if not isinstance(messages, (list, tuple)):
        raise RuledOutError("messages", "not a list of messages")
    for index, message in enumerate(messages):
        where = f"messages[{index}]."
        role = as_map(message).get("role")
        rows = _ROLES.get(role) if isinstance(role, str) else None
        if rows is None:
            raise RuledOutError(where + "role", f"the role {role!r} can't be translated")
        yield where, settle(message, rows, losses, where)


def parts_of(content: Any, where: str, losses: Losses) -> list[dict[str, Any]]:
    """A message's content as a list of parts, whatever form it has.

    Raises:
        RuledOutError: a part can't be translated.
    """
    if content is None:
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, (list, tuple)):
        raise RuledOutError(where + "content", "neither a text nor a list of parts")
    return [_part(part, where, losses) for part in content]


def _part(part: Any, where: str, losses: Losses) -> dict[str, Any]:
    kind = as_map(part).get("type")
    rows = _PARTS.get(kind) if isinstance(kind, str) else None
    if rows is None:
        raise RuledOutError(where + "content", f"a part of type {kind!r} can't be translated")
    if part.get(kind) is None:
        raise RuledOutError(where + "content", f"a part of type {kind} without {kind}")
    inner = as_map(part.get(kind)).keys() - _INNER
    if inner:
        raise RuledOutError(f"{where}content.{kind}", f"{min(map(str, inner))} can't be translated")
    return settle(part, rows, losses, where + "content.")


def text_of(parts: list[dict[str, Any]], where: str) -> list[str]:
    """The texts of parts, of which there must be no other.

    Raises:
        RuledOutError: a part is no text.
    """
    for part in parts:
        if part["type"] not in ("text", "refusal"):
            raise RuledOutError(where + "content", f"a part of type {part['type']} can't be carried here")
    return [as_text(part.get(part["type"])) for part in parts]


def tool_calls_of(message: Mapping[str, Any], where: str, losses: Losses) -> list[ToolCall]:
    """The calls that an assistant's message makes.

    Raises:
        RuledOutError: a call is not one of a function.
    """
    calls = []
    for raw in message.get("tool_calls") or ():
        call = settle(as_map(raw), _TOOL_CALL, losses, where + "tool_calls.")
        if call.get("type", "function") != "function":
            raise RuledOutError(where + "tool_calls", "only calls of functions can be translated")
        function = as_map(call.get("function"))
        calls.append(
            ToolCall(as_text(call.get("id")), as_text(function.get("name")), as_text(function.get("arguments")))
        )
    return calls


def arguments_of(call: ToolCall, where: str) -> dict[str, Any]:
    """The arguments of a call as an object; none at all are an empty one.

    Raises:
        RuledOutError: they are not an object. Nothing is invented to repair them.
    """
    if not call.arguments.strip():
        return {}
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        raise RuledOutError(where + "tool_calls", f"the arguments of {call.name} are not a JSON object")
    return arguments
