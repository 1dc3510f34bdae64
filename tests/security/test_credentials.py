"""A credential belongs to one provider and one origin: of each, canaries, and none is ever found anywhere else."""

from __future__ import annotations

import random
from typing import Any

import pytest

from llm_router_middleware import Router, wrap
from llm_router_middleware.sandbox import Behaviour, Sandbox
from llm_router_middleware.testing import scripted_client, scripted_provider
from llm_router_middleware.visit import Visit
from tests.faults.calls import KINDS, Kind, come_to
from tests.faults.table import BY_NAME, Clock, others, paused
from tests.providers.test_failover import ask, client_of

FAULTS = (
    Behaviour(status=500),
    Behaviour(status=429),
    Behaviour(status=529),
    Behaviour(reset_after=-1),
    Behaviour(html=True),
    Behaviour(error_event_after=0),
)
OWN = {name: f"{name}-canary" for name in BY_NAME}
"""What each caller sends along for his own provider alone."""


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Visit, "_sleep", paused)


def crossings(provider: Any, caller: str) -> list[str]:
    """Keys and private things of others, in anything that a provider was sent."""
    foreign = [f"sk-sandbox-{name}" for name in BY_NAME if name != provider.name]
    foreign += [OWN[caller]] if caller != provider.name else []
    sent = "".join(f"{request.path}{request.query}{request.headers}{request.body!r}" for request in provider.requests)
    return [f"{secret} at {provider.name}" for secret in foreign if secret in sent]


class Crowd:
    """Callers of one kind, whose providers fail at random."""

    def __init__(self, kind: Kind, seed: int) -> None:
        self.kind, self.draw = kind, random.Random(seed)
        self.failovers = 0

    def call(self) -> list[str]:
        providers = {name: scripted_provider(name) for name in BY_NAME}  # type: ignore[arg-type]
        mine = providers[self.kind.sdk]
        mine.outage(self.draw.choice(FAULTS))
        for name in others(self.kind):
            providers[name].script("*", *self.draw.choices(FAULTS, k=self.draw.randrange(3)))
        events: list[Any] = []
        client = scripted_client(
            mine,
            asynchronous=self.kind.is_async,
            max_retries=self.draw.randrange(2),
            default_headers={"x-private": OWN[self.kind.sdk]},
            default_query={"private": OWN[self.kind.sdk]},
        )
        backends = [scripted_client(providers[name], asynchronous=self.kind.is_async) for name in others(self.kind)]
        wrap(client, router=Router(scorer="heuristic", backends=backends, sinks=[events.append], now=Clock()))
        extra = {"extra_headers": {"x-more": OWN[self.kind.sdk]}, "extra_query": {"more": OWN[self.kind.sdk]}}
        come_to(client, self.kind, **extra)
        self.failovers += len(events[0].attempts) - 1
        assert OWN[self.kind.sdk] in repr(mine.requests[0].headers), "the canary sings at home"
        return [found for provider in providers.values() for found in crossings(provider, self.kind.sdk)]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_no_key_crosses(kind: Kind) -> None:
    """Nine pairs of providers, random faults and retries: 0 crossings of keys, headers or queries."""
    crowd = Crowd(kind, 1)
    assert [found for _ in range(25) for found in crowd.call()] == []
    assert crowd.failovers > 25


@pytest.mark.nightly
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_no_key_crosses_in_a_hundred_thousand_failovers(kind: Kind) -> None:
    """The same at the long size, over the twelve kinds."""
    crowd = Crowd(kind, 2)
    while crowd.failovers < 100_000 / len(KINDS):
        assert crowd.call() == []


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_a_key_stays_with_its_origin(sandbox_keys: Sandbox, kind: Kind) -> None:
    """A caller with an address and a key of his own: the environment's key for that provider never goes there, and his
    key nowhere else."""
    with Sandbox() as his:
        server = getattr(his, kind.sdk)
        server.outage(Behaviour(status=500))
        options = {"base_url": server.base_url, "api_key": "sk-his-own-canary"}
        async with client_of(kind.sdk, kind.is_async, Router(scorer="heuristic"), **options) as client:
            await ask(client, kind.sdk, is_async=kind.is_async, stream=kind.stream)
        assert server.requests
        assert f"sk-sandbox-{kind.sdk}" not in repr([request.headers for request in server.requests])
        others_saw = [request for provider in sandbox_keys.providers for request in provider.requests]
        assert others_saw
        assert "canary" not in repr([(request.headers, request.body) for request in others_saw])
