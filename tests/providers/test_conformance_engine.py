"""The conformance cases that need the engine, by their numbers: failover, breakers and connections."""

from __future__ import annotations

from typing import Any

import anthropic
import groq
import openai
import pytest

from llm_router_middleware import ComplexityScore, Router, Tier, last_event, wrap
from llm_router_middleware.sandbox import Behaviour, Sandbox

ASK: Any = [{"role": "user", "content": "What is the capital of France?"}]
OVERLOADED = Behaviour(status=529)


@pytest.fixture
def world(sandbox_keys: Sandbox) -> Sandbox:
    return sandbox_keys


def router(events: list[Any] | None = None, **options: Any) -> Router:
    return Router(scorer="heuristic", sinks=[] if events is None else [events.append], **options)


def texts(stream: Any) -> str:
    return "".join(e.delta.text for e in stream if e.type == "content_block_delta")


def test_case_083_an_overload_after_content_is_raised_in_band(world: Sandbox) -> None:
    """Of another provider's stream too: the caller's own in-band form, and no second answer."""
    world.anthropic.outage(OVERLOADED)
    world.groq.default("*", Behaviour(error_event_after=3, chunks=10))
    events: list[Any] = []
    with wrap(anthropic.Anthropic(max_retries=0), router=router(events)) as client:
        stream = client.messages.create(model="claude-opus-5-5", max_tokens=4000, messages=ASK, stream=True)
        seen: list[str] = []
        with pytest.raises(anthropic.APIStatusError):
            seen.extend(event.type for event in stream)
    assert seen.count("message_start") == 1
    assert "content_block_delta" in seen
    assert events[0].success is False
    assert events[0].selected_provider == "groq"


def test_case_084_a_quota_error_after_response_created_fails_over(world: Sandbox) -> None:
    """Nothing has been said before the first content, whatever was announced: the next provider answers."""
    world.anthropic.outage(OVERLOADED)
    world.openai.default("*", Behaviour(error_event_after=0, error="quota"))
    events: list[Any] = []
    hard = Router(scorer=lambda _text: ComplexityScore(Tier.PREMIUM, 1.0), sinks=[events.append])
    tool: Any = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
    with wrap(anthropic.Anthropic(max_retries=0), router=hard) as client:
        stream = client.messages.create(
            model="claude-opus-5-5", max_tokens=4000, messages=ASK, tools=[tool], stream=True
        )
        kinds = [event.type for event in stream]
    assert [request.path for request in world.openai.requests] == ["/v1/responses"], "tools: on the Responses wire"
    assert (kinds.count("message_start"), kinds[-1]) == (1, "message_stop")
    assert "quota" in [attempt.outcome for attempt in events[0].attempts]
    assert events[0].selected_provider == "groq"


def test_case_085_there_is_one_message_start_after_a_failover(world: Sandbox) -> None:
    """Never two answers in one stream."""
    world.anthropic.outage(Behaviour(error_event_after=0))
    with wrap(anthropic.Anthropic(max_retries=0), router=router()) as client:
        kinds = [
            event.type
            for event in client.messages.create(model="claude-opus-5-5", max_tokens=4000, messages=ASK, stream=True)
        ]
    assert kinds.count("message_start") == 1
    assert kinds.count("message_stop") == 1


SLOW = Behaviour(chunks=200, per_token_s=0.02)


def test_case_089_closing_the_callers_stream_closes_the_upstream(world: Sandbox) -> None:
    """The provider that answers sees the connection go, whoever the caller asked."""
    world.openai.outage(OVERLOADED)
    world.groq.default("*", SLOW)
    events: list[Any] = []
    with wrap(openai.OpenAI(max_retries=0), router=router(events)) as client:
        stream = client.chat.completions.create(model="gpt-6.1-sol", messages=ASK, stream=True)
        next(iter(stream))
        stream.close()
    request = world.groq.requests[-1]
    request.wait(5)
    assert request.ended == "abandoned"
    assert (events[0].success, events[0].error) == (True, "closed")


