"""APGR, CPT and their intervals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_router_middleware.evaluation.metrics import Questions, curve, difference, quality

gap_lists = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), min_size=2, max_size=7).filter(
    lambda gaps: sum(gaps) > 0.4
)


def by_hand(order: tuple[int, ...], gaps: list[float]) -> float:
    """APGR of one strict order, straight from its definition: trapezoids over n + 1 routing points."""
    pgr = [sum(gaps[i] for i in order[:k]) / sum(gaps) for k in range(len(gaps) + 1)]
    return sum((pgr[k] + pgr[k + 1]) / 2 for k in range(len(gaps))) / len(gaps)


def apgr(scores: list[float], questions: Questions) -> float:
    return quality(np.array(scores), questions, draws=2).apgr.value


@settings(max_examples=60, deadline=None)
@given(gap_lists, st.data())
def test_apgr_is_the_mean_over_all_orders_that_the_scores_allow(gaps: list[float], data: st.DataObject) -> None:
    """Equal scores are what a random order among them gives on average: checked against every order there is."""
    scores = data.draw(st.lists(st.integers(0, 2), min_size=len(gaps), max_size=len(gaps)))
    allowed = [
        order
        for order in itertools.permutations(range(len(gaps)))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]
    expected = sum(by_hand(order, gaps) for order in allowed) / len(allowed)
    assert apgr(scores, Questions.plain(gaps)) == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(gap_lists, st.data())
def test_reversing_a_ranking_mirrors_its_apgr(gaps: list[float], data: st.DataObject) -> None:
    """What a ranking gains over random, its reverse loses."""
    scores = data.draw(st.lists(st.integers(0, 9), min_size=len(gaps), max_size=len(gaps)))
    questions = Questions.plain(gaps)
    assert apgr(scores, questions) + apgr([-score for score in scores], questions) == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(gap_lists, st.data())
def test_a_weight_is_a_repetition(gaps: list[float], data: st.DataObject) -> None:
    """A question that stands for three calls counts like three questions."""
    gaps = [abs(gap) for gap in gaps]
    scores = data.draw(st.lists(st.integers(0, 9), min_size=len(gaps), max_size=len(gaps)))
    times = data.draw(st.lists(st.integers(1, 3), min_size=len(gaps), max_size=len(gaps)))
    weighted = Questions(np.array(gaps), np.array(times, float), np.zeros(len(gaps)))
    repeated = Questions.plain(np.repeat(gaps, times))
    assert apgr(scores, weighted) == pytest.approx(apgr(list(np.repeat(scores, times)), repeated))


def test_random_is_a_half_and_its_cpt_is_the_level() -> None:
    """A constant score is the random router: 0.5, 50 and 80."""
    figures = quality(np.zeros(40), Questions.plain([1.0, 0.0] * 20), draws=50)
    assert (figures.apgr.value, figures.cpt50.value, figures.cpt80.value) == (0.5, 50.0, 80.0)
    assert figures.apgr.low == figures.apgr.high == 0.5


def test_an_oracle_needs_only_the_calls_that_gain() -> None:
    """With a quarter of the questions holding the whole gap, half of it costs an eighth of the calls."""
    gaps = [1.0] * 25 + [0.0] * 75
    figures = quality(np.array(gaps), Questions.plain(gaps), draws=50)
    assert figures.cpt50.value == pytest.approx(12.5)
    assert figures.cpt80.value == pytest.approx(20)
    assert figures.apgr.value == pytest.approx(0.875)


def test_the_curve_runs_from_nothing_to_everything() -> None:
    """No calls recover nothing, all calls recover the gap."""
    share, pgr = curve(np.arange(5.0), Questions.plain([0.0, 1.0, -1.0, 1.0, 1.0]))
    assert (share[0], pgr[0], share[-1], pgr[-1]) == (0, 0, 1, 1)


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Of 200 samples from a world whose APGR is known, about 95 % of the intervals hold it."""
    rng = np.random.default_rng(1)
    truth = 0.5 + (0.6 / 12) / 0.5  # gap ~ Bernoulli(0.2 + 0.6 u), score u: 1/2 + cov(gap, u) / E[gap]
    held = 0
    for _ in range(200):
        u = rng.random(120)
        gaps = (rng.random(120) < 0.2 + 0.6 * u).astype(float)
        interval = quality(u, Questions.plain(gaps), draws=200).apgr
        held += interval.low <= truth <= interval.high
    assert 0.88 <= held / 200 <= 0.99


def test_paired_differences_are_sharper_than_unpaired_ones() -> None:
    """Two nearly equal rankings differ by nearly nothing, though each has a wide interval of its own."""
    rng = np.random.default_rng(2)
    scores, gaps = rng.random(200), rng.random(200)
    questions = Questions.plain(gaps)
    nudged = scores + 0.001 * rng.random(200)
    gap = difference(scores, nudged, questions, draws=200)
    alone = quality(scores, questions, draws=200).apgr
    assert gap.high - gap.low < 0.2 * (alone.high - alone.low)
    assert difference(scores, scores, questions, draws=50) == difference(nudged, nudged, questions, draws=50)


def test_parts_of_a_mixture_keep_their_size_in_every_resample() -> None:
    """A part of one question can't vanish from, or double in, a resample."""
    questions = Questions(np.array([1.0, 0.0, 0.0]), np.array([2.0, 1.0, 1.0]), np.array([0.0, 1.0, 1.0]))
    figures = quality(np.array([1.0, 0.0, 0.0]), questions, draws=100)
    assert figures.apgr.low == figures.apgr.high == figures.apgr.value == pytest.approx(0.75)
