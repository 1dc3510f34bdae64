"""What has happened so far in one call, and what follows from it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Protocol

from llm_router_middleware.engine.call import Attempt, Call, Failure, FailureKind, Outcome, Verdict
from llm_router_middleware.engine.hedge import Hedge
from llm_router_middleware.models.spec import ModelSpec

__all__ = ["Kit", "Log", "Plan", "Trail"]


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
    def pause_s(self, round_: int, failure: Failure, model: ModelSpec, call: Call) -> float | None: ...
    def backoff_s(self, round_: int, failure: Failure) -> float | None: ...
    def hedge_after_s(self, model: ModelSpec, call: Call) -> float | None: ...
    def begin_hedge(self) -> bool: ...
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
class Trail:
    """What has happened so far in this call."""

    call: Call
    plan: Plan
    kit: Kit
    log: Log
    started: float
    queue: deque[ModelSpec]
    attempts: int = 0
    was_refused: bool = False
    rejected: bool = False
    hedged: bool = False
    own_failures: int = 0
    own_failure: Outcome | None = None
    native_failure: Outcome | None = None
    foreign_failure: Outcome | None = None
    again: dict[ModelSpec, Failure] = field(default_factory=dict)
    rounds: int = 0

    # -- what to ask for

    def attempt(self, model: ModelSpec) -> Attempt:
        native = model.provider == self.call.provider
        timeout_s = self._timeout_s(model)
        limits = [limit for limit in (timeout_s, self.kit.first_token_s if self.queue else None) if limit is not None]
        return Attempt(model, native, not self._is_own(model), timeout_s, min(limits, default=None))

    def left_s(self) -> float | None:
        deadline = self.call.limits.deadline_s
        return None if deadline is None else deadline - (self.kit.now() - self.started)

    def may_go_on(self) -> bool:
        left = self.left_s()
        return self.attempts < self.kit.max_attempts + self.rounds and (left is None or left > 0)

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
        return None if after_s is None else Hedge(self, attempt, admission, after_s)

    # -- what follows from an outcome

    def refused(self, model: ModelSpec, admission: Any) -> None:
        """Takes note of a circuit that does not let a model be asked."""
        self.was_refused = True
        self.log.refused(model, admission.reason)
        dead_key = model.provider == self.call.provider and admission.because == FailureKind.AUTH.label
        if dead_key and not self.kit.tries_next(Failure(FailureKind.AUTH)):
            # To be told, by the last resort, and not to be hidden by paying somebody else.
            self.queue.clear()

    def failed(self, attempt: Attempt, outcome: Outcome) -> bool:
        """Takes note of a failure; says whether another candidate may be tried."""
        failure = outcome.failure
        assert failure is not None  # noqa: S101 - called for failures only
        self.remember(attempt, outcome)
        may_recover = failure.kind.retry_same or failure.kind in _SDK_RETRIES
        if may_recover and not failure.retry_forbidden:
            self.again[attempt.model] = failure
        if not attempt.native:
            return failure.kind is not FailureKind.REFUSAL or self.kit.tries_next(failure) or self._only_own()
        tries_next = self.kit.tries_next(failure)
        if attempt.rewritten and (failure.kind.is_callers_fault or not tries_next):
            return self._fall_back_on_own(attempt, failure)
        if tries_next and not (self.plan.bound and failure.sent and failure.kind in _MAY_HAVE_RUN):
            return True
        self.queue.clear()
        return may_recover

    def _only_own(self) -> bool:
        """A refusal is an answer: nobody is asked but the model that the caller named, as he would have without us."""
        self.queue = deque(filter(self._is_own, self.queue))
        self.again = {model: failure for model, failure in self.again.items() if self._is_own(model)}
        return self.plan.own is not None and bool(self.queue or self.again or self.own_failure is None)

    def remember(self, attempt: Attempt, outcome: Outcome) -> None:
        if not attempt.rewritten:
            self.own_failure = outcome
            self.own_failures += 1
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

    def next_round(self) -> float | None:
        """Seconds until another round over what may have recovered; None when there is none.

        The caller's own model comes first, and waits as his SDK would have waited: whatever else is tried, he gets the
        tries that he would have had without us.
        """
        if self.rounds >= self.call.retries:
            return None
        pauses = {model: self.kit.pause_s(self.rounds, fail, model, self.call) for model, fail in self.again.items()}
        waits = {model: pause for model, pause in pauses.items() if pause is not None}
        pause = next(
            (pause for model, pause in waits.items() if self._is_own(model)), min(waits.values(), default=None)
        )
        left = self.left_s()
        if pause is None or (left is not None and pause >= left):
            return None
        self.rounds += 1
        self.queue = deque(sorted(waits, key=lambda model: not self._is_own(model)))
        return pause

    def last_resort(self) -> ModelSpec | None:
        """When all that was let through has failed, and the caller's own model was not let: his own call, once."""
        left = self.left_s()
        if self.own_failure is not None or (left is not None and left <= 0 and self.has_failed):
            return None
        if self.native_failure is not None:
            return self.plan.own if self.plan.own in self.plan.candidates else None
        natives = (model for model in self.plan.candidates if model.provider == self.call.provider)
        first = self.plan.own or next(natives, None)
        return first if first is not None or self.foreign_failure else self.plan.candidates[0]

    def once_more(self) -> tuple[ModelSpec | None, float]:
        """The caller's own model, as long as his SDK would have tried on, and the seconds that it would have waited.

        His circuit may be open for longer than that, and everybody else's as well: without us he would not have known.
        """
        own = self.plan.own
        failure = None if own is None else self.again.get(own)
        if failure is None or self.own_failures > self.call.retries:
            return None, 0.0
        pause, left = self.kit.backoff_s(self.own_failures - 1, failure), self.left_s()
        return (None, 0.0) if pause is None or (left is not None and pause >= left) else (own, pause)

    def reason(self, attempt: Attempt) -> str:
        if self.rejected and not attempt.rewritten:
            return "capability"
        if self.hedged and not self.has_failed:
            return "latency_fallback"
        if self.has_failed:
            return "failover"
        return "circuit_fallback" if self.was_refused else self.plan.reason

    def worst(self) -> Outcome:
        """The failure that the caller sees: of his own model, else of his own provider, else of another."""
        outcome = self.own_failure or self.native_failure or self.foreign_failure
        assert outcome is not None  # noqa: S101 - the last resort has been tried
        return outcome

    @property
    def has_failed(self) -> bool:
        """Whether an attempt has failed before: what is tried now is somebody else's load."""
        return bool(self.own_failure or self.native_failure or self.foreign_failure)


_SDK_RETRIES = frozenset({FailureKind.OVERLOADED, FailureKind.TIMEOUT, FailureKind.CONNECTION_LOST, FailureKind.POOL})
"""Kinds that the SDKs retry by themselves, beside those that are retried here in any case."""

_MAY_HAVE_RUN = frozenset({FailureKind.TIMEOUT, FailureKind.CONNECTION_LOST})