async def test_case_089_closing_an_async_stream_closes_the_upstream(world: Sandbox) -> None:
    """The same, awaited."""
    world.openai.outage(OVERLOADED)
    world.groq.default("*", SLOW)
    async with wrap(openai.AsyncOpenAI(max_retries=0), router=router()) as client:
        stream = await client.chat.completions.create(model="gpt-6.1-sol", messages=ASK, stream=True)
        async for _ in stream:
            break
        await stream.close()
        request = world.groq.requests[-1]
        request.wait(5)
    assert request.ended == "abandoned"


def test_case_091_a_quota_is_not_retried(world: Sandbox) -> None:
    """One request to an empty account, though the caller's SDK would have made three."""
    world.openai.outage(Behaviour(error="quota"))
    with wrap(openai.OpenAI(max_retries=2), router=router(cross_provider=False)) as client:
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(model="gpt-6-luna", messages=ASK)
    counts = {r.model: 0 for r in world.openai.requests}
    for request in world.openai.requests:
        counts[request.model] += 1
    assert set(counts.values()) == {1}


def test_case_092_groqs_413_by_tokens_a_minute_fails_over(world: Sandbox) -> None:
    """A rate limit in the clothes of a size limit."""
    world.groq.outage(Behaviour(status=413, error_code="rate_limit_exceeded", error_type="tokens"))
    events: list[Any] = []
    with wrap(groq.Groq(max_retries=0), router=router(events)) as client:
        client.chat.completions.create(model="openai/gpt-oss-120b", messages=ASK)
    assert events[0].success is True
    assert events[0].selected_provider != "groq"
    assert events[0].attempts[0].outcome == "rate_limit"


def test_case_095_an_error_event_with_status_200_is_a_failure_to_the_breaker(world: Sandbox) -> None:
    """Five of them open the model's circuit."""
    world.anthropic.default("claude-haiku-5-5", Behaviour(error_event_after=0))
    mine = router()
    with wrap(anthropic.Anthropic(max_retries=0), router=mine) as client:
        for _ in range(5):
            texts(client.messages.create(model="claude-opus-5-5", max_tokens=4000, messages=ASK, stream=True))
    assert mine.breakers["anthropic/claude-haiku-5-5"].state == "open"


def test_case_096_the_callers_own_mistakes_do_not_move_a_breaker(world: Sandbox) -> None:
    """Neither a 400 to his own request nor one to our translation of it."""
    mine = router(breaker={"failure_threshold": 1})
    world.openai.outage(Behaviour(status=400))
    with wrap(openai.OpenAI(max_retries=0), router=mine) as client, pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="gpt-6.1-sol", messages=ASK)
    world.openai.reset()
    world.groq.outage(OVERLOADED)
    world.openai.outage(Behaviour(status=400))
    with wrap(groq.Groq(max_retries=0), router=mine) as client:
        client.chat.completions.create(model="openai/gpt-oss-120b", messages=ASK)
    states = {name: report.state for name, report in mine.breakers.states().items() if "openai@" in name}
    assert set(states.values()) == {"closed"}


def test_case_097_no_word_of_another_provider_is_in_what_is_raised(world: Sandbox) -> None:
    """Its keys and its messages stay where they are."""
    for provider in (world.openai, world.anthropic, world.groq):
        provider.outage(Behaviour(status=503, message=f"secret of {provider.name} sk-sandbox-{provider.name}"))
    with wrap(openai.OpenAI(max_retries=0), router=router()) as client:
        with pytest.raises(openai.InternalServerError) as caught:
            client.chat.completions.create(model="gpt-6.1-sol", messages=ASK)
    told = repr(caught.value) + str(caught.value) + repr(last_event(caught.value)) + repr(caught.value.__dict__)
    for other in ("anthropic", "groq"):
        assert f"secret of {other}" not in told
        assert f"sk-sandbox-{other}" not in told
