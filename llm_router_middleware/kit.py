"""What a router's calls share: permits, latencies, money, and the memory of what did not fit."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from llm_router_middleware.engine.call import Call, Failure, FailureKind, Outcome
from llm_router_middleware.models.spec import ModelSpec
from llm_router_middleware.resilience.budget import RetryBudget
from llm_router_middleware.spillways import Spill, Spillways

__all__ = ["Kit", "Misfits"]

_BACKOFF_BASE_S = 0.5
_BACKOFF_CAP_S = 8.0
"""The SDKs' own first and longest pause between tries (INITIAL_RETRY_DELAY, MAX_RETRY_DELAY in their constants)."""

_HEDGE_RATIO = 0.05
"""Hedges per call: one in twenty, since that many are above the p95 (reliability R9)."""

_LEASE_GRACE_S = 5.0
"""Seconds beyond an attempt's timeout after which a probe that never reported is given up (reliability 1.5)."""

_LONGEST_WAIT_S = 120.0
"""A `Retry-After` beyond this is not waited for: OpenAI's own limit (MAX_RETRY_AFTER_DELAY); Anthropic has none."""

_LONGEST_CLOSED_S = 66.0
"""A circuit that stays closed to callers for longer is not waited for: a minute, and the spread of a cooldown."""


class Kit:
    """The flow's view of a router.

    Args:
        breakers: who may be asked.
        latency: how fast they have been.
        endpoint_of: the breaker key of another provider than the caller's.
        find: what the registry knows of (provider, model).
        misfits: what providers have rejected.
        retries: how much trying again adds to the load.
        spillways: how much failover adds to a target's load.
        now: monotonic seconds.
        random: a number in [0, 1) for jitter.
        max_attempts: requests per call, retries aside.
        first_token_s: seconds until a stream must show content while there is another candidate.
        auth_failover: whether a rejected key tries the next provider.
        refusal_failover: whether a content refusal tries the next model.
        hedge: whether a second model is asked beside a first that takes longer than its p95.
    """

    def __init__(
        self,
        *,
        breakers: Any,
        latency: Any,
        endpoint_of: Callable[[str], str],
        find: Callable[[str, str], ModelSpec | None],
        misfits: Misfits,
        retries: RetryBudget,
        spillways: Spillways,
        now: Callable[[], float],
        random: Callable[[], float],
        max_attempts: int = 5,
        first_token_s: float | None = None,
        auth_failover: bool = False,
        refusal_failover: bool = False,
        hedge: bool = False,
    ) -> None:
        self.now = now
        self.find = find
        self.max_attempts = max_attempts
        self.first_token_s = first_token_s
        self.bugs = 0
        self._breakers = breakers
        self._latency = latency
        self._endpoint_of = endpoint_of
        self._misfits = misfits
        self._retries = retries
        self._spillways = spillways
        self._random = random
        self._auth_failover = auth_failover
        self._refusal_failover = refusal_failover
        self._hedge = hedge
        self._hedges = RetryBudget(_HEDGE_RATIO, 0, now=now)

    def begin(self) -> None:
        """A call begins: it earns a fifth of a retry."""
        self._retries.deposit()
        if self._hedge:
            self._hedges.deposit()

    def begin_retry(self) -> bool:
        """Whether another round may be made now; then `end_retry` when it is over."""
        return self._retries.try_acquire()

    def end_retry(self) -> None:
        """A round of retries is over."""
        self._retries.release()

    def acquire(self, model: ModelSpec, call: Call, *, spill: bool) -> Any:
        """Asks for permission to ask a model.

        Args:
            model: which.
            call: for whom.
            spill: another model has failed before: what overflows from there must not drown this one.
        """
        endpoint = self._endpoint(model, call)
        lease_s = None if call.timeout_s is None else call.timeout_s + _LEASE_GRACE_S
        if not spill:
            return self._breakers.acquire(endpoint, model.name, lease_s)
        return self._spillways.acquire(endpoint, lambda: self._breakers.acquire(endpoint, model.name, lease_s))

    def settle(self, admission: Any, failure: Failure | None, *, neutral: bool = False) -> None:
        """Tells the circuit breakers what came of it."""
        if isinstance(admission, Spill):
            admission.leave(failure)
            admission = admission.admission
        if admission is not None:
            self._breakers.settle(admission, failure, neutral=neutral)

    def learn(self, model: ModelSpec, seconds: float, outcome: Outcome) -> None:
        """Takes note of how long an answer, or the first content of a stream, took."""
        if outcome.watch is not None:
            self._latency.record_first_token(model.key, seconds)
        else:
            tokens = getattr(outcome.usage, "output_tokens", None)
            self._latency.record(model.key, seconds, output_tokens=tokens)

    def tries_next(self, failure: Failure) -> bool:
        """Whether a failure lets another candidate be tried."""
        if failure.kind is FailureKind.AUTH:
            return self._auth_failover
        if failure.kind is FailureKind.REFUSAL:
            return self._refusal_failover
        return failure.kind.tries_next

    def incompatible(self, model: ModelSpec, call: Call) -> None:
        """Remembers that a model's provider has rejected a rewrite of such a request."""
        self._misfits.add(model.key, call)

    def pause_s(self, round_: int, failure: Failure, model: ModelSpec, call: Call) -> float | None:
        """Seconds until a model that has failed may be asked again: as the SDKs wait, and until its circuits let it.

        None when that is too long to wait for.
        """
        pause, closed_s = self.backoff_s(round_, failure), self._closed_for_s(model, call)
        return None if pause is None or closed_s > _LONGEST_CLOSED_S else max(pause, closed_s)

    def backoff_s(self, round_: int, failure: Failure) -> float | None:
        """Seconds that the SDKs wait before they try again; None when that is too long to wait for."""
        told = failure.retry_after_s
        pause = min(_BACKOFF_BASE_S * 2.0**round_, _BACKOFF_CAP_S) * (1 - 0.25 * self._random())
        pause = pause if told is None else told
        return pause if pause <= _LONGEST_WAIT_S else None

    def _closed_for_s(self, model: ModelSpec, call: Call) -> float:
        endpoint = self._endpoint(model, call)
        circuits = (self._breakers.get(name) for name in (endpoint, f"{endpoint}/{model.name}"))
        return max((circuit.retry_after() for circuit in circuits if circuit is not None), default=0.0)

    def _endpoint(self, model: ModelSpec, call: Call) -> str:
        return call.endpoint if model.provider == call.provider else self._endpoint_of(model.provider)

    def hedge_after_s(self, model: ModelSpec, call: Call) -> float | None:
        """Seconds after which a second model is asked beside this one: its p95. None where hedging is off."""
        if not self._hedge:
            return None
        latency = self._latency
        slow = latency.p95_first_token(model.key) if call.stream else latency.p95(model.key)
        return None if slow is None else float(slow)

    def begin_hedge(self) -> bool:
        """Whether a second model may be asked now, by the budget; then `end_hedge` when the call is decided."""
        return self._hedges.try_acquire()

    def end_hedge(self) -> None:
        """The call that was hedged is decided."""
        self._hedges.release()

    def share_of(self, left_s: float, model: ModelSpec) -> float:
        """Seconds for an attempt that has an alternative: three quarters of what is left, or 1.5 times its slowest."""
        slowest = self._latency.p95(model.key)
        share = 0.75 * left_s if slowest is None else min(0.75 * left_s, 1.5 * slowest)
        return max(share, min(1.0, left_s))

    def bug(self) -> None:
        """Counts a failure of ours that a call was not made to feel."""
        self.bugs += 1


