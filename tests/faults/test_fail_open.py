"""T9: a bug of ours, at any line, in any kind of call: the caller gets what he would have got without us."""

from __future__ import annotations

import gc
import linecache
import logging
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import pytest

from llm_router_middleware import Router, routed, wrap
from llm_router_middleware.testing import Behaviour, scripted_client, scripted_provider
from tests.faults.calls import ASKED, KINDS, SERVED, Kind, come_to
from tests.faults.injection import ROOT, InjectedError, Site, lines_run, raising_at

THE_FENCE = {
    "intercept/door": {"enter", "aenter", "_visit"},
    "engine/drive": {"drive", "adrive"},
    "engine/fence": {"fenced"},
    "engine/call": {"Verdict.deliver"},
    "engine/watch": {"Watch.take"},
    "engine/streams": {
        "Tap.__iter__",
        "Tap.__aiter__",
        "Tap._ending",
        "Tap._source",
        "Tap.pull",
        "Tap.apull",
        "Tap.close",
        "Tap.aclose",
        "Tap.__del__",
    },
    "providers/shadow": {"_body"},
    "providers/backends": {"_close_all"},
}
"""What stands between a bug and the caller can't itself be fenced: it hands over values, and decides nothing."""

HANDED_OVER = {
    "value = yield request",
    "hand.value = yield request",
    "self._fenced(lambda: self._succeeded(value, began))",
    "return Verdict(value)",
    "chunk = yield pull",
}
"""Where the SDK is waited for, and where its answer is on its way: what is raised there is what the SDK has raised."""

THE_RECORD = {
    "visit": {"Visit._conclude", "Visit._succeeded", "Visit._failed", "Visit._unchanged"},
    "engine/watch": {"Watch._finish", "Watch.closed", "Watch.drained", "Watch.failed", "Watch.on_end"},
    "engine/streams": {"Tap._broken", "Tap._left"},
    "engine/flow": {"_succeed.<locals>.ended"},
    "events/recorder": {"Recording.finish", "Recorder._emit"},
    "events/sink": {"Fenced.__call__"},
}
"""A bug in whoever writes the event may lose that event; the call all the same comes to what it should."""

THE_ACCOUNTS = {
    "resilience/budget": {"ConcurrencyLimit.try_acquire", "ConcurrencyLimit.release", "RetryBudget.release", "Slot"},
    "spillways": {"Spillways.acquire", "Spill.leave"},
    "kit": {"Kit.settle", "Kit.end_retry", "Kit.acquire"},
    "engine/flow": {"_succeed.<locals>.ended"},
    "engine/watch": {"Watch._finish", "Watch.closed", "Watch.drained"},
}
"""A bug in whoever counts places may lose one."""

THE_FILTER = {"providers/readers": {"UsageFilter.feed", "_is_usage_alone"}}
"""A bug where we withhold the chunk that OpenAI sends because we asked for usage may let it through."""

GOOD = Behaviour(text="Paris, where else?")


@dataclass(frozen=True)
class Situation:
    """What the caller's provider does, and how the call is set up.

    Attributes:
        name: of it.
        asked: how the model that the caller names behaves.
        served: how the one that he would be routed to does.
        rest: how all others of that provider do.
        router: settings of the router.
        limits: of the scope.
        others: whether other providers can be asked.
    """

    name: str
    asked: Behaviour = GOOD
    served: Behaviour = GOOD
    rest: Behaviour = GOOD
    router: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    others: bool = False

    def __str__(self) -> str:
        return self.name


SITUATIONS = (
    Situation("all is well"),
    Situation("the request is wrong", *3 * [Behaviour(status=400)]),
    Situation("the cheaper model is down", served=Behaviour(status=500)),
    Situation("the provider is down", *3 * [Behaviour(status=500)], others=True),
    Situation("it breaks midway", *3 * [Behaviour(text="Paris, where else?", reset_after=2)]),
    Situation("switched off", router={"disabled": True}),
    Situation("in the shadow", router={"shadow": True}),
    Situation("pinned", limits={"pinned": True}),
)


class Try:
    """One call of one kind in one situation, routed or not.

    Args:
        situation: where.
        kind: of the call.
        is_routed: by a router of its own.
    """

    def __init__(self, situation: Situation, kind: Kind, *, is_routed: bool = True) -> None:
        self.situation, self.kind = situation, kind
        self.provider = _provider(situation, kind.sdk)
        self.client = scripted_client(self.provider, asynchronous=kind.is_async, max_retries=0)
        self.events: list[Any] = []
        self.router: Any = None
        if is_routed:
            others = [s for s in ASKED if s != kind.sdk] if situation.others else []
            backends = [scripted_client(_good(sdk), asynchronous=kind.is_async) for sdk in others]
            self.router = Router(scorer="heuristic", backends=backends, sinks=[self.events.append], **situation.router)
            wrap(self.client, router=self.router)

    def run(self, watched: AbstractContextManager[Any] | None = None) -> tuple[str, Any]:
        with routed(router=self.router, **self.situation.limits), watched or nullcontext():
            return come_to(self.client, self.kind)

    @property
    def is_clean(self) -> bool:
        """Whether every permit, place and connection was given back."""
        kit = self.router._kit
        held = [limit.inflight for limit in kit._spillways._limits.values()]
        ended = [request.ended for request in self.provider.requests]
        return not any(held) and kit._retries._under_way == 0 and None not in ended


