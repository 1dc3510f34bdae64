"""The share controller."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models.spec import Tier
from llm_router_middleware.scoring import ComplexityScore
from llm_router_middleware.scoring.controller import ShareController

TARGETS = (0.5, 0.3, 0.2)


def scored(value: float, *signals: str) -> ComplexityScore:
    return ComplexityScore(Tier.BUDGET, value, signals)


def shares(controller: ShareController, values: Iterable[float]) -> dict[Tier, float]:
    counts = Counter(controller(scored(value)) for value in values)
    total = sum(counts.values())
    return {tier: counts[tier] / total for tier in Tier}


WORKLOADS = {
    "uniform": lambda rng: rng.random(),
    "all hard": lambda rng: 0.9 + 0.1 * rng.random(),
    "all easy": lambda rng: 0.05 * rng.random(),
    "two humps": lambda rng: rng.gauss(rng.choice((0.2, 0.8)), 0.05),
    "few values": lambda rng: rng.choice((0.0, 0.0, 0.0, 0.3, 0.4, 0.7)),
    "one value": lambda rng: 0.3,
}


@pytest.mark.parametrize("draw", WORKLOADS.values(), ids=WORKLOADS.keys())
def test_every_workload_gets_its_shares(draw) -> None:
    """Whatever the scores are like, each tier's share comes within 3 points of its target."""
    rng = random.Random(7)
    got = shares(ShareController(*TARGETS), (draw(rng) for _ in range(5_000)))
    for tier, target in zip(Tier, TARGETS, strict=True):
        assert abs(got[tier] - target) < 0.03, got


def test_a_tier_without_a_share_gets_nothing() -> None:
    """Ever harder prompts, and no premium at all: none is premium."""
    controller = ShareController(0.5, 0.5, 0.0, warm_up=1)
    assert Tier.PREMIUM not in {controller(scored(step / 200)) for step in range(200)}


def test_it_follows_when_the_traffic_changes() -> None:
    """After a change of workload the shares come back within a window's length."""
    rng = random.Random(3)
    controller = ShareController(*TARGETS, window=500)
    shares(controller, (0.3 * rng.random() for _ in range(2_000)))
    shares(controller, (0.7 + 0.3 * rng.random() for _ in range(600)))
    got = shares(controller, (0.7 + 0.3 * rng.random() for _ in range(2_000)))
    assert abs(got[Tier.PREMIUM] - 0.2) < 0.03


def test_harder_is_never_cheaper() -> None:
    """At one moment a higher score never gets a lower tier."""
    rng = random.Random(5)
    for _ in range(20):
        controller = ShareController(*TARGETS, window=200)
        for _ in range(300):
            controller(scored(round(rng.random(), 1)))
        tiers = [controller._steered(scored(step / 20)).rank for step in range(21)]
        assert tiers == sorted(tiers)


def test_before_it_is_warm_the_scorer_decides() -> None:
    """The first fifty calls keep the tier that their score has."""
    controller = ShareController(0.0, 0.0, 1.0)
    assert {controller(scored(0.1)) for _ in range(50)} == {Tier.BUDGET}
    assert controller(scored(0.1)) is Tier.PREMIUM


def test_unsure_is_never_budget() -> None:
    """Who doesn't know steps up, whatever the shares are."""
    controller = ShareController(1.0, 0.0, 0.0)
    for _ in range(100):
        controller(scored(0.5))
    assert controller(scored(0.1)) is Tier.BUDGET
    assert controller(scored(0.1, "unsure=language")) is Tier.MID


def test_the_same_scores_get_the_same_tiers() -> None:
    """No randomness, no clock."""
    rng = random.Random(1)
    values = [rng.choice((0.1, 0.2, rng.random())) for _ in range(2_000)]
    one, other = ShareController(*TARGETS), ShareController(*TARGETS)
    assert [one(scored(value)) for value in values] == [other(scored(value)) for value in values]


def test_a_score_that_is_no_number_passes_unranked() -> None:
    """A broken scorer can't break the ranking of the others."""
    controller = ShareController(*TARGETS)
    for _ in range(60):
        controller(scored(0.5))
    assert controller(ComplexityScore(Tier.MID, float("nan"))) is Tier.MID
    assert len(controller._latest) == 60


def test_threads_share_it() -> None:
    """Eight threads: every call counted once, the window never exceeded, the shares kept."""
    controller = ShareController(*TARGETS, window=400)
    rng = random.Random(2)
    values = [rng.random() for _ in range(8_000)]
    with ThreadPoolExecutor(8) as pool:
        tiers = list(pool.map(controller, map(scored, values)))
    assert abs(tiers.count(Tier.PREMIUM) / len(tiers) - 0.2) < 0.03
    assert len(controller._ranked) == len(controller._latest) == 400 == sum(controller._served.values())
    assert controller._ranked == sorted(score for score, _ in controller._latest)
    assert abs(sum(controller.shares.values()) - 1) < 1e-9


@pytest.mark.parametrize("bad", [(0.5, 0.5, 0.5), (1.2, -0.2, 0.0), (0.0, 0.0, 0.0)])
def test_shares_that_are_no_shares_are_refused(bad: tuple[float, float, float]) -> None:
    """Three shares, none negative, together one."""
    with pytest.raises(ConfigurationError, match="share_targets"):
        ShareController(*bad)


def test_a_window_below_its_warm_up_is_refused() -> None:
    """It would never begin to steer."""
    with pytest.raises(ConfigurationError, match="window=10"):
        ShareController(*TARGETS, window=10)
