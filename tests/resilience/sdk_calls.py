"""Real calls of the real SDKs over an in-memory transport that answers, or fails, as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

SDKS = ("openai", "anthropic", "groq")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the transport does.

    Attributes:
        status: of the response.
        body: its text.
        headers: its headers.
        raises: the name of the HTTP library's exception that is raised instead of a response.
        then: the name of the exception that is raised after the body's first part.
        interrupt: an exception that is no HTTP library's, raised instead.
    """

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    raises: str | None = None
    then: str | None = None
    interrupt: type[BaseException] | None = None


def http_of(sdk: str) -> Any:
    """The HTTP library that an SDK uses."""
    import httpx
    import httpx2

    return httpx if sdk == "groq" else httpx2


def outcome_of(sdk: str, reply: Reply, *, is_async: bool, stream: bool) -> BaseException | Any:
    """Makes one call and returns what came of it: what was raised, or the value."""
    try:
        if is_async:
            return asyncio.run(_acall(sdk, reply, stream))
        return _call(sdk, reply, stream)
    except BaseException as exc:
        return exc


def _call(sdk: str, reply: Reply, stream: bool) -> Any:
    http = http_of(sdk)
    with http.Client(transport=http.MockTransport(_handler(http, reply, is_async=False))) as transport:
        value = _create(_client(sdk, transport, is_async=False), stream)
        return list(value) if stream and not isinstance(value, str) else value


async def _acall(sdk: str, reply: Reply, stream: bool) -> Any:
    http = http_of(sdk)
    async with http.AsyncClient(transport=http.MockTransport(_handler(http, reply, is_async=True))) as transport:
        value = await _create(_client(sdk, transport, is_async=True), stream)
        return [event async for event in value] if stream and not isinstance(value, str) else value


def _client(sdk: str, transport: Any, *, is_async: bool) -> Any:
    import anthropic
    import groq
    import openai

    classes = {
        "openai": (openai.OpenAI, openai.AsyncOpenAI),
        "anthropic": (anthropic.Anthropic, anthropic.AsyncAnthropic),
        "groq": (groq.Groq, groq.AsyncGroq),
    }
    return classes[sdk][is_async](
        api_key="key", base_url="http://provider.test/v1", http_client=transport, max_retries=0
    )


def _create(client: Any, stream: bool) -> Any:
    body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}], "stream": stream}
    create = client.messages.create if hasattr(client, "messages") else client.chat.completions.create
    return create(**body)


def _handler(http: Any, reply: Reply, *, is_async: bool) -> Callable[[Any], Any]:
    def answer(request: Any) -> Any:
        if reply.interrupt is not None:
            raise reply.interrupt
        if reply.raises is not None:
            raise getattr(http, reply.raises)("told to", request=request)
        content = (_abroken if is_async else _broken)(http, reply, request) if reply.then else reply.body.encode()
        return http.Response(reply.status, headers=reply.headers, content=content, request=request)

    async def aanswer(request: Any) -> Any:
        return answer(request)

    return aanswer if is_async else answer


def _broken(http: Any, reply: Reply, request: Any) -> Iterator[bytes]:
    yield reply.body.encode()
    raise getattr(http, reply.then or "")("told to", request=request)


async def _abroken(http: Any, reply: Reply, request: Any) -> AsyncIterator[bytes]:
    for part in (reply.body.encode(),):
        yield part
    raise getattr(http, reply.then or "")("told to", request=request)
