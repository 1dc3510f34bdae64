"""A rolling count of events, some of them marked, in buckets of time."""

from __future__ import annotations

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

    __slots__ = ("_buckets", "_width", "marked", "total")

    def __init__(self, seconds: float) -> None:
        self._width = seconds / BUCKETS
        self._buckets: deque[list[int]] = deque()
        self.total = self.marked = 0

    def add(self, now: float, mark: bool = False) -> None:
        """Counts one event."""
        bucket = self._bucket(now)
        bucket[0] += 1
        bucket[1] += mark
        self.total += 1
        self.marked += mark

    def clear(self) -> None:
        """Forgets everything."""
        self._buckets.clear()
        self.total = self.marked = 0

    def __len__(self) -> int:
        """Buckets held: at most `BUCKETS`."""
        return len(self._buckets)

    def refresh(self, now: float) -> None:
        """Lets go of what is older than the window."""
        self._evict(int(now / self._width))

    def _bucket(self, now: float) -> list[int]:
        """The bucket of this moment."""
        index = int(now / self._width)
        buckets = self._buckets
        # Threads read the clock before they queue for the lock, so "now" may lie a little before the latest bucket.
        if buckets and index <= buckets[-1][2]:
            return buckets[-1]
        self._evict(index)
        bucket = [0, 0, index]
        buckets.append(bucket)
        return bucket

    def _evict(self, index: int) -> None:
        buckets = self._buckets
        while buckets and buckets[0][2] <= index - BUCKETS:
            total, marked, _ = buckets.popleft()
            self.total -= total
            self.marked -= marked
