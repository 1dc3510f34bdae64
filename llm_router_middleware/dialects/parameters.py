"""Every parameter of the four wires, and what becomes of it on the way to another wire.

Three dispositions: a parameter is carried, or dropped because the answer does not depend on it, or it rules the target
out. A knob that tunes the answer may be lost only if the caller opted in by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from llm_router_middleware.errors import RuledOutError

__all__ = [
    "CHAT_TO_MESSAGES",
    "CHAT_TO_RESPONSES",
    "GROQ_CHAT",
    "GROQ_TO_MESSAGES",
    "GROQ_TO_OPENAI",
    "MESSAGES",
    "MESSAGES_TO_CHAT",
    "OPENAI_CHAT",
    "OPENAI_TO_GROQ",
    "OPT_INS",
    "RESPONSES",
    "Losses",
    "Row",
    "Rows",
    "settle",
]


@dataclass(frozen=True, slots=True)
class Row:
    """What becomes of one parameter.

    Attributes:
        how: carried to the target; inert, so dropped; lost only with the caller's leave; refused.
        same: values that mean the same as leaving the parameter out.
        why: of one that is not carried, the reason.
        opt_in: of one that may be lost, the name by which the caller allows it.
    """

    how: Literal["carried", "inert", "lossy", "refused"]
    same: tuple[Any, ...] = ()
    why: str = ""
    opt_in: str = ""


OPT_INS = frozenset(
    {
        "document_as_text",
        "message_name",
        "reasoning_budget",
        "reasoning_level",
        "sampling",
        "stop_detail",
        "verbosity",
    }
)
"""The names by which a caller may allow a loss."""

Rows = Mapping[str, Row]
"""A table: the parameters of the caller's wire, for one target wire."""


class Losses:
    """What the caller allows to be lost, and what was."""

    __slots__ = ("_dropped", "allowed")

    def __init__(self, allowed: frozenset[str]) -> None:
        self.allowed = allowed
        self._dropped: dict[str, None] = {}

    @property
    def dropped(self) -> tuple[str, ...]:
        """The parameters that were lost, in order."""
        return tuple(self._dropped)

    def take(self, opt_in: str, parameter: str, why: str) -> None:
        """Notes a loss.

        Raises:
            RuledOutError: the caller has not allowed it.
        """
        if opt_in not in self.allowed:
            raise RuledOutError(parameter, why)
        self._dropped[parameter] = None

    def note(self, dropped: tuple[str, ...]) -> None:
        """Notes losses that were allowed before."""
        self._dropped.update(dict.fromkeys(dropped))


def settle(body: Mapping[str, Any], rows: Rows, losses: Losses, where: str = "") -> dict[str, Any]:
    """Sorts the parameters of a request, or the fields of an object in it.

    Args:
        body: the request or object. A parameter that is None is one that is left out.
        rows: the table.
        losses: what may be lost.
        where: what to put before a field's name to name it to people.

    Returns:
        The parameters to be carried.

    Raises:
        RuledOutError: one can't be, or is unknown, and nobody can tell whether it matters.
    """
    carried: dict[str, Any] = {}
    for name, value in body.items():
        if value is None:
            continue
        row = rows.get(name)
        if row is None:
            raise RuledOutError(where + name, "not known to translation, so nobody can tell whether it matters")
        if row.how == "carried":
            carried[name] = value
        elif row.how == "inert" or value in row.same:
            continue
        elif row.how == "lossy":
            losses.take(row.opt_in, where + name, row.why)
        else:
            raise RuledOutError(where + name, row.why)
    return carried


_CARRIED = Row("carried")
_SPEED = Row("inert", why="changes cost or speed, not the answer")
_TRACE = Row("inert", why="for the provider's own records")
_BEST_EFFORT = Row("inert", why="best effort, tied to one backend")


def _refused(why: str, *same: Any) -> Row:
    return Row("refused", same, why)


def _lossy(opt_in: str, why: str, *same: Any) -> Row:
    return Row("lossy", same, why, opt_in)


_DEPRECATED = _refused("the answer would have to take the deprecated form as well", "none", "auto", [])
_SAMPLING = _lossy("sampling", "Claude models reject it", 1)
_PENALTY = _lossy("sampling", "penalties are rejected there", 0)
_HOSTED = _refused("the provider's own tools are not known elsewhere", [])
_STATE = _refused("state of the provider is not known elsewhere", [], {})
_VERBOSITY = _lossy("verbosity", "verbosity is not known there", "medium")

_CHAT: Rows = {
    "function_call": _DEPRECATED,
    "functions": _DEPRECATED,
    "logit_bias": _refused("token ids belong to one tokenizer", {}),
    "logprobs": _refused("log probabilities are not given there", False),
    "max_completion_tokens": _CARRIED,
    "max_tokens": _CARRIED,
    "messages": _CARRIED,
    "metadata": _TRACE,
    "model": _CARRIED,
    "n": _refused("one choice only", 1),
    "parallel_tool_calls": _CARRIED,
    "reasoning_effort": _CARRIED,
    "response_format": _CARRIED,
    "seed": _BEST_EFFORT,
    "service_tier": _SPEED,
    "stop": _CARRIED,
    "store": _refused("storing belongs to the provider", False),
    "stream": _CARRIED,
    "tool_choice": _CARRIED,
    "tools": _CARRIED,
    "top_logprobs": _refused("log probabilities are not given there", 0),
    "user": _CARRIED,
}

