"""Thresholds from a user's own traffic: fitted on one half of it, shown on the other."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import sqrt

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.evaluation.metrics import Interval
from llm_router_middleware.evaluation.traffic import Request
from llm_router_middleware.models.spec import Price, Tier

__all__ = ["Calibration", "calibrate", "shares_for_spend"]

LEAST_REQUESTS = 40
"""Below it the held-out half is too small to show anything."""

MID_TO_PREMIUM = 1.5
"""Mid calls per premium call where only one share is asked for: the default mixture, 50/30/20."""

_SEED = 0
_Z = 1.96
_TIED = 0.03


@dataclass(frozen=True, slots=True)
class Calibration:
    """Thresholds, and what they do on traffic that they weren't fitted on.

    Attributes:
        mid_threshold: the lowest score of the mid tier.
        premium_threshold: the lowest score of the premium tier.
        targets: the shares that were asked for.
        held_out: the shares on the held-out half, each with its 95 % Wilson interval.
        fitted_on: how many requests the thresholds were fitted on.
        held_out_size: how many they were shown on.
        tied: the largest share of requests with one and the same score at a threshold, which no threshold can part.
    """

    mid_threshold: float
    premium_threshold: float
    targets: Mapping[Tier, float]
    held_out: Mapping[Tier, Interval]
    fitted_on: int
    held_out_size: int
    tied: float

    @property
    def has_ties(self) -> bool:
        """Whether equal scores keep the shares from their targets."""
        return self.tied > _TIED


def calibrate(
    requests: Sequence[Request], premium: float, mid: float | None = None, *, seed: int = _SEED
) -> Calibration:
    """Finds thresholds that give the tiers their shares.

    Args:
        requests: the traffic.
        premium: the share that shall go to premium, 0 to 1.
        mid: the share that shall go to mid; None for one and a half times premium's, as far as there is room.
        seed: of the split into halves.

    Raises:
        ConfigurationError: shares out of range, or too little traffic.
    """
    targets = _targets(premium, mid)
    if len(requests) < LEAST_REQUESTS:
        raise ConfigurationError(
            f"{len(requests)} requests: expected at least {LEAST_REQUESTS} to show what comes of it"
        )
    shuffled = random.Random(seed).sample([request.score for request in requests], len(requests))
    half = len(shuffled) // 2
    fit, held = sorted(shuffled[:half]), sorted(shuffled[half:])
    premium_cut = _cut(fit, targets[Tier.PREMIUM])
    mid_cut = min(_cut(fit, targets[Tier.PREMIUM] + targets[Tier.MID]), premium_cut)
    above = {Tier.PREMIUM: _above(held, premium_cut), Tier.MID: _above(held, mid_cut)}
    counts = {
        Tier.BUDGET: len(held) - above[Tier.MID],
        Tier.MID: above[Tier.MID] - above[Tier.PREMIUM],
        Tier.PREMIUM: above[Tier.PREMIUM],
    }
    return Calibration(
        mid_cut,
        premium_cut,
        targets,
        {tier: _wilson(count, len(held)) for tier, count in counts.items()},
        len(fit),
        len(held),
        max(_tie(fit, premium_cut), _tie(fit, mid_cut)),
    )


def _targets(premium: float, mid: float | None) -> dict[Tier, float]:
    if not 0 <= premium <= 1:
        raise ConfigurationError(f"target_premium={premium!r}: expected a share from 0 to 1")
    if mid is None:
        mid = min(MID_TO_PREMIUM * premium, 1 - premium)
    if not 0 <= mid <= 1 - premium + 1e-9:
        raise ConfigurationError(f"target_mid={mid!r}: expected a share from 0 to {1 - premium:g}, what premium leaves")
    return {Tier.BUDGET: max(0.0, 1 - premium - mid), Tier.MID: mid, Tier.PREMIUM: premium}


def _cut(ranked: Sequence[float], share: float) -> float:
    """The threshold that lets about this share of the scores pass: halfway between two neighbouring scores."""
    wanted = round(len(ranked) * (1 - share))
    if wanted <= 0:
        return 0.0
    if wanted >= len(ranked):
        return 1.0
    edges = (bisect_left(ranked, ranked[wanted]), _after(ranked, wanted))
    place = min(edges, key=lambda edge: abs(edge - wanted))
    if place <= 0:
        return 0.0
    if place >= len(ranked):
        return 1.0
    middle = round((ranked[place - 1] + ranked[place]) / 2, 6)
    return middle if ranked[place - 1] < middle <= ranked[place] else ranked[place]


def _after(ranked: Sequence[float], place: int) -> int:
    """The place behind all scores that equal the one at a place."""
    return next((at for at in range(place, len(ranked)) if ranked[at] > ranked[place]), len(ranked))


def _above(ranked: Sequence[float], threshold: float) -> int:
    return len(ranked) - bisect_left(ranked, threshold)


def _tie(ranked: Sequence[float], threshold: float) -> float:
    """The share of the scores that equal the nearest one on either side of a threshold, if that keeps many together."""
    place = bisect_left(ranked, threshold)
    neighbours = {ranked[at] for at in (place - 1, place) if 0 <= at < len(ranked)}
    return max((ranked.count(score) / len(ranked) for score in neighbours), default=0.0)


def _wilson(count: int, size: int) -> Interval:
    share, square = count / size, _Z * _Z
    middle = (share + square / (2 * size)) / (1 + square / size)
    half = _Z * sqrt(share * (1 - share) / size + square / (4 * size * size)) / (1 + square / size)
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def shares_for_spend(
    requests: Sequence[Request], prices: Mapping[Tier, Price], spend: float, output_tokens: int
) -> tuple[float, float]:
    """The shares of premium and mid at which the traffic costs what it shall.

    Args:
        requests: the traffic.
        prices: of the model that each tier uses, USD per million tokens.
        spend: the cost, as a share of what the same traffic costs on premium alone, 0 to 1.
        output_tokens: what an answer is taken to be long.

    Returns:
        (premium, mid)

    Raises:
        ConfigurationError: a price is unknown, or the spend isn't between all-budget's and all-premium's.
    """
    ordered = sorted(requests, key=lambda request: -request.score)
    costs = {tier: _sums(ordered, prices.get(tier), output_tokens, tier) for tier in Tier}
    count, whole = len(ordered), costs[Tier.PREMIUM][-1]

    def spent(top: int) -> float:
        middle = top + min(round(MID_TO_PREMIUM * top), count - top)
        mid = costs[Tier.MID][middle] - costs[Tier.MID][top]
        rest = costs[Tier.BUDGET][count] - costs[Tier.BUDGET][middle]
        return (costs[Tier.PREMIUM][top] + mid + rest) / whole

    if not spent(0) <= spend <= 1:
        raise ConfigurationError(
            f"target_spend={spend!r}: expected from {spent(0):.3f} (all budget) to 1 (all premium)"
        )
    top = bisect_left(range(count + 1), spend, key=spent)
    top = min(top, count) if top == 0 or spent(min(top, count)) <= spend else top - 1
    return top / count, min(round(MID_TO_PREMIUM * top), count - top) / count


def _sums(ordered: Sequence[Request], price: Price | None, output_tokens: int, tier: Tier) -> list[float]:
    """Running totals of what the requests cost on a tier, hardest first."""
    if price is None or price.input is None or price.output is None:
        raise ConfigurationError(f"target_spend: the price of the {tier} tier's model is unknown")
    answer = price.output * output_tokens
    return list(accumulate((price.input * request.tokens + answer for request in ordered), initial=0.0))
