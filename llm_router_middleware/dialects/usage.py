"""Tokens as each wire counts them, in one vocabulary.

OpenAI and Groq count totals with subsets; Anthropic counts disjoint parts. Here: totals with subsets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from llm_router_middleware.dialects.reading import as_int, as_map
from llm_router_middleware.engine.call import Wire

__all__ = ["StreamUsage", "TokenCounts", "chat_usage", "messages_usage", "read_usage", "tokens"]


class TokenCounts(TypedDict):
    """Tokens as the provider counted them, by the names of `events.event.Usage`. None: it did not say."""

    input_tokens: int | None
    output_tokens: int | None
    cached_input_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None


class StreamUsage:
    """Gathers the usage of one stream. What a later event reports replaces what an earlier one did, and never adds."""

    __slots__ = ("_raw", "_wire")

    def __init__(self, wire: Wire) -> None:
        self._wire: Wire = wire
        self._raw: dict[str, Any] = {}

    def feed(self, data: Mapping[str, Any]) -> None:
        """Takes one of the wire's events."""
        raw = _reported(self._wire, data)
        if raw:
            self._raw.update((key, value) for key, value in raw.items() if value is not None)

    @property
    def raw(self) -> Mapping[str, Any]:
        """What was reported, in the wire's own words."""
        return self._raw

    @property
    def counts(self) -> TokenCounts | None:
        """What was reported so far; None if nothing was."""
        return tokens(self._wire, self._raw) if self._raw else None


def read_usage(wire: Wire, payload: Mapping[str, Any]) -> TokenCounts | None:
    """The usage of a whole answer, or of one event of a stream; None if it reports none."""
    raw = _reported(wire, payload)
    return tokens(wire, raw) if raw else None


def _reported(wire: Wire, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where each wire keeps its usage object: in a whole answer, and in the event of a stream that carries it."""
    usage = as_map(data.get("usage"))
    if usage:
        return usage
    if wire == "anthropic_messages":
        return as_map(as_map(data.get("message")).get("usage"))
    if wire == "openai_responses":
        return as_map(as_map(data.get("response")).get("usage"))
    return as_map(as_map(data.get("x_groq")).get("usage")) if _is_chunk(data) else {}


def _is_chunk(data: Mapping[str, Any]) -> bool:
    """A whole answer of Groq keeps cache statistics of its hardware under `x_groq.usage`: those are not tokens used."""
    return data.get("object") != "chat.completion"


def tokens(wire: Wire, raw: Mapping[str, Any]) -> TokenCounts:
    """A wire's own usage object, in our words."""
    if wire == "anthropic_messages":
        return _of_messages(raw)
    prompt, completion, outer = (
        ("input_tokens", "output_tokens", ("input_tokens_details", "output_tokens_details"))
        if wire == "openai_responses"
        else ("prompt_tokens", "completion_tokens", ("prompt_tokens_details", "completion_tokens_details"))
    )
    of_prompt, of_completion = (as_map(raw.get(key)) for key in outer)
    return {
        "input_tokens": as_int(raw.get(prompt)),
        "output_tokens": as_int(raw.get(completion)),
        "cached_input_tokens": as_int(of_prompt.get("cached_tokens")),
        "cache_write_tokens": as_int(of_prompt.get("cache_write_tokens")),
        "reasoning_tokens": as_int(of_completion.get("reasoning_tokens")),
    }


def _of_messages(raw: Mapping[str, Any]) -> TokenCounts:
    fresh = as_int(raw.get("input_tokens"))
    read, written = as_int(raw.get("cache_read_input_tokens")), as_int(raw.get("cache_creation_input_tokens"))
    return {
        "input_tokens": None if fresh is None else fresh + (read or 0) + (written or 0),
        "output_tokens": as_int(raw.get("output_tokens")),
        "cached_input_tokens": read,
        "cache_write_tokens": written,
        "reasoning_tokens": as_int(as_map(raw.get("output_tokens_details")).get("thinking_tokens")),
    }


def chat_usage(counts: TokenCounts | None, *, groq: bool = False) -> dict[str, Any] | None:
    """A chat answer's usage object; None if unknown, for nothing is ever invented."""
    if counts is None or counts["input_tokens"] is None or counts["output_tokens"] is None:
        return None
    prompt, completion = counts["input_tokens"], counts["output_tokens"]
    usage: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    of_prompt = {"cached_tokens": counts["cached_input_tokens"], "cache_write_tokens": counts["cache_write_tokens"]}
    if groq:
        del of_prompt["cache_write_tokens"]
    of_completion = {"reasoning_tokens": counts["reasoning_tokens"]}
    for key, details in (("prompt_tokens_details", of_prompt), ("completion_tokens_details", of_completion)):
        known = {name: value for name, value in details.items() if value is not None}
        if known:
            usage[key] = known
    return usage


def messages_usage(counts: TokenCounts | None) -> dict[str, Any]:
    """An Anthropic answer's usage object. Its counts are mandatory there, so an unknown one reads 0."""
    if counts is None:
        return {
            "input_tokens": 0,
            "output_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation_input_tokens": 0,
        }
    read, written = counts["cached_input_tokens"] or 0, counts["cache_write_tokens"] or 0
    usage: dict[str, Any] = {
        "input_tokens": max((counts["input_tokens"] or 0) - read - written, 0),
        "output_tokens": counts["output_tokens"] or 0,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
    }
    if counts["reasoning_tokens"] is not None:
        usage["output_tokens_details"] = {"thinking_tokens": counts["reasoning_tokens"]}
    return usage
