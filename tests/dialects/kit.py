"""What the dialects' tests share: models by name, machines run to their end, and the real SDKs fed with the result.

Every SDK client here validates strictly: what the SDK would silently accept is an error.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import anthropic
import groq
import httpx
import httpx2
import openai

from llm_router_middleware.dialects import Answer, Translation, translator
from llm_router_middleware.dialects.base import Frame
from llm_router_middleware.dialects.sse import encode, terminator
from llm_router_middleware.engine.call import Wire
from llm_router_middleware.models.capabilities import capabilities
from llm_router_middleware.models.spec import ModelSpec, Tier
from llm_router_middleware.routing.requirements import requirements

OPENAI, GROQ, ANTHROPIC, RESPONSES = "openai_chat", "groq_chat", "anthropic_messages", "openai_responses"
CALLERS: tuple[Wire, ...] = (OPENAI, GROQ, ANTHROPIC)
PROVIDERS: Mapping[str, str] = {OPENAI: "openai", RESPONSES: "openai", GROQ: "groq", ANTHROPIC: "anthropic"}
NOTHING: frozenset[str] = frozenset()

CLAUDE, OPUS, SONNET = "claude-haiku-5-5", "claude-opus-5-5", "claude-sonnet-5"
LUNA, SOL, OSS, QWEN = "gpt-6-luna", "gpt-6.1-sol", "openai/gpt-oss-20b", "qwen/qwen3.8-27b"
GPT4 = "gpt-4.1"

USER = {"role": "user", "content": "hello"}
CHAT: dict[str, Any] = {"model": "gpt-4.1", "messages": [USER]}
MESSAGES: dict[str, Any] = {"model": "claude-opus-4-8", "max_tokens": 4096, "messages": [USER]}

LIBRARIES = {OPENAI: httpx2, RESPONSES: httpx2, ANTHROPIC: httpx2, GROQ: httpx}
CLIENTS: dict[str, tuple[type[Any], type[Any]]] = {
    OPENAI: (openai.OpenAI, openai.AsyncOpenAI),
    RESPONSES: (openai.OpenAI, openai.AsyncOpenAI),
    GROQ: (groq.Groq, groq.AsyncGroq),
    ANTHROPIC: (anthropic.Anthropic, anthropic.AsyncAnthropic),
}


def spec(wire: Wire, name: str, **fields: Any) -> ModelSpec:
    """A model of the provider that speaks a wire, with what is known of it."""
    provider = PROVIDERS[wire]
    fields = {"capabilities": capabilities(provider, name), **fields}
    return ModelSpec(name, provider, Tier.MID, **fields)


def translate(
    caller: Wire, target: Wire, model: str, body: Mapping[str, Any], lossy: Iterable[str] = (), **fields: Any
) -> Translation:
    """A request put into a target's words."""
    pair = translator(caller, target)
    assert pair is not None
    return pair.request(body, spec(target, model, **fields), frozenset(lossy))


def unmet(
    caller: Wire, target: Wire, model: str, body: Mapping[str, Any], lossy: Iterable[str] = (), tokens: int = 10
) -> str | None:
    """Why a model can't honour a request, as the policy would hear it."""
    needs = requirements(body, caller, prompt_tokens=tokens)
    return needs.unmet_by(spec(target, model), target, frozenset(lossy))


def about(request: Mapping[str, Any] | None = None, model: str = "served-model") -> Answer:
    """What is known of an answer besides its body."""
    return Answer(model=model, request_id="req_target", created=1_790_000_000, request=request or {})


def answered(caller: Wire, target: Wire, payload: dict[str, Any], request: Mapping[str, Any] | None = None) -> Any:
    """A whole answer put into a caller's words."""
    pair = translator(caller, target)
    assert pair is not None
    return pair.answer(payload, about(request))


def streamed(
    caller: Wire, target: Wire, events: Iterable[Mapping[str, Any]], request: Mapping[str, Any] | None = None
) -> list[Frame]:
    """A stream put into a caller's words, run to its end."""
    pair = translator(caller, target)
    assert pair is not None
    machine = pair.stream(about(request))
    frames: list[Frame] = []
    for event in events:
        frames += machine.feed(event.get("type"), dict(event))
    return [*frames, *machine.end()]


# -- the SDKs, fed from memory


def client(
    wire: Wire, body: bytes, kind: str, *, is_async: bool = False, status: int = 200, headers: Any = None
) -> Any:
    """A strict SDK client whose every request is answered with `body`."""
    library = LIBRARIES[wire]
    sent = {"content-type": kind, "x-request-id": "req_target", "request-id": "req_target", **(headers or {})}

    def reply(request: Any) -> Any:
        return library.Response(status, headers=sent, content=body)

    async def areply(request: Any) -> Any:
        return reply(request)

    transport = library.MockTransport(areply if is_async else reply)
    http = (library.AsyncClient if is_async else library.Client)(transport=transport)
    return CLIENTS[wire][is_async](api_key="k", http_client=http, _strict_response_validation=True)


def _create(wire: Wire, sdk: Any, **arguments: Any) -> Any:
    if wire == ANTHROPIC:
        return sdk.messages.create(model="m", max_tokens=5, messages=[USER], **arguments)
    if wire == RESPONSES:
        return sdk.responses.create(model="m", input="hello", **arguments)
    return sdk.chat.completions.create(model="m", messages=[USER], **arguments)


def sse(wire: Wire, frames: Iterable[Frame]) -> bytes:
    """Frames as the bytes of a stream."""
    return b"".join(encode(wire, frame) for frame in frames) + terminator(wire)


