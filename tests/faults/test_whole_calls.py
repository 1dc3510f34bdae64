"""T5: whole calls in virtual time, random faults, cancellations and abandoned streams: nothing lost, nothing twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.far_side import FAULTS
from tests.faults.laws import broken_laws
from tests.faults.whole_calls import World

CALLS = 2_500
"""Per seed: a world is long enough to trip circuits and to see them recover, and short enough to be debugged."""

USUAL = (
    "ok",
    "server",
    "rate_limit",
    "timeout",
    "connect",
    "connection_lost",
    "truncated",
    "bad_json",
    "html",
    "cancelled",
)
REASONS = ("complexity_match", "ceiling", "failover", "circuit_fallback", "capability", "passthrough")


def play(first: int, seeds: int) -> Counter[str]:
    tally: Counter[str] = Counter()
    for seed in range(first, first + seeds):
        world = World(seed, CALLS).play()
        assert broken_laws(world) == [], f"python -m tests.faults.whole_calls --seed {seed} --calls {CALLS}"
        tally += world.tally()
    return tally


Record = Callable[[str, object], None]


def check(tally: Counter[str], calls: int, record: Record) -> None:
    for name in ("calls", "events", "requests", "attempts"):
        record(name, tally[name])
    print(f"\nT5: {calls:,} calls", *(f"{count:>9,}  {name}" for name, count in sorted(tally.items())), sep="\n")
    assert tally["calls"] == tally["events"] == calls
    assert min(tally[f"attempt {label}"] for label in USUAL) >= calls / 1000, "every usual failure has been met"
    assert min(tally[f"reason {reason}"] for reason in REASONS) >= calls / 20_000, "and every reason"
    assert min(tally[f"fault {name}"] for name in FAULTS) > 0, "and every fault"


@pytest.mark.parametrize("first", [1, 11, 21, 31])
def test_a_hundred_thousand_calls_keep_every_law(first: int, record_property: Record) -> None:
    """0 lost, 0 duplicated events; attempts as the servers counted them; nothing spliced, nothing left given away."""
    check(play(first, 10), 10 * CALLS, record_property)


@pytest.mark.nightly
def test_a_million_calls_keep_every_law(record_property: Record) -> None:
    """The same at the long size."""
    check(play(1_000, 400), 400 * CALLS, record_property)


def test_a_seed_replays_byte_for_byte() -> None:
    """The events of a seed are the same in another process, whose hashes and addresses are others."""
    here = World(42, 500).play().digest()
    command = [sys.executable, "-m", "tests.faults.whole_calls", "--seed", "42", "--calls", "500"]
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    root = Path(__file__).parents[2]
    run = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == here
