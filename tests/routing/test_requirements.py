"""Requirements: asked of every candidate before the first request, answered with a reason that names the parameter."""

from __future__ import annotations

from typing import Any

import pytest

from llm_router_middleware.models.capabilities import capabilities
from llm_router_middleware.models.spec import ModelSpec, Tier
from llm_router_middleware.routing.requirements import requirements

USER = {"role": "user", "content": "hello"}
TOOL = {"type": "function", "function": {"name": "f"}}
CLAUDE_TOOL = {"name": "f", "input_schema": {"type": "object", "properties": {}}}
IMAGE = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}
BIG = "data:image/png;base64,iVBORw0KGgo" + "A" * 8_000_000
SCHEMA = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}


def chat(**parameters: Any) -> dict[str, Any]:
    return {"model": "gpt-4.1", "messages": [USER], **parameters}


def claude(**parameters: Any) -> dict[str, Any]:
    return {"model": "claude-opus-4-8", "max_tokens": 4096, "messages": [USER], **parameters}


def why(
    body: dict[str, Any], wire: Any, model: str, *, tokens: int = 10, target: Any = None, **fields: Any
) -> str | None:
    provider = {"openai_chat": "openai", "openai_responses": "openai", "groq_chat": "groq"}.get(
        target or wire, "anthropic"
    )
    spec = ModelSpec(model, provider, Tier.MID, **{"capabilities": capabilities(provider, model), **fields})
    return requirements(body, wire, prompt_tokens=tokens).unmet_by(spec, target or wire)


OPENAI_CASES: list[tuple[str, dict[str, Any], str | None]] = [
    ("gpt-6-luna", {}, None),
    ("gpt-6-luna", {"temperature": 0.2}, "temperature"),
    ("gpt-6-luna", {"temperature": 0.2, "reasoning_effort": "none"}, None),
    ("gpt-6-luna", {"temperature": 1}, None),
    ("gpt-6.1-sol", {"top_p": 0.2}, "temperature"),
    ("gpt-5.4", {"temperature": 0.2}, None),
    ("gpt-5.4", {"temperature": 0.2, "reasoning_effort": "low"}, "temperature"),
    ("gpt-6-luna", {"tools": [TOOL]}, "tools: on Chat Completions"),
    ("gpt-6-luna", {"tools": [TOOL], "reasoning_effort": "none"}, None),
    ("gpt-6.1-sol", {"tools": [TOOL], "reasoning_effort": "low"}, "tools: it takes function tools only on"),
    ("gpt-4.1", {"tools": [TOOL], "tool_choice": "required"}, None),
    ("gpt-4.1", {"reasoning_effort": "low"}, "reasoning_effort"),
    ("gpt-6-luna", {"reasoning_effort": "max"}, "reasoning_effort"),
    ("gpt-6-luna", {"reasoning_effort": "minimal"}, "reasoning_effort"),
    ("gpt-6.1-sol", {"reasoning_effort": "none"}, "reasoning_effort"),
    ("gpt-6-luna", {"stop": "END"}, "stop"),
    ("gpt-4.1", {"stop": list("abcde")}, "stop"),
    ("gpt-4.1", {"tools": [TOOL] * 129}, "tools: 129 tools, it takes 128"),
    ("gpt-4.1", {"stop": list("abcd")}, None),
    ("gpt-6-luna", {"frequency_penalty": 0.5, "reasoning_effort": "none"}, "frequency_penalty"),
    ("gpt-6-luna", {"frequency_penalty": 0}, None),
    ("gpt-6.1-sol", {"logprobs": True}, "logprobs"),
    ("gpt-6-luna", {"logit_bias": {"1": 1}}, "logit_bias"),
    ("gpt-4.1", {"verbosity": "low"}, "verbosity"),
    ("gpt-6-luna", {"verbosity": "low"}, None),
    ("gpt-6-luna", {"max_tokens": 4000}, "max_tokens: it takes max_completion_tokens only"),
    ("gpt-6-luna", {"max_completion_tokens": 4000}, None),
    ("gpt-6-luna", {"max_completion_tokens": 400}, "max_tokens: its reasoning"),
    ("gpt-6-luna", {"max_completion_tokens": 400, "reasoning_effort": "none"}, None),
    ("gpt-6-luna", {"max_completion_tokens": 400, "model": "gpt-6.1-sol"}, None),
    ("gpt-6-luna", {"max_completion_tokens": 200_000}, "max_tokens: an answer of"),
    ("gpt-3.5-turbo", {"messages": [IMAGE]}, "messages: it sees no images"),
    ("gpt-3.5-turbo", {"response_format": SCHEMA}, "response_format"),
    ("gpt-4", {"response_format": {"type": "json_object"}}, "response_format"),
    ("gpt-4.1", {"modalities": ["text", "audio"], "audio": {}}, "messages: it hears"),
    ("gpt-4.1", {"n": 3, "logprobs": True, "logit_bias": {"1": 1}, "presence_penalty": 1}, None),
    ("gpt-6.2-sol", {"temperature": 0.2, "tools": [TOOL], "stop": "END", "n": 3}, None),
]


