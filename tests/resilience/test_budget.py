"""Bounds that hold whatever comes: retries, calls at once, premium answers."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_router_middleware.resilience.budget import ConcurrencyLimit, PremiumCap, RetryBudget, Slot


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_quiet_program_may_retry() -> None:
    """Three retries at once are always allowed, without any calls to earn them."""
    budget = RetryBudget(now=Clock())
    assert [budget.try_acquire() for _ in range(5)] == [True, True, True, False, False]
    budget.release()
    assert [budget.try_acquire() for _ in range(2)] == [True, False]


def test_retries_are_a_fifth_of_the_calls() -> None:
    """A hundred calls earn twenty retries at once, and old calls earn nothing."""
    clock = Clock()
    budget = RetryBudget(now=clock)
    for _ in range(100):
        budget.deposit()
    assert sum(budget.try_acquire() for _ in range(100)) == 20
    clock.now += 10.0
    for _ in range(20):
        budget.release()
    assert sum(budget.try_acquire() for _ in range(100)) == 3


def test_calls_of_long_ago_earn_no_retries() -> None:
    """What was earned is lost with the window, to the moment."""
    clock = Clock()
    budget = RetryBudget(now=clock)
    assert [budget.try_acquire() for _ in range(3)] == [True, True, True]
    for _ in range(100):
        budget.deposit()
    clock.now = 9.5
    budget.deposit()
    clock.now = 10.0
    assert not budget.try_acquire()


@pytest.mark.parametrize("seed", range(20))
def test_an_outage_is_not_amplified(seed: int) -> None:
    """When every call fails and wants retries, requests stay within 1.2 a call and the floor."""
    rng = random.Random(seed)
    clock = Clock()
    budget = RetryBudget(now=clock)
    calls = retries = 0
    under_way: list[float] = []
    for _ in range(5_000):
        clock.now += rng.expovariate(50.0)
        while under_way and under_way[0] <= clock.now:
            under_way.pop(0)
            budget.release()
        budget.deposit()
        calls += 1
        for _ in range(3):
            if budget.try_acquire():
                retries += 1
                under_way.append(clock.now + 0.5)
    floor = 3 * (clock.now / 0.5 + 1)
    assert retries <= 0.2 * calls + floor
    assert retries >= 0.15 * calls


def test_a_release_too_many_opens_nothing() -> None:
    """The count of what is under way never goes below none."""
    budget = RetryBudget(now=Clock())
    for _ in range(9):
        budget.release()
    assert sum(budget.try_acquire() for _ in range(9)) == 3


def test_a_target_is_cut_in_half_once_a_round() -> None:
    """Sixteen 429s of calls that ran together are one lesson; the next round is the next one."""
    limit = ConcurrencyLimit(64)
    for expected in (32, 16, 8, 8):
        slots = [slot for slot in (limit.try_acquire() for _ in range(16)) if slot is not None]
        for slot in slots:
            limit.release(slot, throttled=True)
        assert limit.limit == expected
    assert limit.inflight == 0


def test_a_target_grows_by_one_a_round() -> None:
    """As many successes as there are places make one place more, up to where it began."""
    limit = ConcurrencyLimit(64)
    limit.release(_slot(limit), throttled=True)
    assert limit.limit == 32
    for _ in range(34):
        limit.release(_slot(limit))
    assert limit.limit == 33
    for _ in range(10_000):
        limit.release(_slot(limit))
    assert limit.limit == 64


def test_a_full_target_refuses_and_a_place_is_given_back_once() -> None:
    """No more calls at once than the limit; a slot released twice frees one place."""
    limit = ConcurrencyLimit(8)
    slots = [limit.try_acquire() for _ in range(9)]
    assert [slot is not None for slot in slots] == [True] * 8 + [False]
    assert isinstance(slots[0], Slot)
    limit.release(slots[0])
    limit.release(slots[0])
    assert limit.inflight == 7
    assert limit.try_acquire() is not None
    assert limit.try_acquire() is None


def test_a_ceiling_below_the_floor_is_the_floor() -> None:
    """Never below eight, or nothing could be learnt."""
    assert ConcurrencyLimit(2).limit == 8


def _slot(limit: ConcurrencyLimit) -> Slot:
    slot = limit.try_acquire()
    assert slot is not None
    return slot


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from(["a", "b", "c"])), max_size=400),
    st.floats(0.0, 1.0),
    st.floats(0.0, 20.0),
)
def test_the_premium_share_is_capped_whatever_is_asked(
    calls: list[tuple[bool, str]], share: float, burst: float
) -> None:
    """T14: after any n calls at most share x n + burst were premium, for every tenant and for all together."""
    cap = PremiumCap(share, burst)
    total = {"": 0, "a": 0, "b": 0, "c": 0}
    granted = dict(total)
    for premium, tenant in calls:
        admitted = cap.admit(premium, tenant)
        assert premium or admitted, "only premium calls are capped"
        for name in ("", tenant):
            total[name] += 1
            granted[name] += premium and admitted
            assert granted[name] <= share * total[name] + burst + 1e-6


def test_a_caller_within_his_share_is_never_capped() -> None:
    """One premium call in ten under a cap of 0.1 passes every time, and none is lost to another tenant's greed."""
    cap = PremiumCap(0.1, burst=5.0)
    assert all(cap.admit(number % 10 == 9) for number in range(10_000))


