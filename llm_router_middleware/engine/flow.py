"""route(): the decisions of one call, from the plan to the verdict. No I/O, no await, no clock of its own.

The flow yields an `Attempt` and receives its `Outcome`; or yields a `Pause` and receives nothing. It returns a
`Verdict` and raises only what was thrown into it, so whatever else comes out of it is a bug of ours, and the door
makes the caller's own call instead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from llm_router_middleware.engine.call import Attempt, Call, Failure, FailureKind, Outcome, Pause, Verdict
from llm_router_middleware.engine.drive import Flow
from llm_router_middleware.engine.hedge import Hedge
from llm_router_middleware.models.spec import ModelSpec

__all__ = ["Kit", "Log", "Plan", "route"]


class Kit(Protocol):
    """The parts of a router that a call asks for permission, and that learn from what came of it."""

    max_attempts: int
    first_token_s: float | None

    def now(self) -> float: ...
    def begin(self) -> None: ...
    def acquire(self, model: ModelSpec, call: Call, *, spill: bool) -> Any: ...
    def settle(self, admission: Any, failure: Failure | None, *, neutral: bool = False) -> None: ...
    def learn(self, model: ModelSpec, seconds: float, outcome: Outcome) -> None: ...
    def tries_next(self, failure: Failure) -> bool: ...
    def incompatible(self, model: ModelSpec, call: Call) -> None: ...
    def begin_retry(self) -> bool: ...
    def end_retry(self) -> None: ...
    def backoff_s(self, round_: int, failure: Failure) -> float | None: ...
    def hedge_after_s(self, model: ModelSpec, call: Call) -> float | None: ...
    def end_hedge(self) -> None: ...
    def share_of(self, left_s: float, model: ModelSpec) -> float: ...


class Log(Protocol):
    """Who writes the call's one event."""

    def attempted(self, model: ModelSpec, outcome: Outcome, seconds: float, breaker: str) -> None: ...
    def refused(self, model: ModelSpec, reason: str) -> None: ...
    def selected(self, model: ModelSpec, reason: str) -> None: ...
    def first_token(self, seconds: float) -> None: ...
    def finish(self, *, success: bool, error: str | None = None, outcome: Any = None) -> None: ...
    def keep(self, verdict: Verdict) -> None: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What the flow needs of a decision.

    Attributes:
        candidates: whom to try, in order.
        reason: why the first of them.
        own: the model that the caller named, asked through his own client; None where he named none ("auto").
        bound: why the request must not be made twice in different places; None if it may.
    """

    candidates: tuple[ModelSpec, ...]
    reason: str
    own: ModelSpec | None
    bound: str | None = None


@dataclass(slots=True)
class _Trail:
    """What has happened so far in this call."""

    call: Call
    plan: Plan
    kit: Kit
    log: Log
    started: float
    queue: deque[ModelSpec]
    attempts: int = 0
    refusals: int = 0
    rejected: bool = False
    hedged: bool = False
    own_failure: Outcome | None = None
    native_failure: Outcome | None = None
    foreign_failure: Outcome | None = None
    again: list[tuple[ModelSpec, Failure]] = field(default_factory=list)

    # -- what to ask for

    def attempt(self, model: ModelSpec) -> Attempt:
        native = model.provider == self.call.provider
        first_token_s = self.kit.first_token_s if self.queue else None
        return Attempt(model, native, not self._is_own(model), self._timeout_s(model), first_token_s)

    def left_s(self) -> float | None:
        deadline = self.call.limits.deadline_s
        return None if deadline is None else deadline - (self.kit.now() - self.started)

    def may_go_on(self) -> bool:
        left = self.left_s()
        return self.attempts < self.kit.max_attempts + self.call.retries and (left is None or left > 0)

    def _timeout_s(self, model: ModelSpec) -> float | None:
        left = self.left_s()
        if left is None:
            return None
        return max(self.kit.share_of(left, model) if self.queue else left, 0.001)

    def _is_own(self, model: ModelSpec) -> bool:
        own = self.plan.own
        return own is not None and model.name == own.name and model.provider == own.provider

    def hedge(self, attempt: Attempt, admission: Any) -> Hedge | None:
        """A second candidate to be asked beside the first, where hedging is on and nothing stands against it."""
        if not self.queue or self.plan.bound or self.call.body.get("tools"):
            return None
        after_s = self.kit.hedge_after_s(attempt.model, self.call)
        if after_s is None:
            return None
        rival = self.queue[0]
        permit = self.kit.acquire(rival, self.call, spill=True)
        if not permit or permit.state != "closed":
            _settle(self.kit, permit, None, neutral=True)
            self.kit.end_hedge()
            return None
        return Hedge(self, attempt, admission, self.attempt(rival), permit, after_s)

    # -- what follows from an outcome

    def failed(self, attempt: Attempt, outcome: Outcome) -> bool:
        """Takes note of a failure; says whether another candidate may be tried."""
        failure = outcome.failure
        assert failure is not None  # noqa: S101 - called for failures only
        self.remember(attempt, outcome)
        if failure.kind.retry_same or failure.kind in _SDK_RETRIES:
            self.again.append((attempt.model, failure))
        if not attempt.native:
            return True
        if attempt.rewritten and (failure.kind.is_callers_fault or failure.kind is FailureKind.INTERNAL):
            return self._fall_back_on_own(attempt, failure)
        if self.kit.tries_next(failure) and not (self.plan.bound and failure.sent and failure.kind in _MAY_HAVE_RUN):
            return True
        self.queue.clear()
        return failure.kind.retry_same or failure.kind in _MAY_HAVE_RUN

    def remember(self, attempt: Attempt, outcome: Outcome) -> None:
        if not attempt.rewritten:
            self.own_failure = outcome
        elif attempt.native:
            self.native_failure = self.native_failure or outcome
        else:
            self.foreign_failure = outcome

    def _fall_back_on_own(self, attempt: Attempt, failure: Failure) -> bool:
        """A rewrite that the provider, or the SDK itself, rejects is retried once, as the caller wrote it."""
        own = self.plan.own
        if failure.kind.is_callers_fault:
            self.kit.incompatible(attempt.model, self.call)
        if own is None:
            return True
        self.rejected = True
        self.queue = deque([own, *(model for model in self.queue if not self._is_own(model))])
        return True

    def next_round(self, round_: int) -> float | None:
        """Seconds until another round over what may have recovered; None when there is none."""
        retriable = [(m, f) for m, f in self.again if not f.retry_forbidden and f.kind is not FailureKind.QUOTA]
        if round_ >= self.call.retries or not retriable or not self.may_go_on():
            return None
        waits = [self.kit.backoff_s(round_, failure) for _, failure in retriable]
        pause = min((wait for wait in waits if wait is not None), default=None)
        left = self.left_s()
        if pause is None or (left is not None and pause >= left):
            return None
        self.queue = deque(dict.fromkeys(model for model, _ in retriable))
        self.again.clear()
        return pause

    def last_resort(self) -> ModelSpec | None:
        """When nobody of the caller's provider was let through: his own call, once, so that the answer is native."""
        if self.own_failure is not None or self.native_failure is not None:
            return None
        natives = (model for model in self.plan.candidates if model.provider == self.call.provider)
        first = self.plan.own or next(natives, None)
        return first if first is not None or self.foreign_failure else self.plan.candidates[0]

    def reason(self, attempt: Attempt) -> str:
        if self.rejected and not attempt.rewritten:
            return "capability"
        if self.hedged and not self.has_failed:
            return "latency_fallback"
        if self.has_failed:
            return "failover"
        return "circuit_fallback" if self.refusals else self.plan.reason

    def worst(self) -> Outcome:
        """The failure that the caller sees: of his own model, else of his own provider, else of another."""
        outcome = self.own_failure or self.native_failure or self.foreign_failure
        assert outcome is not None  # noqa: S101 - the last resort has been tried
        return outcome

    @property
    def has_failed(self) -> bool:
        """Whether an attempt has failed before: what is tried now is somebody else's load."""
        return bool(self.own_failure or self.native_failure or self.foreign_failure)


