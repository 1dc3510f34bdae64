"""Whether a model is too slow now, without changing its mind at every answer, and without writing it off."""

from __future__ import annotations

import math
import random as random_module
import threading
from collections.abc import Callable
from typing import Protocol

from llm_router_middleware.resilience.forking import renew_after_fork

__all__ = ["Latencies", "LatencyGate"]


class Latencies(Protocol):
    """What a gate asks: a `LatencyTracker`."""

    @property
    def now(self) -> Callable[[], float]: ...
    def p95(self, key: str, since: float = ...) -> float | None: ...
    def p95_first_token(self, key: str, since: float = ...) -> float | None: ...


class LatencyGate:
    """Judges models by their 95th percentile, with two thresholds and a trickle of trials.

    A model is too slow once its p95 exceeds the limit, and remains so until its p95 since then is clearly below it.
    Meanwhile a small share of calls still goes to it, or nobody would ever learn that it has recovered.

    Args:
        latencies: what is known.
        release: share of the limit to which the p95 must fall.
        explore: share of calls that try a slow model all the same.
        forget_s: seconds after which a verdict lapses that no new samples have confirmed or lifted.
        max_keys: verdicts kept; the oldest is forgotten first.
        random: a source of numbers in [0, 1).
    """

    def __init__(
        self,
        latencies: Latencies,
        *,
        release: float = 0.8,
        explore: float = 0.05,
        forget_s: float = 900.0,
        max_keys: int = 1024,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        self._latencies = latencies
        self._release = release
        self._explore = explore
        self._forget_s = forget_s
        self._max_keys = max_keys
        self._random = random
        self._lock = threading.Lock()
        self._verdicts: dict[tuple[str, float, bool], _Verdict] = {}
        renew_after_fork(self)

    def too_slow(self, key: str, limit_s: float, streaming: bool = False) -> bool:
        """Whether this call had better go elsewhere.

        Args:
            key: the model, as `provider/name`.
            limit_s: seconds that an answer may take; of a stream, its first token.
            streaming: whether the caller reads a stream.
        """
        verdict = self._verdicts.get((key, limit_s, streaming))
        since = -math.inf if verdict is None else verdict.since
        read = self._latencies.p95_first_token if streaming else self._latencies.p95
        p95 = read(key, since)
        if verdict is None and (p95 is None or p95 <= limit_s):
            return False
        with self._lock:
            return self._judge_locked((key, limit_s, streaming), p95, self._latencies.now())

    def _judge_locked(self, key: tuple[str, float, bool], p95: float | None, now: float) -> bool:
        limit_s = key[1]
        verdict = self._verdicts.get(key)
        if verdict is None:
            verdict = self._verdicts[key] = _Verdict()
            if len(self._verdicts) > self._max_keys:
                del self._verdicts[next(iter(self._verdicts))]
        if verdict.slow:
            recovered = p95 is not None and p95 <= self._release * limit_s
            lapsed = now - verdict.since > self._forget_s
            verdict.slow = not (recovered or lapsed)
        elif p95 is not None and p95 > limit_s:
            verdict.slow, verdict.since = True, now
        return verdict.slow and self._random() >= self._explore

    def renew(self) -> None:
        """After a fork, in the child: a new lock."""
        self._lock = threading.Lock()


class _Verdict:
    """Whether a model is slow, by samples since when."""

    __slots__ = ("since", "slow")

    def __init__(self) -> None:
        self.slow = False
        self.since = -math.inf
