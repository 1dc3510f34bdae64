"""What resilience costs, as multiples of an empty function call: `python -m tests.benchmarks.bench_resilience`.

Blocks of each piece and of the empty call, interleaved; CPU time of the calling thread; the median of the paired ratios
and, for orientation only, of the nanoseconds. An A/A row (the empty call against itself) shows the noise. Nothing is
asserted here. The goal: asking and settling in both layers takes 2 us at most.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from llm_router_middleware.engine.call import Effect, Failure, FailureKind
from llm_router_middleware.resilience.breaker import CircuitBreaker
from llm_router_middleware.resilience.breakers import Breakers
from llm_router_middleware.resilience.budget import ConcurrencyLimit, PremiumCap, RetryBudget
from llm_router_middleware.resilience.failures import classify
from llm_router_middleware.resilience.latency import LatencyGate, LatencyTracker

BLOCK = 2_000
ENDPOINT = "openai@https://api.openai.com#1"


def empty() -> None:
    """The unit."""


def nanoseconds(work: Callable[[], object]) -> float:
    began = time.thread_time_ns()
    for _ in range(BLOCK):
        work()
    return (time.thread_time_ns() - began) / BLOCK


def pieces() -> dict[str, Callable[[], object]]:
    breaker, opened = CircuitBreaker(), CircuitBreaker()
    opened.force_open()
    breakers, closed_off = Breakers(on_transition=None), Breakers(on_transition=None)
    closed_off.acquire(ENDPOINT, "m")
    closed_off[ENDPOINT].force_open()
    tracker = LatencyTracker()
    for number in range(50):
        tracker.record("m", number / 10.0, 100 + number)
        tracker.record_first_token("m", 0.3)
    gate, retries, limit, cap = LatencyGate(tracker), RetryBudget(), ConcurrencyLimit(), PremiumCap(0.3)
    error, failure = TimeoutError(), Failure(FailureKind.BAD_REQUEST, 400)

    def one_circuit() -> None:
        permit = breaker.try_acquire()
        if permit is not None:
            breaker.settle(permit, Effect.SUCCESS)

    def place() -> None:
        slot = limit.try_acquire()
        if slot is not None:
            limit.release(slot)

    return {
        "A/A: an empty call": empty,
        "one circuit: acquire": breaker.try_acquire,
        "one circuit: acquire + settle": one_circuit,
        "one circuit: refusal": opened.try_acquire,
        "both layers: acquire": lambda: breakers.acquire(ENDPOINT, "m"),
        "both layers: acquire + settle(success)": lambda: breakers.settle(breakers.acquire(ENDPOINT, "m"), None),
        "both layers: acquire + settle(failure)": lambda: breakers.settle(breakers.acquire(ENDPOINT, "m"), failure),
        "both layers: refusal": lambda: closed_off.acquire(ENDPOINT, "m"),
        "latency: record": lambda: tracker.record("m", 1.0),
        "latency: record with its length": lambda: tracker.record("m", 1.0, 120),
        "latency: p95": lambda: tracker.p95("m"),
        "latency: too slow? no": lambda: gate.too_slow("m", 100.0, False),
        "classify a timeout": lambda: classify(error),
        "retry budget: deposit": retries.deposit,
        "concurrency: acquire + release": place,
        "premium cap: admit": lambda: cap.admit(False),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    works = pieces()
    ratios: dict[str, list[float]] = {name: [] for name in works}
    costs: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            before, cost, after = nanoseconds(empty), nanoseconds(work), nanoseconds(empty)
            ratios[name].append(cost / ((before + after) / 2))
            costs[name].append(cost)
    for name in works:
        print(f"{name:<42} {statistics.median(ratios[name]):>8.1f} x {statistics.median(costs[name]):>9.0f} ns")


if __name__ == "__main__":
    main()
