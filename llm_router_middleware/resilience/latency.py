"""How long models take now: the latest answers of each, and their 95th percentile."""

from __future__ import annotations

import math
import threading
import time
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable

from llm_router_middleware.resilience.forking import renew_after_fork
from llm_router_middleware.resilience.latency_gate import LatencyGate
from llm_router_middleware.resilience.pace import Pace, UsualLength

__all__ = ["LatencyGate", "LatencyTracker"]


class LatencyTracker:
    """The latest latencies of every model, for whole answers and for first tokens.

    The 95th percentile is by nearest rank: the smallest sample that at least 95 % of the samples don't exceed.

    Args:
        window: samples kept per model.
        minimum: samples below which there is no percentile.
        max_age_s: seconds after which a sample no longer counts: what was slow an hour ago says nothing of now.
        max_keys: models kept; the longest silent are forgotten first.
        now: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        window: int = 50,
        minimum: int = 5,
        *,
        max_age_s: float = 300.0,
        max_keys: int = 1024,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.now = now
        self._window = window
        self._minimum = minimum
        self._max_age_s = max_age_s
        self._max_keys = max_keys
        self._lock = threading.Lock()
        self._answers: dict[str, _Samples] = {}
        self._first_tokens: dict[str, _Samples] = {}
        self._usual = UsualLength()
        renew_after_fork(self)

    def record(self, key: str, seconds: float, output_tokens: int | None = None) -> None:
        """Takes the time of one whole answer.

        Args:
            key: the model, as `provider/name`.
            seconds: from the request to the end of the answer. Nonsense (negative, not finite) is ignored.
            output_tokens: how long the answer was. With it the time is brought to an answer of usual length, so that a
                few long answers don't make a model look slow.
        """
        if not _is_duration(seconds):
            return
        now = self.now()
        with self._lock:
            samples = self._samples_locked(self._answers, key)
            if output_tokens is not None and output_tokens > 0:
                seconds = samples.pace.at_length(self._usual.take(output_tokens), seconds, output_tokens)
            samples.add(seconds, now)

    def record_first_token(self, key: str, seconds: float) -> None:
        """Takes the time from one request to the first content of its stream, in seconds."""
        if not _is_duration(seconds):
            return
        now = self.now()
        with self._lock:
            self._samples_locked(self._first_tokens, key).add(seconds, now)

    def p95(self, key: str, since: float = -math.inf) -> float | None:
        """The 95th percentile of whole answers, in seconds.

        Args:
            key: the model.
            since: only samples taken after this time on the tracker's clock.

        Returns:
            None where there are too few samples.
        """
        return self._p95(self._answers, key, since)

    def p95_first_token(self, key: str, since: float = -math.inf) -> float | None:
        """The 95th percentile of the time to the first token, in seconds; None where there are too few samples."""
        return self._p95(self._first_tokens, key, since)

    def _p95(self, kept: dict[str, _Samples], key: str, since: float) -> float | None:
        samples = kept.get(key)
        if samples is None:
            return None
        horizon = max(since, self.now() - self._max_age_s)
        if samples.oldest > horizon:
            return samples.p95
        with self._lock:
            return samples.p95_after(horizon)

    def _samples_locked(self, kept: dict[str, _Samples], key: str) -> _Samples:
        samples = kept.get(key)
        if samples is None:
            if len(kept) >= self._max_keys:
                for silent in sorted(kept, key=lambda name: kept[name].newest)[: max(len(kept) // 4, 1)]:
                    del kept[silent]
            samples = kept[key] = _Samples(self._window, self._minimum)
        return samples

    def renew(self) -> None:
        """After a fork, in the child: a new lock."""
        self._lock = threading.Lock()


class _Samples:
    """A window of samples in order of time and in order of size, so that the percentile is there when it is asked for.

    Attributes:
        oldest: when the first of them was taken.
        newest: when the last of them was taken.
        p95: the percentile of them all; None while they are too few.
    """

    __slots__ = ("_by_size", "_by_time", "_minimum", "_window", "newest", "oldest", "p95", "pace")

    def __init__(self, window: int, minimum: int) -> None:
        self._window = window
        self._minimum = minimum
        self._by_time: deque[tuple[float, float]] = deque()
        self._by_size: list[float] = []
        self.oldest = self.newest = math.inf
        self.p95: float | None = None
        self.pace = Pace()

    def add(self, seconds: float, now: float) -> None:
        """Takes a sample; the oldest makes room for it."""
        by_time, by_size = self._by_time, self._by_size
        if len(by_time) >= self._window:
            del by_size[bisect_left(by_size, by_time.popleft()[1])]
        by_time.append((now, seconds))
        insort(by_size, seconds)
        self.oldest, self.newest = by_time[0][0], now
        self.p95 = self._percentile(by_size)

    def p95_after(self, horizon: float) -> float | None:
        """The percentile of the samples taken after a moment."""
        return self._percentile(sorted(seconds for at, seconds in self._by_time if at > horizon))

    def _percentile(self, ordered: list[float]) -> float | None:
        count = len(ordered)
        return ordered[-(-95 * count // 100) - 1] if count >= self._minimum else None


def _is_duration(seconds: float) -> bool:
    return math.isfinite(seconds) and seconds >= 0
