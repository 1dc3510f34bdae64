"""Hedging: a second model beside a slow first, off by default, paid from a budget, never for what has effects."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from llm_router_middleware import Router, wrap
from llm_router_middleware.sandbox import Behaviour, Sandbox

ASK: Any = [{"role": "user", "content": "What is the capital of France?"}]
SLOW = Behaviour(latency_s=3.0)
TOOL: Any = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}


def hedging(events: list[Any], calls_before: int = 40, **options: Any) -> Router:
    """A router that hedges, has made some calls, and knows that the budget model answers within 50 ms."""
    router = Router(scorer="heuristic", sinks=[events.append], hedge=True, **options)
    for _ in range(20):
        router.latency.tracker.record("openai/gpt-6-luna", 0.05)
        router.latency.tracker.record_first_token("openai/gpt-6-luna", 0.05)
    for _ in range(calls_before):
        router._kit.begin()
    return router


async def text_of(client: Any, *, is_async: bool, stream: bool, **params: Any) -> str:
    call = client.chat.completions.create(model="gpt-6.1-sol", messages=ASK, stream=stream, **params)
    answer = await call if is_async else call
    if not stream:
        return str(answer.choices[0].message.content)
    chunks = [c async for c in answer] if is_async else list(answer)
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_the_rival_answers_when_the_first_takes_long(sandbox_keys: Sandbox, is_async: bool, stream: bool) -> None:
    """The first success counts; the other is called off, teaches nothing, and both are in the one event."""
    sandbox_keys.openai.default("gpt-6-luna", SLOW)
    events: list[Any] = []
    router = hedging(events)
    client = wrap((openai.AsyncOpenAI if is_async else openai.OpenAI)(max_retries=0), router=router)
    text = await text_of(client, is_async=is_async, stream=stream)
    await client.close() if is_async else client.close()
    (event,) = events
    assert "gpt-oss-20b" in text
    assert (event.success, event.selection_reason) == (True, "latency_fallback")
    assert [(a.model, a.outcome) for a in event.attempts] == [
        ("gpt-6-luna", "cancelled"),
        ("openai/gpt-oss-20b", "ok"),
    ]
    assert event.actual_latency_s < 2.5
    assert {report.failures for report in router.breakers.states().values()} == {0}


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_a_first_that_is_quick_is_not_hedged(sandbox_keys: Sandbox, is_async: bool) -> None:
    """One request, one attempt, as if hedging were off."""
    events: list[Any] = []
    client = wrap((openai.AsyncOpenAI if is_async else openai.OpenAI)(), router=hedging(events))
    router = hedging(events)
    for _ in range(20):
        router.latency.tracker.record("openai/gpt-6-luna", 30.0)
    wrap(client, router=router)
    await text_of(client, is_async=is_async, stream=False)
    await client.close() if is_async else client.close()
    assert [a.outcome for a in events[0].attempts] == ["ok"]
    assert not sandbox_keys.groq.requests


async def test_when_both_fail_the_call_goes_on(sandbox_keys: Sandbox) -> None:
    """Two failures are two attempts; the next candidate answers."""
    sandbox_keys.openai.default("gpt-6-luna", Behaviour(latency_s=0.5, status=500))
    sandbox_keys.groq.default("*", Behaviour(status=500))
    events: list[Any] = []
    async with wrap(openai.AsyncOpenAI(max_retries=0), router=hedging(events)) as client:
        await text_of(client, is_async=True, stream=False)
    outcomes = [a.outcome for a in events[0].attempts]
    assert outcomes[:2] == ["server", "server"]
    assert outcomes[-1] == "ok"
    assert events[0].selection_reason == "failover"


@pytest.mark.parametrize(
    "params", [{"tools": [TOOL], "reasoning_effort": "none"}, {"store": True}], ids=["tools", "store"]
)
def test_what_may_have_effects_is_never_hedged(sandbox_keys: Sandbox, params: dict[str, Any]) -> None:
    """A tool call or a stored answer made twice is made once too often."""
    sandbox_keys.openai.default("*", Behaviour(latency_s=0.3))
    events: list[Any] = []
    with wrap(openai.OpenAI(max_retries=0), router=hedging(events)) as client:
        client.chat.completions.create(model="gpt-6.1-sol", messages=ASK, **params)
    assert len(events[0].attempts) == 1


def test_hedging_is_paid_from_a_budget(sandbox_keys: Sandbox) -> None:
    """When every call is slow, one in twenty is hedged and no more."""
    sandbox_keys.openai.default("gpt-6-luna", Behaviour(latency_s=0.08))
    events: list[Any] = []
    router = hedging(events, calls_before=0)
    with wrap(openai.OpenAI(max_retries=0), router=router) as client:
        for _ in range(42):
            for _ in range(50):
                router.latency.tracker.record("openai/gpt-6-luna", 0.03)
            client.chat.completions.create(model="gpt-6.1-sol", messages=ASK)
    hedged = sum(len(event.attempts) > 1 for event in events)
    assert hedged == 2


def test_hedging_is_off_by_default(sandbox_keys: Sandbox) -> None:
    """It costs tokens: it must be chosen."""
    sandbox_keys.openai.default("gpt-6-luna", Behaviour(latency_s=0.3))
    events: list[Any] = []
    router = Router(scorer="heuristic", sinks=[events.append])
    for _ in range(20):
        router.latency.tracker.record("openai/gpt-6-luna", 0.05)
    with wrap(openai.OpenAI(), router=router) as client:
        client.chat.completions.create(model="gpt-6.1-sol", messages=ASK)
    assert len(events[0].attempts) == 1
