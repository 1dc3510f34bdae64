"""Pitfalls of failing over, by their numbers in the design: what the caller must not see, and what he must."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import anthropic
import openai
import pytest

from llm_router_middleware import Router, last_event, wrap
from llm_router_middleware.sandbox import Behaviour, Sandbox
from tests.clients.pitfalls import ASK, BUDGET, PREMIUM, Recorded, build, routed_async_client, routed_client

EXTRA = {"extra_headers": {"x-mine": "secret"}, "extra_query": {"mine": "1"}}


def chat(client: Any, **options: Any) -> Any:
    return client.chat.completions.create(model=PREMIUM["openai"], messages=ASK, **options)


def stream_of_messages(client: Any) -> Any:
    return client.messages.create(model=PREMIUM["anthropic"], max_tokens=9, messages=ASK, stream=True)


def test_p25_o1_o2_an_error_inside_the_stream_before_content_fails_over(sandbox: Sandbox) -> None:
    """Anthropic says `overloaded_error` under status 200: the next model answers, and the dead stream says nothing."""
    sandbox.anthropic.default(BUDGET["anthropic"], Behaviour(error="overloaded", error_event_after=0))
    router = Recorded()
    with routed_client(sandbox, "anthropic", router) as client:
        events = list(stream_of_messages(client))
        gc.collect()
    assert [event.type for event in events].count("message_start") == 1
    (event,) = router.events
    outcomes = [attempt.outcome for attempt in event.attempts]
    assert (outcomes[0], outcomes[-1]) == ("overloaded", "ok")
    assert (event.success, event.error, event.selection_reason) == (True, None, "failover")


def test_p26_an_error_after_content_is_raised_as_it_is(sandbox: Sandbox) -> None:
    """Nothing is switched in mid-stream: the words that came stay, the SDK's own exception follows, one request."""
    sandbox.anthropic.default(
        BUDGET["anthropic"], Behaviour(error="overloaded", error_event_after=3, text="one two three four five six")
    )
    router, words = Recorded(), []
    with routed_client(sandbox, "anthropic", router) as client:
        stream = stream_of_messages(client)
        with pytest.raises(anthropic.APIStatusError):
            words.extend(event.type for event in stream)
    assert words.count("message_start") == 1
    assert "content_block_delta" in words
    (event,) = router.events
    assert (event.success, event.error) == (False, "overloaded")
    assert len(sandbox.anthropic.requests) == 1


def test_p27_a_sink_that_raises_is_not_heard(sandbox: Sandbox) -> None:
    """An observer's failure stays with the observer, and the others are still told."""
    told: list[Any] = []

    def broken(_event: Any) -> None:
        raise RuntimeError("observer")

    router = Router(sinks=[broken, told.append], scorer="heuristic")
    with routed_client(sandbox, "openai", router) as client:
        assert chat(client).choices
    assert len(told) == 1


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_p28_a_connection_that_dies_before_any_byte_does_not_reach_the_caller(
    sandbox: Sandbox, is_async: bool
) -> None:
    """A stale connection is what the SDK's own retries hide; with ours in their place it stays hidden."""
    sandbox.openai.at_call(1, Behaviour(reset_after=-1))
    router = Recorded()
    if is_async:
        async with routed_async_client(sandbox, "openai", router) as client:
            answer = await chat(client)
    else:
        with routed_client(sandbox, "openai", router) as client:
            answer = chat(client)
    assert answer.choices
    (event,) = router.events
    assert [attempt.outcome for attempt in event.attempts] == ["connection_lost", "ok"]


def test_o6_what_is_extra_goes_to_the_callers_own_provider_alone(sandbox: Sandbox, sandbox_keys: Sandbox) -> None:
    """`extra_headers` and `extra_query` reach each native attempt and never a foreign one."""
    sandbox.openai.default("*", Behaviour(status=500))
    with routed_client(sandbox, "openai", Recorded()) as client:
        answer = chat(client, **EXTRA)
    assert answer.choices
    for request in sandbox.openai.requests:
        assert (request.headers["x-mine"], request.query) == ("secret", "mine=1")
    foreign = [*sandbox.anthropic.requests, *sandbox.groq.requests]
    assert foreign
    for request in foreign:
        assert "x-mine" not in request.headers
        assert "mine" not in request.query


def test_o7_a_router_serves_two_event_loops_one_after_the_other(sandbox: Sandbox, sandbox_keys: Sandbox) -> None:
    """The failover client of a loop that is gone is not used in the next one."""
    sandbox.openai.default("*", Behaviour(status=500))
    router = Recorded()

    async def once() -> Any:
        async with routed_async_client(sandbox, "openai", router) as client:
            return await chat(client)

    for _ in range(2):
        assert asyncio.run(once()).choices
    assert [event.success for event in router.events] == [True, True]
    assert all(event.selected_provider != "openai" for event in router.events)


def test_o11_only_the_callers_own_sdk_raises(sandbox: Sandbox, sandbox_keys: Sandbox) -> None:
    """Everybody is down, the foreign ones last: `except openai.APIError` catches it."""
    for provider in sandbox.providers:
        provider.default("*", Behaviour(status=503))
    router = Recorded()
    with routed_client(sandbox, "openai", router, max_retries=0) as client, pytest.raises(openai.APIError) as caught:
        chat(client)
    assert last_event(caught.value) is router.events[0]
    assert router.events[0].success is False


def test_o12_the_shadow_client_is_never_routed_or_traced(sandbox: Sandbox, sandbox_keys: Sandbox) -> None:
    """A foreign answer passes a private client of the caller's SDK: it makes no event and no request of its own."""
    from llm_router_middleware import routed

    sandbox.openai.default("*", Behaviour(status=500))
    router = Recorded()
    with routed(router=router), build(sandbox, "openai") as client:
        answer = chat(client)
    assert answer.choices
    assert len(router.events) == 1
    counted = sum(len(provider.requests) for provider in sandbox.providers)
    assert counted == len(router.events[0].attempts)


def test_events_and_requests_agree_over_many_threads(sandbox: Sandbox) -> None:
    """8 threads, 20 calls each, one client: 160 requests, 160 events, each finished once."""
    from concurrent.futures import ThreadPoolExecutor

    router = Recorded()
    client = wrap(build(sandbox, "openai"), router=router)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _n: chat(client), range(160)))
    client.close()
    assert len({id(last_event(answer)) for answer in answers}) == 160
    assert len(router.events) == len(sandbox.openai.requests) == 160
    assert len({event.request_id for event in router.events}) == 160
