"""A chat request in the words of the Responses wire."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from llm_router_middleware.dialects.base import Translation
from llm_router_middleware.dialects.chat_on_responses.items import items
from llm_router_middleware.dialects.features import Features
from llm_router_middleware.dialects.fit import Seat, refusal
from llm_router_middleware.dialects.parameters import CHAT_TO_RESPONSES, Losses, Row, Rows, settle
from llm_router_middleware.dialects.reading import as_list, as_map, as_text
from llm_router_middleware.dialects.reasoning import asked_effort, unasked_effort
from llm_router_middleware.dialects.request import Request
from llm_router_middleware.errors import RuledOutError
from llm_router_middleware.models.spec import ModelSpec

__all__ = ["request"]

_CARRIED = Row("carried")
_TOOL: Rows = {"type": _CARRIED, "function": _CARRIED}
_FUNCTION: Rows = {"name": _CARRIED, "description": _CARRIED, "parameters": _CARRIED, "strict": _CARRIED}
_SAME = (
    "metadata",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "stream",
    "user",
)
_LEAST_OUTPUT = 16


def request(asking: Request, target: ModelSpec, lossy: frozenset[str]) -> Translation:
    """Puts a chat request into the words of the Responses wire.

    Args:
        asking: the request, in OpenAI's chat form.
        target: whom to ask.
        lossy: what may be lost.

    Raises:
        RuledOutError: the target can't honour a parameter.
    """
    losses = Losses(lossy)
    given = settle(asking.body, CHAT_TO_RESPONSES, losses)
    seat = Seat.of(target, "openai_responses", native=False, lossy=lossy)
    found = refusal(asking.asked, seat)
    if found is not None:
        raise RuledOutError(*found)
    spoken = asking.draft("items", losses, partial(items, given.get("messages")))
    return Translation(_body(given, asking.asked, spoken, seat, losses), losses.dropped)


def _body(
    given: Mapping[str, Any],
    asked: Features,
    spoken: tuple[str | None, list[dict[str, Any]]],
    seat: Seat,
    losses: Losses,
) -> dict[str, Any]:
    instructions, listed = spoken
    effort = _effort(given, asked, seat, losses)
    tools = [_tool(as_map(raw), losses) for raw in as_list(given.get("tools"))]
    optional: dict[str, Any] = {
        "instructions": instructions,
        "tools": tools,
        "tool_choice": _choice(given.get("tool_choice")) if tools else None,
        "max_output_tokens": _limit(asked, seat),
        "reasoning": {"effort": effort} if effort else None,
        "text": _text(given, seat, losses),
        **_sampling(given, seat, losses),
        **{name: given.get(name) for name in _SAME},
    }
    body = {
        "model": seat.model.name,
        "input": listed,
        "store": False,
        **{name: value for name, value in optional.items() if value},
    }
    if tools and given.get("parallel_tool_calls") is False and seat.able.parallel_tools:
        body["parallel_tool_calls"] = False
    return body


def _tool(raw: Mapping[str, Any], losses: Losses) -> dict[str, Any]:
    """A tool. `strict` is always said: left out it means yes on this wire, and no on the caller's."""
    tool = settle(raw, _TOOL, losses, "tools.")
    if tool.get("type", "function") != "function":
        raise RuledOutError("tools", f"a tool of type {tool.get('type')} can't be translated")
    function = settle(as_map(tool.get("function")), _FUNCTION, losses, "tools.function.")
    return {
        "type": "function",
        "name": as_text(function.get("name")),
        "description": function.get("description"),
        "parameters": function.get("parameters") or {"type": "object", "properties": {}},
        "strict": function.get("strict") is True,
    }


def _choice(raw: Any) -> Any:
    if raw is None or raw in ("auto", "none", "required"):
        return raw
    choice = as_map(raw)
    if choice.get("type") == "function":
        return {"type": "function", "name": as_text(as_map(choice.get("function")).get("name"))}
    if choice.get("type") == "allowed_tools":
        inner = as_map(choice.get("allowed_tools"))
        named = [as_text(as_map(as_map(tool).get("function")).get("name")) for tool in as_list(inner.get("tools"))]
        tools = [{"type": "function", "name": name} for name in named]
        return {"type": "allowed_tools", "mode": as_text(inner.get("mode")), "tools": tools}
    raise RuledOutError("tool_choice", f"the choice {raw!r} can't be translated")


def _limit(asked: Features, seat: Seat) -> int | None:
    limit = asked.max_output
    if limit is None:
        return None
    if limit < _LEAST_OUTPUT:
        raise RuledOutError("max_tokens", f"an answer limit below {_LEAST_OUTPUT} is rejected")
    return limit if seat.max_output is None else min(limit, seat.max_output)


def _effort(given: Mapping[str, Any], asked: Features, seat: Seat, losses: Losses) -> str | None:
    effort = asked_effort(given)
    if effort is None:
        return unasked_effort(asked, seat, provider="openai")
    if effort == "minimal" and effort not in seat.efforts:
        losses.take("reasoning_level", "reasoning_effort", "there is no effort below low")
        effort = "low"
    if effort == "none" and seat.able.reasoning == "never":
        return None
    if effort not in seat.efforts:
        raise RuledOutError("reasoning_effort", f"the effort {effort} is not known to this model")
    return effort


def _text(given: Mapping[str, Any], seat: Seat, losses: Losses) -> dict[str, Any]:
    text: dict[str, Any] = {}
    shape = as_map(given.get("response_format"))
    if shape.get("type") == "json_schema":
        inner = as_map(shape.get("json_schema"))
        described = {name: inner[name] for name in ("name", "description", "schema") if inner.get(name) is not None}
        text["format"] = {"type": "json_schema", **described, "strict": inner.get("strict") is True}
    elif shape.get("type") == "json_object":
        text["format"] = {"type": "json_object"}
    elif shape.get("type", "text") != "text":
        raise RuledOutError("response_format", f"there is no {shape.get('type')}")
    if given.get("verbosity") and seat.able.verbosity:
        text["verbosity"] = given["verbosity"]
    elif given.get("verbosity"):
        losses.take("verbosity", "verbosity", "it has no verbosity")
    return text


def _sampling(given: Mapping[str, Any], seat: Seat, losses: Losses) -> dict[str, Any]:
    wanted = {name: given[name] for name in ("temperature", "top_p") if given.get(name) not in (None, 1)}
    if seat.able.sampling == "never":
        for name in wanted:
            losses.take("sampling", name, "temperature and top_p are rejected by this model")
        return {}
    return wanted
