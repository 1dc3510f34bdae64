"""Conformance cases 46 to 52 and 56: reasoning, structured output and wires, in requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llm_router_middleware.dialects import target_wire
from llm_router_middleware.errors import RuledOutError
from llm_router_middleware.routing.requirements import requirements
from tests.dialects.kit import (
    ANTHROPIC,
    CHAT,
    CLAUDE,
    GPT4,
    GROQ,
    LUNA,
    MESSAGES,
    OPENAI,
    OPUS,
    OSS,
    QWEN,
    RESPONSES,
    SOL,
    USER,
    function,
    spec,
    tool,
    tool_call,
    translate,
    unmet,
)

SIGNED = {"type": "thinking", "thinking": "", "signature": "SIG"}
REDACTED = {"type": "redacted_thinking", "data": "ENC"}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


def claude(*blocks: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": [*blocks, {"type": "text", "text": "hi"}]}
    return {**MESSAGES, "messages": [USER, said, USER], **parameters}


def test_case_046_empty_thinking_with_a_signature_counts_as_signed() -> None:
    """It is valid, and as bound as any other; its own provider gets the caller's bytes."""
    needs = requirements(claude(SIGNED), ANTHROPIC, prompt_tokens=10)
    assert needs.asked.signatures == ("SIG",)


@pytest.mark.parametrize("block", [SIGNED, REDACTED])
def test_case_047_thinking_signed_by_one_model_is_not_sent_to_another(block: dict[str, Any]) -> None:
    """Of the same provider either, where thinking is bound to the model that wrote it."""
    body = {**claude(block), "model": "claude-opus-5-5"}
    reason = unmet(ANTHROPIC, ANTHROPIC, CLAUDE, body)
    assert reason == "messages: its history holds thinking that is bound to the model that signed it"
    assert unmet(ANTHROPIC, ANTHROPIC, OPUS, body) is None
    ours = {**block, "signature": "lrm1:openai"} if block is SIGNED else {**block, "data": "lrm1:openai"}
    assert unmet(ANTHROPIC, ANTHROPIC, CLAUDE, {**body, **claude(ours)}) is None


