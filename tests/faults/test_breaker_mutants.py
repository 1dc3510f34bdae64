"""T2: the oracle is worth what it catches. Every classic bug of a breaker, put into its text, must be noticed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from tests.resilience.breaker_oracle import play
from tests.resilience.mutants import Mutant, load, read

HISTORIES = 4_000
MUTANTS = read("breaker_mutants.diff")


def survives(breaker_class: Any) -> bool:
    """Whether the oracle sees no difference."""
    try:
        for seed in range(HISTORIES):
            play(seed, breaker_class)
    except (AssertionError, TimeoutError):
        return False
    return True


@pytest.fixture(autouse=True)
def _no_endless_loops() -> Iterator[None]:
    """A mutant that never returns is dead too."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_the_oracle_kills(mutant: Mutant) -> None:
    """The oracle notices this bug."""
    assert not survives(load({mutant.module: mutant.text()})["breaker"].CircuitBreaker)


def test_the_oracle_lets_the_breaker_live() -> None:
    """A fresh copy without a change is no mutant: it is not the copying that is noticed."""
    assert survives(load({})["breaker"].CircuitBreaker)
