"""How much is too much: of trying again, of calls at once to one target, of premium answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from llm_router_middleware.resilience.forking import renew_after_fork
from llm_router_middleware.resilience.window import RollingWindow

__all__ = ["ConcurrencyLimit", "PremiumCap", "RetryBudget", "Slot"]


class RetryBudget:
    """Trying the same provider again, and hedging, may add a fifth to the load, so that retries can't keep it down.

    Args:
        ratio: retries per call. 0.2 as in Envoy, Finagle and failsafe.
        floor: retries under way that are always allowed, so that a quiet program can retry at all. 3 as in Envoy.
        window_s: seconds over which both are counted. 10 as in Finagle.
        now: a monotonic clock, in seconds.
    """

    def __init__(
        self, ratio: float = 0.2, floor: int = 3, window_s: float = 10.0, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._ratio = ratio
        self._floor = floor
        self._now = now
        self._lock = threading.Lock()
        self._calls = RollingWindow(window_s)
        self._under_way = 0
        renew_after_fork(self)

    def deposit(self) -> None:
        """A call begins: its first attempt is no retry."""
        now = self._now()
        with self._lock:
            self._calls.add(now)

    def try_acquire(self) -> bool:
        """Asks to try again. When True, call `release()` once that attempt is over."""
        now = self._now()
        with self._lock:
            calls = self._calls
            calls.refresh(now)
            retries, firsts = calls.marked, calls.total - calls.marked
            if self._under_way >= self._floor and retries + 1 > self._ratio * firsts:
                return False
            calls.add(now, True)
            self._under_way += 1
            return True

    def release(self) -> None:
        """A retry is over."""
        with self._lock:
            self._under_way = max(self._under_way - 1, 0)

    def renew(self) -> None:
        """After a fork, in the child: a new lock, and what is under way is the parent's."""
        self._lock = threading.Lock()
        self._under_way = 0


class Slot:
    """One call's place at a target; to be released once.

    Attributes:
        cuts: how often the limit had been cut when it was given.
        released: whether it was given back.
    """

    __slots__ = ("cuts", "released")

    def __init__(self, cuts: int) -> None:
        self.cuts = cuts
        self.released = False


class ConcurrencyLimit:
    """How many calls at once one target takes, found out from its 429s: up by one a round, down by half.

    A failover that finds no place goes on to the next candidate; it doesn't queue.

    Args:
        max_inflight: where it begins, and its ceiling.
        floor: it never falls below.
    """

    def __init__(self, max_inflight: int = 256, floor: int = 8) -> None:
        self._ceiling = float(max(max_inflight, floor))
        self._floor = float(floor)
        self._limit = self._ceiling
        self._lock = threading.Lock()
        self._cuts = 0
        self.inflight = 0
        renew_after_fork(self)

    @property
    def limit(self) -> int:
        """Calls at once that are allowed now."""
        return int(self._limit)

    def try_acquire(self) -> Slot | None:
        """Asks for a place. None: the target is full."""
        with self._lock:
            if self.inflight >= int(self._limit):
                return None
            self.inflight += 1
            return Slot(self._cuts)

    def release(self, slot: Slot, throttled: bool = False) -> None:
        """Gives a place back. Once: a second time is ignored.

        Args:
            slot: from `try_acquire()`.
            throttled: the target answered 429.
        """
        with self._lock:
            if slot.released:
                return
            slot.released = True
            self.inflight = max(self.inflight - 1, 0)
            if not throttled:
                self._limit = min(self._limit + 1.0 / self._limit, self._ceiling)
            elif slot.cuts == self._cuts:
                # Calls that were under way when the limit was cut say nothing of the new one.
                self._cuts += 1
                self._limit = max(self._limit / 2.0, self._floor)

    def renew(self) -> None:
        """After a fork, in the child: a new lock, and what is under way is the parent's."""
        self._lock = threading.Lock()
        self.inflight = 0


class PremiumCap:
    """Bounds the share of premium calls, whatever the prompts: at most `share` of all calls, and a burst.

    Args:
        share: of all calls, 0 to 1; holds for every tenant and for all together.
        burst: premium calls that may come ahead of their share.
        max_tenants: tenants told apart; those who come later share one account.
    """

    def __init__(self, share: float, burst: float = 10.0, max_tenants: int = 1024) -> None:
        self._share = share
        self._burst = burst
        self._max_tenants = max_tenants
        self._lock = threading.Lock()
        self._saved: dict[str, float] = {}
        self._saved_by_all = burst
        renew_after_fork(self)

    def admit(self, premium: bool, tenant: str = "") -> bool:
        """Counts one call.

        Args:
            premium: whether it wants a premium model.
            tenant: on whose behalf.

        Returns:
            Whether it may have what it wants; if not, it goes a tier lower.
        """
        with self._lock:
            if tenant not in self._saved and len(self._saved) >= self._max_tenants:
                tenant = ""
            saved = min(self._saved.get(tenant, self._burst) + self._share, self._burst + self._share)
            saved_by_all = min(self._saved_by_all + self._share, self._burst + self._share)
            admitted = not premium or (saved >= 1.0 and saved_by_all >= 1.0)
            price = 1.0 if premium and admitted else 0.0
            self._saved[tenant] = saved - price
            self._saved_by_all = saved_by_all - price
            return admitted

    def renew(self) -> None:
        """After a fork, in the child: a new lock."""
        self._lock = threading.Lock()
