"""What is known of an endpoint as a whole: whether a failure is one model's, or everybody's who uses this endpoint.

An endpoint is one provider at one origin with one credential. Its circuit learns from what never reached a model
(no connection) and from what concerns the account (quota, credential); one model's trouble must not close the others.
"""

from __future__ import annotations

import math
import threading

from llm_router_middleware.engine.call import Effect, Failure, FailureKind
from llm_router_middleware.resilience.breaker import CircuitBreaker
from llm_router_middleware.resilience.breaker_settings import BreakerSettings

__all__ = ["Endpoint"]

RECENT_ENOUGH_S = 1.0
"""A model noted less than this ago needn't be noted again: keeps a success cheap."""

MAY_BE_THE_MODELS = frozenset({FailureKind.TIMEOUT, FailureKind.CONNECTION_LOST})
"""Kinds that count against the endpoint only once they are seen on a second model, or no other model is in use."""


class LatestTwo:
    """When the latest two different names were noted: enough to know whether more than one is at it."""

    __slots__ = ("at", "name", "other_at")

    def __init__(self) -> None:
        self.name = ""
        self.at = self.other_at = -math.inf

    def note(self, name: str, now: float) -> None:
        """`name` is at it."""
        if name != self.name:
            self.name, self.other_at = name, self.at
        self.at = now

    def another(self, since: float) -> bool:
        """Whether a name other than the latest was noted since then."""
        return self.other_at >= since


class Endpoint:
    """The circuit of an endpoint, those of its models, and what tells the one's failures from the others'.

    Attributes:
        circuit: the breaker of the endpoint.
        models: the breakers of its models, by the model's name.
    """

    __slots__ = ("_denied", "_lock", "_lost", "_rejected", "_settings", "_used", "circuit", "models")

    def __init__(self, circuit: CircuitBreaker, settings: BreakerSettings) -> None:
        self.circuit = circuit
        self.models: dict[str, CircuitBreaker] = {}
        self._settings = settings
        self._lock = threading.Lock()
        self._used = LatestTwo()
        self._lost = LatestTwo()
        self._denied = LatestTwo()
        self._rejected = 0

    def succeeded(self, model: str, now: float) -> None:
        """A call to this model was answered."""
        used = self._used
        if self._rejected or used.name != model or now - used.at > RECENT_ENOUGH_S:
            with self._lock:
                used.note(model, now)
                self._rejected = 0

    def failed(self, failure: Failure, model: str, now: float) -> tuple[Effect, float | None]:
        """A call to this model has failed.

        Returns:
            What the endpoint's circuit learns, and for an ejection its length in seconds, where it isn't the usual one.
        """
        with self._lock:
            self._used.note(model, now)
            if failure.kind is FailureKind.AUTH:
                return self._judge_rejection_locked(failure, model, now)
            if failure.status is not None:
                # Whatever it says, it was said to somebody with a valid credential.
                self._rejected = 0
            if failure.kind in MAY_BE_THE_MODELS:
                self._lost.note(model, now)
                return (Effect.FAILURE if self._is_wide_locked(self._lost, now) else Effect.NEUTRAL), None
            return failure.kind.endpoint_effect, None

    def _judge_rejection_locked(self, failure: Failure, model: str, now: float) -> tuple[Effect, float | None]:
        self._rejected += 1
        self._denied.note(model, now)
        # A 401 is about the credential; a 403 may be about this one model, which others needn't suffer for.
        is_wide = failure.status != 403 or self._is_wide_locked(self._denied, now)
        if self._rejected >= self._settings.auth_threshold and is_wide:
            return Effect.EJECT, self._settings.auth_ejection_s
        return Effect.NEUTRAL, None

    def _is_wide_locked(self, trouble: LatestTwo, now: float) -> bool:
        """Whether a second model has the same trouble as the one just noted, or no other model is in use."""
        since = now - self._settings.window_s
        return trouble.another(since) or not self._used.another(since)

    def renew(self) -> None:
        """After a fork, in the child: new locks throughout."""
        self._lock = threading.Lock()
        self.circuit.renew()
        for circuit in self.models.values():
            circuit.renew()
