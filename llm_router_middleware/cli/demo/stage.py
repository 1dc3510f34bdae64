"""Where the demo plays: the sandbox with latencies by tier and a provider that falls over, or the real world."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from llm_router_middleware.cli.demo.asking import SDKS
from llm_router_middleware.events.event import RoutingEvent
from llm_router_middleware.models.registry import ModelRegistry
from llm_router_middleware.models.spec import Tier
from llm_router_middleware.router import Router
from llm_router_middleware.sandbox import Behaviour, Sandbox
from llm_router_middleware.settings import RouterSettings

__all__ = ["FALLS", "MEDIANS_S", "Stage", "installed", "live", "rehearsal"]

FALLS = "openai"
"""The provider that is down in the middle third."""

MEDIANS_S = {Tier.BUDGET: 0.06, Tier.MID: 0.12, Tier.PREMIUM: 0.24}
"""Scripted: median seconds to the first byte of an answer, by tier. Round numbers in the order that people meet, about
a tenth of real ones, so that the demo ends before anybody leaves."""

_SPREAD = 0.45
"""Sigma of the log-normal that the latencies are drawn from: the p95 is about twice the median."""

_CHUNKS = 6
_PROBE_AFTER_S = 1.0
"""Seconds before an opened circuit lets a probe through; 5 by default, which is half of this play."""

Clients = dict[tuple[str, bool], Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """What the play needs.

    Attributes:
        router: who routes.
        clients: wrapped, by (SDK, whether it is async).
        sdks: those that are there.
        sandbox: the providers; None if they are the real ones.
        events: every event, as it comes.
    """

    router: Router
    clients: Clients
    sdks: tuple[str, ...]
    sandbox: Sandbox | None
    events: list[RoutingEvent]

    def knock_over(self) -> None:
        """The provider goes down: 503 to everybody, whatever is asked."""
        if self.sandbox is not None:
            getattr(self.sandbox, FALLS).outage()

    def put_up(self) -> None:
        """And is back."""
        if self.sandbox is not None:
            getattr(self.sandbox, FALLS).recover()

    async def close(self) -> None:
        """Closes the clients."""
        for (_, is_async), client in self.clients.items():
            if is_async:
                await client.close()
            else:
                client.close()


def installed() -> tuple[str, ...]:
    """The SDKs that can be imported."""
    return tuple(sdk for sdk in SDKS if find_spec(sdk) is not None)


@contextmanager
def rehearsal(sdks: tuple[str, ...], settings: RouterSettings, calls: int, seed: int) -> Iterator[Stage]:
    """The sandbox on this machine. Nothing leaves it, and no setting or key of the environment is used.

    Args:
        sdks: whose clients play.
        settings: of the router; circuits are probed sooner than by default.
        calls: about how many there will be.
        seed: of the latencies.
    """
    with Sandbox() as sandbox:
        bare: Clients = {}
        for sdk in sdks:
            provider = getattr(sandbox, sdk)
            for is_async, cls in enumerate(_classes(sdk)):
                bare[sdk, bool(is_async)] = cls(api_key=provider.api_key, base_url=provider.base_url)
        quick = settings.with_overrides(breaker={"open_s": _PROBE_AFTER_S})
        events: list[RoutingEvent] = []
        router = Router(settings=quick, sinks=[events.append], backends=list(bare.values()))
        _script(sandbox, router.registry, calls, random.Random(seed))
        yield Stage(router, _wrapped(bare, router), sdks, sandbox, events)


def live(sdks: tuple[str, ...], settings: RouterSettings) -> Stage:
    """The real providers, with the keys and the configuration of the environment.

    Args:
        sdks: whose clients play; their keys are there.
        settings: of the router.
    """
    events: list[RoutingEvent] = []
    router = Router(settings=settings, sinks=[events.append])
    bare = {(sdk, bool(is_async)): cls() for sdk in sdks for is_async, cls in enumerate(_classes(sdk))}
    return Stage(router, _wrapped(bare, router), sdks, None, events)


def _classes(sdk: str) -> tuple[type, type]:
    module = import_module(sdk)
    sync, asynchronous = SDKS[sdk]
    return getattr(module, sync), getattr(module, asynchronous)


def _wrapped(bare: Clients, router: Router) -> Clients:
    from llm_router_middleware.intercept.bind import wrap

    return {key: wrap(client, router=router) for key, client in bare.items()}


def _script(sandbox: Sandbox, registry: ModelRegistry, calls: int, dice: random.Random) -> None:
    """Every model gets as many drawn latencies as it could need, and its tier's median after those."""
    for model in registry:
        median_s = MEDIANS_S[model.tier]
        drawn = (median_s * min(dice.lognormvariate(0, _SPREAD), 6) for _ in range(2 * calls))
        provider = getattr(sandbox, model.provider)
        provider.script(model.name, *(_behaviour(seconds) for seconds in drawn))
        provider.default(model.name, _behaviour(median_s))


def _behaviour(seconds: float) -> Behaviour:
    return Behaviour(latency_s=seconds, per_token_s=seconds / 10, chunks=_CHUNKS)
