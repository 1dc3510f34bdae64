"""Everything that a call's decisions touch, made of plain values: breakers, clock, log, and the calls themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from llm_router_middleware.engine.call import Attempt, Call, Failure, FailureKind, Limits, Outcome, Pause, Verdict
from llm_router_middleware.engine.flow import Plan, route
from llm_router_middleware.engine.watch import StreamEnd
from llm_router_middleware.models.spec import ModelSpec, Tier

__all__ = ["BUDGET", "OTHER", "OWN", "Admission", "Bad", "FakeKit", "FakeLog", "FakeWatch", "bad", "names", "ok", "run"]

BUDGET = ModelSpec("small", "openai", Tier.BUDGET)
OWN = ModelSpec("large", "openai", Tier.PREMIUM)
OTHER = ModelSpec("elsewhere", "groq", Tier.BUDGET)


@dataclass
class Admission:
    ok: bool
    reason: str = "circuit open"
    state: str = "closed"
    model: str = ""
    because: str = ""

    def __bool__(self) -> bool:
        return self.ok


@dataclass
class FakeKit:
    """Breakers, clock and latencies of a test."""

    max_attempts: int = 5
    first_token_s: float | None = None
    time: float = 0.0
    closed_to: set[str] = field(default_factory=set)
    settled: list[tuple[str, str]] = field(default_factory=list)
    misfits: list[str] = field(default_factory=list)
    held: int = 0
    may_retry: bool = True
    retrying: int = 0
    states: dict[str, str] = field(default_factory=dict)
    spills: list[tuple[str, bool]] = field(default_factory=list)
    learned: list[tuple[str, float]] = field(default_factory=list)
    hedge_s: float | None = None
    may_hedge: bool = True
    because: str = ""
    hedging: int = 0
    asked_to_hedge: list[str] = field(default_factory=list)
    began: int = 0

    def now(self) -> float:
        return self.time

    def begin(self) -> None:
        self.began += 1

    def begin_retry(self) -> bool:
        self.retrying += self.may_retry
        return self.may_retry

    def end_retry(self) -> None:
        self.retrying -= 1

    def acquire(self, model: ModelSpec, call: Call, *, spill: bool) -> Admission:
        admitted = model.name not in self.closed_to
        self.held += admitted
        self.spills.append((model.name, spill))
        return Admission(admitted, state=self.states.get(model.name, "closed"), model=model.name, because=self.because)

    def settle(self, admission: Admission, failure: Failure | None, *, neutral: bool = False) -> None:
        assert admission is not None, "the last resort has no permit"
        if not admission:
            return  # there was nothing to give back
        self.held -= 1
        said = "neutral" if neutral else "ok" if failure is None else failure.kind.label
        self.settled.append((said, admission.model))

    def learn(self, model: ModelSpec, seconds: float, outcome: Outcome) -> None:
        self.learned.append((model.name, seconds))

    def tries_next(self, failure: Failure) -> bool:
        return failure.kind.tries_next

    def incompatible(self, model: ModelSpec, call: Call) -> None:
        self.misfits.append(model.name)

    def pause_s(self, round_: int, failure: Failure, model: ModelSpec, call: Call) -> float | None:
        return None if model.name in self.closed_to else self.backoff_s(round_, failure)

    def backoff_s(self, round_: int, failure: Failure) -> float | None:
        return failure.retry_after_s if failure.retry_after_s is not None else 0.5 * 2**round_

    def hedge_after_s(self, model: ModelSpec, call: Call) -> float | None:
        self.asked_to_hedge.append(model.name)
        return self.hedge_s

    def begin_hedge(self) -> bool:
        self.hedging += self.may_hedge
        return self.may_hedge

    def end_hedge(self) -> None:
        self.hedging -= 1

    def share_of(self, left_s: float, model: ModelSpec) -> float:
        return 0.75 * left_s


@dataclass
class FakeLog:
    """Takes down what the flow reports."""

    attempts: list[tuple[str, str]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    reason: str | None = None
    served: str | None = None
    ended: list[tuple[bool, str | None]] = field(default_factory=list)
    outcomes: list[Any] = field(default_factory=list)
    took: list[tuple[float, str]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    kept: list[Verdict] = field(default_factory=list)

    def attempted(self, model: ModelSpec, outcome: Outcome, seconds: float, breaker: str) -> None:
        self.attempts.append((model.name, "ok" if outcome.failure is None else outcome.failure.kind.label))
        self.took.append((seconds, breaker))

    def refused(self, model: ModelSpec, reason: str) -> None:
        self.refusals.append(model.name)
        self.reasons.append(reason)

    def selected(self, model: ModelSpec, reason: str) -> None:
        self.served, self.reason = model.name, reason

    def first_token(self, seconds: float) -> None:
        self.first.append(seconds)

    def finish(self, *, success: bool, error: str | None = None, outcome: Any = None) -> None:
        self.ended.append((success, error))
        self.outcomes.append(outcome)

    def keep(self, verdict: Verdict) -> None:
        self.kept.append(verdict)


class Bad(Exception):  # noqa: N818 - read as "bad(kind)"
    """A provider's error."""


def ok(value: Any = "answer") -> Outcome:
    return Outcome(value=value)


def bad(kind: FailureKind, **details: Any) -> Outcome:
    return Outcome(error=Bad(kind.label), failure=Failure(kind, **details))


def run(
    answers: dict[str, list[Any]],
    *,
    candidates: tuple[ModelSpec, ...] = (BUDGET, OWN, OTHER),
    own: ModelSpec | None = OWN,
    kit: FakeKit | None = None,
    retries: int = 2,
    bound: str | None = None,
    limits: Limits | None = None,
    seconds_each: float = 0.0,
    **of_the_call: Any,
) -> tuple[Verdict, FakeLog, FakeKit, list[Attempt], list[float]]:
    """Drives one call over scripted outcomes, or functions of the attempt; the last one of a model repeats."""
    kit, log = kit or FakeKit(), FakeLog()
    body = {"model": "large", **of_the_call.pop("body", {})}
    call = Call("openai", "openai_chat", body, retries=retries, limits=limits or Limits(), **of_the_call)
    flow = route(call, Plan(candidates, "complexity_match", own, bound), kit, log)
    made: list[Attempt] = []
    pauses: list[float] = []
    try:
        wish = next(flow)
        while True:
            if isinstance(wish, Pause):
                pauses.append(wish.seconds)
                kit.time += wish.seconds
                wish = flow.send(None)
                continue
            made.append(wish)
            kit.time += seconds_each
            script = answers[wish.model.name]
            answer = script.pop(0) if len(script) > 1 else script[0]
            wish = flow.send(answer(wish) if callable(answer) else answer)
    except StopIteration as stop:
        return stop.value, log, kit, made, pauses


def names(made: list[Attempt]) -> list[str]:
    return [attempt.model.name for attempt in made]


class FakeWatch:
    """A stream whose end the test announces."""

    def on_end(self, listener: Callable[[StreamEnd], None]) -> None:
        self.tell = listener
