"""Tools, reasoning, format and limits of a chat request, in Anthropic's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_router_middleware.dialects.fit import Seat
from llm_router_middleware.dialects.ids import tool_name
from llm_router_middleware.dialects.parameters import Losses, Row, Rows, settle
from llm_router_middleware.dialects.reading import as_int, as_list, as_map, as_text
from llm_router_middleware.dialects.reasoning import asked_effort
from llm_router_middleware.dialects.schema import Budget, closed, outside_anthropic
from llm_router_middleware.errors import RuledOutError
from llm_router_middleware.models.capabilities import Capabilities, capabilities

__all__ = ["answer_limit", "output_format", "reasoning", "stop_sequences", "tool_choice", "tools"]

_CARRIED = Row("carried")
_TOOL: Rows = {
    "type": _CARRIED,
    "function": _CARRIED,
    "cache_control": Row("inert", why="changes cost, not the answer"),
}
_FUNCTION: Rows = {
    "name": _CARRIED,
    "description": _CARRIED,
    "parameters": _CARRIED,
    "strict": _CARRIED,
}
_NO_PARAMETERS = {"type": "object", "properties": {}}


def tools(given: Mapping[str, Any], losses: Losses, budget: Budget) -> list[dict[str, Any]]:
    """The tools of a request; of `allowed_tools` only those."""
    allowed = _allowed(as_map(given.get("tool_choice")))
    out = []
    for raw in as_list(given.get("tools")):
        tool = settle(as_map(raw), _TOOL, losses, "tools.")
        if tool.get("type", "function") != "function":
            raise RuledOutError("tools", f"a tool of type {tool.get('type')} can't be translated")
        function = settle(as_map(tool.get("function")), _FUNCTION, losses, "tools.function.")
        name = tool_name(as_text(function.get("name")))
        if allowed is None or name in allowed:
            out.append(_tool(name, function, budget))
    return out


def _allowed(choice: Mapping[str, Any]) -> set[str] | None:
    if choice.get("type") != "allowed_tools":
        return None
    named = as_list(as_map(choice.get("allowed_tools")).get("tools"))
    return {as_text(as_map(as_map(tool).get("function")).get("name")) for tool in named}


def _tool(name: str, function: Mapping[str, Any], budget: Budget) -> dict[str, Any]:
    schema = dict(as_map(function.get("parameters"))) or _NO_PARAMETERS
    if any(key in schema for key in ("oneOf", "anyOf", "allOf")):
        raise RuledOutError("tools", f"the schema of {name} has a choice at its root, which is rejected")
    if schema.setdefault("type", "object") != "object":
        raise RuledOutError("tools", f"the schema of {name} is not one of an object")
    tool: dict[str, Any] = {"name": name, "input_schema": schema}
    if function.get("description"):
        tool["description"] = function["description"]
    if function.get("strict") is True:
        why = outside_anthropic(schema) or budget.spend(schema, tool=True)
        if why is not None:
            raise RuledOutError("tools", f"strict arguments of {name}: {why}")
        tool["strict"] = True
        tool["input_schema"] = closed(schema)
    return tool


def tool_choice(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Which tool the model must, may or must not use; None if the request says nothing of it."""
    choice = _choice(given.get("tool_choice"))
    if choice is not None and not given.get("tools"):
        if choice["type"] in ("any", "tool"):
            raise RuledOutError("tool_choice", "a tool is demanded and there is none")
        return None
    if given.get("parallel_tool_calls") is False and given.get("tools"):
        choice = choice or {"type": "auto"}
        if choice["type"] != "none":
            choice["disable_parallel_tool_use"] = True
    return choice


def _choice(raw: Any) -> dict[str, Any] | None:
    if raw is None:
        return None
    words = {"auto": "auto", "none": "none", "required": "any"}
    if isinstance(raw, str):
        mode = raw
    else:
        kind = as_map(raw).get("type")
        if kind == "function":
            return {"type": "tool", "name": as_text(as_map(raw.get("function")).get("name"))}
        mode = as_text(as_map(raw.get("allowed_tools")).get("mode")) if kind == "allowed_tools" else ""
    if mode not in words:
        raise RuledOutError("tool_choice", f"the choice {raw!r} can't be translated")
    return {"type": words[mode]}


