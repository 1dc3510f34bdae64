"""T10: whoever gets an answer without us gets one with us, whatever the providers do."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from llm_router_middleware import Router, wrap
from llm_router_middleware.testing import Behaviour, scripted_client, scripted_provider
from llm_router_middleware.visit import Visit
from tests.faults.calls import ASKED, KINDS, Kind
from tests.faults.differential import Duel
from tests.faults.table import BY_NAME, Clock, others, paused, read_out
from tests.sandbox.faults import FAULTS
from tests.scoring.mutation import Mutant, in_place

CALLS = 1_000


def play(seeds: range, *, memory: bool) -> Counter[str]:
    """Plays these seeds; fails on the first call that was lost."""
    tally: Counter[str] = Counter()
    for seed in seeds:
        duel = Duel(seed, CALLS, memory=memory).play()
        assert duel.lost == [], f"python -m tests.faults.differential --seed {seed} --calls {CALLS}"
        tally += duel.tally
    print(f"\nT10: {dict(tally)}")
    assert min(tally.values()) > 0.02 * tally.total(), "all that may happen has happened"
    return tally


@pytest.mark.parametrize("memory", [False, True], ids=["circuits anew", "circuits that remember"])
def test_no_call_that_passes_bare_fails_routed(memory: bool, record_property: Callable[[str, object], None]) -> None:
    """Random faults at every provider, in virtual time: 0 calls lost, and many gained."""
    tally = play(range(1, 7), memory=memory)
    record_property("calls", tally.total())
    record_property("gained", tally["bare fails, routed passes"])
    assert tally["bare fails, routed passes"] > 0.1 * tally.total()


@pytest.mark.nightly
@pytest.mark.parametrize("memory", [False, True], ids=["circuits anew", "circuits that remember"])
def test_no_call_of_a_hundred_thousand_is_lost(memory: bool) -> None:
    """The same at the long size."""
    play(range(1_000, 1_100), memory=memory)


MUTANTS = [
    Mutant("engine.flow", "own, pause = trail.once_more()", "own, pause = None, 0.0"),
    Mutant("engine.trail", "if attempt.rewritten and (failure.kind.is_callers_fault or not tries_next):", "if False:"),
    Mutant("engine.trail", "self.own_failures > self.call.retries", "self.own_failures >= self.call.retries"),
    Mutant("visit", "candidates = (*candidates[: limit - 1], own)", "candidates = candidates[:limit]"),
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_call_is_lost_by(mutant: Mutant) -> None:
    """The differential notices that the caller's own call, or one of its tries, is no longer made."""
    with in_place(mutant):
        assert any(Duel(seed, 600, memory=memory).play().lost for memory in (False, True) for seed in (1, 2, 3))


# -- the same with the real SDKs, in memory

LASTING = {fault.name for fault in FAULTS if fault.name.startswith(("error_quota", "error_billing", "status_40"))}
MIDWAY = {"reset_midway", "truncated", "no_terminator", "half_closed", "half_closed_at_the_end", "stall_midway"} | {
    "error_event_midway"
}


def drawn(draw: random.Random, sdk: str, *, own: bool) -> list[Behaviour]:
    """What a model does, request by request; then all is well."""
    names = [f for f in FAULTS if sdk in f.sdks and f.name not in LASTING and (own or f.name not in MIDWAY)]
    return [fault.behaviour for fault in draw.choices(names, k=draw.randrange(4))]


class Hand:
    """The providers of one script, dealt anew for each side."""

    def __init__(self, seed: int, kind: Kind) -> None:
        draw = random.Random(f"{seed} {kind}")
        self.kind, self.retries = kind, draw.randrange(3)
        self.own = drawn(draw, kind.sdk, own=True)
        self.rest = {name: drawn(draw, name, own=False) * 5 for name in BY_NAME}

    def client(self, name: str, **options: Any) -> Any:
        provider = scripted_provider(name)  # type: ignore[arg-type]
        if name == self.kind.sdk:
            provider.script(ASKED[name], *self.own)
        provider.script("*", *self.rest[name])
        return scripted_client(provider, asynchronous=self.kind.is_async, **options)

    def bare(self) -> Any:
        client = self.client(self.kind.sdk, max_retries=self.retries)
        client._calculate_retry_timeout = lambda *_args, **_named: 0.0
        return read_out(self.kind, [client], ASKED[self.kind.sdk])

    def routed(self) -> Any:
        clock = Clock()
        mine = self.client(self.kind.sdk, max_retries=self.retries)
        backends = [self.client(name) for name in others(self.kind)]
        wrap(mine, router=Router(scorer="heuristic", backends=backends, now=clock))
        return read_out(self.kind, [mine, *backends], ASKED[self.kind.sdk])


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_no_call_of_any_sdk_is_lost(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real SDKs, sync and async, whole and streamed, with random faults at every model: 0 calls lost."""
    monkeypatch.setattr(Visit, "_sleep", paused)
    tally: Counter[tuple[bool, bool]] = Counter()
    for seed in range(40):
        bare, ours = (seen.is_whole(kind) for seen in (Hand(seed, kind).bare(), Hand(seed, kind).routed()))
        tally[bare, ours] += 1
        assert ours or not bare, f"{seed}"
    assert tally[True, True] > 5
    assert tally[False, True] > 0
