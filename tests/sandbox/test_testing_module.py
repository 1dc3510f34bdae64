"""`llm_router_middleware.testing`: what users get for their own tests."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys

import pytest

from llm_router_middleware import Router, testing, wrap
from llm_router_middleware.events.event import AttemptRecord, RoutingEvent, Usage
from llm_router_middleware.events.log import LogSink
from llm_router_middleware.sandbox import Behaviour
from llm_router_middleware.testing import ManualClock, capture_events, scripted_client, scripted_provider
from tests.sandbox.sdks import MESSAGES, OPENAI, SDK, SDKS

each_sdk = pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.name)


def test_a_manual_clock_moves_when_it_is_told() -> None:
    """It stands still, goes forward, and never back."""
    clock = ManualClock(5.0)
    assert (clock(), clock()) == (5.0, 5.0)
    clock.advance(2.5)
    assert clock() == 7.5
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)


def test_importing_it_loads_neither_an_sdk_nor_the_sandbox() -> None:
    """What needs the extra is imported when it is used; a wrong name is an AttributeError."""
    code = (
        "import sys, llm_router_middleware.testing as t; "
        "print([m for m in ('h11', 'openai', 'anthropic', 'groq', 'httpx', 'httpx2') if m in sys.modules]); "
        "t.Sandbox; print('h11' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split("\n")
    assert out[:2] == ["[]", "True"]
    with pytest.raises(AttributeError, match="Nothing"):
        _ = testing.Nothing


def test_without_the_extra_it_says_what_to_install() -> None:
    """The message names the extra."""
    code = "import sys; sys.modules['h11'] = None; import llm_router_middleware.testing as t; t.Sandbox"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr
    assert "pip install 'llm-router-middleware[sandbox]'" in out


@each_sdk
def test_a_scripted_client_is_the_sdks_own(sdk: SDK) -> None:
    """The class, sync and async, and the answers are the SDK's; the provider shows what was asked."""
    provider = scripted_provider(sdk.name)  # type: ignore[arg-type] # one of the three names
    with scripted_client(provider, Behaviour(text="Hello.")) as client:
        assert type(client) is sdk.clients[0]
        assert sdk.text(sdk.create(client)) == "Hello."

    async def ask() -> str:
        async with scripted_client(provider, Behaviour(text="Again."), asynchronous=True) as client:
            assert type(client) is sdk.clients[1]
            return sdk.text(await sdk.create(client))

    assert asyncio.run(ask()) == "Again."
    assert [request.ended for request in provider.requests] == ["complete", "complete"]
    assert [request.model for request in provider.requests] == [sdk.model, sdk.model]


@each_sdk
def test_a_scripted_client_moves_the_clock_instead_of_waiting(sdk: SDK) -> None:
    """Latency passes on the manual clock; what is longer than the read timeout ends in it."""
    clock = ManualClock(0.0)
    behaviours = Behaviour(latency_s=60), Behaviour(latency_s=601)
    with scripted_client(sdk.name, *behaviours, clock=clock, timeout=100, max_retries=0) as client:  # type: ignore[arg-type] # one of the three names
        sdk.create(client)
        assert clock() == 60
        with pytest.raises(sdk.module.APITimeoutError):
            sdk.create(client)
        assert clock() == 160


@each_sdk
def test_pings_keep_a_client_in_memory_patient(sdk: SDK) -> None:
    """Keep-alives within the read timeout hold a long wait open."""
    clock = ManualClock(0.0)
    wait = Behaviour(first_token_s=300, ping_every_s=10)
    with scripted_client(sdk.name, wait, clock=clock, timeout=20, max_retries=0) as client:  # type: ignore[arg-type] # one of the three names
        assert sdk.text(list(sdk.create(client, stream=True)))
    assert clock() == 300


def test_an_abandoned_stream_is_noticed_in_memory() -> None:
    """Closing a stream early ends its request as abandoned."""
    provider = scripted_provider("openai")
    with scripted_client(provider) as client:
        stream = OPENAI.create(client, stream=True)
        next(stream)
        stream.close()
    assert provider.requests[0].ended == "abandoned"


def test_events_are_captured_from_a_router_and_from_the_log() -> None:
    """Both ways give the same events, and stop with the block."""
    router = Router(scorer="heuristic")
    logger = logging.getLogger("llm_router")
    level, handlers = logger.level, list(logger.handlers)
    with scripted_client("openai") as client:
        wrap(client, router=router)
        with capture_events(router) as from_router, capture_events() as from_log:
            OPENAI.create(client, model="gpt-6.1-sol")
        OPENAI.create(client, model="gpt-6.1-sol")
    assert len(from_router) == 1
    assert from_log == from_router
    assert isinstance(from_log[0].attempts[0], AttemptRecord)
    assert (logger.level, logger.handlers) == (level, handlers)


def test_an_event_survives_the_log() -> None:
    """Every field comes back as it was; other lines on the logger are no events."""
    event = RoutingEvent(
        "lr-1",
        1.5,
        complexity_signals=("a", "b"),
        attempts=(AttemptRecord("openai", "m", "ok", 0.5, status=None),),
        candidates=("openai/m",),
        ruled_out=(("m", "groq", "why"),),
        usage=Usage(1, 2),
        dropped_params=("seed",),
        success=True,
    )
    sink = LogSink()
    with capture_events() as events:
        sink(event)
        logging.getLogger("llm_router").info("plain text")
        logging.getLogger("llm_router").info(json.dumps({"event": "something_else"}))
        logging.getLogger("llm_router").info("[1, 2]")
    assert events == [event]


def test_a_scripted_provider_shows_what_the_router_sent() -> None:
    """With a router in between, the provider records the rewritten model."""
    provider = scripted_provider("openai")
    with scripted_client(provider) as client:
        wrap(client, router=Router(scorer="heuristic"))
        client.chat.completions.create(model="gpt-6.1-sol", messages=MESSAGES)
    assert provider.requests[0].model == "gpt-6-luna"
