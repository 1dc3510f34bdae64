"""Stepping up for latency: two thresholds, no flapping, and a way back."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from llm_router_middleware.resilience.latency import LatencyGate, LatencyTracker


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def never() -> float:
    return 0.999


def bench(random: Callable[[], float] = never) -> tuple[Clock, LatencyTracker, LatencyGate]:
    clock = Clock()
    tracker = LatencyTracker(now=clock)
    return clock, tracker, LatencyGate(tracker, random=random)


def take(clock: Clock, tracker: LatencyTracker, seconds: float, times: int = 5) -> None:
    for _ in range(times):
        clock.now += 0.1
        tracker.record("m", seconds)


def test_a_model_within_its_limit_is_not_slow() -> None:
    """Nor is one of which too little is known."""
    clock, tracker, gate = bench()
    assert not gate.too_slow("m", 3.0, False)
    take(clock, tracker, 3.0)
    assert gate.too_slow("m", 3.0, False) is False
    assert gate._verdicts == {}


def test_a_model_above_its_limit_is_slow() -> None:
    """For this limit; for a longer one it is not."""
    clock, tracker, gate = bench()
    take(clock, tracker, 3.1)
    assert gate.too_slow("m", 3.0, False)
    assert not gate.too_slow("m", 4.0, False)
    assert not gate.too_slow("m", 3.0, True), "nothing is known of its first tokens"


def test_as_many_verdicts_are_kept_as_said() -> None:
    """The oldest verdict makes room for the third, and not before."""
    clock, tracker, _ = bench()
    gate = LatencyGate(tracker, max_keys=2, random=never)
    take(clock, tracker, 9.0)
    for limit_s in (1.0, 2.0, 3.0):
        assert gate.too_slow("m", limit_s)
    assert list(gate._verdicts) == [("m", 2.0, False), ("m", 3.0, False)]


def test_streams_are_judged_by_their_first_token() -> None:
    """A long answer that begins at once is not slow to who reads it as it comes."""
    _, tracker, gate = bench()
    for _ in range(5):
        tracker.record("m", 60.0)
        tracker.record_first_token("m", 0.5)
    assert gate.too_slow("m", 1.0, False)
    assert not gate.too_slow("m", 1.0, True)


def test_between_the_thresholds_the_verdict_stands() -> None:
    """Slow at 3.1 of 3.0, still slow at 2.9, no longer at 2.4; and then 2.9 is fine."""
    clock, tracker, gate = bench()
    take(clock, tracker, 2.9)
    assert not gate.too_slow("m", 3.0, False)
    take(clock, tracker, 3.1)
    assert gate.too_slow("m", 3.0, False)
    take(clock, tracker, 2.9, 50)
    assert gate.too_slow("m", 3.0, False)
    clock.now += 300.0
    take(clock, tracker, 2.4)
    assert not gate.too_slow("m", 3.0, False)
    take(clock, tracker, 2.9, 50)
    assert not gate.too_slow("m", 3.0, False)
    take(clock, tracker, 3.1, 50)
    assert gate.too_slow("m", 3.0, False)


def test_a_slow_model_wins_back_by_what_it_did_since() -> None:
    """Five fast answers after the verdict lift it, though the window still holds fifty slow ones."""
    clock, tracker, gate = bench()
    take(clock, tracker, 9.0, 50)
    assert gate.too_slow("m", 3.0, False)
    take(clock, tracker, 1.0, 4)
    assert gate.too_slow("m", 3.0, False)
    take(clock, tracker, 1.0, 1)
    assert not gate.too_slow("m", 3.0, False)
    assert not gate.too_slow("m", 3.0, False), "the old samples must not bring it back"


def test_a_verdict_lapses_when_nothing_more_is_heard() -> None:
    """A model that nobody could try for fifteen minutes is tried again by everybody."""
    clock, tracker, gate = bench()
    take(clock, tracker, 9.0, 50)
    assert gate.too_slow("m", 3.0, False)
    clock.now += 899.0
    assert gate.too_slow("m", 3.0, False)
    clock.now += 2.0
    assert not gate.too_slow("m", 3.0, False)
    assert not gate.too_slow("m", 3.0, False)


def test_a_lapsed_verdict_comes_back_if_the_model_is_still_slow() -> None:
    """What the trials said in the meantime counts at once."""
    clock, tracker, gate = bench()
    take(clock, tracker, 9.0, 50)
    assert gate.too_slow("m", 3.0, False)
    clock.now += 890.0
    take(clock, tracker, 9.0)
    clock.now += 11.0
    assert [gate.too_slow("m", 3.0, False) for _ in range(3)] == [False, True, True]


def test_the_thresholds_to_the_point() -> None:
    """At the limit is not above it; at 80 % of it is recovered; fifteen minutes are not more than fifteen minutes."""
    clock, tracker, gate = bench()
    take(clock, tracker, 10.5)
    clock.now = 64.0
    assert gate.too_slow("m", 10.0)
    clock.now = 64.0 + 900.0
    assert gate.too_slow("m", 10.0)
    clock.now += 1.0
    assert not gate.too_slow("m", 10.0)
    take(clock, tracker, 10.5)
    assert gate.too_slow("m", 10.0)
    take(clock, tracker, 8.0)
    assert not gate.too_slow("m", 10.0)
    take(clock, tracker, 10.0)
    assert not gate.too_slow("m", 10.0)
    take(clock, tracker, 10.5)
    assert gate.too_slow("m", 10.0)


def test_the_lot_that_is_just_too_high() -> None:
    """Shares of calls are half-open intervals: 0.05 of [0, 1) is what lies below 0.05."""
    for lot, slow in ((0.05, True), (0.0499, False)):
        clock, tracker, gate = bench(lambda lot=lot: lot)  # type: ignore[misc]  # bound now, not later
        take(clock, tracker, 9.0)
        assert gate.too_slow("m", 3.0) is slow


def test_one_call_in_twenty_tries_a_slow_model() -> None:
    """The trickle: 5 % of calls, drawn by lot."""
    rng = random.Random(3)
    clock, tracker, gate = bench(rng.random)
    take(clock, tracker, 9.0, 50)
    tried = sum(not gate.too_slow("m", 3.0, False) for _ in range(20_000))
    assert 0.045 < tried / 20_000 < 0.055


def test_a_fast_model_costs_no_draw() -> None:
    """Lots are drawn for slow models only, so a program without them is deterministic."""

    def draw() -> float:
        raise AssertionError

    clock, tracker, gate = bench(draw)
    take(clock, tracker, 1.0, 50)
    assert not gate.too_slow("m", 3.0, False)
    assert gate._verdicts == {}, "nor any memory"


def simulate(seed: int, slow_between: tuple[int, int], noise: float) -> list[bool]:
    """Two thousand calls, one a second, to a model with a slow spell: which of them were sent elsewhere."""
    rng = random.Random(seed)
    clock = Clock()
    tracker = LatencyTracker(now=clock)
    gate = LatencyGate(tracker, random=rng.random)
    verdicts = []
    for second in range(2_000):
        clock.now += 1.0
        slow = gate.too_slow("m", 3.0, False)
        verdicts.append(slow)
        if not slow:
            base = 6.0 if slow_between[0] <= second < slow_between[1] else 1.5
            tracker.record("m", base * rng.lognormvariate(0.0, noise))
    return verdicts


@pytest.mark.parametrize("seed", range(8))
def test_a_slow_spell_is_left_and_returned_from(seed: int) -> None:
    """During the spell nearly all calls go elsewhere; after it the model has them all again."""
    verdicts = simulate(seed, (500, 1_000), noise=0.1)
    assert not any(verdicts[:500])
    assert sum(verdicts[520:1_000]) > 0.85 * 480
    assert not any(verdicts[1_500:])


@pytest.mark.parametrize("seed", range(8))
def test_noise_around_the_limit_does_not_flap(seed: int) -> None:
    """Of a model whose p95 lies near the limit the gate changes its mind half as often as a bare threshold would."""
    rng = random.Random(seed)
    clock = Clock()
    tracker = LatencyTracker(now=clock)
    gate = LatencyGate(tracker, random=rng.random, explore=0.2)
    bare = gated = 0
    was_bare = was_gated = False
    for _ in range(2_000):
        clock.now += 1.0
        tracker.record("m", rng.lognormvariate(0.75, 0.2))
        p95 = tracker.p95("m")
        is_bare = p95 is not None and p95 > 3.0
        gate.too_slow("m", 3.0, False)
        verdict = gate._verdicts.get(("m", 3.0, False))
        is_gated = verdict is not None and verdict.slow
        bare, gated = bare + (is_bare != was_bare), gated + (is_gated != was_gated)
        was_bare, was_gated = is_bare, is_gated
    assert gated <= bare / 2
