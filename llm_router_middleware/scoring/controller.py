"""Shares of traffic, kept: thresholds that follow the scores as they come in."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from math import isnan
from threading import Lock

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models.spec import Tier
from llm_router_middleware.scoring.base import ComplexityScore

__all__ = ["ShareController"]


class ShareController:
    """Chooses tiers so that each has about its share of the calls.

    Fixed thresholds don't transfer: what sends half of one workload to premium sends nearly all of another there. The
    controller ranks each score among the latest ones: the hardest `premium` share of them is premium, the easiest
    `budget` share is budget. Where many scores are equal and a boundary runs through them, the tier that is behind its
    share goes first, so shares hold even for a scorer of few values.

    An unsure score (a signal `unsure=...`) is never budget. Until `warm_up` scores have been seen, the scorer's own
    tier stands. Deterministic, safe for threads, and without any state outside the process.

    Args:
        budget: the share of the budget tier, 0 to 1.
        mid: of the mid tier.
        premium: of the premium tier; the three add up to 1.
        window: how many of the latest scores are ranked among.
        warm_up: scores before it begins to steer.

    Raises:
        ConfigurationError: shares out of range or not adding up to 1, or a window smaller than the warm-up.
    """

    def __init__(self, budget: float, mid: float, premium: float, *, window: int = 1_000, warm_up: int = 50) -> None:
        shares = (budget, mid, premium)
        if not all(0 <= share <= 1 for share in shares) or abs(sum(shares) - 1) > 0.001:
            raise ConfigurationError(f"share_targets={shares!r}: expected three shares that add up to 1")
        if not 1 <= warm_up <= window:
            raise ConfigurationError(f"window={window!r}: expected at least warm_up={warm_up!r}, and that at least 1")
        self._above = {Tier.MID: mid + premium, Tier.PREMIUM: premium}
        self._warm_up = warm_up
        self._latest: deque[tuple[float, Tier]] = deque()
        self._ranked: list[float] = []
        self._served = dict.fromkeys(Tier, 0)
        self._window = window
        self._lock = Lock()

    def __call__(self, score: ComplexityScore, /) -> Tier:
        """The tier of a score, which counts from now on."""
        if isnan(score.score):
            return score.tier
        with self._lock:
            tier = score.tier if len(self._ranked) < self._warm_up else self._steered(score)
            self._remember(score.score, tier)
        return tier

    @property
    def shares(self) -> dict[Tier, float]:
        """Each tier's share of the calls in the window; empty before the first call."""
        with self._lock:
            seen = len(self._latest)
            return {tier: count / seen for tier, count in self._served.items()} if seen else {}

    def _steered(self, score: ComplexityScore) -> Tier:
        if self._belongs(score.score, Tier.PREMIUM):
            return Tier.PREMIUM
        unsure = any(signal.startswith("unsure=") for signal in score.signals)
        return Tier.MID if unsure or self._belongs(score.score, Tier.MID) else Tier.BUDGET

    def _belongs(self, score: float, tier: Tier) -> bool:
        """Whether a score is in a tier or above. Its rank says so, or, where equal scores straddle, who is behind."""
        target, seen = self._above[tier], len(self._ranked)
        harder = (seen - bisect_right(self._ranked, score)) / seen
        as_hard = (seen - bisect_left(self._ranked, score)) / seen
        if as_hard <= target and harder < target:
            return True
        if harder >= target:
            return False
        served = self._served[Tier.PREMIUM] + (self._served[Tier.MID] if tier is Tier.MID else 0)
        return served < target * len(self._latest)

    def _remember(self, score: float, tier: Tier) -> None:
        insort(self._ranked, score)
        self._latest.append((score, tier))
        self._served[tier] += 1
        if len(self._latest) > self._window:
            oldest, served = self._latest.popleft()
            del self._ranked[bisect_left(self._ranked, oldest)]
            self._served[served] -= 1