def test_case_048_redacted_thinking_is_stripped_for_others_and_binds_an_open_loop() -> None:
    """Natively the bytes are the caller's own; elsewhere nobody can read it."""
    sent = translate(ANTHROPIC, OPENAI, GPT4, claude(REDACTED)).body
    assert "ENC" not in json.dumps(sent)
    loop = [
        USER,
        {"role": "assistant", "content": [REDACTED, {"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "42"}]},
    ]
    assert requirements({**MESSAGES, "messages": loop}, ANTHROPIC, prompt_tokens=1).bound is not None
    assert requirements(claude(REDACTED), ANTHROPIC, prompt_tokens=1).bound is None


def test_case_049_responses_items_have_no_ids_of_the_provider() -> None:
    """A call without its reasoning item is accepted by its call id alone."""
    messages = [
        USER,
        {"role": "assistant", "content": "hm", "tool_calls": [tool_call("call_1")]},
        {"role": "tool", "tool_call_id": "call_1", "content": "42"},
    ]
    items = translate(OPENAI, RESPONSES, SOL, {**CHAT, "messages": messages, "tools": [function()]}).body["input"]
    assert all("id" not in item for item in items)
    assert [item["call_id"] for item in items if "call_id" in item] == ["call_1", "call_1"]


def test_case_050_reasoning_items_are_neither_asked_for_nor_replayed() -> None:
    """No encrypted content is kept, so none can be taken from the wrong event."""
    body = translate(OPENAI, RESPONSES, SOL, {**CHAT, "tools": [function()]}).body
    assert "include" not in body
    assert all(item["type"] != "reasoning" for item in body["input"])


FORMAT = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}


def test_case_051_a_json_schema_is_carried_or_ruled_out() -> None:
    """It is never ignored, and nothing in it is bent."""
    body = {**CHAT, "response_format": FORMAT}
    there = translate(OPENAI, ANTHROPIC, CLAUDE, body).body
    assert there["output_config"]["format"] == {"type": "json_schema", "schema": SCHEMA}
    back = translate(ANTHROPIC, OPENAI, GPT4, there).body["response_format"]
    assert back["json_schema"] == {"name": "response", "strict": True, "schema": SCHEMA}
    assert translate(OPENAI, GROQ, OSS, body).body["response_format"] == FORMAT
    flat = translate(OPENAI, RESPONSES, LUNA, body).body["text"]["format"]
    assert flat == {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}


@pytest.mark.parametrize(
    ("target", "model", "schema"),
    [
        (ANTHROPIC, CLAUDE, {**SCHEMA, "properties": {"a": {"type": "string", "minLength": 1}}}),
        (ANTHROPIC, CLAUDE, {**SCHEMA, "properties": {"a": {"type": "integer", "maximum": 3}}}),
        (ANTHROPIC, CLAUDE, {**SCHEMA, "additionalProperties": True}),
        (ANTHROPIC, CLAUDE, {**SCHEMA, "properties": {"a": {"$ref": "#"}}}),
        (GROQ, OSS, {**SCHEMA, "required": []}),
        (GROQ, QWEN, SCHEMA),
        (GROQ, "llama-3.3-70b-versatile", SCHEMA),
    ],
)
def test_case_051_a_schema_that_can_not_be_guaranteed_rules_out(target: Any, model: str, schema: Any) -> None:
    """The reason names the parameter."""
    shape = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": True}}
    reason = unmet(OPENAI, target, model, {**CHAT, "response_format": shape})
    assert reason is not None
    assert reason.startswith("response_format")


def test_case_051_json_mode_without_a_schema_rules_claude_out() -> None:
    """A prompt is not a guarantee."""
    body = {**CHAT, "response_format": {"type": "json_object"}}
    assert unmet(OPENAI, ANTHROPIC, CLAUDE, body) == "response_format: it has no JSON mode without a schema"
    assert translate(OPENAI, GROQ, QWEN, body).body["response_format"] == {"type": "json_object"}


def test_case_051_an_optional_property_rules_openai_out() -> None:
    """Making it required would change the data."""
    shape = {"format": {"type": "json_schema", "schema": {**SCHEMA, "required": []}}}
    reason = unmet(ANTHROPIC, OPENAI, GPT4, {**MESSAGES, "output_config": shape})
    assert reason == "output_config: the schema can't be guaranteed: the property a is optional"


def test_case_052_tools_for_new_openai_models_go_to_responses() -> None:
    """On Chat Completions they take function tools with reasoning off, or not at all."""
    tools = {**MESSAGES, "tools": [tool()]}
    for model in (SOL, "gpt-6-astra"):
        assert target_wire(ANTHROPIC, tools, spec(OPENAI, model), OPENAI) == RESPONSES
        assert unmet(ANTHROPIC, OPENAI, model, tools) == "tools: it takes function tools only on the Responses wire"
        assert unmet(ANTHROPIC, RESPONSES, model, {**tools, "max_tokens": 8192}) is None
        assert target_wire(ANTHROPIC, MESSAGES, spec(OPENAI, model), OPENAI) == OPENAI
    assert target_wire(ANTHROPIC, tools, spec(OPENAI, LUNA), OPENAI) == OPENAI
    assert translate(ANTHROPIC, OPENAI, LUNA, tools).body["reasoning_effort"] == "none"
    thinking = {**tools, "thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}
    assert target_wire(ANTHROPIC, thinking, spec(OPENAI, LUNA), OPENAI) == RESPONSES
    assert translate(ANTHROPIC, RESPONSES, LUNA, thinking).body["reasoning"] == {"effort": "high"}
    assert target_wire(OPENAI, {**CHAT, "tools": [function()]}, spec(OPENAI, GPT4), OPENAI) == OPENAI


@pytest.mark.parametrize(
    ("effort", "model", "expected"),
    [
        ("low", CLAUDE, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
        ("max", OPUS, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}),
        ("none", CLAUDE, {"thinking": {"type": "disabled"}}),
        ("none", OPUS, None),
        ("none", "claude-sonnet-5-5", None),
        ("minimal", CLAUDE, None),
        ("xhigh", "claude-opus-4-6", None),
        ("low", "claude-haiku-4-5", None),
    ],
)
def test_reasoning_effort_becomes_adaptive_thinking_or_rules_out(effort: str, model: str, expected: Any) -> None:
    """A level that the caller set is carried by its name, or not at all."""
    body = {**CHAT, "reasoning_effort": effort}
    if expected is None:
        with pytest.raises(RuledOutError):
            translate(OPENAI, ANTHROPIC, model, body)
    else:
        assert {**translate(OPENAI, ANTHROPIC, model, body).body, **expected} == translate(
            OPENAI, ANTHROPIC, model, body
        ).body


@pytest.mark.parametrize(
    ("thinking", "lossy", "expected"),
    [
        ({"type": "disabled"}, (), "none"),
        ({"type": "adaptive"}, (), None),
        ({"type": "enabled", "budget_tokens": 2000}, (), RuledOutError),
        ({"type": "enabled", "budget_tokens": 2000}, ("reasoning_budget",), "low"),
        ({"type": "enabled", "budget_tokens": 10_000}, ("reasoning_budget",), "medium"),
        ({"type": "enabled", "budget_tokens": 30_000}, ("reasoning_budget",), "high"),
        ({"type": "between_tools"}, (), RuledOutError),
        ({"type": "adaptive", "display": "summarized"}, (), RuledOutError),
        ({"type": "adaptive", "block_binding": {}}, (), RuledOutError),
    ],
)
def test_thinking_becomes_an_effort_or_rules_openai_out(thinking: Any, lossy: Any, expected: Any) -> None:
    """A budget is only given up if the caller allows it; reasoning that he wants to read is not shown there."""
    body = {**MESSAGES, "max_tokens": 32_000, "thinking": thinking}
    if expected is RuledOutError:
        with pytest.raises(RuledOutError):
            translate(ANTHROPIC, OPENAI, LUNA, body, lossy)
    else:
        translation = translate(ANTHROPIC, OPENAI, LUNA, body, lossy)
        assert translation.body.get("reasoning_effort") == expected
        assert translation.dropped == (("thinking",) if lossy else ())


def test_thinking_that_is_to_be_read_is_shown_by_groq() -> None:
    """Both ways: the caller's wish to read the reasoning is carried."""
    body = {**MESSAGES, "thinking": {"type": "adaptive", "display": "summarized"}}
    assert translate(ANTHROPIC, GROQ, QWEN, body).body["reasoning_format"] == "parsed"
    groq = {**CHAT, "reasoning_format": "parsed"}
    assert translate(GROQ, ANTHROPIC, CLAUDE, groq).body["thinking"] == {"type": "adaptive", "display": "summarized"}
    for form in ("raw", "parsed"):
        assert unmet(GROQ, OPENAI, LUNA, {**CHAT, "reasoning_format": form}) is not None
    assert unmet(GROQ, ANTHROPIC, CLAUDE, {**CHAT, "reasoning_format": "raw"}) is not None
    assert unmet(GROQ, ANTHROPIC, CLAUDE, {**CHAT, "reasoning_format": "hidden"}) is None


def test_sampling_turns_reasoning_off_only_where_the_caller_left_it_open() -> None:
    """What he did not set is ours to choose; what he set is his."""
    body = {**MESSAGES, "temperature": 0.2}
    sent = translate(ANTHROPIC, OPENAI, LUNA, body).body
    assert (sent["temperature"], sent["reasoning_effort"]) == (0.2, "none")
    reason = unmet(ANTHROPIC, OPENAI, LUNA, {**body, "output_config": {"effort": "high"}})
    assert reason is not None
    assert reason.startswith("temperature")
    assert translate(ANTHROPIC, OPENAI, SOL, body, ["sampling"]).dropped == ("temperature",)


def test_case_056_64k_tokens_without_streaming_are_asked_for_as_they_are() -> None:
    """The guard against it is in a method of the SDK that the request does not pass; the limit is not lowered."""
    assert translate(OPENAI, ANTHROPIC, CLAUDE, {**CHAT, "max_tokens": 64_000}).body["max_tokens"] == 64_000
