"""Answers pass the SDKs' strict validation, in every call form."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from llm_router_middleware.sandbox import Behaviour, Sandbox
from tests.sandbox.sdks import ANTHROPIC, GROQ, MESSAGES, OPENAI, SDK


class River(BaseModel):
    name: str
    length_km: float
    countries: list[str]


SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
CHAT_TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}]
STRICT_TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA, "strict": True}}]
RESPONSES_TOOLS = [{"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": True}]
MESSAGES_TOOLS = [{"name": "get_weather", "input_schema": SCHEMA}]
WEATHER = [{"role": "user", "content": "Please call get_weather for Lyon."}]
RIVER = {"type": "json_schema", "json_schema": {"name": "river", "schema": River.model_json_schema(), "strict": True}}

Form = tuple[str, SDK, str, dict[str, Any]]

CHAT = {"model": "gpt-6-luna", "messages": MESSAGES}
GROQ_CHAT = {"model": "openai/gpt-oss-20b", "messages": MESSAGES}
MSG = {"model": "claude-haiku-5-5", "messages": MESSAGES, "max_tokens": 4096}
RESP = {"model": "gpt-6-luna", "input": "Where does the river rise?"}

FORMS: list[Form] = [
    ("chat", OPENAI, "chat.completions.create", CHAT),
    ("chat_stream", OPENAI, "chat.completions.create", {**CHAT, "stream": True}),
    (
        "chat_stream_usage",
        OPENAI,
        "chat.completions.create",
        {**CHAT, "stream": True, "stream_options": {"include_usage": True}},
    ),
    ("chat_n", OPENAI, "chat.completions.create", {**CHAT, "n": 3}),
    ("chat_n_stream", OPENAI, "chat.completions.create", {**CHAT, "n": 3, "stream": True}),
    ("chat_logprobs", OPENAI, "chat.completions.create", {**CHAT, "logprobs": True, "top_logprobs": 2}),
    (
        "chat_logprobs_stream",
        OPENAI,
        "chat.completions.create",
        {**CHAT, "logprobs": True, "stream": True},
    ),
    ("chat_tools", OPENAI, "chat.completions.create", {**CHAT, "messages": WEATHER, "tools": CHAT_TOOLS}),
    (
        "chat_tools_stream",
        OPENAI,
        "chat.completions.create",
        {**CHAT, "messages": WEATHER, "tools": CHAT_TOOLS, "stream": True},
    ),
    ("chat_schema", OPENAI, "chat.completions.create", {**CHAT, "response_format": RIVER}),
    ("chat_parse", OPENAI, "chat.completions.parse", {**CHAT, "response_format": River}),
    ("chat_parse_tools", OPENAI, "chat.completions.parse", {**CHAT, "messages": WEATHER, "tools": STRICT_TOOLS}),
    ("chat_helper", OPENAI, "chat.completions.stream", CHAT),
    ("chat_helper_parse", OPENAI, "chat.completions.stream", {**CHAT, "response_format": River}),
    ("chat_helper_tools", OPENAI, "chat.completions.stream", {**CHAT, "messages": WEATHER, "tools": STRICT_TOOLS}),
    ("chat_reasoning", OPENAI, "chat.completions.create", {**CHAT, "reasoning_effort": "low"}),
    ("responses", OPENAI, "responses.create", RESP),
    ("responses_stream", OPENAI, "responses.create", {**RESP, "stream": True}),
    ("responses_tools", OPENAI, "responses.create", {**RESP, "input": WEATHER, "tools": RESPONSES_TOOLS}),
    (
        "responses_tools_stream",
        OPENAI,
        "responses.create",
        {**RESP, "input": WEATHER, "tools": RESPONSES_TOOLS, "stream": True},
    ),
    (
        "responses_reasoning_stream",
        OPENAI,
        "responses.create",
        {**RESP, "reasoning": {"effort": "low"}, "stream": True},
    ),
    ("responses_parse", OPENAI, "responses.parse", {**RESP, "text_format": River}),
    ("responses_helper", OPENAI, "responses.stream", RESP),
    ("responses_helper_parse", OPENAI, "responses.stream", {**RESP, "text_format": River}),
    ("embeddings", OPENAI, "embeddings.create", {"model": "e", "input": ["a", "b"], "encoding_format": "float"}),
    ("models", OPENAI, "models.list", {}),
    ("model", OPENAI, "models.retrieve", {"model": "gpt-6-sol"}),
    ("messages", ANTHROPIC, "messages.create", MSG),
    ("messages_stream", ANTHROPIC, "messages.create", {**MSG, "stream": True}),
    ("messages_tools", ANTHROPIC, "messages.create", {**MSG, "messages": WEATHER, "tools": MESSAGES_TOOLS}),
    (
        "messages_tools_stream",
        ANTHROPIC,
        "messages.create",
        {**MSG, "messages": WEATHER, "tools": MESSAGES_TOOLS, "stream": True},
    ),
    ("messages_thinking", ANTHROPIC, "messages.create", {**MSG, "thinking": {"type": "adaptive"}}),
    (
        "messages_thinking_stream",
        ANTHROPIC,
        "messages.create",
        {**MSG, "thinking": {"type": "adaptive"}, "stream": True},
    ),
    (
        "messages_schema",
        ANTHROPIC,
        "messages.create",
        {**MSG, "output_config": {"format": {"type": "json_schema", "schema": River.model_json_schema()}}},
    ),
    ("messages_parse", ANTHROPIC, "messages.parse", {**MSG, "output_format": River}),
    ("messages_helper", ANTHROPIC, "messages.stream", MSG),
    ("messages_helper_parse", ANTHROPIC, "messages.stream", {**MSG, "output_format": River}),
    ("messages_helper_tools", ANTHROPIC, "messages.stream", {**MSG, "messages": WEATHER, "tools": MESSAGES_TOOLS}),
    ("count_tokens", ANTHROPIC, "messages.count_tokens", {"model": "claude-haiku-5-5", "messages": MESSAGES}),
    ("anthropic_models", ANTHROPIC, "models.list", {}),
    ("anthropic_model", ANTHROPIC, "models.retrieve", {"model_id": "claude-opus-5-5"}),
    ("beta_messages", ANTHROPIC, "beta.messages.create", MSG),
    ("beta_messages_stream", ANTHROPIC, "beta.messages.create", {**MSG, "stream": True}),
    ("beta_messages_helper", ANTHROPIC, "beta.messages.stream", MSG),
    ("groq", GROQ, "chat.completions.create", GROQ_CHAT),
    ("groq_stream", GROQ, "chat.completions.create", {**GROQ_CHAT, "stream": True}),
    ("groq_reasoning", GROQ, "chat.completions.create", {**GROQ_CHAT, "reasoning_format": "parsed"}),
    (
        "groq_reasoning_stream",
        GROQ,
        "chat.completions.create",
        {**GROQ_CHAT, "reasoning_effort": "low", "stream": True},
    ),
    ("groq_tools", GROQ, "chat.completions.create", {**GROQ_CHAT, "messages": WEATHER, "tools": CHAT_TOOLS}),
    (
        "groq_tools_stream",
        GROQ,
        "chat.completions.create",
        {**GROQ_CHAT, "messages": WEATHER, "tools": CHAT_TOOLS, "stream": True},
    ),
    ("groq_schema", GROQ, "chat.completions.create", {**GROQ_CHAT, "response_format": RIVER}),
    ("groq_models", GROQ, "models.list", {}),
    ("groq_model", GROQ, "models.retrieve", {"model": "openai/gpt-oss-120b"}),
]


def method(client: Any, path: str) -> Callable[..., Any]:
    for name in path.split("."):
        client = getattr(client, name)
    found: Callable[..., Any] = client
    return found


def read(answer: Any) -> Any:
    """Reads an answer, a stream or a stream helper to its end."""
    if hasattr(answer, "__enter__") and not hasattr(answer, "__iter__"):
        with answer as stream:
            return list(stream)
    return list(answer) if hasattr(answer, "__next__") or hasattr(answer, "auto_paging_iter") else answer


async def aread(answer: Any) -> Any:
    """The same for asynchronous ones."""
    if inspect.isawaitable(answer) and not hasattr(answer, "__aiter__"):
        answer = await answer
    if hasattr(answer, "__aenter__") and not hasattr(answer, "__aiter__"):
        async with answer as stream:
            return [item async for item in stream]
    return [item async for item in answer] if hasattr(answer, "__aiter__") else answer


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("chunks", [None, 1], ids=["by_token", "one_chunk"])
@pytest.mark.parametrize("form", FORMS, ids=[name for name, *_ in FORMS])
def test_every_answer_passes_strict_validation(
    sandbox: Sandbox, form: Form, is_async: bool, chunks: int | None
) -> None:
    """With `_strict_response_validation=True` no SDK finds anything missing or of the wrong type."""
    _, sdk, path, arguments = form
    provider = sdk.provider(sandbox)
    provider.default("*", Behaviour(chunks=chunks))

    async def arun() -> Any:
        async with sdk.client(provider, is_async=True, _strict_response_validation=True) as client:
            return await aread(method(client, path)(**arguments))

    if is_async:
        answer = asyncio.run(arun())
    else:
        with sdk.client(provider, _strict_response_validation=True) as client:
            answer = read(method(client, path)(**arguments))
    assert answer
    assert [request.ended for request in provider.requests] == ["complete"]


def test_openai_embeddings_come_packed_unless_floats_are_asked_for(sandbox: Sandbox) -> None:
    """The SDK asks for base64 by itself and unpacks it: the same vector, of length 1, as asked for in floats."""
    with OPENAI.client(sandbox.openai) as client:
        packed = client.embeddings.create(model="e", input="a river").data[0].embedding
        plain = client.embeddings.create(model="e", input="a river", encoding_format="float").data[0].embedding
        short = client.embeddings.create(model="e", input="a river", dimensions=64).data[0].embedding
    assert packed == pytest.approx(plain, abs=1e-6)
    assert sum(value * value for value in plain) == pytest.approx(1.0)
    assert (len(plain), len(short)) == (1536, 64)
