"""What a call's decisions tell the log, the breakers and the latencies, and what they leave of a plan."""

from __future__ import annotations

import pytest

from llm_router_middleware.engine.call import Call, Failure, FailureKind, Outcome
from llm_router_middleware.engine.flow import Plan, route
from llm_router_middleware.engine.watch import StreamEnd
from tests.engine.fakes import OWN, FakeKit, FakeLog, FakeWatch, bad, names, ok, run


def test_each_attempt_is_told_with_its_seconds_and_the_state_of_its_circuit() -> None:
    """Seconds are those of the attempt alone; the state is the one that let it through."""
    kit = FakeKit(time=100.0, states={"small": "half_open"})
    _, log, kit, _, _ = run({"small": [bad(FailureKind.SERVER)], "large": [ok()]}, kit=kit, seconds_each=2.0)
    assert log.attempts == [("small", "server"), ("large", "ok")]
    assert log.took == [(2.0, "half_open"), (2.0, "closed")]


def test_only_an_answer_teaches_how_long_its_model_takes() -> None:
    """A failure says nothing about the latency of answers."""
    _, _, kit, _, _ = run({"small": [bad(FailureKind.SERVER)], "large": [ok()]}, seconds_each=2.0)
    assert kit.learned == [("large", 2.0)]


def test_each_permit_is_settled_with_what_came_of_it() -> None:
    """Failures and successes reach the circuit of the model that they are of."""
    _, _, kit, _, _ = run({"small": [bad(FailureKind.OVERLOADED)], "large": [ok()]})
    assert kit.settled == [("overloaded", "small"), ("ok", "large")]


def test_what_is_asked_after_a_failure_is_somebody_elses_load() -> None:
    """The first choice is its own traffic; what overflows is told apart."""
    _, _, kit, _, _ = run({"small": [bad(FailureKind.SERVER)], "large": [ok()]})
    assert kit.spills == [("small", False), ("large", True)]


def test_a_refused_candidate_is_told_with_its_reason() -> None:
    """The reason is the circuit's own."""
    _, log, _, _, _ = run({"large": [ok()]}, kit=FakeKit(closed_to={"small"}))
    assert log.reasons == ["circuit open"]


def test_the_last_resort_counts_as_closed() -> None:
    """It has no permit: no circuit has let it through, and none learns from it."""
    kit = FakeKit(closed_to={"small", "large", "elsewhere"})
    _, log, kit, _, _ = run({"large": [ok()]}, kit=kit)
    assert log.took == [(0.0, "closed")]
    assert kit.settled == []


def test_the_verdict_is_kept_with_its_event() -> None:
    """So that last_event() finds it again."""
    verdict, log, _, _, _ = run({"small": [ok()]})
    assert log.kept == [verdict]
    verdict, log, _, _, _ = run({"large": [bad(FailureKind.BAD_REQUEST)]}, candidates=(OWN,))
    assert log.kept == [verdict]


def test_the_answer_itself_is_told_to_the_log() -> None:
    """Its usage and served model are read from it."""
    answer = ok()
    _, log, _, _, _ = run({"small": [answer]})
    assert log.outcomes == [answer]


def test_a_failure_without_an_exception_is_named_by_its_kind() -> None:
    """A page in place of an answer has no exception: the event says html, and the caller gets the page."""
    page = Outcome(value="<html>", failure=Failure(FailureKind.HTML))
    verdict, log, _, _, _ = run({"large": [page]}, candidates=(OWN,), retries=0)
    assert verdict.deliver() == "<html>"
    assert log.ended == [(False, "html")]


def test_the_error_of_the_last_resort_is_the_verdict() -> None:
    """With every circuit open, what his own call came to."""
    kit = FakeKit(closed_to={"small", "large", "elsewhere"})
    verdict, log, _, made, _ = run({"large": [bad(FailureKind.BAD_REQUEST)]}, kit=kit)
    assert str(verdict.error) == "bad_request"
    assert names(made) == ["large"]
    assert log.ended == [(False, "Bad")]


class Cancelled(BaseException):
    """As trio calls it."""


STOPS = (KeyboardInterrupt(), GeneratorExit(), Cancelled(), SystemExit())


@pytest.mark.parametrize("exc", STOPS, ids=lambda exc: type(exc).__name__)
def test_whoever_stops_waiting_is_named(exc: BaseException) -> None:
    """A cancellation is called so; what else ends a program has its own name. Its attempt is told as cancelled."""
    kit, log = FakeKit(time=1.0), FakeLog()
    flow = route(Call("openai", "openai_chat", {}), Plan((OWN,), "complexity_match", OWN), kit, log)
    next(flow)
    kit.time = 4.0
    with pytest.raises(type(exc)):
        flow.throw(exc)
    assert log.ended == [(False, "SystemExit" if isinstance(exc, SystemExit) else "cancelled")]
    assert log.attempts == [("large", "cancelled")]
    assert log.took == [(3.0, "closed")]


def test_a_bug_in_the_performer_comes_out_as_it_is() -> None:
    """The door makes the caller's own call then: no attempt is told, no event is finished, the permit is free."""
    kit, log = FakeKit(), FakeLog()
    flow = route(Call("openai", "openai_chat", {}), Plan((OWN,), "complexity_match", OWN), kit, log)
    next(flow)
    with pytest.raises(ZeroDivisionError):
        flow.throw(ZeroDivisionError())
    assert (log.attempts, log.ended) == ([], [])
    assert (kit.held, kit.settled) == (0, [("neutral", "large")])


def test_a_stream_tells_when_its_first_content_came() -> None:
    """Seconds since the call began, the failed attempts before it included."""
    kit, watch = FakeKit(time=50.0), FakeWatch()
    answers = {"small": [bad(FailureKind.SERVER)], "large": [Outcome(value="stream", watch=watch)]}
    _, log, _, _, _ = run(answers, kit=kit, seconds_each=2.0)
    assert log.first == [4.0]


@pytest.mark.parametrize(
    ("end", "neutral"),
    [
        (StreamEnd(True), False),
        (StreamEnd(False, None, "closed"), True),
        (StreamEnd(True, Failure(FailureKind.SERVER), "server"), False),
        (StreamEnd(False, Failure(FailureKind.TRUNCATED), "truncated"), False),
    ],
)
def test_the_end_of_a_stream_is_the_outcome_of_the_call(end: StreamEnd, neutral: bool) -> None:
    """The event reads its usage from the end; a circuit learns from it, unless the reader left."""
    watch = FakeWatch()
    _, log, kit, _, _ = run({"small": [Outcome(value="stream", watch=watch)]})
    watch.tell(end)
    assert log.outcomes == [end]
    assert (kit.settled[-1][0] == "neutral") is neutral
