"""The latency window: nearest rank, age, length of answers, and bounds."""

from __future__ import annotations

import math
import random
import statistics
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_router_middleware.resilience.latency import LatencyTracker
from llm_router_middleware.resilience.pace import Pace, UsualLength


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_percentile_is_by_nearest_rank() -> None:
    """ceil(0.95 n) - 1: the 19th of 20, and not the maximum as `int(0.95 n)` has it."""
    tracker = LatencyTracker(now=Clock())
    for seconds in range(1, 21):
        tracker.record("m", float(seconds))
    assert tracker.p95("m") == 19.0


def test_too_few_samples_say_nothing() -> None:
    """Below the minimum there is no percentile, nor of a model that nobody called."""
    tracker = LatencyTracker(minimum=5, now=Clock())
    assert tracker.p95("m") is None
    for _ in range(4):
        tracker.record("m", 1.0)
    assert tracker.p95("m") is None
    tracker.record("m", 1.0)
    assert tracker.p95("m") == 1.0
    assert tracker.p95_first_token("m") is None


@given(
    st.lists(st.integers(0, 99).map(float), min_size=1, max_size=160),
    st.sampled_from([1, 2, 5, 20, 21, 50, 120]),
    st.integers(1, 10),
)
def test_the_window_equals_sorting_it_anew(samples: list[float], window: int, minimum: int) -> None:
    """The incremental window gives what sorting the latest samples gives, after every sample."""
    tracker = LatencyTracker(window, minimum, now=Clock())
    for count in range(1, len(samples) + 1):
        tracker.record("m", samples[count - 1])
        assert tracker._answers["m"].newest == 0.0
        latest = sorted(samples[:count][-window:])
        expected = latest[math.ceil(0.95 * len(latest) - 1e-9) - 1] if len(latest) >= minimum else None
        assert tracker.p95("m") == expected


def test_first_tokens_are_counted_apart() -> None:
    """A stream's first token and a whole answer are two latencies."""
    tracker = LatencyTracker(now=Clock())
    for _ in range(5):
        tracker.record("m", 9.0)
        tracker.record_first_token("m", 0.5)
    assert (tracker.p95("m"), tracker.p95_first_token("m")) == (9.0, 0.5)


def test_samples_age_out() -> None:
    """After five minutes a sample counts no more: first the old ones go, then there are too few."""
    clock = Clock()
    tracker = LatencyTracker(now=clock)
    for _ in range(5):
        tracker.record("m", 9.0)
    clock.now = 100.0
    for _ in range(5):
        tracker.record("m", 1.0)
    clock.now = 299.9
    assert tracker.p95("m") == 9.0
    clock.now = 300.0
    assert tracker.p95("m") == 1.0
    clock.now = 400.0
    assert tracker.p95("m") is None


def test_since_asks_for_what_came_after() -> None:
    """A percentile of the samples after a moment, that moment excluded."""
    clock = Clock()
    tracker = LatencyTracker(minimum=2, now=clock)
    for at in range(6):
        clock.now = float(at)
        tracker.record("m", 10.0 - at)
    assert tracker.p95("m", since=2.0) == 7.0
    assert tracker.p95("m", since=3.0) == 6.0
    assert tracker.p95("m", since=4.0) is None


@pytest.mark.parametrize("nonsense", [-1.0, math.nan, math.inf, -math.inf])
def test_nonsense_is_not_recorded(nonsense: float) -> None:
    """A clock that was set back doesn't make a model fast."""
    tracker = LatencyTracker(minimum=1, now=Clock())
    tracker.record("m", nonsense)
    tracker.record_first_token("m", nonsense)
    assert tracker.p95("m") is None
    assert tracker.p95_first_token("m") is None
    tracker.record("m", 0.0)
    assert tracker.p95("m") == 0.0


def lengths(seed: int, count: int = 400) -> list[int]:
    rng = random.Random(seed)
    return [max(1, int(rng.lognormvariate(5.5, 0.9))) for _ in range(count)]