def heard(wire: Wire, payload: Mapping[str, Any], *, is_async: bool = False) -> Any:
    """A whole answer as the SDK's own object."""
    sdk = client(wire, json.dumps(payload).encode(), "application/json", is_async=is_async)
    return asyncio.run(_create(wire, sdk)) if is_async else _create(wire, sdk)


def heard_stream(wire: Wire, frames: Sequence[Frame], *, is_async: bool = False) -> list[Any]:
    """A stream as the SDK's own chunks."""
    sdk = client(wire, sse(wire, frames), "text/event-stream", is_async=is_async)
    if not is_async:
        return list(_create(wire, sdk, stream=True))

    async def read() -> list[Any]:
        return [chunk async for chunk in await _create(wire, sdk, stream=True)]

    return asyncio.run(read())


def helped(wire: Wire, frames: Sequence[Frame]) -> Any:
    """What the SDK's own stream helper makes of a stream in the end."""
    sdk = client(wire, sse(wire, frames), "text/event-stream")
    if wire == ANTHROPIC:
        with sdk.messages.stream(model="m", max_tokens=5, messages=[USER]) as stream:
            return stream.get_final_message()
    options = {"stream_options": {"include_usage": True}}
    with sdk.chat.completions.stream(model="m", messages=[USER], **options) as stream:
        return stream.get_final_completion()


# -- the providers' words


def chunk(delta: Mapping[str, Any] | None = None, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """A chat chunk."""
    choice = {"index": 0, "delta": dict(delta or {}), "finish_reason": finish}
    envelope = {"id": "chatcmpl-up", "object": "chat.completion.chunk", "created": 1, "model": "served"}
    return {**envelope, "choices": [choice], **fields}


def call_piece(index: int, arguments: str | None = None, identifier: str = "", name: str = "") -> dict[str, Any]:
    """The delta of a chat chunk with a piece of a tool call."""
    piece: dict[str, Any] = {"index": index, "function": {}}
    if identifier:
        piece |= {"id": identifier, "type": "function"}
    if name:
        piece["function"]["name"] = name
    if arguments is not None:
        piece["function"]["arguments"] = arguments
    return {"tool_calls": [piece]}


CHAT_USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 9,
    "total_tokens": 109,
    "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
    "completion_tokens_details": {"reasoning_tokens": 4},
}
USAGE_CHUNK = {**chunk(), "choices": [], "usage": CHAT_USAGE}
MESSAGES_USAGE = {
    "input_tokens": 30,
    "output_tokens": 9,
    "cache_read_input_tokens": 60,
    "cache_creation_input_tokens": 10,
    "output_tokens_details": {"thinking_tokens": 4},
}


def completion(message: Mapping[str, Any], finish: str = "stop", **fields: Any) -> dict[str, Any]:
    """A whole chat answer."""
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **message}, "finish_reason": finish}
    envelope = {"id": "chatcmpl-up", "object": "chat.completion", "created": 1, "model": "served"}
    return {**envelope, "choices": [choice], "usage": CHAT_USAGE, **fields}


def message(*blocks: Mapping[str, Any], stop: str = "end_turn", **fields: Any) -> dict[str, Any]:
    """A whole Anthropic answer."""
    envelope = {"id": "msg_up", "type": "message", "role": "assistant", "model": "served"}
    return {
        **envelope,
        "content": list(blocks),
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": MESSAGES_USAGE,
        **fields,
    }


def events(
    *blocks: tuple[Mapping[str, Any], Iterable[Mapping[str, Any]]],
    stop: str | None = "end_turn",
    details: Any = None,
    start_usage: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """An Anthropic stream: blocks, each with its deltas."""
    usage = start_usage or {**MESSAGES_USAGE, "output_tokens": 1}
    opened = {**message(stop=""), "stop_reason": None, "usage": usage}
    out: list[dict[str, Any]] = [{"type": "message_start", "message": opened}, {"type": "ping"}]
    for index, (block, deltas) in enumerate(blocks):
        out.append({"type": "content_block_start", "index": index, "content_block": dict(block)})
        out += [{"type": "content_block_delta", "index": index, "delta": dict(delta)} for delta in deltas]
        out.append({"type": "content_block_stop", "index": index})
    ending = {"stop_reason": stop, "stop_sequence": None, "stop_details": details}
    out.append({"type": "message_delta", "delta": ending, "usage": {"output_tokens": 9}})
    return [*out, {"type": "message_stop"}]


def said(*pieces: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A text block of an Anthropic stream."""
    return {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in pieces]


def used(identifier: str, name: str, *pieces: str, value: Any = None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A tool block of an Anthropic stream."""
    block = {"type": "tool_use", "id": identifier, "name": name, "input": value or {}}
    return block, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]


def thought(*pieces: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A thinking block of an Anthropic stream."""
    deltas: list[dict[str, Any]] = [{"type": "thinking_delta", "thinking": piece} for piece in pieces]
    return {"type": "thinking", "thinking": "", "signature": ""}, [
        *deltas,
        {"type": "signature_delta", "signature": "SIG"},
    ]


def function(name: str = "f", **fields: Any) -> dict[str, Any]:
    """A function tool of the chat dialect."""
    return {"type": "function", "function": {"name": name, **fields}}


def tool(name: str = "f", **fields: Any) -> dict[str, Any]:
    """A tool of Anthropic's dialect."""
    return {"name": name, "input_schema": {"type": "object", "properties": {}}, **fields}


def tool_call(identifier: str, name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    """A call in a chat message."""
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}
