"""Conformance case 1: the tables know every parameter of the installed SDKs. An upgrade that adds one fails here."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterable
from typing import Any

import anthropic.types as at
import openai.types.chat as ot
import pytest
from anthropic.resources.beta.messages import Messages as BetaMessages
from anthropic.resources.messages import Messages
from anthropic.types import message_create_params as anthropic_params
from groq.resources.chat.completions import Completions as GroqCompletions
from groq.types import chat as gt
from groq.types.chat import completion_create_params as groq_params
from openai.resources.chat.completions import Completions
from openai.resources.responses import Responses
from openai.types.chat import completion_create_params as openai_params

from llm_router_middleware.dialects import chat, parameters
from llm_router_middleware.dialects.chat_on_messages import knobs as chat_knobs
from llm_router_middleware.dialects.messages_on_chat import conversation
from llm_router_middleware.dialects.messages_on_chat import knobs as messages_knobs
from llm_router_middleware.dialects.parameters import Losses, Row, settle
from llm_router_middleware.errors import RuledOutError

OF_THE_REQUEST = {"self", "extra_headers", "extra_query", "extra_body", "timeout"}
"""Arguments of every method that are not part of the body."""

TABLES = {
    "openai_chat": (parameters.CHAT_TO_MESSAGES, parameters.OPENAI_TO_GROQ, parameters.CHAT_TO_RESPONSES),
    "groq_chat": (parameters.GROQ_TO_MESSAGES, parameters.GROQ_TO_OPENAI),
    "anthropic_messages": (parameters.MESSAGES_TO_CHAT,),
    "openai_responses": (dict.fromkeys(parameters.RESPONSES),),
}
METHODS: list[tuple[str, Any]] = [
    ("openai_chat", Completions.create),
    ("openai_responses", Responses.create),
    ("groq_chat", GroqCompletions.create),
    ("anthropic_messages", Messages.create),
    ("anthropic_messages", BetaMessages.create),
]
TYPED: list[tuple[str, Any]] = [
    ("openai_chat", openai_params.CompletionCreateParamsBase),
    ("groq_chat", groq_params.CompletionCreateParams),
    ("anthropic_messages", anthropic_params.MessageCreateParamsBase),
]


@pytest.mark.parametrize(("wire", "method"), METHODS, ids=lambda v: getattr(v, "__qualname__", v))
def test_case_001_every_argument_of_create_stands_in_every_table(wire: str, method: Any) -> None:
    """No parameter of an installed SDK is without a disposition, on any pair."""
    arguments = set(inspect.signature(method).parameters) - OF_THE_REQUEST
    assert len(arguments) > 10
    for table in TABLES[wire]:
        assert arguments <= table.keys(), sorted(arguments - table.keys())


@pytest.mark.parametrize(("wire", "typed"), TYPED, ids=lambda v: getattr(v, "__name__", v))
def test_case_001_every_field_of_the_typed_body_stands_in_every_table(wire: str, typed: Any) -> None:
    """The same, by the types that the SDK writes the body with."""
    for table in TABLES[wire]:
        assert typing.get_type_hints(typed).keys() <= table.keys()


def test_case_001_the_tables_hold_nothing_else() -> None:
    """What stands in a table is a parameter of that wire, now or before SDK 2.0."""
    known: dict[str, set[str]] = {}
    for wire, method in METHODS:
        known.setdefault(wire, set()).update(inspect.signature(method).parameters)
    known["anthropic_messages"] |= {"temperature", "top_p", "top_k", "output_format"}
    for wire, tables in TABLES.items():
        for table in tables:
            assert table.keys() <= known[wire] | {"stream"}, sorted(table.keys() - known[wire])


MESSAGE_TYPES: list[tuple[Iterable[str], Any]] = [
    (chat._ROLES["system"], ot.ChatCompletionSystemMessageParam),
    (chat._ROLES["developer"], ot.ChatCompletionDeveloperMessageParam),
    (chat._ROLES["user"], ot.ChatCompletionUserMessageParam),
    (chat._ROLES["assistant"], ot.ChatCompletionAssistantMessageParam),
    (chat._ROLES["tool"], ot.ChatCompletionToolMessageParam),
    (chat._ROLES["system"], gt.ChatCompletionSystemMessageParam),
    (chat._ROLES["user"], gt.ChatCompletionUserMessageParam),
    (chat._ROLES["assistant"], gt.ChatCompletionAssistantMessageParam),
    (chat._ROLES["tool"], gt.ChatCompletionToolMessageParam),
    (chat._PARTS["text"], ot.ChatCompletionContentPartTextParam),
    (chat._PARTS["image_url"], ot.ChatCompletionContentPartImageParam),
    (chat._PARTS["input_audio"], ot.ChatCompletionContentPartInputAudioParam),
    (chat._PARTS["refusal"], ot.ChatCompletionContentPartRefusalParam),
    (chat._TOOL_CALL, ot.ChatCompletionMessageToolCallParam),
    (chat_knobs._TOOL, ot.ChatCompletionToolParam),
    (conversation._TURN, at.MessageParam.__args__[0]),
    (conversation._BLOCKS["text"], at.TextBlockParam),
    (conversation._BLOCKS["image"], at.ImageBlockParam),
    (conversation._BLOCKS["document"], at.DocumentBlockParam),
    (conversation._BLOCKS["thinking"], at.ThinkingBlockParam),
    (conversation._BLOCKS["redacted_thinking"], at.RedactedThinkingBlockParam),
    (conversation._BLOCKS["tool_use"], at.ToolUseBlockParam),
    (conversation._BLOCKS["tool_result"], at.ToolResultBlockParam),
    (messages_knobs._TOOL, at.ToolParam),
]


@pytest.mark.parametrize(("table", "typed"), MESSAGE_TYPES, ids=lambda v: getattr(v, "__name__", ""))
def test_every_field_inside_the_body_stands_in_its_table(table: Iterable[str], typed: Any) -> None:
    """Messages, parts, blocks, calls and tools too; what an SDK adds to them fails here before it is lost there."""
    assert set(typing.get_type_hints(typed)) <= set(table)


ROWS = {
    "carried": Row("carried"),
    "inert": Row("inert"),
    "refused": Row("refused", (1, []), "why not"),
    "lossy": Row("lossy", (0,), "would be lost", "some"),
}


def test_settle_sorts_by_the_table() -> None:
    """Carried, dropped, lost with leave; a default says nothing, and so does None."""
    losses = Losses(frozenset({"some"}))
    body = {"carried": 0, "inert": 1, "refused": 1, "lossy": 2, "unknown": None}
    assert settle(body, ROWS, losses) == {"carried": 0}
    assert losses.dropped == ("lossy",)


@pytest.mark.parametrize("body", [{"refused": 2}, {"lossy": 1}, {"unknown": 0}, {"refused": {}}])
def test_settle_rules_out_what_it_can_not_carry(body: dict[str, Any]) -> None:
    """The reason names the parameter, with the place where it stands."""
    with pytest.raises(RuledOutError) as caught:
        settle(body, ROWS, Losses(frozenset()), "tools.")
    assert caught.value.parameter == f"tools.{next(iter(body))}"
    assert caught.value.reason
