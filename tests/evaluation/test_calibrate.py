"""Thresholds from traffic: what is asked for is what comes out on traffic that they weren't fitted on."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.evaluation.calibrate import calibrate, shares_for_spend
from llm_router_middleware.evaluation.outcomes import Outcome
from llm_router_middleware.evaluation.traffic import Request
from llm_router_middleware.models.spec import Price, Tier
from llm_router_middleware.scoring import HeuristicScorer, LearnedScorer

PRICES = {Tier.BUDGET: Price(0.1, 0.4), Tier.MID: Price(1, 4), Tier.PREMIUM: Price(5, 20)}


def requests(scores: list[float]) -> list[Request]:
    return [Request(score, 100) for score in scores]


@pytest.fixture(scope="module")
def workloads(routellm: dict[str, list[Outcome]], training_table) -> dict[str, list[str]]:
    """Four kinds of traffic, as different as they come."""
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(training_table, columns=["prompt", "source"]).to_pylist()
    other = [row["prompt"] for row in rows if row["source"] not in {"gsm8k_train_steps", "mmlupro_stemez"}]
    mmlu = [outcome.prompt for outcome in routellm["mmlu"]]
    chat = [outcome.prompt for outcome in routellm["mt-bench"]] * 18
    gsm8k = [outcome.prompt for outcome in routellm["gsm8k"]]
    return {"exam": mmlu, "word problems": gsm8k, "mixed": [*chat, *gsm8k, *mmlu[:1300]], "many kinds": other}


@pytest.mark.parametrize("target", [0.1, 0.2, 0.4])
@pytest.mark.parametrize("name", ["exam", "word problems", "mixed", "many kinds"])
def test_the_held_out_share_comes_within_three_points(
    name: str, target: float, workloads: dict[str, list[str]]
) -> None:
    """The realised premium share on the held-out half, on each of four workloads."""
    scorer = LearnedScorer()
    found = calibrate(requests([scorer(prompt).score for prompt in workloads[name]]), target)
    seen = found.held_out[Tier.PREMIUM]
    assert abs(seen.value - target) <= 0.03
    assert seen.low <= seen.value <= seen.high


def test_thresholds_do_not_transfer(workloads: dict[str, list[str]]) -> None:
    """The warning that the command prints is true: one workload's thresholds are nonsense on another."""
    scorer = LearnedScorer()
    scores = {name: [scorer(prompt).score for prompt in prompts] for name, prompts in workloads.items()}
    threshold = calibrate(requests(scores["exam"]), 0.5).premium_threshold
    elsewhere = sum(score >= threshold for score in scores["word problems"]) / len(scores["word problems"])
    assert elsewhere > 0.8


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=40, max_size=120),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_any_traffic_gives_thresholds_in_order(scores: list[float], premium: float, mid: float) -> None:
    """0 <= mid <= premium <= 1, and the three shares are all of the traffic."""
    found = calibrate(requests(scores), premium, mid * (1 - premium))
    assert 0 <= found.mid_threshold <= found.premium_threshold <= 1
    assert sum(found.targets.values()) == pytest.approx(1)
    assert sum(seen.value for seen in found.held_out.values()) == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 1))
def test_distinct_scores_are_cut_to_the_request(seed: int, premium: float) -> None:
    """Without ties the fitted half misses its target by less than one request, so the halves differ by chance only."""
    rng = random.Random(seed)
    half = rng.sample(range(100_000), 60)
    found = calibrate(requests([score / 100_000 for score in half for _ in (0, 1)]), premium)
    threshold = found.premium_threshold
    above = sum(score / 100_000 >= threshold for score in half) / 60
    assert abs(above - premium) < 0.2


def test_every_tier_gets_its_share() -> None:
    """Not premium alone: on even traffic all three come near their targets."""
    found = calibrate(requests([step / 2_000 for step in range(2_000)]), 0.2, 0.5)
    assert {tier: round(seen.value, 1) for tier, seen in found.held_out.items()} == {
        Tier.BUDGET: 0.3,
        Tier.MID: 0.5,
        Tier.PREMIUM: 0.2,
    }


def test_scores_that_are_equal_are_named_as_ties() -> None:
    """A threshold can't part equal scores: the share is as near as it gets, and the report says why."""
    found = calibrate(requests([0.0] * 50 + [0.3] * 40 + [0.7] * 10), 0.3, 0.2)
    assert found.has_ties
    assert found.premium_threshold in (0.5, 0.15, pytest.approx(0.5), pytest.approx(0.15))
    assert not calibrate(requests([step / 1_000 for step in range(1_000)]), 0.3).has_ties


def test_the_heuristic_can_be_calibrated_as_far_as_its_ties_let_it() -> None:
    """A scorer of few values gives few shares."""
    scorer = HeuristicScorer()
    texts = ["hi", "analyze this", "def f():\n  pass", "debug\n```x```"] * 30
    assert calibrate(requests([scorer(text).score for text in texts]), 0.25).has_ties


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: calibrate(requests([0.5] * 39), 0.2), "39 requests"),
        (lambda: calibrate(requests([0.5] * 50), 1.2), "target_premium=1.2"),
        (lambda: calibrate(requests([0.5] * 50), float("nan")), "target_premium=nan"),
        (lambda: calibrate(requests([0.5] * 50), 0.6, 0.5), "target_mid=0.5"),
        (lambda: shares_for_spend(requests([0.5] * 50), PRICES, 0.01, 300), "all budget"),
        (lambda: shares_for_spend(requests([0.5] * 50), PRICES, 1.01, 300), "all premium"),
        (lambda: shares_for_spend(requests([0.5] * 50), {Tier.MID: Price(1, 1)}, 0.5, 300), "budget tier's model"),
        (lambda: shares_for_spend(requests([0.5] * 50), {**PRICES, Tier.MID: Price(1, None)}, 0.5, 300), "mid tier's"),
    ],
)
def test_what_can_not_be_asked_for_is_named(call: Callable[[], object], says: str) -> None:
    """Shares, spend, prices and amounts out of range."""
    with pytest.raises(ConfigurationError, match=says):
        call()


@settings(max_examples=60, deadline=None)
@given(st.floats(0.03, 1), st.integers(0, 500), st.integers(0, 1_000))
def test_a_spend_is_met_from_below(spend: float, output_tokens: int, seed: int) -> None:
    """The shares cost at most what was asked for, and one more premium request would cost more."""
    rng = random.Random(seed)
    traffic = [Request(rng.random(), rng.randint(1, 2_000)) for _ in range(80)]
    premium, mid = shares_for_spend(traffic, PRICES, spend, output_tokens)
    top, middle = round(premium * 80), round((premium + mid) * 80)
    assert spent(traffic, top, middle, output_tokens) <= spend + 1e-9
    if top < 80:
        more = top + 1
        assert spent(traffic, more, min(more + round(1.5 * more), 80), output_tokens) > spend - 1e-9


def spent(traffic: list[Request], top: int, middle: int, output_tokens: int) -> float:
    ordered = sorted(traffic, key=lambda request: -request.score)
    tiers = [Tier.PREMIUM] * top + [Tier.MID] * (middle - top) + [Tier.BUDGET] * (80 - middle)

    def cost(request: Request, tier: Tier) -> float:
        return (PRICES[tier].input or 0) * request.tokens + (PRICES[tier].output or 0) * output_tokens

    paid = sum(map(cost, ordered, tiers))
    return paid / sum(cost(request, Tier.PREMIUM) for request in ordered)