_OPENAI_ONLY: Rows = {
    "audio": _refused("audio is not given there"),
    "modalities": _refused("audio is not given there", ["text"]),
    "moderation": _refused("moderation results are not given there"),
    "prediction": _SPEED,
    "prompt_cache_key": _SPEED,
    "prompt_cache_options": _SPEED,
    "prompt_cache_retention": _SPEED,
    "safety_identifier": _CARRIED,
    "stream_options": Row("inert", why="shapes the caller's own stream"),
    "verbosity": _VERBOSITY,
    "web_search_options": _HOSTED,
}

_GROQ_ONLY: Rows = {
    "citation_options": Row("inert", why="only with documents"),
    "compound_custom": _HOSTED,
    "disable_tool_validation": _refused("tool calls can't be left unvalidated there", False),
    "documents": _HOSTED,
    "exclude_domains": _HOSTED,
    "include_domains": _HOSTED,
    "include_reasoning": _CARRIED,
    "reasoning_format": _CARRIED,
    "search_settings": _HOSTED,
}

_NO_SAMPLING: Rows = {
    "frequency_penalty": _PENALTY,
    "presence_penalty": _PENALTY,
    "temperature": _SAMPLING,
    "top_p": _SAMPLING,
}
_SOME_SAMPLING: Rows = {**_NO_SAMPLING, "temperature": _CARRIED, "top_p": _CARRIED}
_ALL_SAMPLING: Rows = {**_SOME_SAMPLING, "frequency_penalty": _CARRIED, "presence_penalty": _CARRIED}

CHAT_TO_MESSAGES: Rows = {**_CHAT, **_OPENAI_ONLY, **_NO_SAMPLING}
"""openai_chat to anthropic_messages."""

GROQ_TO_MESSAGES: Rows = {**_CHAT, **_GROQ_ONLY, **_NO_SAMPLING}
"""groq_chat to anthropic_messages."""

OPENAI_TO_GROQ: Rows = {**_CHAT, **_OPENAI_ONLY, **_SOME_SAMPLING, "seed": _CARRIED}
"""openai_chat to groq_chat."""

GROQ_TO_OPENAI: Rows = {**_CHAT, **_GROQ_ONLY, **_ALL_SAMPLING, "seed": _CARRIED}
"""groq_chat to openai_chat."""

CHAT_TO_RESPONSES: Rows = {
    **_CHAT,
    **_OPENAI_ONLY,
    **_SOME_SAMPLING,
    "metadata": _CARRIED,
    "prompt_cache_key": _CARRIED,
    "prompt_cache_options": _CARRIED,
    "prompt_cache_retention": _CARRIED,
    "service_tier": _CARRIED,
    "stop": _refused("the Responses wire has no stop sequences", []),
    "verbosity": _CARRIED,
}
"""openai_chat to openai_responses."""

MESSAGES_TO_CHAT: Rows = {
    "betas": _refused("beta features are not known elsewhere", []),
    "billing_policy": _STATE,
    "cache_control": _SPEED,
    "compaction": _STATE,
    "container": _STATE,
    "context_management": _STATE,
    "diagnostics": _STATE,
    "fallback_credit_token": _STATE,
    "fallbacks": _STATE,
    "inference_geo": _refused("where the data may be processed is not known elsewhere"),
    "max_tokens": _CARRIED,
    "mcp_servers": _HOSTED,
    "messages": _CARRIED,
    "metadata": _CARRIED,
    "model": _CARRIED,
    "output_config": _CARRIED,
    "output_format": _CARRIED,
    "service_tier": _SPEED,
    "speed": _SPEED,
    "stop_sequences": _CARRIED,
    "stream": _CARRIED,
    "system": _CARRIED,
    "temperature": _CARRIED,
    "thinking": _CARRIED,
    "thread": _STATE,
    "tool_choice": _CARRIED,
    "tools": _CARRIED,
    "top_k": _lossy("sampling", "top_k is not known there"),
    "top_p": _CARRIED,
    "user_profile_id": _STATE,
    "workspace_id": _STATE,
}
"""anthropic_messages to a chat wire. The Anthropic SDKs before 2.0 send temperature, top_p and top_k."""

OPENAI_CHAT = frozenset(CHAT_TO_MESSAGES)
"""Every parameter of OpenAI's Chat Completions that is known here."""

GROQ_CHAT = frozenset(GROQ_TO_MESSAGES)
"""Every parameter of Groq's Chat Completions that is known here."""

MESSAGES = frozenset(MESSAGES_TO_CHAT)
"""Every parameter of Anthropic's Messages that is known here."""

RESPONSES = frozenset(
    {
        "access_programs",
        "background",
        "background_options",
        "context_management",
        "conversation",
        "image",
        "include",
        "input",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "model",
        "moderation",
        "parallel_tool_calls",
        "previous_response_id",
        "prompt",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning",
        "safety_identifier",
        "service_tier",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    }
)
"""Every parameter of OpenAI's Responses that is known here. As a caller's wire it is not translated."""
