"""How much failover may add to a target's load: found out from its 429s, per endpoint."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from llm_router_middleware.engine.call import Failure, FailureKind
from llm_router_middleware.resilience.budget import ConcurrencyLimit, Slot

__all__ = ["Spill", "Spillways"]


class Spill:
    """Permission for a call that overflows from elsewhere: the circuit breakers' admission, and a place at the target.

    Attributes:
        admission: the circuit breakers' answer; None where there was no place.
        state: the state of the circuit that let it pass.
        reason: why not, for people; empty when admitted.
        because: why the circuit that refused has opened; empty where none did.
    """

    __slots__ = ("_limit", "_slot", "admission", "because", "reason", "state")

    def __init__(self, admission: Any, limit: ConcurrencyLimit, slot: Slot | None) -> None:
        self.admission = admission
        self._limit = limit
        self._slot = slot
        self.state: str = "closed" if admission is None else admission.state
        self.reason: str = "at its limit of concurrent calls" if admission is None else admission.reason
        self.because: str = "" if admission is None else admission.because

    def __bool__(self) -> bool:
        return not self.reason

    def leave(self, failure: Failure | None) -> None:
        """The call is over: gives the place back; a 429 makes fewer of them."""
        if self._slot is not None:
            self._limit.release(self._slot, throttled=failure is not None and failure.kind is FailureKind.RATE_LIMIT)


class Spillways:
    """The limits of one router's targets."""

    def __init__(self) -> None:
        self._limits: dict[str, ConcurrencyLimit] = {}
        self._lock = threading.Lock()

    def acquire(self, endpoint: str, ask: Callable[[], Any]) -> Spill:
        """Asks for a place at an endpoint, and then the circuit breakers.

        Args:
            endpoint: whose.
            ask: asks the circuit breakers.
        """
        limit = self._limit(endpoint)
        slot = limit.try_acquire()
        if slot is None:
            return Spill(None, limit, None)
        try:
            admission = ask()
            spill = Spill(admission, limit, slot if admission else None)
        except BaseException:
            limit.release(slot)
            raise
        if not admission:
            limit.release(slot)
        return spill

    def _limit(self, endpoint: str) -> ConcurrencyLimit:
        with self._lock:
            limit = self._limits.get(endpoint)
            if limit is None:
                limit = self._limits[endpoint] = ConcurrencyLimit()
            return limit
