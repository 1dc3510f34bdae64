"""What is answered, whatever the wire format: deterministic, from the model's name and the request alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from llm_router_middleware.sandbox import text
from llm_router_middleware.sandbox.ask import Ask, Rejected, Tool
from llm_router_middleware.sandbox.behaviour import Behaviour
from llm_router_middleware.sandbox.fit import fit

__all__ = ["Answer", "Choice", "Envelope", "Tokens", "ToolCall", "answer"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an answer used. `cached`, `cache_write` are parts of `input`; `reasoning` is a part of `output`."""

    input: int
    output: int
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool. `number` makes its id; `arguments` is JSON text, as models write it."""

    name: str
    arguments: str
    number: int

    def id(self, prefix: str) -> str:
        """The call's id in a provider's form."""
        return f"{prefix}{self.number:032x}"[: len(prefix) + 24]


@dataclass(frozen=True, slots=True)
class Choice:
    """One alternative of an answer.

    Attributes:
        tokens: the text, token by token.
        chunks: the text, as it is streamed.
        calls: of tools.
        finish: why it ended, in OpenAI's words; "stop_sequence" for a stop text.
        stop: the text that ended it.
        refusal: a refusal's text.
        thinking: the reasoning shown, chunk by chunk.
    """

    tokens: tuple[str, ...] = ()
    chunks: tuple[str, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    finish: str = "stop"
    stop: str | None = None
    refusal: str | None = None
    thinking: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return "".join(self.tokens)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an answer is marked with.

    Attributes:
        serial: the number of the request at its provider.
        mark: 32 hexadecimal digits, unique to the answer.
        request_id: as the headers say it.
        created: seconds since the epoch.
    """

    serial: int
    mark: str
    request_id: str
    created: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says to what it was asked, and what it used."""

    ask: Ask
    choices: tuple[Choice, ...]
    usage: Tokens
    envelope: Envelope

    @property
    def first(self) -> Choice:
        return self.choices[0]


def answer(ask: Ask, behaviour: Behaviour, envelope: Envelope) -> Answer:
    """Answers a request.

    Args:
        ask: the request.
        behaviour: what the script wants instead of the usual.
        envelope: what it is marked with; ids of tool calls depend on it.
    """
    choices = tuple(_choice(ask, behaviour, envelope.serial, index) for index in range(ask.alternatives))
    output = sum(_output_tokens(choice) for choice in choices)
    reasoning = sum(len(choice.thinking) for choice in choices)
    usage = Tokens(ask.input_tokens, output + reasoning, reasoning=reasoning)
    return Answer(ask, choices, replace(usage, **behaviour.usage) if behaviour.usage else usage, envelope)


def _choice(ask: Ask, behaviour: Behaviour, serial: int, index: int) -> Choice:
    choice = _content(ask, behaviour, serial, index)
    if ask.reasoning:
        choice = replace(choice, thinking=tuple(text.pieces(f"The user wants this: {ask.prompt[:60]}. Keep it short.")))
    choice = _shorten(choice, ask, behaviour)
    return replace(choice, finish=behaviour.finish) if behaviour.finish else choice


def _content(ask: Ask, behaviour: Behaviour, serial: int, index: int) -> Choice:
    if behaviour.refusal is not None:
        return Choice(refusal=behaviour.refusal, tokens=tuple(text.pieces(behaviour.refusal)), finish="content_filter")
    calls = _calls(ask, behaviour, text.digest(serial, index))
    if calls:
        return Choice(tokens=tuple(text.pieces(behaviour.text or "")), calls=calls, finish="tool_calls")
    return Choice(tokens=tuple(text.pieces(_words(ask, behaviour, index))))


def _words(ask: Ask, behaviour: Behaviour, index: int) -> str:
    if behaviour.text is not None:
        return behaviour.text
    if ask.schema is not None:
        return json.dumps(_fitting(ask.schema, text.digest(ask.model, ask.prompt, index)), ensure_ascii=False)
    said = text.compose(ask.model, ask.prompt, ask.results, index)
    return json.dumps({"answer": said}, ensure_ascii=False) if ask.json_object else said


def _calls(ask: Ask, behaviour: Behaviour, seed: int) -> tuple[ToolCall, ...]:
    if behaviour.tool_calls is not None:
        wanted = [(name, json.dumps(dict(arguments))) for name, arguments in behaviour.tool_calls]
    else:
        wanted = [
            (tool.name, json.dumps(_fitting({"type": "object", **tool.schema}, seed, ask.prompt)))
            for tool in _asked_for(ask)
        ]
    return tuple(ToolCall(name, arguments, text.digest(seed, i)) for i, (name, arguments) in enumerate(wanted))


def _fitting(schema: Mapping[str, Any], seed: int, hint: str = "") -> Any:
    try:
        return fit(schema, seed, hint)
    except ValueError as error:
        raise Rejected(f"Invalid schema: {error}") from None


def _asked_for(ask: Ask) -> list[Tool]:
    """The tools to call: the forced one, else those that the prompt names, once their results are not yet there."""
    if ask.choice == "none" or not ask.tools:
        return []
    if ask.choice not in ("auto", "required"):
        return [tool for tool in ask.tools if tool.name == ask.choice]
    prompt = ask.prompt.casefold().replace("_", " ")
    named = [tool for tool in ask.tools if tool.name.casefold().replace("_", " ") in prompt]
    if ask.choice == "required":
        named = named or [ask.tools[0]]
    elif ask.results:
        return []
    return named if ask.parallel else named[:1]


def _shorten(choice: Choice, ask: Ask, behaviour: Behaviour) -> Choice:
    """Applies stop texts and the cap, as the providers do: the stop text is cut off, the cap includes reasoning."""
    tokens = choice.tokens
    found = [(at, stop) for stop in ask.stops if (at := choice.text.find(stop)) >= 0] if not choice.calls else []
    if found:
        at, stop = min(found)
        tokens = tuple(text.pieces(choice.text[:at]))
        choice = replace(choice, tokens=tokens, finish="stop_sequence", stop=stop)
    if ask.cap is not None and not choice.calls and len(choice.thinking) + len(tokens) > ask.cap:
        thinking = choice.thinking[: ask.cap]
        tokens = tokens[: ask.cap - len(thinking)]
        choice = replace(choice, tokens=tokens, thinking=thinking, finish="length", stop=None)
    return replace(choice, chunks=tuple(text.group(tokens, behaviour.chunks)))


def _output_tokens(choice: Choice) -> int:
    return len(choice.tokens) + sum(text.count(call.name) + text.count(call.arguments) for call in choice.calls)
