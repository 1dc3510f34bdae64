"""Endpoints that are not routed: byte for byte what a bare client sends, the same answer, and an event that says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import anthropic
import groq
import httpx
import httpx2
import openai
import pytest

from llm_router_middleware import Router, last_event, wrap
from llm_router_middleware.sandbox import Sandbox
from tests.clients.surfaces import Answers, Request

CLIENTS: dict[str, Any] = {"openai": openai.OpenAI, "anthropic": anthropic.Anthropic, "groq": groq.Groq}
ASYNC_CLIENTS: dict[str, Any] = {
    "openai": openai.AsyncOpenAI,
    "anthropic": anthropic.AsyncAnthropic,
    "groq": groq.AsyncGroq,
}
HTTP: dict[str, Any] = {"openai": httpx2, "anthropic": httpx2, "groq": httpx}
SOUND = ("speech.wav", b"RIFF....", "audio/wav")
TEXT = [{"role": "user", "content": "hi"}]

CALLS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "openai": {
        "embeddings": lambda c: c.embeddings.create(
            model="text-embedding-3-small", input="hi", encoding_format="float"
        ),
        "files.create": lambda c: c.files.create(file=("a.jsonl", b"{}"), purpose="batch"),
        "files.list": lambda c: c.files.list(limit=2),
        "files.content": lambda c: c.files.content("file-1"),
        "files.delete": lambda c: c.files.delete("file-1"),
        "batches.create": lambda c: c.batches.create(
            completion_window="24h", endpoint="/v1/chat/completions", input_file_id="f"
        ),
        "batches.retrieve": lambda c: c.batches.retrieve("b"),
        "images.generate": lambda c: c.images.generate(model="gpt-image-1", prompt="a cat"),
        "images.edit": lambda c: c.images.edit(image=b"png", prompt="a cat"),
        "moderations": lambda c: c.moderations.create(input="hi"),
        "models.list": lambda c: c.models.list(),
        "models.retrieve": lambda c: c.models.retrieve("gpt-6-luna"),
        "audio.speech": lambda c: c.audio.speech.create(model="tts-1", voice="alloy", input="hi"),
        "audio.transcriptions": lambda c: c.audio.transcriptions.create(model="whisper-1", file=SOUND),
        "completions": lambda c: c.completions.create(model="gpt-3.5-turbo-instruct", prompt="hi"),
        "responses.retrieve": lambda c: c.responses.retrieve("resp_1"),
        "responses.cancel": lambda c: c.responses.cancel("resp_1"),
        "responses.delete": lambda c: c.responses.delete("resp_1"),
        "responses.input_items": lambda c: c.responses.input_items.list("resp_1"),
        "responses.input_tokens": lambda c: c.responses.input_tokens.count(model="gpt-6.1-sol", input="hi"),
        "chat.completions.list": lambda c: c.chat.completions.list(limit=3),
        "chat.completions.retrieve": lambda c: c.chat.completions.retrieve("chatcmpl-1"),
        "fine_tuning.jobs": lambda c: c.fine_tuning.jobs.create(model="gpt-6-luna", training_file="f"),
        "vector_stores": lambda c: c.vector_stores.create(name="v"),
        "conversations": lambda c: c.conversations.create(),
        "get of a chat path": lambda c: c.get("/chat/completions", cast_to=object),
        "post elsewhere": lambda c: c.post("/moderations", body={"model": "gpt-6.1-sol"}, cast_to=object),
    },
    "anthropic": {
        "count_tokens": lambda c: c.messages.count_tokens(model="claude-opus-5-5", messages=TEXT),
        "beta.count_tokens": lambda c: c.beta.messages.count_tokens(model="claude-opus-5-5", messages=TEXT),
        "batches.create": lambda c: c.messages.batches.create(
            requests=[{"custom_id": "a", "params": {"model": "claude-opus-5-5", "max_tokens": 1, "messages": TEXT}}]
        ),
        "batches.list": lambda c: c.messages.batches.list(limit=2),
        "batches.retrieve": lambda c: c.messages.batches.retrieve("b"),
        "batches.cancel": lambda c: c.messages.batches.cancel("b"),
        "models.list": lambda c: c.models.list(limit=2),
        "beta.files.upload": lambda c: c.beta.files.upload(file=("a.txt", b"hi")),
        "beta.files.list": lambda c: c.beta.files.list(),
    },
    "groq": {
        "embeddings": lambda c: c.embeddings.create(model="nomic", input="hi"),
        "models.list": lambda c: c.models.list(),
        "files.create": lambda c: c.files.create(file=("a.jsonl", b"{}"), purpose="batch"),
        "files.info": lambda c: c.files.info("f"),
        "batches.create": lambda c: c.batches.create(
            completion_window="24h", endpoint="/v1/chat/completions", input_file_id="f"
        ),
        "audio.speech": lambda c: c.audio.speech.create(model="playai-tts", voice="a", input="hi"),
        "audio.transcriptions": lambda c: c.audio.transcriptions.create(model="whisper-large-v3", file=SOUND),
    },
}
TABLE = [(sdk, name) for sdk, calls in CALLS.items() for name in calls]


class Wire:
    """A transport that answers from the SDK's own types and keeps what it was sent."""

    def __init__(self, sdk: str) -> None:
        self.http = HTTP[sdk]
        self.sent: list[tuple[Any, ...]] = []
        self._answers = answers(sdk)

    def __call__(self, request: Any) -> Any:
        body = request.read()
        return self._answer(request, body)

    async def respond(self, request: Any) -> Any:
        """The same for an async client."""
        return self._answer(request, await request.aread())

    def _answer(self, request: Any, body: bytes) -> Any:
        target = request.url.raw_path.decode()
        headers = dict(request.headers)
        boundary = re.search(r"boundary=(\S+)", headers.get("content-type", ""))
        if boundary:
            body = body.replace(boundary[1].encode(), b"*")
            headers["content-type"] = headers["content-type"].replace(boundary[1], "*")
        self.sent.append((request.method, str(request.url), headers, body))
        status, kind, content = self._answers.of(Request(request.method.lower(), target, headers, body))
        return self.http.Response(status, headers={"content-type": kind}, content=content)


