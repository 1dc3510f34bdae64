"""The rolling window, against counting everything anew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llm_router_middleware.resilience.window import BUCKETS, RollingWindow

STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.25, 0.5, 1.0, 3.0, 9.0, 10.0, 40.0]), st.sampled_from(["add", "mark", "refresh"])
    ),
    max_size=80,
)


@given(STEPS)
def test_the_window_counts_its_ten_buckets(steps: list[tuple[float, str]]) -> None:
    """After every step the totals are those of the events in the ten latest buckets, and no more buckets are held."""
    window = RollingWindow(10.0)
    now, events = 0.0, list[tuple[float, bool]]()
    for pause, step in steps:
        now += pause
        if step == "refresh":
            window.refresh(now)
        else:
            window.add(now, step == "mark")
            events.append((now, step == "mark"))
        recent = [mark for at, mark in events if int(at) > int(now) - BUCKETS]
        assert (window.total, window.marked) == (len(recent), sum(recent))
        assert len(window) <= BUCKETS


def test_a_clock_read_before_the_lock_counts_in_the_latest_bucket() -> None:
    """Threads that queue for the lock arrive with a time that lies a little back."""
    window = RollingWindow(10.0)
    window.add(5.0)
    window.add(4.9, True)
    window.refresh(4.0)
    assert (window.total, window.marked, len(window)) == (2, 1, 1)
    window.add(14.9)
    assert (window.total, window.marked) == (3, 1)
    window.add(15.0)
    assert (window.total, window.marked) == (2, 0)


def test_a_bucket_ends_to_the_moment() -> None:
    """Refreshing at the very end of a bucket lets go of the oldest."""
    window = RollingWindow(10.0)
    window.add(0.0)
    window.add(9.5)
    window.refresh(9.999)
    assert window.total == 2
    window.refresh(10.0)
    assert window.total == 1


def test_a_cleared_window_begins_anew() -> None:
    """Nothing of before is counted, and the next event opens a bucket of its own."""
    window = RollingWindow(10.0)
    window.add(5.0, True)
    window.clear()
    assert (window.total, window.marked, len(window)) == (0, 0, 0)
    window.add(5.0)
    assert (window.total, window.marked, len(window)) == (1, 0, 1)
