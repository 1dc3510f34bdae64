"""What type checkers must say of our clients. A line that ends in `# error` must be rejected, every other one accepted.

Read by mypy and pyright in `test_typing.py`; never run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

import anthropic
import groq
import openai
import pydantic
from anthropic.lib.bedrock import AnthropicBedrock
from anthropic.types import Message, RawMessageStreamEvent
from groq.types.chat import ChatCompletion as GroqCompletion
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response

from llm_router_middleware import (
    Anthropic,
    AsyncAnthropic,
    AsyncGroq,
    AsyncOpenAI,
    Groq,
    OpenAI,
    Router,
    RoutingEvent,
    is_wrapped,
    last_event,
    routed,
    unwrap,
    wrap,
)


class City(pydantic.BaseModel):
    """A structured answer."""

    name: str


# -- wrap() gives what it was given


def wrapping(router: Router) -> None:
    """The type of the client, whatever it is."""
    assert_type(wrap(openai.OpenAI()), openai.OpenAI)
    assert_type(wrap(openai.AsyncOpenAI(), router=router), openai.AsyncOpenAI)
    assert_type(wrap(openai.AzureOpenAI(api_version="1")), openai.AzureOpenAI)
    assert_type(wrap(AnthropicBedrock()), AnthropicBedrock)
    assert_type(wrap(anthropic.Anthropic()), anthropic.Anthropic)
    assert_type(wrap(groq.AsyncGroq()), groq.AsyncGroq)
    assert_type(unwrap(groq.Groq()), groq.Groq)
    assert_type(is_wrapped(groq.Groq()), bool)
    wrap(openai.OpenAI(), model="gpt")  # error


# -- the six: the SDK's own types, with one more argument


def constructing(router: Router) -> None:
    """The SDK's arguments, `router=`, and nothing else."""
    a: openai.OpenAI = OpenAI(api_key="k", max_retries=1, router=router)
    b: openai.AsyncOpenAI = AsyncOpenAI(api_key="k", default_headers={"a": "b"}, router=None)
    c: anthropic.Anthropic = Anthropic(api_key="k", timeout=3.0, router=router)
    d: anthropic.AsyncAnthropic = AsyncAnthropic(api_key="k", base_url="https://a", router=router)
    e: groq.Groq = Groq(api_key="k", router=router)
    f: groq.AsyncGroq = AsyncGroq(api_key="k", router=router)
    OpenAI(api_kye="k")  # error
    AsyncOpenAI(router="router")  # error
    Anthropic(max_retries="three")  # error
    AsyncAnthropic(organization="none here")  # error
    Groq(apikey="k")  # error
    AsyncGroq(timeout="k")  # error
    assert a
    assert b
    assert c
    assert d
    assert e
    assert f


def openai_overloads(client: OpenAI) -> None:
    """`stream=` decides, as in the SDK."""
    messages: list[Any] = []
    assert_type(client.chat.completions.create(model="m", messages=messages), ChatCompletion)
    assert_type(
        client.chat.completions.create(model="m", messages=messages, stream=True), openai.Stream[ChatCompletionChunk]
    )
    parsed = client.chat.completions.parse(model="m", messages=messages, response_format=City)
    assert_type(parsed.choices[0].message.parsed, City | None)
    assert_type(client.responses.create(model="m", input="hi"), Response)
    assert_type(client.chat.completions.with_raw_response.create(model="m", messages=messages).parse(), ChatCompletion)
    client.chat.completions.create(messages=messages)  # error
    client.chat.completions.create(model="m", messages=messages, temprature=1)  # error
    client.chat.completions.create(model="m", messages=messages, router=None)  # error
    client.chats  # error # noqa: B018


async def openai_async(client: AsyncOpenAI) -> None:
    """The same, awaited."""
    messages: list[Any] = []
    assert_type(await client.chat.completions.create(model="m", messages=messages), ChatCompletion)
    stream = await client.chat.completions.create(model="m", messages=messages, stream=True)
    assert_type(stream, openai.AsyncStream[ChatCompletionChunk])
    client.chat.completions.create(model="m", messages=messages).choices  # error # noqa: B018


def anthropic_overloads(client: Anthropic) -> None:
    """The messages of Anthropic."""
    messages: list[Any] = []
    assert_type(client.messages.create(model="m", max_tokens=1, messages=messages), Message)
    stream = client.messages.create(model="m", max_tokens=1, messages=messages, stream=True)
    assert_type(stream, anthropic.Stream[RawMessageStreamEvent])
    client.messages.create(model="m", messages=messages)  # error


async def anthropic_async(client: AsyncAnthropic) -> None:
    """The same, awaited."""
    assert_type(await client.messages.create(model="m", max_tokens=1, messages=[]), Message)


def groq_overloads(client: Groq) -> None:
    """The completions of Groq."""
    assert_type(client.chat.completions.create(model="m", messages=[]), GroqCompletion)


def derived(client: OpenAI, other: AsyncAnthropic) -> None:
    """Copies and contexts keep the class."""
    assert_type(client.with_options(timeout=1), OpenAI)
    assert_type(other.copy(max_retries=1), AsyncAnthropic)
    with client as inner:
        assert_type(inner, OpenAI)


class Mine(OpenAI):
    """A subclass keeps the SDK's attributes."""

    extra: int = 1


def subclassed(router: Router) -> None:
    """Its constructor is ours."""
    mine = Mine(api_key="k", router=router)
    assert_type(mine.extra, int)
    assert_type(mine.chat.completions.create(model="m", messages=[]), ChatCompletion)


# -- scopes keep the signature of what they decorate


@routed(max_tier="mid", max_latency_s=3)
def plain(question: str, *, times: int = 1) -> str:
    """A function."""
    return question * times


@routed(tier="premium")
async def awaited(question: str) -> str:
    """A coroutine function."""
    return question


@routed()
def generated(n: int) -> Iterator[int]:
    """A generator function."""
    yield n


@routed()
async def async_generated(n: int) -> AsyncIterator[int]:
    """An async generator function."""
    yield n


@routed
def bare(question: str) -> int:
    """Without parentheses."""
    return len(question)


async def scoped() -> None:
    """Signatures survive."""
    assert_type(plain("a", times=2), str)
    assert_type(await awaited("a"), str)
    assert_type(generated(1), Iterator[int])
    assert_type(async_generated(1), AsyncIterator[int])
    assert_type(bare("a"), int)
    plain(1)  # error
    plain("a", tmies=2)  # error
    with routed(max_tier="mid"):
        pass
    async with routed(deadline_s=1.0):
        pass
    routed(max_teir="mid")  # error


def events(answer: ChatCompletion) -> None:
    """Events have fields, not keys."""
    event = last_event(answer)
    assert_type(event, RoutingEvent | None)
    if event is not None:
        assert_type(event.cost_usd, float | None)
        event.cost  # error # noqa: B018
