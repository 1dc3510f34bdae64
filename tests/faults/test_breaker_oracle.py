"""T1: the breaker against an oracle that decides from the whole history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from llm_router_middleware.resilience.breaker import CircuitBreaker
from llm_router_middleware.resilience.transition import LEGAL
from tests.resilience.breaker_oracle import play

SITUATIONS = (
    "settled a bypass",
    "settled a lapsed probe",
    "settled late, open",
    "settled late, half_open",
    "settled late, closed",
    "probe success",
    "probe failure",
    "probe neutral",
    "probe cooldown",
    "probe eject",
    "consecutive_failures",
    "failure_ratio",
    "ejected",
    "forced",
    "reset",
)


def histories(first: int, count: int) -> Counter[Any]:
    visits: Counter[Any] = Counter()
    for seed in range(first, first + count):
        play(seed, CircuitBreaker, visits)
    return visits


Record = Callable[[str, object], None]


def check(visits: Counter[Any], count: int, least: int, record: Record) -> None:
    record("histories", count)
    record("fewest visits of a legal edge", min(visits[edge] for edge in LEGAL))
    print("\n" + "\n".join(f"{count:>9,}  {name}" for name, count in visits.most_common()))
    assert {edge for edge in visits if isinstance(edge, tuple)} == LEGAL
    assert min(visits[edge] for edge in LEGAL) >= least
    assert min(visits[situation] for situation in SITUATIONS) >= least / 10, visits


def test_the_breaker_does_what_the_oracle_says(record_property: Record) -> None:
    """I1-I6: 20,000 random histories, no difference in admissions, states, times, counters or listeners' news."""
    check(histories(0, 20_000), 20_000, 1_000, record_property)


@pytest.mark.nightly
def test_the_breaker_does_what_the_oracle_says_a_million_times(record_property: Record) -> None:
    """I1-I6 at the long size."""
    check(histories(1_000_000, 1_000_000), 1_000_000, 50_000, record_property)
