"""A chat request of OpenAI's for Groq, and of Groq's for OpenAI.

Groq rejects every field that it does not know, so what is sent is listed, not what is held back.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from llm_router_middleware.dialects.base import Translation
from llm_router_middleware.dialects.chat_on_chat.conversation import conversation
from llm_router_middleware.dialects.features import Features
from llm_router_middleware.dialects.fit import Seat, refusal
from llm_router_middleware.dialects.ids import pseudonym, tool_name
from llm_router_middleware.dialects.parameters import (
    GROQ_TO_OPENAI,
    OPENAI_TO_GROQ,
    Losses,
    Row,
    Rows,
    settle,
)
from llm_router_middleware.dialects.reading import as_list, as_map, as_text
from llm_router_middleware.dialects.reasoning import asked_effort, unasked_effort
from llm_router_middleware.dialects.request import Request
from llm_router_middleware.dialects.schema import outside_openai
from llm_router_middleware.engine.call import Wire
from llm_router_middleware.errors import RuledOutError
from llm_router_middleware.models.spec import ModelSpec

__all__ = ["request"]

_CARRIED = Row("carried")
_TOOL: Rows = {"type": _CARRIED, "function": _CARRIED}
_FUNCTION: Rows = {"name": _CARRIED, "description": _CARRIED, "parameters": _CARRIED, "strict": _CARRIED}
_SAMPLING = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
_LEAST_OUTPUT = 16


def request(caller: Wire, wire: Wire, asking: Request, target: ModelSpec, lossy: frozenset[str]) -> Translation:
    """Puts a chat request of one provider into the form of another.

    Args:
        caller: "openai_chat" or "groq_chat".
        wire: whose form. "openai_responses" stands for the chat form of a request that goes on to that wire.
        asking: the request.
        target: whom to ask.
        lossy: what may be lost.

    Raises:
        RuledOutError: the target can't honour a parameter.
    """
    losses = Losses(lossy)
    given = settle(asking.body, OPENAI_TO_GROQ if caller == "openai_chat" else GROQ_TO_OPENAI, losses)
    seat = Seat.of(target, wire, native=False, lossy=lossy)
    found = refusal(asking.asked, seat)
    if found is not None:
        raise RuledOutError(*found)
    to_groq = wire == "groq_chat"
    plain = to_groq or not seat.described
    write = partial(conversation, given.get("messages"), to_groq=to_groq, plain=plain)
    messages = asking.draft((wire, plain), losses, write)
    return Translation(_body(caller, given, asking.asked, messages, seat, losses), losses.dropped)


def _body(
    caller: Wire,
    given: Mapping[str, Any],
    asked: Features,
    messages: list[dict[str, Any]],
    seat: Seat,
    losses: Losses,
) -> dict[str, Any]:
    to_groq = seat.wire == "groq_chat"
    choice = given.get("tool_choice")
    tools = _tools(given, choice, losses)
    optional: dict[str, Any] = {
        "tools": tools,
        "tool_choice": _choice(choice) if tools else None,
        "response_format": _response_format(given, bool(tools), to_groq),
        "stop": [given["stop"]] if isinstance(given.get("stop"), str) else given.get("stop"),
        "max_completion_tokens" if seat.described else "max_tokens": _limit(asked, seat, to_groq),
        "seed": given.get("seed"),
        "stream": given.get("stream"),
        "reasoning_effort": _effort(given, asked, seat, losses, caller),
        **_sampling(given, seat, losses),
    }
    body = {
        "model": seat.model.name,
        "messages": messages,
        **{name: value for name, value in optional.items() if value is not None and value != []},
    }
    if tools and given.get("parallel_tool_calls") is False and (to_groq or seat.able.parallel_tools):
        body["parallel_tool_calls"] = False
    user = given.get("safety_identifier") or given.get("user")
    if isinstance(user, str) and user:
        body["user" if to_groq else "safety_identifier"] = pseudonym(user)
    if given.get("stream") and seat.wire == "openai_chat":
        body["stream_options"] = {"include_usage": True}
    return body


def _tools(given: Mapping[str, Any], choice: Any, losses: Losses) -> list[dict[str, Any]]:
    allowed = None
    if as_map(choice).get("type") == "allowed_tools":
        named = as_list(as_map(choice.get("allowed_tools")).get("tools"))
        allowed = {as_text(as_map(as_map(tool).get("function")).get("name")) for tool in named}
    out = []
    for raw in as_list(given.get("tools")):
        tool = settle(as_map(raw), _TOOL, losses, "tools.")
        if tool.get("type", "function") != "function":
            raise RuledOutError("tools", f"a tool of type {tool.get('type')} can't be translated")
        function = settle(as_map(tool.get("function")), _FUNCTION, losses, "tools.function.")
        name = tool_name(as_text(function.get("name")))
        if function.get("strict") is not True:
            function.pop("strict", None)
        if allowed is None or name in allowed:
            out.append({"type": "function", "function": function})
    return out


def _choice(raw: Any) -> Any:
    if as_map(raw).get("type") == "allowed_tools":
        return as_text(as_map(raw.get("allowed_tools")).get("mode"))
    if raw is None or raw in ("auto", "none", "required"):
        return raw
    if as_map(raw).get("type") == "function":
        return {"type": "function", "function": {"name": as_text(as_map(raw.get("function")).get("name"))}}
    raise RuledOutError("tool_choice", f"the choice {raw!r} can't be translated")


def _response_format(given: Mapping[str, Any], tools: bool, to_groq: bool) -> dict[str, Any] | None:
    shape = as_map(given.get("response_format"))
    kind = shape.get("type", "text")
    if kind == "text":
        return None
    if kind not in ("json_object", "json_schema"):
        raise RuledOutError("response_format", f"there is no {kind}")
    if tools and to_groq:
        raise RuledOutError("response_format", "a format together with tools is not known to work there")
    inner = as_map(shape.get("json_schema"))
    why = outside_openai(inner.get("schema")) if kind == "json_schema" and inner.get("strict") is True else None
    if why is not None:
        raise RuledOutError("response_format", f"the schema can't be guaranteed: {why}")
    return dict(shape)


def _limit(asked: Features, seat: Seat, to_groq: bool) -> int | None:
    limit = asked.max_output
    if limit is None:
        return None
    if limit < (1 if to_groq else _LEAST_OUTPUT):
        raise RuledOutError("max_tokens", f"an answer limit of {limit} is rejected")
    return limit if seat.max_output is None else min(limit, seat.max_output)


def _effort(given: Mapping[str, Any], asked: Features, seat: Seat, losses: Losses, caller: Wire) -> str | None:
    if given.get("reasoning_format") in ("parsed", "raw") or given.get("include_reasoning") is True:
        raise RuledOutError("reasoning_format", "the reasoning is not shown there")
    effort = asked_effort(given)
    if effort is None:
        return unasked_effort(asked, seat, provider="groq" if caller == "groq_chat" else "openai")
    if effort == "minimal" and effort not in seat.efforts:
        losses.take("reasoning_level", "reasoning_effort", "there is no effort below low")
        effort = "low"
    if effort == "none" and seat.able.reasoning == "never":
        return None
    if effort not in seat.efforts:
        raise RuledOutError("reasoning_effort", f"the effort {effort} is not known to this model")
    return effort


def _sampling(given: Mapping[str, Any], seat: Seat, losses: Losses) -> dict[str, Any]:
    """Sampling where the model takes it. What is not at its default and can't be carried, may be lost if allowed."""
    able, kept = seat.able, {}
    for name in _SAMPLING:
        penalty = name.endswith("_penalty")
        if given.get(name) in (None, 0 if penalty else 1):
            continue
        if able.sampling == "never" or (penalty and not able.penalties):
            losses.take("sampling", name, "it is rejected by this model")
        else:
            kept[name] = given[name]
    return kept
