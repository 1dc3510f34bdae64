"""T4: names come from outside and calls never end; memory does not grow with either."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llm_router_middleware.engine.call import Effect, Failure, FailureKind
from llm_router_middleware.resilience.breaker import CircuitBreaker
from llm_router_middleware.resilience.breaker_settings import BreakerSettings
from llm_router_middleware.resilience.breakers import Breakers
from llm_router_middleware.resilience.latency import LatencyGate, LatencyTracker
from llm_router_middleware.resilience.window import BUCKETS
from tests.resilience.mutants import Mutant, load, read

ROOT = Path(__file__).parents[2]
FAILURE = Failure(FailureKind.SERVER, 500)


def resident_kib() -> float:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def buckets_after_a_long_life(breaker_class: Any) -> int:
    """The most buckets that a circuit held over ten windows of calls."""
    clock = [0.0]
    breaker = breaker_class(settings=BreakerSettings(failure_threshold=10**6), now=lambda: clock[0])
    most = 0
    for step in range(3_000):
        clock[0] = step / 10
        breaker.settle(breaker.try_acquire(), Effect.FAILURE if step % 3 == 0 else Effect.SUCCESS)
        most = max(most, len(breaker._circuit.health.window))
    return most


def test_a_window_holds_ten_buckets_however_long_it_lives() -> None:
    """I9: memory per circuit is bounded by the number of buckets."""
    assert buckets_after_a_long_life(CircuitBreaker) == BUCKETS


@pytest.mark.parametrize(
    "mutant", [m for m in read("breaker_mutants.diff") if m.name == "the window never evicts"], ids=str
)
def test_the_bound_kills(mutant: Mutant) -> None:
    """A window that never evicts is caught by its size alone."""
    assert buckets_after_a_long_life(load({mutant.module: mutant.text()})["breaker"].CircuitBreaker) > BUCKETS + 1


def flood(names: int, failure_every: int = 7) -> Breakers:
    """Asks for that many models of one endpoint; some fail once, some are opened."""
    breakers = Breakers(on_transition=None)
    for number in range(names):
        admission = breakers.acquire("openai@https://api.openai.com#1", f"model-{number}")
        assert admission
        breakers.settle(admission, FAILURE if number % failure_every == 0 else None)
        if number % 5_000 == 0:
            assert len(breakers) <= 1024
    return breakers


def test_a_hundred_thousand_names_keep_a_thousand_circuits() -> None:
    """T4: hostile names leave at most 1,024 circuits, and what is known of the others stays."""
    breakers = flood(100_000)
    assert len(breakers) == len(list(breakers)) <= 1024


@pytest.mark.nightly
def test_a_million_names_keep_a_thousand_circuits() -> None:
    """T4 at the long size."""
    assert len(flood(1_000_000)) <= 1024


def test_what_is_known_to_be_bad_survives_a_flood_of_names() -> None:
    """Only closed circuits that know nothing bad are forgotten: an open one outlives 20,000 other names."""
    clock = [0.0]
    breakers = Breakers(BreakerSettings(failure_threshold=2), now=lambda: clock[0], on_transition=None)
    for _ in range(2):
        breakers.settle(breakers.acquire("e", "bad"), FAILURE)
    breakers.settle(breakers.acquire("e", "doubtful"), FAILURE)
    breakers.settle(breakers.acquire("e", "slow down"), Failure(FailureKind.RATE_LIMIT, 429, retry_after_s=60.0))
    for number in range(20_000):
        breakers.settle(breakers.acquire("e", f"model-{number}"), None)
    assert not breakers.acquire("e", "bad")
    assert not breakers.acquire("e", "slow down")
    breakers.settle(breakers.acquire("e", "doubtful"), FAILURE)
    assert breakers["e/doubtful"].state == "open"


def test_when_all_circuits_are_bad_new_names_still_pass() -> None:
    """Where there is no room left a name is served unwatched, and the bound holds; it ends when they have had time."""
    clock = [0.0]
    settings = BreakerSettings(failure_threshold=1, max_keys=16)
    breakers = Breakers(settings, now=lambda: clock[0], on_transition=None)
    for number in range(100):
        admission = breakers.acquire("e", f"bad-{number}")
        assert admission
        breakers.settle(admission, FAILURE)
        assert len(breakers) <= 16
    assert breakers.acquire("e", "bad-99"), "it was served unwatched, so nothing is known of it"
    assert "e/bad-99" not in breakers
    clock[0] = 10.0
    breakers.settle(breakers.acquire("e", "new"), FAILURE)
    assert breakers["e/new"].state == "open"
    assert len(breakers) <= 16


def test_a_thousand_credentials_keep_a_thousand_circuits() -> None:
    """Endpoints are bounded as well: a key per tenant leaves at most 1,024 circuits in both layers."""
    breakers = Breakers(on_transition=None)
    for number in range(5_000):
        breakers.settle(breakers.acquire(f"openai@here#{number}", "m"), None)
        assert len(breakers) <= 1024
    assert len(list(breakers)) == len(breakers)


def test_calls_that_never_come_back_are_forgotten_too() -> None:
    """Circuits that were asked and never told anything make room, the oldest first."""
    clock = [0.0]
    breakers = Breakers(BreakerSettings(max_keys=16), now=lambda: clock[0], on_transition=None)
    for number in range(100):
        clock[0] += 1.0
        assert breakers.acquire("e", f"m{number}")
        assert len(breakers) <= 16
    assert "e/m99" in breakers
    assert "e/m0" not in breakers


def test_the_latency_tracker_keeps_a_thousand_models() -> None:
    """Names of models don't grow the latency windows or the gate's verdicts either."""
    tracker = LatencyTracker()
    gate = LatencyGate(tracker)
    for number in range(10_000):
        for _ in range(5):
            tracker.record(f"m{number}", 9.0)
        tracker.record_first_token(f"m{number}", 9.0)
        gate.too_slow(f"m{number}", 1.0)
        assert len(tracker._answers) <= 1024
        assert len(tracker._first_tokens) <= 1024
        assert len(gate._verdicts) <= 1024


def soak(calls: int) -> float:
    """KiB by which the process grows over that many calls with every outcome, after as many to warm up."""
    clock = [0.0]
    breakers = Breakers(now=lambda: clock[0], on_transition=None)
    failures = (None, None, None, FAILURE, Failure(FailureKind.CONNECT), Failure(FailureKind.RATE_LIMIT, 429))

    def run(count: int) -> None:
        for number in range(count):
            clock[0] += 0.01
            admission = breakers.acquire("e", f"m{number % 9}")
            breakers.settle(admission, failures[number % 7 % 6], neutral=number % 11 == 0)

    run(calls // 4)
    before = resident_kib()
    run(calls)
    return resident_kib() - before


def soak_alone(calls: int) -> float:
    """The same in a process of its own: one that has run other tests grows and shrinks for their reasons."""
    code = f"from tests.faults.test_breaker_memory import soak; print(soak({calls}))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(run.stdout)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads resident memory from /proc")
def test_calls_leave_nothing_behind() -> None:
    """T4: 200,000 calls grow the process by less than 1 MB."""
    assert soak_alone(200_000) < 1024


@pytest.mark.nightly
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads resident memory from /proc")
def test_a_million_calls_leave_nothing_behind() -> None:
    """T4 at the long size."""
    assert soak_alone(1_000_000) < 1024


def test_a_thousand_dead_credentials_leave_room_for_the_next() -> None:
    """Endpoints that were ejected are kept while they refuse, and make room once they no longer do."""
    clock = [0.0]
    settings = BreakerSettings(max_keys=16)
    breakers = Breakers(settings, now=lambda: clock[0], on_transition=None)
    rejected = Failure(FailureKind.AUTH, 401)
    for number in range(100):
        clock[0] = number * 10.0
        for _ in range(2):
            breakers.settle(breakers.acquire(f"openai@here#{number}", "m"), rejected)
        assert not breakers.acquire(f"openai@here#{number}", "m")
        assert len(breakers) <= 16