@pytest.mark.parametrize("seed", range(5))
def test_a_long_answer_is_not_a_slow_model(seed: int) -> None:
    """Where length alone makes the spread, the percentile is near the time of an answer of usual length."""
    aware, blind = LatencyTracker(now=Clock()), LatencyTracker(now=Clock())
    tokens = lengths(seed)
    usual = 0.4 + 0.01 * statistics.geometric_mean(tokens)
    worst = 0.0
    for index, count in enumerate(tokens):
        aware.record("m", 0.4 + 0.01 * count, count)
        blind.record("m", 0.4 + 0.01 * count)
        if index >= 100:
            worst = max(worst, aware.p95("m") or 0.0)
    assert worst < 1.4 * usual
    assert (blind.p95("m") or 0.0) > 2.0 * usual


@pytest.mark.parametrize("seed", range(5))
def test_a_slow_model_is_slow_at_any_length(seed: int) -> None:
    """What takes five times as long for the same answers is seen at once."""
    tracker = LatencyTracker(now=Clock())
    for count in lengths(seed, 100):
        tracker.record("m", 0.4 + 0.01 * count, count)
    before = tracker.p95("m")
    for count in lengths(seed + 100, 10):
        tracker.record("m", 5 * (0.4 + 0.01 * count), count)
    after = tracker.p95("m")
    assert before is not None
    assert after is not None
    assert after > 2 * before


def test_models_with_answers_of_different_lengths_are_compared_at_one() -> None:
    """Two equally fast models, one of which is given the long questions, come out alike."""
    tracker = LatencyTracker(now=Clock())
    rng = random.Random(1)
    for _ in range(300):
        for key, mean in (("short", 100), ("long", 800)):
            count = int(mean * rng.uniform(0.3, 1.7))
            tracker.record(key, 0.4 + 0.01 * count, count)
    short, long = tracker.p95("short"), tracker.p95("long")
    assert short is not None
    assert long is not None
    assert 0.7 < short / long < 1.4


def test_answers_of_one_length_are_left_as_they_are() -> None:
    """Where lengths don't vary there is no slope to be seen, and nothing is corrected away."""
    tracker = LatencyTracker(now=Clock())
    for _ in range(100):
        tracker.record("other", 1.0, 100)
    for _ in range(50):
        tracker.record("m", 3.0, 1000)
    assert tracker.p95("m") == 3.0


def test_the_defaults() -> None:
    """Fifty samples, at least five; and the percentile is there without asking for the lock."""
    tracker = LatencyTracker(now=Clock())
    for number in range(49):
        tracker.record("m", 1.0 if number else 99.0)
    for number in range(2):
        tracker.record("m", 50.0 + number)
    with tracker._lock:
        assert tracker.p95("m") == 1.0
    tracker.record("m", 50.0)
    assert tracker.p95("m") == 50.0


def test_a_hundred_and_one_samples_have_their_96th_for_a_percentile() -> None:
    """ceil(0.95 x 101) is 96."""
    tracker = LatencyTracker(window=101, now=Clock())
    for seconds in range(1, 102):
        tracker.record("m", float(seconds))
    assert tracker.p95("m") == 96.0


@pytest.mark.parametrize("tokens", [None, 0, -5])
def test_an_unknown_length_leaves_the_time_as_it_is(tokens: int | None) -> None:
    """No tokens, no correction."""
    tracker = LatencyTracker(minimum=1, now=Clock())
    tracker.record("m", 1.0, 10)
    tracker.record("m", 7.0, tokens)
    assert tracker.p95("m") == 7.0


def test_an_answer_of_one_token_has_a_length() -> None:
    """A yes is an answer: brought to the usual length it would have taken longer."""
    tracker = LatencyTracker(window=1, minimum=1, now=Clock())
    for tokens in (100, 200, 300) * 20:
        tracker.record("m", 0.01 * tokens, tokens)
    tracker.record("m", 0.01, 1)
    assert (tracker.p95("m") or 0.0) > 1.0


@pytest.mark.parametrize(("first", "per_token"), [(0.4, 0.01), (5.0, 0.01), (0.0, 0.05), (3.0, 0.0)])
def test_a_straight_line_is_found(first: float, per_token: float) -> None:
    """Whatever the time to the first token, an answer of any length is brought to the time of the usual one."""
    rng = random.Random(1)
    pace = Pace()
    for _ in range(40):
        tokens = rng.randrange(50, 950)
        pace.at_length(500, first + per_token * tokens, tokens)
    for tokens in (10, 500, 3_000):
        brought = pace.at_length(500, first + per_token * tokens, tokens)
        assert brought == pytest.approx(first + per_token * 500, rel=0.08)


