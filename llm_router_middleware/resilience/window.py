"""A rolling count of events, some of them marked, in buckets of time."""

from __future__ import annotations

import math
from collections import deque

__all__ = ["BUCKETS", "RollingWindow"]

BUCKETS = 10
"""Pieces of a window: what leaves it leaves a tenth at a time."""


class RollingWindow:
    """How much happened lately. Not locked: its owner is.

    Args:
        seconds: how long an event counts.

    Attributes:
        total: events in the window, as of the latest.
        marked: those of them that were marked.
    """

    __slots__ = ("_buckets", "_latest", "_turns_at", "_width", "marked", "total")

    def __init__(self, seconds: float) -> None:
        self._width = seconds / BUCKETS
        self._buckets: deque[list[int]] = deque()
        self._turns_at = -math.inf
        self.total = self.marked = 0

    def add(self, now: float, mark: bool = False) -> None:
        """Counts one event."""
        # Threads read the clock before they queue for the lock, so "now" may lie a little before the latest bucket.
        if now >= self._turns_at:
            self._turn(now)
        latest = self._latest
        latest[0] += 1
        self.total += 1
        if mark:
            latest[1] += 1
            self.marked += 1

    def refresh(self, now: float) -> None:
        """Lets go of what is older than the window."""
        if now >= self._turns_at:
            self._turn(now)

    def clear(self) -> None:
        """Forgets everything."""
        self._buckets.clear()
        self._turns_at = -math.inf
        self.total = self.marked = 0

    def __len__(self) -> int:
        """Buckets held: at most `BUCKETS`."""
        return len(self._buckets)

    def _turn(self, now: float) -> None:
        """Begins the bucket of this moment and drops those that have left the window."""
        index = int(now / self._width)
        buckets = self._buckets
        while buckets and buckets[0][2] <= index - BUCKETS:
            total, marked, _ = buckets.popleft()
            self.total -= total
            self.marked -= marked
        self._turns_at = (index + 1) * self._width
        self._latest = [0, 0, index]
        buckets.append(self._latest)
