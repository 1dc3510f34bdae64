"""However a stream ends, exactly one event tells of it, with the right word, and nothing is left open."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from llm_router_middleware.sandbox import Behaviour, Sandbox
from tests.clients.pitfalls import ASK, BUDGET, PREMIUM, Recorded, routed_async_client, routed_client

OPEN = {
    "chat": ("openai", lambda c: c.chat.completions.create(model=PREMIUM["openai"], messages=ASK, stream=True)),
    "responses": ("openai", lambda c: c.responses.create(model=PREMIUM["openai"], input=ASK, stream=True)),
    "messages": (
        "anthropic",
        lambda c: c.messages.create(model=PREMIUM["anthropic"], max_tokens=99, messages=ASK, stream=True),
    ),
    "groq": ("groq", lambda c: c.chat.completions.create(model=PREMIUM["groq"], messages=ASK, stream=True)),
}
HELPERS = {
    "chat": ("openai", lambda c: c.chat.completions.stream(model=PREMIUM["openai"], messages=ASK)),
    "responses": ("openai", lambda c: c.responses.stream(model=PREMIUM["openai"], input=ASK)),
    "messages": (
        "anthropic",
        lambda c: c.messages.stream(model=PREMIUM["anthropic"], max_tokens=99, messages=ASK),
    ),
    "beta": (
        "anthropic",
        lambda c: c.beta.messages.stream(model=PREMIUM["anthropic"], max_tokens=99, messages=ASK),
    ),
}
SLOW = Behaviour(chunks=200, per_token_s=0.01, text="word " * 200)
"""A stream that is still under way when the reader has seen its first events."""


class UserError(Exception):
    """Raised by the reader's own code."""


# -- sync: (what the reader does with an open stream, the word that the event has in the end)


def read_all(stream: Any) -> None:
    for _ in stream:
        pass


def close(stream: Any) -> None:
    next(iter(stream))
    stream.close()


def break_in_with(stream: Any) -> None:
    with stream as events:
        for _ in events:
            break


def break_and_drop(stream: Any) -> None:
    for _ in stream:
        break


def never_iterated(stream: Any) -> None:
    pass


def raise_in_with(stream: Any) -> None:
    with contextlib.suppress(UserError), stream as events:
        for _ in events:
            raise UserError


SYNC: dict[str, tuple[Callable[[Any], None], set[str | None]]] = {
    "read to the end": (read_all, {None}),
    "closed": (close, {"closed"}),
    "left by break inside with": (break_in_with, {"closed"}),
    # The SDK's generator closes the response when it is dropped, if it has begun; its class says nothing of others.
    "left by break and dropped": (break_and_drop, {"closed", "abandoned"}),
    "never iterated": (never_iterated, {"abandoned"}),
    "left by an exception of the reader": (raise_in_with, {"closed"}),
}


def act(scenario: Callable[[Any], None], open_stream: Callable[[Any], Any], client: Any) -> None:
    scenario(open_stream(client))


@pytest.mark.parametrize("surface", OPEN)
@pytest.mark.parametrize("ending", SYNC)
def test_a_sync_stream_ends_in_one_event(sandbox: Sandbox, surface: str, ending: str) -> None:
    """One event, after the end and not before, with the word for it; the connection is free again."""
    sdk, open_stream = OPEN[surface]
    scenario, words = SYNC[ending]
    if ending != "read to the end":
        getattr(sandbox, sdk).default(BUDGET[sdk], SLOW)
    router = Recorded()
    with routed_client(sandbox, sdk, router) as client:
        act(scenario, open_stream, client)
        gc.collect()
        (event,) = router.events
        assert event.error in words
        assert event.success is True, "the provider is not to blame"
        assert event.selected_model == BUDGET[sdk]
    gc.collect()
    assert len(router.events) == 1


@pytest.mark.parametrize("surface", HELPERS)
def test_leaving_a_helper_early_closes_it(sandbox: Sandbox, surface: str) -> None:
    """`.stream()` left by break: its manager closes the stream, and the event says so (P3, P4)."""
    sdk, open_stream = HELPERS[surface]
    getattr(sandbox, sdk).default(BUDGET[sdk], SLOW)
    router = Recorded()
    with routed_client(sandbox, sdk, router) as client:
        with open_stream(client) as stream:
            for _ in stream:
                break
        (event,) = router.events
        assert (event.error, event.success) == ("closed", True)


@pytest.mark.parametrize("lines", [False, True], ids=["unread", "broken off"])
def test_leaving_a_streaming_response_early_closes_it(sandbox: Sandbox, lines: bool) -> None:
    """`with_streaming_response` left before its end: one event, closed."""
    sandbox.openai.default(BUDGET["openai"], SLOW)
    router = Recorded()
    with routed_client(sandbox, "openai", router) as client:
        manager = client.chat.completions.with_streaming_response.create(
            model=PREMIUM["openai"], messages=ASK, stream=True
        )
        with manager as response:
            for _ in response.iter_lines() if lines else ():
                break
        (event,) = router.events
        assert (event.error, event.success) == ("closed", True)