class Misfits:
    """Which model has rejected what kind of request, for a while. Bounded.

    Args:
        shape_of: what kind of request a call is.
        now: monotonic seconds.
        ttl_s: seconds after which it is tried again.
    """

    def __init__(
        self, shape_of: Callable[[Call], Any], now: Callable[[], float], ttl_s: float = 600.0, size: int = 512
    ) -> None:
        self._shape_of = shape_of
        self._now = now
        self._ttl_s = ttl_s
        self._size = size
        self._stamp = 0
        self._until: OrderedDict[tuple[str, Any], float] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, key: str, call: Call) -> None:
        """Remembers a rejection."""
        shape = self._shape_of(call)
        with self._lock:
            self._until[key, shape] = self._now() + self._ttl_s
            self._until.move_to_end((key, shape))
            self._stamp += 1
            if len(self._until) > self._size:
                self._until.popitem(last=False)

    @property
    def stamp(self) -> int:
        """Changes whenever something is added, or may be tried again."""
        if self._until and next(iter(self._until.values())) <= self._now():
            self._forget()
        return self._stamp

    def _forget(self) -> None:
        with self._lock:
            for entry in [entry for entry, until in self._until.items() if until <= self._now()]:
                del self._until[entry]
            self._stamp += 1

    def why(self, key: str, call: Call) -> str | None:
        """Why a model is not offered such a request now; None if it is."""
        if not self._until:
            return None
        until = self._until.get((key, self._shape_of(call)))
        if until is None or until <= self._now():
            return None
        return "its provider rejected such a request a moment ago"