_SDK_RETRIES = frozenset(
    {FailureKind.OVERLOADED, FailureKind.TIMEOUT, FailureKind.CONNECTION_LOST, FailureKind.CAPACITY, FailureKind.POOL}
)
"""Kinds that the SDKs retry by themselves, beside those that are retried here in any case."""

_MAY_HAVE_RUN = frozenset({FailureKind.TIMEOUT, FailureKind.CONNECTION_LOST})


def route(call: Call, plan: Plan, kit: Kit, log: Log) -> Flow:
    """Carries one call from its plan to its verdict.

    Args:
        call: what was asked.
        plan: the candidates, in order.
        kit: permits, latencies and time.
        log: who writes the event.

    Returns:
        The verdict, by way of the generator's return value.
    """
    trail = _Trail(call, plan, kit, log, kit.now(), deque(_admissible(plan, call)))
    try:
        verdict = yield from _rounds(trail)
    except Exception:
        raise
    except BaseException as exc:
        log.finish(success=False, error="cancelled" if _is_cancellation(exc) else type(exc).__name__)
        raise
    log.keep(verdict)
    return verdict


def _admissible(plan: Plan, call: Call) -> Iterable[ModelSpec]:
    if plan.bound or call.native_only:
        return (model for model in plan.candidates if model.provider == call.provider)
    return plan.candidates