@pytest.mark.parametrize("surface", OPEN)
def test_a_connection_lost_in_mid_stream_is_the_providers_failure(sandbox: Sandbox, surface: str) -> None:
    """After the first content nothing fails over: the reader sees what a bare client raises, the event its kind."""
    sdk, open_stream = OPEN[surface]
    getattr(sandbox, sdk).default(BUDGET[sdk], Behaviour(chunks=20, per_token_s=0.002, reset_after=5))
    router = Recorded()
    with routed_client(sandbox, sdk, router) as client:
        with pytest.raises(Exception, match=r".") as caught:
            read_all(open_stream(client))
        assert type(caught.value).__module__.partition(".")[0] in {sdk, "httpx", "httpx2"}
        (event,) = router.events
        assert (event.error, event.success) == ("connection_lost", False)
    assert len(getattr(sandbox, sdk).requests) == 1


# -- async


async def aread_all(stream: Any) -> None:
    async for _ in stream:
        pass


async def aclose(stream: Any) -> None:
    await anext(aiter(stream))
    await stream.close()


async def abreak_in_with(stream: Any) -> None:
    async with stream as events:
        async for _ in events:
            break


async def abreak_and_drop(stream: Any) -> None:
    async for _ in stream:
        break


async def anever_iterated(stream: Any) -> None:
    pass


async def araise_in_with(stream: Any) -> None:
    with contextlib.suppress(UserError):
        async with stream as events:
            async for _ in events:
                raise UserError


async def cancelled(stream: Any) -> None:
    task = asyncio.create_task(aread_all(stream))
    await asyncio.sleep(0.03)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def timed_out(stream: Any) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(aread_all(stream), 0.03)


async def users_generator_closed(stream: Any) -> None:
    async def words() -> AsyncIterator[Any]:
        async with stream as events:
            async for event in events:
                yield event

    generator = words()
    await anext(generator)
    await generator.aclose()  # type: ignore[attr-defined]


ASYNC: dict[str, tuple[Callable[[Any], Any], set[str | None]]] = {
    "read to the end": (aread_all, {None}),
    "closed": (aclose, {"closed"}),
    "left by break inside with": (abreak_in_with, {"closed"}),
    "left by break and dropped": (abreak_and_drop, {"closed", "abandoned"}),
    "never iterated": (anever_iterated, {"abandoned"}),
    "left by an exception of the reader": (araise_in_with, {"closed"}),
    "reading task cancelled": (cancelled, {"cancelled"}),
    "wait_for timed out": (timed_out, {"cancelled"}),
    "the reader's own generator closed": (users_generator_closed, {"closed"}),
}


async def aact(scenario: Callable[[Any], Any], open_stream: Callable[[Any], Any], client: Any) -> None:
    await scenario(await open_stream(client))


@pytest.mark.parametrize("surface", OPEN)
@pytest.mark.parametrize("ending", ASYNC)
async def test_an_async_stream_ends_in_one_event(sandbox: Sandbox, surface: str, ending: str) -> None:
    """The same, awaited; and whoever cancels the reader is told apart from whoever closes."""
    sdk, open_stream = OPEN[surface]
    scenario, words = ASYNC[ending]
    if ending != "read to the end":
        getattr(sandbox, sdk).default(BUDGET[sdk], SLOW)
    router = Recorded()
    async with routed_async_client(sandbox, sdk, router) as client:
        await aact(scenario, open_stream, client)
        for _ in range(100):  # the loop closes a dropped generator in a task of its own
            gc.collect()
            await asyncio.sleep(0 if router.events else 0.001)
            if router.events:
                break
        (event,) = router.events
        assert event.error in words
        assert event.success is True, "the provider is not to blame"
    gc.collect()
    assert len(router.events) == 1


@pytest.mark.parametrize("surface", HELPERS)
async def test_leaving_an_async_helper_early_closes_it(sandbox: Sandbox, surface: str) -> None:
    """`async with .stream()` left by break awaits the close (P4)."""
    sdk, open_stream = HELPERS[surface]
    getattr(sandbox, sdk).default(BUDGET[sdk], SLOW)
    router = Recorded()
    async with routed_async_client(sandbox, sdk, router) as client:
        async with open_stream(client) as stream:
            async for _ in stream:
                break
        (event,) = router.events
        assert (event.error, event.success) == ("closed", True)


@pytest.mark.parametrize("surface", OPEN)
async def test_cancelled_inside_create(sandbox: Sandbox, surface: str) -> None:
    """A task that is cancelled while it waits for the headers: one event, cancelled, and no other attempt."""
    sdk, open_stream = OPEN[surface]
    getattr(sandbox, sdk).default(BUDGET[sdk], Behaviour(latency_s=5))
    router = Recorded()
    async with routed_async_client(sandbox, sdk, router) as client:
        task = asyncio.create_task(open_stream(client))
        while not getattr(sandbox, sdk).requests:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        (event,) = router.events
        assert (event.error, event.success) == ("cancelled", False)
    assert len(getattr(sandbox, sdk).requests) == 1
