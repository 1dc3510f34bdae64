"""Keep-alives prove that a connection lives, not that an answer comes: they don't prolong a stream's time."""

from __future__ import annotations

from typing import Any

import pytest

from llm_router_middleware import Router
from llm_router_middleware.sandbox import Behaviour, Sandbox
from tests.providers.test_failover import CLASSES, ask, client_of

PINGS = Behaviour(first_token_s=60, ping_every_s=0.02)

TIMEOUTS = {"openai": "APITimeoutError", "anthropic": "ReadTimeout", "groq": "ReadTimeout"}
"""What each SDK makes of a read that times out midway."""


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("sdk", list(CLASSES))
async def test_a_stream_without_content_fails_over_in_its_time(sandbox_keys: Sandbox, sdk: str, is_async: bool) -> None:
    """`first_token_deadline_s` limits the wait for content, whatever else comes, while somebody else may be asked."""
    getattr(sandbox_keys, sdk).outage(PINGS)
    events: list[Any] = []
    router = Router(scorer="heuristic", sinks=[events.append], first_token_deadline_s=0.2)
    async with client_of(sdk, is_async, router) as client:
        _, text, model = await ask(client, sdk, is_async=is_async, stream=True)
    (event,) = events
    assert model in text
    assert event.selected_provider != sdk
    assert [attempt.outcome for attempt in event.attempts][0 :: len(event.attempts) - 1] == ["timeout", "ok"]


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("sdk", list(CLASSES))
async def test_a_stream_without_content_ends_with_the_deadline(sandbox_keys: Sandbox, sdk: str, is_async: bool) -> None:
    """R4: with nobody left to ask, the caller gets the timeout of his own SDK, and never an empty stream."""
    getattr(sandbox_keys, sdk).outage(PINGS)
    events: list[Any] = []
    router = Router(scorer="heuristic", sinks=[events.append], allow_providers=[sdk], deadline_s=0.4)
    async with client_of(sdk, is_async, router) as client:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - its class is looked at below
            await ask(client, sdk, is_async=is_async, stream=True)
    (event,) = events
    assert type(caught.value).__name__ == TIMEOUTS[sdk]
    assert {attempt.outcome for attempt in event.attempts} == {"timeout"}
    assert (event.success, event.error) == (False, "timeout")