@lru_cache
def answers(sdk: str) -> Answers:
    """Built once per SDK: reading its source takes seconds."""
    return Answers(sdk)


def plain(answer: Any) -> Any:
    """An answer in a form that can be compared."""
    for form in ("model_dump", "read"):
        if hasattr(answer, form):
            return getattr(answer, form)()
    return answer


def sync_client(sdk: str, wire: Wire) -> Any:
    http = HTTP[sdk].Client(transport=HTTP[sdk].MockTransport(wire))
    return CLIENTS[sdk](api_key="k", base_url="https://example.test", http_client=http, max_retries=0)


def async_client(sdk: str, wire: Wire) -> Any:
    http = HTTP[sdk].AsyncClient(transport=HTTP[sdk].MockTransport(wire.respond))
    return ASYNC_CLIENTS[sdk](api_key="k", base_url="https://example.test", http_client=http, max_retries=0)


@pytest.mark.parametrize(("sdk", "name"), TABLE, ids=[f"{sdk}-{name}" for sdk, name in TABLE])
def test_sent_and_answered_as_by_a_bare_client(sdk: str, name: str) -> None:
    """Same method, address, headers and body; same type and content of the answer; one event, `passthrough`."""
    events: list[Any] = []
    bare, routed = Wire(sdk), Wire(sdk)
    with sync_client(sdk, bare) as client:
        expected = CALLS[sdk][name](client)
    with wrap(sync_client(sdk, routed), router=Router(sinks=[events.append], scorer="heuristic")) as client:
        answer = CALLS[sdk][name](client)
    assert routed.sent == bare.sent
    assert len(bare.sent) == 1
    assert type(answer) is type(expected)
    assert plain(answer) == plain(expected)
    (event,) = events
    assert (event.selection_reason, event.success, event.cost_usd) == ("passthrough", True, None)


