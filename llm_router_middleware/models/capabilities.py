"""What a model can honour: facts per model family, read from `capabilities.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Literal

from llm_router_middleware.errors import ConfigurationError

__all__ = ["Capabilities", "capabilities"]

_EVERY_EFFORT = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max", "default"})
_SNAPSHOT = re.compile(r"(?:-\d{4}-\d\d-\d\d|[-@]\d{8}|-latest)$")
_EVERY_THINKING = frozenset({"enabled", "adaptive", "disabled", "between_tools"})


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model honours when a request asks for it. The defaults are what every chat model can do.

    Attributes:
        tools: function tools.
        chat_tools: function tools on Chat Completions; "effort_none": only with reasoning off; "never": on Responses.
        forced_tools: `tool_choice` that demands a call.
        strict_tools: tool arguments guaranteed to fit their schema.
        parallel_tools: several calls in one turn.
        json_object: JSON mode without a schema.
        json_schema: answers in a schema; "best_effort" is not a guarantee.
        vision: images in the prompt.
        pdf: PDF documents in the prompt.
        audio: audio in the prompt or in the answer.
        sampling: temperature and top_p; "effort_none": only with reasoning off.
        penalties: frequency and presence penalty, where sampling is allowed.
        max_tokens: the old name of the answer limit, beside `max_completion_tokens`.
        verbosity: how talkative it shall be.
        stop: stop sequences.
        n: several choices.
        logprobs: log probabilities, where sampling is allowed.
        logit_bias: token biases, where sampling is allowed.
        reasoning: what it does when nobody asks: it can't, it is off, it is on but can be turned off, always on.
        efforts: the reasoning efforts that it takes, in the words of its wire.
        chat_efforts: those that it takes on Chat Completions, where they differ.
        thinking: the forms of Anthropic's `thinking` that it takes.
        binds_thinking: its thinking blocks are bound to the conversation that produced them.
        late_system: system messages after the first turn are heeded.
        assistant_first: a conversation may start with the assistant.
        prefill: a conversation may end with the assistant, whose words are continued.
        headroom: tokens that its lowest effort of reasoning may take; a smaller answer limit would leave no answer.
        max_images: images in one request; None when unknown.
        max_image_bytes: of one image sent in the request; None when unknown.
        max_output_tokens: the longest answer, in tokens, reasoning included; None when unknown.
        context_window: prompt and answer together, in tokens; None when unknown.
        source: where this stands, and when it was read there.
    """

    tools: bool = False
    chat_tools: Literal["always", "effort_none", "never"] = "always"
    forced_tools: bool = False
    strict_tools: bool = False
    parallel_tools: bool = False
    json_object: bool = False
    json_schema: Literal["no", "best_effort", "strict"] = "no"
    vision: bool = False
    pdf: bool = False
    audio: bool = False
    sampling: Literal["always", "effort_none", "never"] = "always"
    penalties: bool = False
    max_tokens: bool = True
    verbosity: bool = False
    stop: bool = True
    n: bool = False
    logprobs: bool = False
    logit_bias: bool = False
    reasoning: Literal["never", "off", "on", "always"] = "never"
    efforts: frozenset[str] = frozenset()
    chat_efforts: frozenset[str] | None = None
    thinking: frozenset[str] = frozenset()
    binds_thinking: bool = False
    late_system: bool = False
    assistant_first: bool = False
    prefill: bool = False
    headroom: int = 2048
    max_images: int | None = None
    max_image_bytes: int | None = None
    max_output_tokens: int | None = None
    context_window: int | None = None
    source: str = "declared"

    @classmethod
    def permissive(cls) -> Capabilities:
        """Of a model that nobody described, on the wire it speaks: the provider itself would say what it can't do."""
        return cls(
            tools=True,
            forced_tools=True,
            strict_tools=True,
            parallel_tools=True,
            json_object=True,
            json_schema="strict",
            vision=True,
            pdf=True,
            audio=True,
            penalties=True,
            n=True,
            logprobs=True,
            logit_bias=True,
            verbosity=True,
            reasoning="on",
            headroom=0,
            efforts=_EVERY_EFFORT,
            thinking=_EVERY_THINKING,
            late_system=True,
            assistant_first=True,
            prefill=True,
            source="assumed",
        )

    @classmethod
    def modest(cls) -> Capabilities:
        """Of a model that nobody described, when a request must be translated for it: text, tools, system, sampling."""
        return cls(tools=True, parallel_tools=True, source="assumed")


@lru_cache(maxsize=1024)
def capabilities(provider: str, model: str) -> Capabilities | None:
    """What is known of a model, by its name or the name of which it is a dated snapshot.

    Other variants of a name (`-pro`, `-audio-preview`, `ft:...`) are models of their own.

    Args:
        provider: "openai", "anthropic" or "groq".
        model: the name as it goes on the wire.

    Returns:
        The facts, or None when there are none.

    Raises:
        ConfigurationError: `capabilities.toml` is damaged.
    """
    rules = _rules().get(provider, {})
    return rules.get(model) or rules.get(_SNAPSHOT.sub("", model))


@cache
def _rules() -> Mapping[str, Mapping[str, Capabilities]]:
    text = resources.files("llm_router_middleware.models").joinpath("capabilities.toml").read_text("utf-8")
    return {provider: _family(provider, table) for provider, table in tomllib.loads(text).items()}


def _family(provider: str, table: Mapping[str, Any]) -> dict[str, Capabilities]:
    common = table.get("common", {})
    return {
        name: _parse(f"{provider}/{name}", {**common, **row})
        for row in table.get("models", ())
        for name in row["names"]
    }


def _parse(key: str, row: Mapping[str, Any]) -> Capabilities:
    values = {name: value for name, value in row.items() if name not in ("names", "date")}
    unknown = values.keys() - _FIELDS
    if unknown:
        raise ConfigurationError(f"capabilities.toml: {key}: unknown fact {', '.join(sorted(unknown))}")
    for name in ("efforts", "chat_efforts", "thinking"):
        if name in values:
            values[name] = frozenset(values[name])
    values["source"] = f"{row['source']}, {row['date']}"
    return Capabilities(**values)


_FIELDS = {field.name for field in fields(Capabilities)}
