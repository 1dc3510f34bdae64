"""An outage, played in virtual time: `python -m tests.faults.outage_benchmark [--seeds 11 12] [--seconds 1800]`.

Our real decisions (flow, kit, circuit breakers, latency windows, budgets, hedging) against the SDKs' own retries on one
provider, a plain chain of fallbacks with those retries, and the tutorial's breaker. **Every figure of the services is
invented**: three providers with lognormal latencies (medians 2.0, 2.4, 2.8 s, sigma 0.5), capacities 200, 70 and 60
calls at once, 0.2 % errors in fair weather, 20 calls a second; the first one is in trouble for a third of the time. An
answer within 10 s attains the objective. The seeds were not used for tuning; losses stand in the same table.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import selectors
from collections.abc import Callable
from functools import partial
from typing import Any

from llm_router_middleware.engine.call import Attempt, Call, Failure, FailureKind, Limits, Outcome
from llm_router_middleware.engine.drive import adrive, carry_out
from llm_router_middleware.engine.flow import Plan, route
from llm_router_middleware.engine.race import race
from llm_router_middleware.kit import Kit, Misfits
from llm_router_middleware.models.spec import ModelSpec, Tier
from llm_router_middleware.resilience.breakers import Breakers
from llm_router_middleware.resilience.budget import RetryBudget
from llm_router_middleware.resilience.latency import LatencyTracker
from llm_router_middleware.spillways import Spillways

RATE, OBJECTIVE_S, DEADLINE_S = 20.0, 10.0, 30.0
SCENARIOS = ("503", "black hole", "brownout", "429", "mixed")


class Instant(selectors.SelectSelector):
    """Waiting takes no time: the loop's clock jumps."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("nothing is scheduled")
        self.loop.clock += max(timeout, 0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own."""

    def __init__(self) -> None:
        self.clock = 0.0
        selector = Instant()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.clock


class ServiceError(Exception):
    """What a provider, or the wait for it, came to."""

    def __init__(self, kind: FailureKind, retry_after_s: float | None = None) -> None:
        super().__init__(kind.label)
        self.failure = Failure(kind, retry_after_s=retry_after_s)


class Provider:
    """An invented service."""

    def __init__(
        self, name: str, median: float, capacity: int, seed: int, trouble: list[tuple[float, float, str]]
    ) -> None:
        self.spec = ModelSpec(name, name, Tier.MID)
        self._median, self._capacity, self._trouble = median, capacity, trouble
        self._random = random.Random(seed)
        self._inside = self.requests = self.into_trouble = 0

    def mode(self, now: float) -> str | None:
        return next((mode for start, end, mode in self._trouble if start <= now < end), None)

    async def call(self) -> None:
        mode = self.mode(asyncio.get_running_loop().time())
        self.requests += 1
        self.into_trouble += mode in ("503", "black hole", "429")
        if mode == "black hole":
            await asyncio.sleep(3600)
        await self._refuse(mode)
        self._inside += 1
        try:
            await self._work(mode)
        finally:
            self._inside -= 1

    async def _refuse(self, mode: str | None) -> None:
        if mode == "503":
            await asyncio.sleep(0.15)
            raise ServiceError(FailureKind.SERVER)
        if mode == "429" or self._inside >= self._capacity:
            await asyncio.sleep(0.1)
            raise ServiceError(FailureKind.RATE_LIMIT, 20.0 if mode == "429" else 2.0)

    async def _work(self, mode: str | None) -> None:
        draw = self._random
        seconds = self._median * math.exp(0.5 * draw.gauss(0, 1)) * (8 if mode == "brownout" else 1)
        if draw.random() < (0.3 if mode == "brownout" else 0.002):
            await asyncio.sleep(min(seconds / 2, 3))
            raise ServiceError(FailureKind.SERVER)
        await asyncio.sleep(seconds)


async def patient(provider: Provider, timeout: float) -> None:
    try:
        await asyncio.wait_for(provider.call(), timeout)
    except TimeoutError:
        raise ServiceError(FailureKind.TIMEOUT) from None


async def like_an_sdk(provider: Provider, timeout: float, draw: random.Random) -> None:
    """Three tries, as the SDKs make them."""
    for tried in range(3):
        try:
            await patient(provider, timeout)
        except ServiceError as error:
            if tried == 2:
                raise
            pause = min(0.5 * 2**tried, 8) * (1 - 0.25 * draw.random())
            await asyncio.sleep(error.failure.retry_after_s or pause)
        else:
            return


Policy = Callable[[], Any]


def sdk_defaults(providers: list[Provider], draw: random.Random) -> Policy:
    return lambda: like_an_sdk(providers[0], 600, draw)


def plain_chain(providers: list[Provider], draw: random.Random) -> Policy:
    async def call() -> None:
        for provider in providers[:-1]:
            try:
                return await like_an_sdk(provider, 30, draw)
            except ServiceError:
                continue
        return await like_an_sdk(providers[-1], 30, draw)

    return call


def tutorials_breaker(providers: list[Provider], draw: random.Random) -> Policy:
    """Five failures open it for 60 s; half open lets everyone in; the SDK's retries are beneath."""
    failures = dict.fromkeys(providers, 0)
    opened = dict.fromkeys(providers, -1e9)

    async def call() -> None:
        now = asyncio.get_running_loop().time
        for provider in providers:
            if failures[provider] >= 5 and now() - opened[provider] < 60:
                continue
            try:
                await like_an_sdk(provider, 30, draw)
            except ServiceError:
                failures[provider] += 1
                opened[provider] = now()
                continue
            failures[provider] = 0
            return
        raise ServiceError(FailureKind.SERVER)

    return call


class Quiet:
    """A log that keeps nothing."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_args, **_kwargs: None


def ours(providers: list[Provider], draw: random.Random, *, hedge: bool) -> Policy:
    now = asyncio.get_event_loop_policy().get_event_loop().time
    kit = Kit(
        breakers=Breakers(now=now, random=draw.random, on_transition=None),
        latency=LatencyTracker(now=now),
        endpoint_of=str,
        find=lambda _provider, _name: None,
        misfits=Misfits(lambda _call: None, now),
        retries=RetryBudget(now=now),
        spillways=Spillways(),
        now=now,
        random=draw.random,
        hedge=hedge,
    )
    by_name = {provider.spec.name: provider for provider in providers}
    first = providers[0].spec
    call_ = Call(
        first.name, "openai_chat", {}, endpoint=first.name, timeout_s=600, limits=Limits(deadline_s=DEADLINE_S)
    )
    plan = Plan(tuple(provider.spec for provider in providers), "complexity_match", first)

    def perform(attempt: Attempt) -> Any:
        try:
            yield partial(patient, by_name[attempt.model.name], attempt.timeout_s or 600)
        except ServiceError as error:
            return Outcome(error=error, failure=error.failure)
        return Outcome(value=True)

    async def call() -> None:
        flow = route(call_, plan, kit, Quiet())
        verdict = await adrive(
            carry_out(flow, perform, lambda s: partial(asyncio.sleep, s), partial(race, is_async=True))
        )
        verdict.deliver()

    return call


POLICIES: dict[str, Callable[[list[Provider], random.Random], Policy]] = {
    "one provider, SDK defaults": sdk_defaults,
    "chain, SDK defaults": plain_chain,
    "the tutorial's breaker": tutorials_breaker,
    "ours": partial(ours, hedge=False),
    "ours, hedging": partial(ours, hedge=True),
}


def trouble(scenario: str, seconds: float) -> list[tuple[float, float, str]]:
    third = seconds / 3
    if scenario != "mixed":
        return [(third, 2 * third, scenario)]
    step = third / 4
    kinds = ("503", "black hole", "brownout", "429")
    return [(third + i * step, third + (i + 1) * step, kind) for i, kind in enumerate(kinds)]


def play(name: str, scenario: str, seed: int, seconds: float) -> dict[str, float]:
    """One policy through one scenario."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    draw = random.Random(seed)
    script = trouble(scenario, seconds)
    providers = [
        Provider("a", 2.0, 200, seed + 1, script),
        Provider("b", 2.4, 70, seed + 2, []),
        Provider("c", 2.8, 60, seed + 3, []),
    ]
    policy = POLICIES[name](providers, draw)
    took: list[float] = []
    answered = in_trouble = attained = 0

    async def one() -> None:
        nonlocal answered, in_trouble, attained
        began = loop.time()
        bad = providers[0].mode(began) is not None
        try:
            await policy()
            good = True
        except ServiceError:
            good = False
        took.append(loop.time() - began)
        answered += good
        in_trouble += bad
        attained += bad and good and took[-1] <= OBJECTIVE_S

    async def traffic() -> None:
        tasks = set()
        while loop.time() < seconds:
            await asyncio.sleep(draw.expovariate(RATE))
            task = loop.create_task(one())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        if tasks:
            await asyncio.wait(tasks)

    loop.run_until_complete(traffic())
    loop.close()
    took.sort()
    calls = len(took)
    return {
        "answered": 100 * answered / calls,
        "in trouble, within 10 s": 100 * attained / in_trouble,
        "p99 s": took[int(0.99 * calls)],
        "requests a call": sum(p.requests for p in providers) / calls,
        "into the outage a call": providers[0].into_trouble / calls,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12])
    parser.add_argument("--seconds", type=float, default=1800.0)
    arguments = parser.parse_args()
    columns = ["answered", "in trouble, within 10 s", "p99 s", "requests a call", "into the outage a call"]
    print("| trouble | policy | " + " | ".join(columns) + " |\n|" + "---|" * (len(columns) + 2))
    for scenario in SCENARIOS:
        for name in POLICIES:
            runs = [play(name, scenario, seed, arguments.seconds) for seed in arguments.seeds]
            means = [sum(run[column] for run in runs) / len(runs) for column in columns]
            print(f"| {scenario} | {name} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |", flush=True)


if __name__ == "__main__":
    main()
