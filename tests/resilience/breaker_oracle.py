"""An oracle for the circuit breaker: decides from the history of one circuit, and shares no code with it.

Histories are swarm-weighted: each draws its own mix of time steps, outcomes, callers in flight and meddling by hand,
with small thresholds, so that rare states are reached often. (Uniform histories were green and killed 1 mutant of 16.)
"""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from llm_router_middleware.engine.call import Effect
from llm_router_middleware.resilience.breaker_settings import BreakerSettings

SETTINGS = BreakerSettings(
    failure_threshold=3,
    failure_ratio=0.5,
    minimum_calls=6,
    window_s=10.0,
    recovery_timeout_s=2.0,
    max_recovery_timeout_s=8.0,
    probe_lease_s=5.0,
    max_cooldown_s=8.0,
    quota_ejection_s=20.0,
)
STEPS = 60
OPEN, CLOSED, HALF_OPEN = "open", "closed", "half_open"


class Jitter:
    """A source of random numbers that remembers what it gave, so that the oracle can be given the same."""

    def __init__(self, rng: random.Random) -> None:
        self.given: list[float] = []
        self._rng = rng

    def __call__(self) -> float:
        self.given.append(self._rng.random())
        return self.given[-1]


@dataclass(slots=True)
class Ticket:
    """The oracle's permit."""

    life: int
    probe: bool = False
    lapses: float = 0.0
    began: float | None = None
    back: bool = False


@dataclass(slots=True)
class Oracle:
    """What a circuit must do, from the text of the specification."""

    jitter: list[float]
    drawn: int = 0
    state: str = CLOSED
    life: int = 0
    until: float = -math.inf
    cool: float = -math.inf
    throttled: int = 0
    failed_probes: int = 0
    probe: Ticket | None = None
    disabled: bool = False
    results: list[tuple[float, float, bool]] = field(default_factory=list)
    failures: int = 0
    rejections: int = 0
    log: list[tuple[str, str, str, int]] = field(default_factory=list)

    def draw(self) -> float:
        assert self.drawn < len(self.jitter), "no jitter where there should be"
        self.drawn += 1
        return self.jitter[self.drawn - 1]

    def go(self, state: str, reason: str) -> None:
        self.life += 1
        self.log.append((self.state, state, reason, self.life))
        self.state = state
        self.probe = None
        if state == CLOSED:
            self.results = []
            self.throttled = 0

    def reads(self, now: float) -> tuple[str, float]:
        waits = [0.0, self.cool - now]
        if self.state == OPEN:
            waits.append(self.until - now)
        return (HALF_OPEN if self.state == OPEN and now >= self.until else self.state), max(waits)

    def acquire(self, now: float, timeout: float | None) -> Ticket | None:
        probing = self.probe is not None and not self.probe.back and now < self.probe.lapses
        if now < self.cool or (self.state == OPEN and now < self.until) or (self.state == HALF_OPEN and probing):
            if self.disabled:
                return Ticket(-1)
            self.rejections += 1
            return None
        if self.state == OPEN:
            self.go(HALF_OPEN, "probe")
        if self.state == CLOSED:
            return Ticket(self.life, began=now if self.results and self.results[-1][2] else None)
        self.probe = Ticket(self.life, True, now + (5.0 if timeout is None else timeout + 5.0))
        return self.probe

    def settle(self, ticket: Ticket, now: float, effect: Effect, told: float | None) -> None:
        if ticket.back:
            return
        ticket.back = True
        fresh = ticket.life == self.life
        if effect not in (Effect.SUCCESS, Effect.EJECT):
            if told is not None and told > 0:
                self.cool = max(self.cool, now + min(told * (1 + 0.1 * self.draw()), 8.0))
            elif effect is Effect.COOLDOWN and fresh:
                self.cool = max(self.cool, now + min(2.0**self.throttled, 60.0, 8.0))
                self.throttled += 1
        if not fresh or effect in (Effect.NEUTRAL, Effect.COOLDOWN) or self.state == OPEN:
            return
        if self.state == HALF_OPEN:
            self.conclude(ticket, now, effect, told)
        elif effect is Effect.EJECT:
            self.open(now + (20.0 if told is None else told), "ejected")
        else:
            self.learn(now if ticket.began is None else ticket.began, now, effect is Effect.FAILURE)

    def conclude(self, ticket: Ticket, now: float, effect: Effect, told: float | None) -> None:
        if now >= ticket.lapses:
            return
        if effect is Effect.SUCCESS:
            self.failed_probes = 0
            self.go(CLOSED, "probe_succeeded")
        elif effect is Effect.EJECT:
            self.open(now + (20.0 if told is None else told), "ejected")
        else:
            self.failures += 1
            self.failed_probes += 1
            self.back_off(now, "probe_failed")

    def learn(self, began: float, now: float, failed: bool) -> None:
        self.results.append((began, now, failed))
        if not failed:
            self.throttled = 0
            return
        self.failures += 1
        row = 1  # the latest failures, no quiet spell between them longer than the window
        for (_, ended, bad), (began, _, _) in zip(self.results[-2::-1], self.results[::-1], strict=False):
            if not bad or began - ended > 10.0:
                break
            row += 1
        recent = [bad for _, at, bad in self.results if int(at) > int(now) - 10]  # ten buckets of a second
        if row >= 3:
            self.back_off(now, "consecutive_failures")
        elif len(recent) >= 6 and sum(recent) >= 0.5 * len(recent):
            self.back_off(now, "failure_ratio")

    def back_off(self, now: float, reason: str) -> None:
        self.open(now + min(8.0, 2.0 * 2**self.failed_probes) * (0.5 + 0.5 * self.draw()), reason)

    def open(self, until: float, reason: str) -> None:
        self.until = until
        self.go(OPEN, reason)

    def force_open(self) -> None:
        self.disabled = False
        self.until = math.inf
        if self.state != OPEN:
            self.go(OPEN, "forced")

    def reset(self) -> None:
        self.disabled = False
        self.cool, self.throttled, self.failed_probes, self.results = -math.inf, 0, 0, []
        if self.state != CLOSED:
            self.go(CLOSED, "reset")


