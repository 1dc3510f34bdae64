"""T6: what a failure means for the next call: who is asked, and from when on the model that failed is asked again."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from llm_router_middleware import Router, wrap
from llm_router_middleware.sandbox import Behaviour, Sandbox
from tests.faults.calls import KINDS, SERVED, Kind, start
from tests.faults.table import BY_NAME, Clock, made, others, specs


@dataclass(frozen=True)
class Effect:
    """What a few failures in a row lead to.

    Attributes:
        name: of it.
        behaviour: of the caller's provider.
        calls: how many it takes.
        seconds: for which the model is then left alone; 0: it is not.
        elsewhere: whether another provider answers the calls that fail.
    """

    name: str
    behaviour: Behaviour
    calls: int
    seconds: float
    elsewhere: bool = True

    def __str__(self) -> str:
        return self.name


EFFECTS = (
    Effect("five failures open the circuit of the model", Behaviour(status=500), 5, 2.5),
    Effect("five resets open the circuits", Behaviour(reset_after=-1), 5, 2.5),
    Effect("a rate limit is a pause of the length that was said", Behaviour(status=429, retry_after=7), 1, 7.0),
    Effect("a rate limit without a length is a pause of a second", Behaviour(status=429), 1, 1.0),
    Effect("a spent quota ejects the endpoint", Behaviour(error="quota"), 1, 600.0),
    Effect("a wrong request means nothing", Behaviour(status=400), 12, 0.0, elsewhere=False),
    Effect("a refusal means nothing", Behaviour(error="content_policy"), 12, 0.0, elsewhere=False),
)


class Program:
    """A program that makes one call after another with one client and one router."""

    def __init__(self, sandbox: Sandbox, kind: Kind, clients: list[Any], **settings: Any) -> None:
        self.sandbox, self.kind, self.client = sandbox, kind, clients[0]
        self.clock, self.events = Clock(), []  # type: ignore[var-annotated]
        self.router = Router(
            specs(kind, rewritten=False),
            scorer="heuristic",
            now=self.clock,
            random=lambda: 0.0,
            backends=clients[1:],
            sinks=[self.events.append],
            **settings,
        )
        wrap(self.client, router=self.router)

    async def call(self) -> list[str]:
        """Makes one call; gives the providers that were asked, in order."""
        before = len(made(self.sandbox))
        with contextlib.suppress(BY_NAME[self.kind.sdk].module.APIError):
            answer = start(self.client, self.kind, model=SERVED[self.kind.sdk])
            answer = await answer if self.kind.is_async else answer
            if self.kind.stream and self.kind.is_async:
                async for _ in answer:
                    pass
            elif self.kind.stream:
                list(answer)
        return [provider for provider, _ in made(self.sandbox)[before:]]


@contextlib.asynccontextmanager
async def program(sandbox: Sandbox, kind: Kind, **settings: Any) -> AsyncIterator[Program]:
    names = (kind.sdk, *others(kind))
    clients = [BY_NAME[name].client(getattr(sandbox, name), is_async=kind.is_async) for name in names]
    yield Program(sandbox, kind, clients, **settings)
    for client in clients:
        await client.close() if kind.is_async else client.close()


@pytest.mark.parametrize("effect", EFFECTS, ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_what_follows_for_the_next_call(sandbox: Sandbox, kind: Kind, effect: Effect) -> None:
    """Not one call too early is a model left alone, not one too late, and not a second too long."""
    provider, rest = getattr(sandbox, kind.sdk), list(others(kind))[: effect.elsewhere]
    provider.default("*", effect.behaviour)
    async with program(sandbox, kind) as calls:
        for _ in range(effect.calls):
            assert await calls.call() == [kind.sdk, *rest]
        provider.default("*", Behaviour())
        if effect.seconds:
            assert await calls.call() == rest
            calls.clock.advance(effect.seconds - 0.01)
            assert await calls.call() == rest
            calls.clock.advance(0.02)
        assert await calls.call() == [kind.sdk]
        assert await calls.call() == [kind.sdk]
    assert [event.success for event in calls.events[: effect.calls]] == [effect.elsewhere] * effect.calls
    assert len(calls.events) == effect.calls + (4 if effect.seconds else 2)


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_a_dead_key_is_not_hidden(sandbox: Sandbox, kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    """A rejected credential is told to the caller, every time, and nobody else is paid for it unless that is chosen."""
    provider = getattr(sandbox, kind.sdk)
    provider.default("*", Behaviour(status=401))
    with caplog.at_level(logging.WARNING, "llm_router"):
        async with program(sandbox, kind) as calls:
            for _ in range(4):
                assert await calls.call() == [kind.sdk]
    assert [event.error for event in calls.events] == ["AuthenticationError"] * 4
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_a_dead_key_is_paid_for_elsewhere_where_that_is_chosen(sandbox: Sandbox, kind: Kind) -> None:
    """With `auth_failover` the next provider answers; after two rejections the key is left alone for a minute."""
    provider, (other, _) = getattr(sandbox, kind.sdk), others(kind)
    provider.default("*", Behaviour(status=401))
    async with program(sandbox, kind, auth_failover=True) as calls:
        for asked in ([kind.sdk, other], [kind.sdk, other], [other], [other]):
            assert await calls.call() == asked
        calls.clock.advance(60.0)
        assert await calls.call() == [kind.sdk, other]
