"""What the wire formats share in reading a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llm_router_middleware.sandbox.ask import Rejected, Tool

__all__ = ["function_tools", "parts", "positive", "require", "table", "text_of", "texts"]


def text_of(content: Any) -> str:
    """The text of a message's content: a string, or the text parts of a list."""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in parts(content) if isinstance(part.get("text"), str))


def parts(content: Any) -> list[Mapping[str, Any]]:
    """The parts of a message's content that are objects."""
    return [part for part in content if isinstance(part, Mapping)] if isinstance(content, list) else []


def table(value: Any) -> Mapping[str, Any]:
    """A value that should be an object; an empty one when it is none."""
    return value if isinstance(value, Mapping) else {}


def texts(stop: Any) -> tuple[str, ...]:
    """Stop texts: one, a list, or none."""
    if isinstance(stop, str):
        return (stop,)
    return tuple(item for item in stop if isinstance(item, str) and item) if isinstance(stop, list) else ()


def function_tools(functions: Iterable[Any], schema: str) -> tuple[Tool, ...]:
    """The tools that have a name; `schema` is where their arguments' schema stands."""
    named = [item for item in functions if isinstance(item, Mapping) and isinstance(item.get("name"), str)]
    return tuple(Tool(item["name"], table(item.get(schema))) for item in named)


def positive(*values: Any) -> int | None:
    """The first value that is a whole number above zero."""
    return next((value for value in values if type(value) is int and value > 0), None)


def require(condition: bool, message: str, *, code: str | None = None, param: str | None = None) -> None:
    """Raises Rejected unless the condition holds."""
    if not condition:
        raise Rejected(message, code=code, param=param)