def test_a_tenant_cannot_spend_what_others_saved() -> None:
    """A greedy tenant is capped by his own account, however modest the others are."""
    cap = PremiumCap(0.25, burst=10.0)
    for number in range(1_000):
        cap.admit(False, f"modest-{number % 5}")
    assert sum(cap.admit(True, "greedy") for _ in range(100)) == 10 + 25


def test_a_tenant_is_capped_while_others_are_modest() -> None:
    """One premium call in ten overall, all of one tenant, is too much for that tenant: his own share counts."""
    cap = PremiumCap(0.125, burst=8.0)
    granted = 0
    for _ in range(80):
        for other in range(9):
            assert cap.admit(False, f"modest-{other}")
        granted += cap.admit(True, "greedy")
    assert granted == 8 + 10


def test_what_was_saved_is_a_burst_and_no_more() -> None:
    """A thousand modest calls don't buy a hundred premium ones at once: not one tenant's, not many tenants'."""
    alone, together = PremiumCap(0.125, burst=8.0), PremiumCap(0.125, burst=8.0)
    for number in range(1_000):
        alone.admit(False, "a")
        together.admit(False, f"t{number % 8}")
    assert sum(alone.admit(True, "a") for _ in range(80)) == 8 + 10
    assert sum(together.admit(True, f"t{number % 7}") for number in range(80)) == 8 + 10


def test_what_one_tenant_saved_is_a_burst_also_while_others_are_modest() -> None:
    """Where there is room overall, a tenant's own account still holds no more than a burst."""
    cap = PremiumCap(0.125, burst=8.0)
    granted = 0
    for _ in range(1_000):
        cap.admit(False, "a")
    for _ in range(80):
        for other in range(9):
            cap.admit(False, f"modest-{other}")
        granted += cap.admit(True, "a")
    assert granted == 8 + 10


def test_the_caps_defaults() -> None:
    """A burst of ten; who names no tenant is one; a thousand tenants are told apart."""
    cap = PremiumCap(0.0)
    assert [cap.admit(True), cap.admit(True, "")] == [True, True]
    assert sum(cap.admit(True) for _ in range(20)) == 8
    assert list(cap._saved) == [""]
    cap = PremiumCap(0.0)
    for number in range(2_000):
        cap.admit(False, f"t{number}")
    assert len(cap._saved) == 1025
    assert "" in cap._saved


def test_a_known_tenant_keeps_his_account_when_there_is_no_room_for_more() -> None:
    """Strangers share one account; who was here before them doesn't pay for it."""
    cap = PremiumCap(0.5, burst=2.0, max_tenants=2)
    cap.admit(False, "known")
    cap.admit(False, "other")
    for number in range(9):
        cap.admit(True, f"stranger-{number}")
        cap.admit(False, "other")
    assert [cap.admit(True, "known") for _ in range(2)] == [True, True]
    granted = 0
    for _ in range(10):
        cap.admit(False, "other")
        granted += cap.admit(True, "known")
    assert granted == 6, "and he doesn't live on the strangers' account either"


def test_the_limits_defaults() -> None:
    """256 calls at once to begin with, retries over ten seconds."""
    assert ConcurrencyLimit().limit == 256
    clock = Clock()
    budget = RetryBudget(now=clock)
    for _ in range(100):
        budget.deposit()
    clock.now = 9.99
    assert sum(budget.try_acquire() for _ in range(100)) == 20


def test_tenants_beyond_the_bound_share_one_account() -> None:
    """Names of tenants don't grow memory, and inventing them doesn't buy a burst each."""
    cap = PremiumCap(0.0, burst=1.0, max_tenants=4)
    granted = sum(cap.admit(True, f"t{number}") for number in range(100))
    assert granted <= 1
    assert len(cap._saved) <= 5
