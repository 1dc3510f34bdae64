"""Tools, reasoning, format and limits of an Anthropic request, in the chat dialect's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_router_middleware.dialects.features import Features
from llm_router_middleware.dialects.fit import Seat
from llm_router_middleware.dialects.ids import tool_name
from llm_router_middleware.dialects.messages_on_chat.profile import Profile
from llm_router_middleware.dialects.parameters import Losses, Row, Rows, settle
from llm_router_middleware.dialects.reading import as_int, as_list, as_map, as_text
from llm_router_middleware.dialects.reasoning import unasked_effort
from llm_router_middleware.dialects.schema import outside_openai
from llm_router_middleware.errors import RuledOutError

__all__ = ["answer_limit", "reasoning", "response_format", "sampling", "tool_choice", "tools"]

_CARRIED = Row("carried")
_TOOL: Rows = {
    "type": _CARRIED,
    "name": _CARRIED,
    "description": _CARRIED,
    "input_schema": _CARRIED,
    "strict": _CARRIED,
    "cache_control": Row("inert", why="changes cost, not the answer"),
    "eager_input_streaming": Row("inert", why="changes how the arguments are streamed, not what they say"),
    "defer_loading": Row("refused", same=(False,), why="a tool that is not in the prompt has no counterpart"),
    "allowed_callers": Row("refused", same=(["direct"], []), why="tools that call tools have no counterpart"),
    "input_examples": Row("refused", same=([],), why="examples of a tool's input have no counterpart"),
}
_THINKING: Rows = {"type": _CARRIED, "display": _CARRIED, "budget_tokens": _CARRIED}
_LOW_BUDGET, _MEDIUM_BUDGET = 4_000, 16_000
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def tools(given: Mapping[str, Any], losses: Losses) -> list[dict[str, Any]]:
    """The tools of a request."""
    return [_tool(as_map(raw), losses) for raw in as_list(given.get("tools"))]


def _tool(raw: Mapping[str, Any], losses: Losses) -> dict[str, Any]:
    if raw.get("type") not in (None, "custom"):
        raise RuledOutError("tools", f"the provider's own tool {raw.get('type')} is not known elsewhere")
    tool = settle(raw, _TOOL, losses, "tools.")
    function: dict[str, Any] = {
        "name": tool_name(as_text(tool.get("name"))),
        "parameters": tool.get("input_schema") or {"type": "object", "properties": {}},
    }
    if tool.get("description"):
        function["description"] = tool["description"]
    if tool.get("strict") is True:
        why = outside_openai(function["parameters"])
        if why is not None:
            raise RuledOutError("tools", f"strict arguments of {function['name']}: {why}")
        function["strict"] = True
    return {"type": "function", "function": function}


def tool_choice(given: Mapping[str, Any]) -> tuple[Any, bool]:
    """Which tool the model must, may or must not use, and whether it may call several at once."""
    choice = as_map(given.get("tool_choice"))
    kind = as_text(choice.get("type"))
    parallel = choice.get("disable_parallel_tool_use") is not True
    if not choice:
        return None, True
    if kind == "tool":
        return {"type": "function", "function": {"name": as_text(choice.get("name"))}}, parallel
    if kind not in _CHOICES:
        raise RuledOutError("tool_choice", f"the choice {kind!r} can't be translated")
    if kind == "any" and not given.get("tools"):
        raise RuledOutError("tool_choice", "a tool is demanded and there is none")
    return _CHOICES[kind], parallel


def answer_limit(given: Mapping[str, Any], seat: Seat, profile: Profile) -> int:
    """The answer's limit: the caller's, lowered to the model's."""
    limit = as_int(given.get("max_tokens"))
    if limit is None or limit < profile.least_output:
        raise RuledOutError("max_tokens", f"an answer limit below {profile.least_output} is rejected")
    return limit if seat.max_output is None else min(limit, seat.max_output)


def sampling(given: Mapping[str, Any], seat: Seat, losses: Losses) -> dict[str, Any]:
    """Temperature and top_p, where the model takes them. Anthropic's defaults are 1, as everywhere."""
    wanted = {name: given[name] for name in ("temperature", "top_p") if given.get(name) not in (None, 1)}
    if seat.able.sampling == "never":
        for name in wanted:
            losses.take("sampling", name, "temperature and top_p are rejected by this model")
        return {}
    return wanted


def response_format(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """The schema that the answer must fit; None for plain text."""
    shape = as_map(as_map(given.get("output_config")).get("format")) or as_map(given.get("output_format"))
    if not shape:
        return None
    if shape.get("type") != "json_schema":
        raise RuledOutError("output_config", f"there is no format {shape.get('type')}")
    why = outside_openai(shape.get("schema"))
    if why is not None:
        raise RuledOutError("output_config", f"the schema can't be guaranteed: {why}")
    return {"type": "json_schema", "json_schema": {"name": "response", "strict": True, "schema": shape["schema"]}}


def reasoning(
    given: Mapping[str, Any], asked: Features, seat: Seat, profile: Profile, losses: Losses
) -> dict[str, Any]:
    """The reasoning effort, for what the request says of thinking, or leaves to us.

    Args:
        given: the request's parameters.
        asked: what it asks for.
        seat: whose words.
        profile: which chat wire.
        losses: what may be lost.
    """
    thinking = settle(as_map(given.get("thinking")), _THINKING, losses, "thinking.")
    config = {name: value for name, value in as_map(given.get("output_config")).items() if value is not None}
    unknown = config.keys() - {"effort", "format"}
    if unknown:
        raise RuledOutError("output_config", f"{min(unknown)} can't be translated")
    shown = _shown(thinking, profile)
    effort = _effort_of(thinking, seat, losses)
    if config.get("effort"):
        if effort is None:
            effort = as_text(config["effort"])
        else:
            losses.take("reasoning_level", "output_config", "an effort beside this form of thinking has no counterpart")
    if effort is None:
        effort = None if thinking else unasked_effort(asked, seat, provider="anthropic")
    elif effort not in seat.efforts:
        raise RuledOutError("thinking", f"the effort {effort} is not known to this model")
    return shown if effort is None else {**shown, "reasoning_effort": effort}


def _shown(thinking: Mapping[str, Any], profile: Profile) -> dict[str, Any]:
    if thinking.get("display") != "summarized":
        return {}
    if not profile.shows_reasoning:
        raise RuledOutError("thinking", "the reasoning is not shown there")
    return {"reasoning_format": "parsed"}


def _effort_of(thinking: Mapping[str, Any], seat: Seat, losses: Losses) -> str | None:
    kind = thinking.get("type")
    if kind == "enabled":
        losses.take("reasoning_budget", "thinking", "a budget of tokens for thinking has no counterpart")
        budget = as_int(thinking.get("budget_tokens")) or 0
        return "low" if budget < _LOW_BUDGET else "medium" if budget < _MEDIUM_BUDGET else "high"
    if kind == "disabled":
        return None if seat.able.reasoning == "never" else "none"
    if kind == "adaptive" and seat.able.reasoning == "never":
        raise RuledOutError("thinking", "this model does not reason")
    if kind in (None, "adaptive"):
        return None
    raise RuledOutError("thinking", f"thinking {kind} has no counterpart")