@pytest.mark.parametrize(("sdk", "name"), TABLE, ids=[f"{sdk}-{name}" for sdk, name in TABLE])
async def test_the_same_awaited(sdk: str, name: str) -> None:
    """Async clients pass on what they are given just so."""
    events: list[Any] = []
    bare, routed = Wire(sdk), Wire(sdk)
    async with async_client(sdk, bare) as client:
        expected = await CALLS[sdk][name](client)
    async with wrap(async_client(sdk, routed), router=Router(sinks=[events.append], scorer="heuristic")) as client:
        answer = await CALLS[sdk][name](client)
    assert routed.sent == bare.sent
    assert type(answer) is type(expected)
    (event,) = events
    assert (event.selection_reason, event.success) == ("passthrough", True)


def test_pagination_asks_for_each_page_through_the_same_client() -> None:
    """Iterating over a page of a wrapped client fetches the next one, and each request has its event."""
    events: list[Any] = []
    asked: list[str] = []

    def answer(request: Any) -> Any:
        asked.append(str(request.url.query, "ascii"))
        last = "after_id=a" in asked[-1]
        model = {"id": "b" if last else "a", "type": "model", "display_name": "A", "created_at": "2026-01-01T00:00:00Z"}
        page = {"data": [model], "has_more": not last, "first_id": model["id"], "last_id": model["id"]}
        return httpx2.Response(200, json=page)

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    client = anthropic.Anthropic(api_key="k", base_url="https://example.test", http_client=http)
    with wrap(client, router=Router(sinks=[events.append], scorer="heuristic")):
        assert [model.id for model in client.models.list(limit=1)] == ["a", "b"]
    assert asked == ["limit=1", "limit=1&after_id=a"]
    assert [event.selection_reason for event in events] == ["passthrough", "passthrough"]


def test_an_unknown_model_is_sent_byte_for_byte() -> None:
    """A chat call with a model that nobody declared: the bare client's own bytes, and `last_event` says why."""
    bare, routed = Wire("openai"), Wire("openai")
    ask: dict[str, Any] = {
        "model": "ft:gpt-6:mine",
        "messages": TEXT,
        "extra_body": {"x": 1},
        "extra_query": {"q": "2"},
    }
    with sync_client("openai", bare) as client:
        client.chat.completions.create(**ask)
    with wrap(sync_client("openai", routed), router=Router(scorer="heuristic")) as client:
        answer = client.chat.completions.create(**ask)
    assert routed.sent == bare.sent
    event = last_event(answer)
    assert event is not None
    assert event.selection_reason == "passthrough"


def test_a_stream_of_an_unknown_model_is_followed_unread(sandbox: Sandbox) -> None:
    """Not routed, and yet recorded: the SDK's own stream, its request unchanged, and an event with its usage."""
    events: list[Any] = []
    options: dict[str, Any] = {"api_key": sandbox.openai.api_key, "base_url": sandbox.openai.base_url}
    client = wrap(openai.OpenAI(**options), router=Router(sinks=[events.append], scorer="heuristic"))
    with (
        client,
        client.chat.completions.create(
            model="ft:gpt-6:mine", messages=TEXT, stream=True, stream_options={"include_usage": True}
        ) as stream,
    ):  # type: ignore[call-overload]
        assert type(stream) is openai.Stream
        assert events == []
        assert len(list(stream)) > 2
    (request,) = sandbox.openai.requests
    assert request.model == "ft:gpt-6:mine"
    (event,) = events
    assert (event.selection_reason, event.success, event.error) == ("passthrough", True, None)
    assert event.usage is not None