def _is_an_answer(came_to: tuple[str, Any]) -> bool:
    """Whether somebody has answered: which of the other providers it was may depend on where the bug is."""
    how, what = came_to
    if how == "raised" and what[0] in ("APIError", "APIStatusError"):
        return "broke off (internal)" in what[1]  # a bug in the translation of a stream that has begun
    text = "".join(part for part in re.findall(r"'(?:content|text)': '([^']*)'", repr(what)))
    return how == "returned" and text.endswith("Paris, where else?")


def _provider(situation: Situation, sdk: str) -> Any:
    provider = scripted_provider(sdk)  # type: ignore[arg-type]
    provider.default("*", situation.rest)
    provider.default(ASKED[sdk], situation.asked)
    provider.default(SERVED[sdk], situation.served)
    return provider


def _good(sdk: str) -> Any:
    provider = scripted_provider(sdk)  # type: ignore[arg-type]
    provider.default("*", GOOD)
    return provider


def _is_in(site: Site, places: dict[str, set[str]]) -> bool:
    module, function, number = site
    if places is THE_FENCE and linecache.getline(f"{ROOT}/{module}.py", number).strip() in HANDED_OVER:
        return True
    return any(function == name or function.startswith(f"{name}.") for name in places.get(module, ()))


class Bench:
    """Everything that is known of one kind of call in one situation before a bug is put into it."""

    def __init__(self, situation: Situation, kind: Kind) -> None:
        self.situation, self.kind = situation, kind
        bare = Try(situation, kind, is_routed=False).run()
        Try(situation, kind).run()  # what is imported or remembered on the first call is not part of every call
        healthy = Try(situation, kind)
        watched = lines_run()
        routed_well = healthy.run(watched)
        self.sites = [site for site in watched.lines if not _is_in(site, THE_FENCE)]
        self.right = [bare, routed_well]
        self.any_answer = situation.others
        self.requests = max(len(healthy.provider.requests), 1)

    def with_a_bug_at(self, site: Site, error: BaseException) -> str | None:
        """Makes the call with one bug; says what was wrong with it, or nothing."""
        call = Try(self.situation, self.kind)
        watched = raising_at(site, error)
        came_to = call.run(watched)
        if not watched.lines:
            return None  # remembered from an earlier call, so not run this time
        gc.collect(0)
        if not self._is_right(came_to) and not _is_in(site, THE_FILTER):
            return f"came to {came_to!r:.200}"
        if len(call.provider.requests) > self.requests + 1:
            return f"made {len(call.provider.requests)} requests instead of {self.requests}"
        if not call.is_clean and not _is_in(site, THE_ACCOUNTS):
            return "a permit, a place or a connection was not given back"
        return self._wrong_record(site, call.events)

    def _is_right(self, came_to: tuple[str, Any]) -> bool:
        return came_to in self.right or (self.any_answer and _is_an_answer(came_to))

    def _wrong_record(self, site: Site, events: Sequence[Any]) -> str | None:
        started = site in self.sites[self._opened :] and not _is_in(site, THE_RECORD)
        if len(events) > 1 or (started and len(events) != 1):
            return f"left {len(events)} events"
        return None

    @property
    def _opened(self) -> int:
        """Where the call's event has been opened: what fails before is told by a warning alone."""
        return next(i for i, site in enumerate(self.sites) if site[:2] == ("visit", "Visit.plan"))


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "llm_router")


Turn = tuple[str, Kind]
TURNS = {(situation.name, kind): situation for situation in SITUATIONS for kind in KINDS}


@pytest.fixture(scope="module")
def due() -> dict[Turn, list[Site]]:
    """Every line once: in one of the kinds and situations in which it runs, whichever its hash says."""
    runs: dict[Site, list[Turn]] = {}
    for turn, situation in TURNS.items():
        for site in Bench(situation, turn[1]).sites:
            runs.setdefault(site, []).append(turn)
    due: dict[Turn, list[Site]] = {turn: [] for turn in TURNS}
    for site, turns in runs.items():
        due[turns[crc32(repr(site).encode()) % len(turns)]].append(site)
    print(f"\nT9: {len(runs)} lines, each once in {len(TURNS)} turns")
    return due


def check(situation: Situation, kind: Kind, sites: Sequence[Site] | None = None) -> int:
    """Puts a bug into each of these lines, or into all that run, and says how many there were."""
    bench = Bench(situation, kind)
    sites = bench.sites if sites is None else sites
    wrong = {site: bench.with_a_bug_at(site, InjectedError("a bug")) for site in sites}
    told = [f"{module}.py:{line} {function}: {what}" for (module, function, line), what in wrong.items() if what]
    assert not told, "\n".join([f"{situation}, {kind}:", *told])
    return len(sites)


@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_bug_at_any_line_changes_nothing_for_the_caller(
    situation: Situation, kind: Kind, due: dict[Turn, list[Site]], record_property: Callable[[str, object], None]
) -> None:
    """Every line of the package that a call runs, once; `nightly` has each in all kinds and situations."""
    record_property("lines", check(situation, kind, due[situation.name, kind]))


@pytest.mark.nightly
@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_bug_at_every_line_changes_nothing_for_the_caller(situation: Situation, kind: Kind) -> None:
    """Every line, in every kind of call and every situation."""
    lines = check(situation, kind)
    print(f"\nT9: {situation}, {kind}: {lines} lines")
    assert lines > 100