Maybe = Generator[Attempt | Pause, Outcome | None, Verdict | None]
"""A part of a flow: a verdict when the call is over, None when it goes on."""


def _rounds(trail: _Trail) -> Flow:
    trail.kit.begin()
    verdict = yield from _round(trail)
    for round_ in range(trail.call.retries):
        pause = None if verdict is not None else trail.next_round(round_)
        if pause is None or not trail.kit.begin_retry():
            break
        try:
            yield Pause(pause)
            verdict = yield from _round(trail)
        finally:
            trail.kit.end_retry()
    resort = None if verdict is not None else trail.last_resort()
    if resort is not None:
        verdict = yield from _try(trail, resort, admission=None)
    return verdict or _give_up(trail)


def _round(trail: _Trail) -> Maybe:
    while trail.queue and (trail.may_go_on() or not trail.attempts):
        model = trail.queue.popleft()
        admission = trail.kit.acquire(model, trail.call, spill=trail.has_failed)
        try:
            if not admission:
                trail.refusals += 1
                trail.log.refused(model, admission.reason)
                continue
            verdict = yield from _try(trail, model, admission)
        except BaseException:
            _settle(trail.kit, admission, None, neutral=True)
            raise
        if verdict is not None:
            return verdict
    return None


def _try(trail: _Trail, model: ModelSpec, admission: Any) -> Maybe:
    """One attempt, with its permit; None for the last resort, which needs none."""
    kit, log = trail.kit, trail.log
    attempt = trail.attempt(model)
    trail.attempts += 1
    began = kit.now()
    hedge = None if admission is None or trail.attempts > 1 else trail.hedge(attempt, admission)
    try:
        outcome = yield attempt if hedge is None else hedge.attempt
    except BaseException:
        if hedge is not None:
            hedge.call_off()
        raise
    assert outcome is not None  # noqa: S101 - an attempt is always answered by its outcome
    seconds = kit.now() - began
    if hedge is not None:
        attempt, admission = hedge.judge(outcome, seconds)
        model = attempt.model
    log.attempted(model, outcome, seconds, "closed" if admission is None else admission.state)
    if outcome.failure is None:
        kit.learn(model, seconds, outcome)
        return _succeed(trail, attempt, outcome, admission, kit.now() - trail.started)
    _settle(kit, admission, outcome.failure)
    return None if trail.failed(attempt, outcome) else _give_up(trail, outcome)


def _succeed(trail: _Trail, attempt: Attempt, outcome: Outcome, admission: Any, seconds: float) -> Verdict:
    trail.log.selected(attempt.model, trail.reason(attempt))
    if outcome.watch is None:
        _settle(trail.kit, admission, None)
        trail.log.finish(success=True, outcome=outcome)
        return Verdict(outcome.value)
    trail.log.first_token(seconds)

    def ended(end: Any) -> None:
        try:
            _settle(trail.kit, admission, end.failure, neutral=end.failure is None and not end.complete)
        finally:
            trail.log.finish(success=end.failure is None, error=end.error, outcome=end)

    outcome.watch.on_end(ended)
    return Verdict(outcome.value)


def _give_up(trail: _Trail, outcome: Outcome | None = None) -> Verdict:
    outcome = outcome or trail.worst()
    kind = outcome.failure.kind.label if outcome.failure is not None else None
    error = kind if outcome.error is None else type(outcome.error).__name__
    trail.log.finish(success=False, error=error)
    return Verdict(outcome.value, outcome.error)


def _settle(kit: Kit, admission: Any, failure: Failure | None, *, neutral: bool = False) -> None:
    if admission is not None:
        kit.settle(admission, failure, neutral=neutral)


def _is_cancellation(exc: BaseException) -> bool:
    return type(exc).__name__ in {"CancelledError", "GeneratorExit", "KeyboardInterrupt", "Cancelled"}