def play(seed: int, breaker_class: Any, visits: Counter[Any] | None = None) -> None:
    """One random history, step by step on both sides.

    Raises:
        AssertionError: they differ.
    """
    rng = random.Random(seed)
    jitter = Jitter(rng)
    clock = [rng.choice([0.0, 3.3, 1e6])]
    told: list[tuple[str, str, str, int]] = []

    def listen(t: Any) -> None:
        told.append((t.before, t.after, t.reason, t.generation))
        raise AssertionError("a listener must not matter")

    breaker = breaker_class(settings=SETTINGS, now=lambda: clock[0], random=jitter, on_transition=listen)
    oracle = Oracle(jitter.given)
    pick = rng.random
    p_time, p_neutral, p_told = rng.choice([0.1, 0.3, 0.6]), rng.choice([0.0, 0.1, 0.4]), rng.choice([0.0, 0.0, 0.2])
    p_failure, p_throttle = rng.choice([0.1, 0.3, 0.5, 0.8, 1.0]), rng.choice([0.0, 0.0, 0.15])
    p_eject, p_hand = rng.choice([0.0, 0.0, 0.05]), rng.choice([0.0, 0.0, 0.0, 0.06])
    at_once = rng.choice([1, 3, 8])
    ticks = rng.choice([[0, 0.5, 1], [0.3, 0.7, 0.9], [1, 2, 3, 5], [5, 9, 11, 30], [0, 0.5, 1, 2, 3, 5, 9, 11, 30]])
    live: list[tuple[Any, Ticket]] = []
    for step in range(STEPS):
        x = pick()
        if x < p_time:
            clock[0] += rng.choice(ticks)
        elif x > 1.0 - p_hand:
            by_hand(rng, breaker, oracle)
        elif len(live) < at_once and pick() < 0.6:
            timeout = rng.choice([None, None, 0.0, 2.0])
            permit, ticket = breaker.try_acquire(timeout), oracle.acquire(clock[0], timeout)
            assert (permit is None) == (ticket is None), ("admission", seed, step)
            if permit is not None and ticket is not None:
                assert permit.is_probe == ticket.probe, ("probe", seed, step)
                live.append((permit, ticket))
        elif live:
            permit, ticket = live.pop(rng.randrange(len(live)))
            effect = outcome(pick, p_neutral, p_throttle, p_eject, p_failure)
            seconds = rng.choice([0.0, 1.0, 20.0]) if pick() < p_told else None
            if visits is not None:
                note(visits, oracle, ticket, clock[0], effect)
            breaker.settle(permit, effect, seconds)
            oracle.settle(ticket, clock[0], effect, seconds)
            if pick() < 0.1:
                breaker.settle(permit, Effect.FAILURE, 5.0)
        seen = (breaker.state, breaker.retry_after(), breaker.failures, breaker.rejections, breaker.disabled)
        meant = (*oracle.reads(clock[0]), oracle.failures, oracle.rejections, oracle.disabled)
        assert seen == meant, ("reading", seed, step, seen, meant)
        assert len(told) == len(oracle.log) == breaker.transitions, ("transitions", seed, step)
    assert told == oracle.log, ("log", seed)
    assert len(jitter.given) == oracle.drawn, ("jitter", seed)
    if visits is not None:
        visits.update((before, after) for before, after, _, _ in told)
        visits.update(reason for _, _, reason, _ in told)


def by_hand(rng: random.Random, breaker: Any, oracle: Oracle) -> None:
    act = rng.choice(["force_open", "reset", "disable"])
    getattr(breaker, act)()
    if act == "disable":
        oracle.disabled = True
    else:
        getattr(oracle, act)()


def outcome(pick: Any, p_neutral: float, p_throttle: float, p_eject: float, p_failure: float) -> Effect:
    x = pick()
    if x < p_neutral:
        return Effect.NEUTRAL
    if x < p_neutral + p_throttle:
        return Effect.COOLDOWN
    if x < p_neutral + p_throttle + p_eject:
        return Effect.EJECT
    return Effect.FAILURE if pick() < p_failure else Effect.SUCCESS


def note(visits: Counter[Any], oracle: Oracle, ticket: Ticket, now: float, effect: Effect) -> None:
    """Counts the situations that the invariants are about, as they are met."""
    if ticket.life == -1:
        visits["settled a bypass"] += 1
    elif ticket.life != oracle.life:
        visits[f"settled late, {oracle.state}"] += 1
    elif oracle.state == HALF_OPEN:
        visits["settled a lapsed probe" if now >= ticket.lapses else f"probe {effect.value}"] += 1
