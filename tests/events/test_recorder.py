"""Exactly one event per call, true about money, and in the hands of whoever asks for it."""

from __future__ import annotations

import json
import os
import threading
from typing import Any

import pytest

from llm_router_middleware.engine.call import Failure, FailureKind, Outcome, Verdict
from llm_router_middleware.events.event import RoutingEvent, Usage
from llm_router_middleware.events.recorder import Recorder, Recording
from llm_router_middleware.inspection import last_event
from llm_router_middleware.models.prices import cost_usd
from llm_router_middleware.models.spec import ModelSpec, Price, Tier
from llm_router_middleware.routing.decision import RoutingDecision

CHEAP = ModelSpec("small", "openai", Tier.BUDGET, Price(1.0, 4.0))
DEAR = ModelSpec("large", "openai", Tier.PREMIUM, Price(10.0, 40.0))
UNPRICED = ModelSpec("mystery", "local", Tier.MID)


def recording(events: list[RoutingEvent], decision: RoutingDecision | None = None, now: Any = None) -> Recording:
    recorder = Recorder([events.append], cost_usd, now or (lambda: 0.0))
    made = recorder.open(requested_model="large", provider="openai", stream=False, policy_version="v")
    made.planned(decision or plan(CHEAP), Usage(1_000_000, 0, estimated=True))
    return made


def plan(first: ModelSpec, requested: ModelSpec | None = DEAR) -> RoutingDecision:
    return RoutingDecision(Tier.BUDGET, 0.1, ("s",), (first,), (), "complexity_match", Tier.BUDGET, requested, 7)


def test_only_the_first_finish_counts() -> None:
    """Whatever else happens afterwards, there is one event."""
    events: list[RoutingEvent] = []
    made = recording(events)
    made.finish(success=True)
    made.finish(success=False, error="late")
    assert [event.success for event in events] == [True]


def test_only_one_of_many_threads_finishes() -> None:
    """Also when they all try at once."""
    events: list[RoutingEvent] = []
    made = recording(events)
    start = threading.Barrier(16)

    def finish() -> None:
        start.wait()
        made.finish(success=True)

    threads = [threading.Thread(target=finish) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(events) == 1


def test_savings_are_against_what_the_caller_asked_for() -> None:
    """The same tokens on the named model, less what they cost."""
    events: list[RoutingEvent] = []
    made = recording(events)
    made.finish(success=True, outcome=Outcome(usage=Usage(1_000_000, 1_000_000)))
    event = events[0]
    assert (event.cost_usd, event.baseline_cost_usd, event.savings_usd) == (5.0, 50.0, 45.0)
    assert event.estimated_cost_usd == 1.0


def test_savings_are_negative_when_we_were_dearer() -> None:
    """A failover upwards costs money, and the event says so."""
    events: list[RoutingEvent] = []
    made = recording(events, plan(CHEAP, requested=CHEAP))
    made.selected(DEAR, "failover")
    made.finish(success=True, outcome=Outcome(usage=Usage(1_000_000, 0)))
    assert events[0].savings_usd == -9.0


@pytest.mark.parametrize(("model", "usage"), [(UNPRICED, Usage(10, 10)), (CHEAP, None), (CHEAP, Usage(10, None))])
def test_unknown_money_is_none(model: ModelSpec, usage: Usage | None) -> None:
    """An unknown price or usage is never 0."""
    events: list[RoutingEvent] = []
    made = recording(events, plan(model))
    made.finish(success=True, outcome=Outcome(usage=usage))
    assert events[0].cost_usd is None
    assert events[0].savings_usd is None


def test_attempts_and_refusals_are_kept_in_order() -> None:
    """Every request and every refusal is in the event."""
    events: list[RoutingEvent] = []
    made = recording(events)
    made.refused(DEAR, "endpoint circuit open")
    made.attempted(CHEAP, Outcome(failure=Failure(FailureKind.SERVER, 503)), 0.5, "closed")
    made.attempted(DEAR, Outcome(value=1), 0.25, "half_open")
    made.finish(success=True)
    event = events[0]
    assert [(a.model, a.outcome, a.status, a.breaker) for a in event.attempts] == [
        ("small", "server", 503, "closed"),
        ("large", "ok", None, "half_open"),
    ]
    assert event.ruled_out == (("large", "openai", "endpoint circuit open"),)
    assert event.selected_model == "large"


def test_request_ids_are_unique_after_a_fork() -> None:
    """A child makes ids of its own."""
    recorder = Recorder()
    first = recorder.open(requested_model="", provider="", stream=False, policy_version="").event.request_id
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        ids = [
            recorder.open(requested_model="", provider="", stream=False, policy_version="").event.request_id
            for _ in range(3)
        ]
        os.write(write, json.dumps(ids).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(write)
    with os.fdopen(read) as pipe:
        theirs = json.loads(pipe.read())
    ours = [
        recorder.open(requested_model="", provider="", stream=False, policy_version="").event.request_id
        for _ in range(3)
    ]
    assert len({first, *ours, *theirs}) == 7


def test_the_event_is_found_on_what_the_call_gave() -> None:
    """On a response, or on an exception; nowhere on things that have no place for it."""

    class Response:
        pass

    for verdict in (Verdict(Response()), Verdict(error=ValueError("x"))):
        events: list[RoutingEvent] = []
        made = recording(events)
        made.keep(verdict)
        made.finish(success=True)
        assert last_event(verdict.error or verdict.value) is events[0]
    made.keep(Verdict({"plain": "dict"}))
    assert last_event({"plain": "dict"}) is None
    assert last_event(None) is None


def test_no_word_of_the_prompt_is_in_an_event() -> None:
    """Signals that quote the prompt stay with explain()."""
    quoting = RoutingDecision(Tier.BUDGET, 0.1, ("kind=math", "for=riemann", "against=hi", "words=4"), (CHEAP,), (), "")
    events: list[RoutingEvent] = []
    recording(events, quoting).finish(success=True)
    assert events[0].complexity_signals == ("kind=math", "words=4")


def test_an_event_is_plain_json() -> None:
    """`to_dict` gives JSON types, with every field in order."""
    events: list[RoutingEvent] = []
    made = recording(events)
    made.attempted(CHEAP, Outcome(value=1), 0.5, "closed")
    made.finish(success=True, outcome=Outcome(usage=Usage(1, 2)))
    data = events[0].to_dict()
    assert json.loads(json.dumps(data)) == data
    assert list(data)[:4] == ["request_id", "timestamp", "prompt_tokens_est", "complexity_tier"]