def test_the_line_follows_a_change_of_pace() -> None:
    """Sixty answers after a model became five times slower a token, the new pace is the one that counts."""
    rng = random.Random(2)
    pace = Pace()
    for per_token in (0.01, 0.05):
        for _ in range(60):
            tokens = rng.randrange(50, 950)
            brought = pace.at_length(500, per_token * tokens, tokens)
        assert brought == pytest.approx(500 * per_token, rel=0.05)
    assert pace.at_length(500, 0.05 * 50, 50) == pytest.approx(25.0, rel=0.1)


def test_the_line_never_starts_below_zero() -> None:
    """A token takes between no time and all the time: slopes out of that range are noise."""
    steep, falling = Pace(), Pace()
    for tokens, seconds in ((100, 0.1), (200, 9.0)) * 20:
        steep.at_length(150, seconds, tokens)
    assert 2.0 < steep.at_length(0.0, 9.0, 200) < 4.0
    for tokens, seconds in ((100, 9.0), (200, 0.1)) * 20:
        assert falling.at_length(150, seconds, tokens) == seconds


def test_lengths_that_hardly_vary_have_no_slope() -> None:
    """Noise on answers of nearly one length looks like a steep line; it is not followed far down from there."""
    pace = Pace()
    for tokens, seconds in ((1_000, 3.0), (1_010, 4.0)) * 30:
        pace.at_length(1_000, seconds, tokens)
    assert pace.at_length(100, 3.5, 1_005) > 3.0


def test_no_answer_takes_less_than_no_time() -> None:
    """A long answer that came at once would be below zero at the usual length: it is zero."""
    pace = Pace()
    for tokens in (100, 200, 300) * 20:
        pace.at_length(200, 0.01 * tokens, tokens)
    assert pace.at_length(100, 0.1, 400) == 0.0


def test_the_usual_length_is_not_moved_by_a_few_long_answers() -> None:
    """The geometric mean of the first fifty, and from then on a moving one that follows within some hundreds."""
    usual = UsualLength()
    assert usual.take(100) == pytest.approx(100)
    assert usual.take(400) == pytest.approx(200)
    for _ in range(198):
        usual.take(200)
    assert usual.take(20_000) < 225
    for _ in range(300):
        usual.take(50)
    assert usual.take(50) == pytest.approx(50, rel=0.01)


def test_the_window_survives_threads() -> None:
    """The window is locked: an unlocked one breaks at once with two threads."""
    tracker = LatencyTracker(window=10)
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for index in range(3_000):
                tracker.record("m", float((number * 7 + index * 13) % 31), index % 50)
                tracker.p95("m", since=0.0)
        except BaseException as exc:
            errors.append(exc)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)
    assert errors == []
    samples = tracker._answers["m"]
    assert sorted(seconds for _, seconds in samples._by_time) == samples._by_size
    assert len(samples._by_size) == 10


def test_the_longest_silent_models_are_forgotten_first() -> None:
    """A bound on the names, and who was heard of lately stays."""
    clock = Clock()
    tracker = LatencyTracker(minimum=1, max_keys=8, now=clock)
    for number in range(50):
        clock.now += 1.0
        tracker.record(f"m{number}", 1.0)
        tracker.record("always", 2.0)
        assert len(tracker._answers) <= 8
    assert tracker.p95("always") == 2.0
    assert tracker.p95("m49") == 1.0
    assert tracker.p95("m0") is None


@pytest.mark.parametrize(("bound", "kept"), [(1, 1), (2, 2), (4, 4), (8, 7), (16, 13)])
def test_a_quarter_makes_room(bound: int, kept: int) -> None:
    """A new name finds room for some more: sorting who is to go costs something, and is done once for many names."""
    clock = Clock()
    tracker = LatencyTracker(max_keys=bound, now=clock)
    for number in range(bound + 1):
        clock.now += 1.0
        tracker.record(f"m{number}", 1.0)
    assert len(tracker._answers) == kept
    assert f"m{bound}" in tracker._answers
