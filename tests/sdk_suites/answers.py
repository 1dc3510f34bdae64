"""A minimal valid value of a type, built from the type itself."""

from __future__ import annotations

import datetime
import inspect
import types
import typing
from typing import Any, Literal, Union, get_args, get_origin

import pydantic
import typing_extensions

__all__ = ["events", "value"]

_SCALARS: dict[Any, Any] = {
    str: "string",
    int: 1,
    float: 1.5,
    bool: True,
    bytes: "string",
    object: {},
    Any: {},
    type(None): None,
    datetime.datetime: "2019-12-27T18:11:19.117000Z",
    datetime.date: "2019-12-27",
}

_LIFE = (
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "response.created",
    "response.output_text.delta",
    "response.completed",
)
"""Events that make a stream of messages or responses whole, in their order."""


def value(kind: Any, depth: int = 0) -> Any:
    """The smallest JSON value that an SDK's strict validation takes for a type. Lists have one item, but no tower."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is typing.Annotated or origin in (typing.Required, typing_extensions.Required):
        return value(arguments[0], depth)
    if hasattr(kind, "__value__"):
        return value(kind.__value__, depth)
    if origin is Literal:
        return arguments[0]
    if origin in (Union, types.UnionType):
        return _first_possible(arguments, depth)
    if origin in (list, tuple, set) or (inspect.isclass(origin) and issubclass(origin, typing.Iterable)):
        return [] if depth > 5 else [value(arguments[0], depth + 1)]
    if origin is dict or kind is dict:
        return {}
    if inspect.isclass(origin or kind) and issubclass(origin or kind, pydantic.BaseModel):
        return _model(kind, depth)
    if isinstance(kind, typing.TypeVar):
        return value(kind.__bound__ or object, depth)
    if typing_extensions.is_typeddict(kind):
        hints = typing_extensions.get_type_hints(kind)
        return {name: value(hints[name], depth + 1) for name in kind.__required_keys__}
    return {}


def _first_possible(arms: tuple[Any, ...], depth: int) -> Any:
    arms = tuple(arm for arm in arms if arm is not type(None)) or arms
    return value(arms[0], depth)


def _model(kind: Any, depth: int) -> dict[str, Any]:
    if depth > 12:
        raise RecursionError(kind)
    built: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        if field.is_required() or (depth == 0 and name in {"data", "has_more"}):
            built[field.alias or name] = value(_optional_off(field.annotation), depth + 1)
    return built


def _optional_off(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        arms = [arm for arm in get_args(annotation) if arm is not type(None)]
        if len(arms) == 1:
            return arms[0]
    return annotation


def events(kind: Any) -> list[dict[str, Any]]:
    """A short stream of a type: from its first event to its last where the order is known, else one event."""
    arms = _arms(kind)
    named = {_type_of(arm): arm for arm in arms}
    life = [named[name] for name in _LIFE if name in named]
    return [value(arm) for arm in life or arms[:1]]


def _arms(kind: Any) -> list[Any]:
    if get_origin(kind) is typing.Annotated:
        return _arms(get_args(kind)[0])
    if hasattr(kind, "__value__"):
        return _arms(kind.__value__)
    if get_origin(kind) in (Union, types.UnionType):
        return [inner for arm in get_args(kind) for inner in _arms(arm)]
    return [kind]


def _type_of(arm: Any) -> str:
    field = getattr(arm, "model_fields", {}).get("type")
    arguments = get_args(field.annotation) if field is not None else ()
    return str(arguments[0]) if arguments else ""
