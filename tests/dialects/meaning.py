"""What an answer says, whoever said it and in whose words: read from the SDKs' own objects."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

STOPS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


@dataclass
class Meaning:
    """The parts of an answer that every dialect has words for."""

    text: str = ""
    refusal: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    stop: str | None = None
    prompt: int | None = None
    completion: int | None = None
    cached: int = 0
    reasoning: int = 0


def of_message(answer: Any) -> Meaning:
    """Of Anthropic's message."""
    usage = answer.usage
    details = getattr(usage, "output_tokens_details", None)
    return Meaning(
        text="".join(block.text for block in answer.content if block.type == "text"),
        refusal=getattr(getattr(answer, "stop_details", None), "explanation", None) or "",
        calls=[(block.name, block.input) for block in answer.content if block.type == "tool_use"],
        stop=STOPS.get(answer.stop_reason, answer.stop_reason),
        prompt=usage.input_tokens + (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0),
        completion=usage.output_tokens,
        cached=usage.cache_read_input_tokens or 0,
        reasoning=(getattr(details, "thinking_tokens", None) or 0) if details else 0,
    )


def of_completion(answer: Any) -> Meaning:
    """Of a chat completion."""
    choice = answer.choices[0]
    spoken = choice.message
    calls = [(c.function.name, _arguments(c.function.arguments)) for c in spoken.tool_calls or []]
    refusal = getattr(spoken, "refusal", None) or ""
    return _counted(Meaning(spoken.content or "", refusal, calls, choice.finish_reason), answer.usage)


def of_chunks(chunks: Iterable[Any]) -> Meaning:
    """Of a stream of chat chunks."""
    meaning, usage = Meaning(), None
    heard: dict[int, list[str]] = {}
    for chunk in chunks:
        usage = getattr(getattr(chunk, "x_groq", None), "usage", None) or chunk.usage or usage
        for choice in chunk.choices:
            meaning.text += choice.delta.content or ""
            meaning.refusal += getattr(choice.delta, "refusal", None) or ""
            meaning.stop = choice.finish_reason or meaning.stop
            for piece in choice.delta.tool_calls or []:
                call = heard.setdefault(piece.index, ["", ""])
                call[0] = call[0] or (piece.function.name or "")
                call[1] += piece.function.arguments or ""
    meaning.calls = [(name, _arguments(arguments)) for name, arguments in heard.values()]
    return _counted(meaning, usage)


def of_response(answer: Any) -> Meaning:
    """Of a response of the Responses wire."""
    calls = [(item.name, _arguments(item.arguments)) for item in answer.output if item.type == "function_call"]
    stop = "tool_calls" if calls else "stop"
    if answer.status == "incomplete":
        stop = {"max_output_tokens": "length"}.get(answer.incomplete_details.reason, answer.incomplete_details.reason)
    meaning = Meaning(answer.output_text, "", calls, stop)
    if answer.usage is not None:
        meaning.prompt, meaning.completion = answer.usage.input_tokens, answer.usage.output_tokens
        meaning.cached = answer.usage.input_tokens_details.cached_tokens or 0
        meaning.reasoning = answer.usage.output_tokens_details.reasoning_tokens or 0
    return meaning


def _arguments(text: str) -> Any:
    """The arguments of a call; None where the answer was cut in the middle of them."""
    try:
        return json.loads(text or "{}")
    except ValueError:
        return None


def normal(meaning: Meaning) -> Meaning:
    """Without what one dialect can't say: a stop beside calls, zeros where the other must count something, and where
    the words of a refusal stand."""
    stop = "tool_calls" if meaning.calls and meaning.stop == "stop" else meaning.stop
    stop = "stop" if not meaning.calls and stop == "tool_calls" else stop
    refused = bool(meaning.refusal) or stop == "content_filter"
    return replace(
        meaning,
        text=(meaning.text or meaning.refusal) if refused else meaning.text,
        refusal="",
        stop="content_filter" if refused else stop,
        prompt=meaning.prompt or 0,
        completion=meaning.completion or 0,
    )


def _counted(meaning: Meaning, usage: Any) -> Meaning:
    if usage is None:
        return meaning
    meaning.prompt, meaning.completion = usage.prompt_tokens, usage.completion_tokens
    prompt, completion = (getattr(usage, f"{side}_tokens_details", None) for side in ("prompt", "completion"))
    meaning.cached = (getattr(prompt, "cached_tokens", None) or 0) if prompt else 0
    meaning.reasoning = (getattr(completion, "reasoning_tokens", None) or 0) if completion else 0
    return meaning