@pytest.mark.parametrize(("model", "parameters", "expected"), OPENAI_CASES)
def test_a_cheaper_openai_model_must_take_the_request_as_it_is(
    model: str, parameters: dict[str, Any], expected: str | None
) -> None:
    """Only `model` changes on the caller's own wire, so nothing can be chosen for him there."""
    found = why(chat(**parameters), "openai_chat", model)
    assert (found is None) if expected is None else str(found).startswith(expected), found


CLAUDE_CASES: list[tuple[str, dict[str, Any], str | None]] = [
    ("claude-haiku-5-5", {}, None),
    ("claude-haiku-5-5", {"temperature": 1.0}, "temperature"),
    ("claude-haiku-4-5", {"temperature": 0.5}, None),
    ("claude-haiku-4-5", {"temperature": 0.5, "thinking": {"type": "enabled", "budget_tokens": 1024}}, "temperature"),
    ("claude-opus-5-5", {"tools": [CLAUDE_TOOL], "tool_choice": {"type": "any"}}, "tool_choice"),
    ("claude-haiku-5-5", {"tools": [CLAUDE_TOOL], "tool_choice": {"type": "any"}}, None),
    ("claude-haiku-5-5", {"thinking": {"type": "enabled", "budget_tokens": 1024}}, "thinking enabled"),
    ("claude-haiku-4-5", {"thinking": {"type": "adaptive"}}, "thinking adaptive"),
    ("claude-opus-5-5", {"thinking": {"type": "disabled"}}, "thinking disabled"),
    ("claude-haiku-4-5", {"output_config": {"effort": "low"}}, "reasoning_effort"),
    ("claude-opus-4-5", {"output_config": {"effort": "max"}}, "reasoning_effort"),
    ("claude-haiku-4-5", {"max_tokens": 100_000}, "max_tokens"),
    ("claude-haiku-5-5", {"messages": [USER, {"role": "assistant", "content": "I"}]}, "messages"),
    ("claude-haiku-4-5", {"messages": [USER, {"role": "assistant", "content": "I"}]}, None),
    ("claude-sonnet-5", {"messages": [USER, {"role": "system", "content": "x"}, USER]}, "messages"),
    ("claude-opus-5", {"messages": [USER, {"role": "system", "content": "x"}, USER]}, None),
    ("claude-haiku-5-5", {"stop_sequences": list("abcdefgh")}, None),
    ("claude-haiku-5-5", {"max_tokens": 400}, "max_tokens"),
    ("claude-haiku-5-5", {"max_tokens": 400, "thinking": {"type": "disabled"}}, None),
    ("claude-haiku-5-5", {"max_tokens": 400, "model": "claude-opus-5-5"}, None),
]


@pytest.mark.parametrize(("model", "parameters", "expected"), CLAUDE_CASES)
def test_a_cheaper_claude_must_take_the_request_as_it_is(
    model: str, parameters: dict[str, Any], expected: str | None
) -> None:
    """The differences between generations are facts per model, not per provider."""
    found = why(claude(**parameters), "anthropic_messages", model)
    assert (found is None) if expected is None else expected in str(found), found


def test_a_prompt_that_does_not_fit_rules_out() -> None:
    """Prompt and answer share the window; our estimate gets a margin, a larger one for another tokenizer."""
    assert why(chat(), "openai_chat", "gpt-4o", tokens=110_000) is None
    assert "don't fit its 128000" in str(why(chat(), "openai_chat", "gpt-4o", tokens=120_000))
    assert why(chat(max_tokens=16_000), "openai_chat", "gpt-4o", tokens=110_000) is not None
    assert why(chat(), "openai_chat", "openai/gpt-oss-20b", tokens=96_000, target="groq_chat") is None
    assert why(chat(), "openai_chat", "openai/gpt-oss-20b", tokens=98_000, target="groq_chat") is not None
    assert why(chat(), "openai_chat", "gpt-6.2-sol", tokens=9_000_000) is None
    assert why(chat(), "openai_chat", "gpt-6.2-sol", tokens=200, context_window=100) is not None