def answer_limit(given: Mapping[str, Any], seat: Seat) -> int:
    """The answer's limit, which is mandatory there: the caller's, lowered to the model's, or the model's own."""
    wanted = given.get("max_completion_tokens", given.get("max_tokens"))
    if wanted is not None and (as_int(wanted) is None or wanted < 1):
        raise RuledOutError("max_tokens", "not a positive whole number")
    longest = seat.max_output
    if wanted is None and longest is None:
        raise RuledOutError("max_tokens", "it is mandatory there and the model's longest answer is not known")
    return int(min(limit for limit in (wanted, longest) if limit is not None))


def reasoning(given: Mapping[str, Any], seat: Seat, losses: Losses, *, provider: str) -> dict[str, Any]:
    """`thinking` and the effort, for what the request says of reasoning, or leaves to us.

    Args:
        given: the request's parameters.
        seat: whose words.
        losses: what may be lost.
        provider: who serves the model that the caller named.
    """
    effort, able = asked_effort(given), seat.able
    shown = {"display": "summarized"} if _wants_reasoning(given) else {}
    if effort is None:
        return _unasked(given, able, provider) or _thinking(able, shown)
    if effort == "none":
        return _off(able)
    if effort == "minimal":
        losses.take("reasoning_level", "reasoning_effort", "there is no effort below low")
        effort = "low"
    if effort not in able.efforts or "adaptive" not in able.thinking:
        raise RuledOutError("reasoning_effort", f"the effort {effort} is not known to this model")
    return {"thinking": {"type": "adaptive", **shown}, "output_config": {"effort": effort}}


def _wants_reasoning(given: Mapping[str, Any]) -> bool:
    """Groq's callers can ask to read the reasoning; in the text itself (`raw`) it can't be given."""
    form = given.get("reasoning_format")
    if form == "raw":
        raise RuledOutError("reasoning_format", "reasoning inside the text is not given there")
    return form == "parsed" or given.get("include_reasoning") is True


def _thinking(able: Capabilities, shown: Mapping[str, Any]) -> dict[str, Any]:
    if not shown:
        return {}
    if "adaptive" not in able.thinking:
        raise RuledOutError("reasoning_format", "this model does not show its reasoning unasked")
    return {"thinking": {"type": "adaptive", **shown}}


def _off(able: Capabilities) -> dict[str, Any]:
    if able.reasoning == "never" or (able.reasoning == "off" and "disabled" not in able.thinking):
        return {}
    if "disabled" not in able.thinking:
        raise RuledOutError("reasoning_effort", "reasoning can't be turned off")
    return {"thinking": {"type": "disabled"}}


def _unasked(given: Mapping[str, Any], able: Capabilities, provider: str) -> dict[str, Any]:
    """Keeps a model that reasons unasked from spending an answer limit that was set for one that doesn't."""
    limit = given.get("max_completion_tokens", given.get("max_tokens"))
    if limit is None or able.reasoning not in ("on", "always") or _wants_reasoning(given):
        return {}
    named = capabilities(provider, as_text(given.get("model")))
    if named is not None and named.reasoning in ("on", "always"):
        return {}
    if able.reasoning == "on" and "disabled" in able.thinking:
        return {"thinking": {"type": "disabled"}}
    if limit < able.headroom:
        raise RuledOutError("max_tokens", f"its reasoning would use up an answer limit of {limit} tokens")
    return {"output_config": {"effort": "low"}} if "low" in able.efforts else {}


def output_format(given: Mapping[str, Any], budget: Budget) -> dict[str, Any] | None:
    """The schema that the answer must fit; None for plain text."""
    shape = as_map(given.get("response_format"))
    kind = shape.get("type", "text")
    if kind == "text":
        return None
    if kind != "json_schema":
        raise RuledOutError("response_format", f"there is no {kind}")
    schema = as_map(shape.get("json_schema")).get("schema")
    why = outside_anthropic(schema) or budget.spend(as_map(schema), tool=False)
    if why is not None:
        raise RuledOutError("response_format", f"the schema can't be guaranteed: {why}")
    return {"type": "json_schema", "schema": closed(schema)}


def stop_sequences(given: Mapping[str, Any]) -> list[str]:
    """The stop sequences as a list."""
    stop = given.get("stop")
    stops = [stop] if isinstance(stop, str) else list(as_list(stop))
    if any(not as_text(text).strip() for text in stops):
        raise RuledOutError("stop", "a stop sequence of white space alone is rejected")
    return stops