def test_images_are_counted_and_weighed() -> None:
    """Against what the model takes."""
    parts = [*IMAGE["content"]] * 6  # type: ignore[misc]
    many = chat(messages=[{"role": "user", "content": parts}])
    assert "6 images, it takes 5" in str(why(many, "openai_chat", "qwen/qwen3.8-27b", target="groq_chat"))
    big = chat(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": BIG}}]}])
    assert "it takes 4000000" in str(why(big, "openai_chat", "qwen/qwen3.8-27b", target="groq_chat"))
    assert why(many, "openai_chat", "gpt-4.1") is None


def test_a_model_that_nobody_described() -> None:
    """Takes all on the caller's wire; in translation, text, tools, system and sampling."""
    asks = chat(temperature=0.2, tools=[TOOL], messages=[{"role": "system", "content": "x"}, USER])
    assert why(asks, "openai_chat", "mystery") is None
    assert why(asks, "openai_chat", "mystery", target="groq_chat") is None
    for more in (
        {"tool_choice": "required", "tools": [TOOL]},
        {"messages": [IMAGE]},
        {"response_format": SCHEMA},
        {"reasoning_effort": "low"},
        {"tools": [{"type": "function", "function": {"name": "f", "strict": True}}]},
    ):
        assert why(chat(**more), "openai_chat", "mystery") is None
        assert why(chat(**more), "openai_chat", "mystery", target="groq_chat") is not None


def test_wires_without_a_translation_are_said_to_have_none() -> None:
    """A Responses call is not carried elsewhere."""
    body = {"model": "gpt-6-luna", "input": "hi"}
    found = why(body, "openai_responses", "claude-haiku-5-5", target="anthropic_messages")
    assert found == "no translation from openai_responses to anthropic_messages"


LOOP = [
    USER,
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "SIG"},
            {"type": "tool_use", "id": "a", "name": "f", "input": {}},
        ],
    },
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "42"}]},
]
OURS = [
    USER,
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "lrm1:groq"},
            {"type": "tool_use", "id": "a", "name": "f", "input": {}},
        ],
    },
    LOOP[2],
]
ENCRYPTED = [
    {"type": "reasoning", "id": "rs", "encrypted_content": "ENC", "summary": []},
    {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "a", "output": "42"},
]


def responses(**parameters: Any) -> dict[str, Any]:
    return {"model": "gpt-6-luna", "input": "hi", "store": False, **parameters}


BOUND: list[tuple[str, dict[str, Any], str | None]] = [
    ("openai_chat", chat(), None),
    ("openai_chat", chat(store=True), "store"),
    ("openai_chat", chat(store=False), None),
    ("openai_chat", chat(web_search_options={"search_context_size": "low"}), "web_search_options"),
    (
        "openai_chat",
        chat(messages=[{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]),
        "file_id",
    ),
    ("openai_chat", chat(messages=[USER, {"role": "assistant", "audio": {"id": "a"}}, USER]), "audio"),
    ("openai_chat", chat(something_new=1), "something_new"),
    ("openai_chat", chat(something_new=None), None),
    ("groq_chat", chat(search_settings={"include_domains": ["a"]}), "search_settings"),
    ("anthropic_messages", claude(), None),
    ("anthropic_messages", claude(cache_control={"type": "ephemeral"}), None),
    ("anthropic_messages", claude(container="c"), "container"),
    ("anthropic_messages", claude(mcp_servers=[{"name": "x"}]), "mcp_servers"),
    ("anthropic_messages", claude(fallbacks=[{"model": "m"}]), "fallbacks"),
    ("anthropic_messages", claude(inference_geo="eu"), "inference_geo"),
    (
        "anthropic_messages",
        claude(tools=[{"type": "web_search_20250305", "name": "web_search"}]),
        "web_search_20250305",
    ),
    ("anthropic_messages", claude(tools=[CLAUDE_TOOL, {"type": "bash_20250124", "name": "bash"}]), None),
    ("anthropic_messages", claude(messages=LOOP), "thinking"),
    ("anthropic_messages", claude(messages=OURS), None),
    ("anthropic_messages", claude(messages=[*LOOP, {"role": "assistant", "content": "so"}, USER]), None),
    (
        "anthropic_messages",
        claude(
            messages=[{"role": "user", "content": [{"type": "document", "source": {"type": "file", "file_id": "f"}}]}]
        ),
        "file_id",
    ),
    (
        "anthropic_messages",
        claude(messages=[USER, {"role": "assistant", "content": [{"type": "server_tool_use", "id": "s"}]}, USER]),
        "server_tool_use",
    ),
    ("anthropic_messages", claude(something_new=1), "something_new"),
    ("openai_responses", responses(), None),
    ("openai_responses", {"model": "m", "input": "hi"}, "store"),
    ("openai_responses", responses(previous_response_id="r"), "previous_response_id"),
    ("openai_responses", responses(conversation="c"), "conversation"),
    ("openai_responses", responses(background=True), "background"),
    ("openai_responses", responses(tools=[{"type": "web_search"}]), "web_search"),
    ("openai_responses", responses(tools=[{"type": "mcp", "server_label": "x"}]), "mcp"),
    ("openai_responses", responses(tools=[{"type": "function", "name": "f"}]), None),
    ("openai_responses", responses(input=ENCRYPTED), "encrypted reasoning"),
    ("openai_responses", responses(input=[*ENCRYPTED, {"role": "user", "content": "and?"}]), None),
    ("openai_responses", responses(input=[{"type": "item_reference", "id": "i"}]), "item_reference"),
]


@pytest.mark.parametrize(("wire", "body", "word"), BOUND)
def test_state_of_the_provider_binds_the_call_to_it(wire: Any, body: dict[str, Any], word: str | None) -> None:
    """What another provider could not know, and what must not happen twice."""
    bound = requirements(body, wire, prompt_tokens=1).bound
    assert (bound is None) if word is None else word in str(bound)
