"""Hedging, without any I/O: when a rival is asked for, and who gets which permit back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from llm_router_middleware.engine.call import Attempt, Call, FailureKind, Limits, Outcome
from llm_router_middleware.engine.flow import Plan, route
from llm_router_middleware.models.spec import ModelSpec, Tier
from tests.engine.fakes import BUDGET, OTHER, OWN, FakeKit, FakeLog, bad, names, ok, run

Answer = Callable[[Attempt], Outcome]


def won_by(which: str, outcome: Outcome, other: Outcome | None = None, rivals: list[Attempt] | None = None) -> Answer:
    """It takes long. An outcome of the first or of its rival; of the other one something may be known as well."""

    def answer(attempt: Attempt) -> Outcome:
        assert attempt.rival is not None
        rival = attempt.rival()
        assert rival is not None
        outcome.by = rival if which == "rival" else attempt
        outcome.other = other
        if rivals is not None:
            rivals.append(rival)
        return outcome

    return answer


def nobody_to_ask(attempt: Attempt) -> Outcome:
    """It takes long, and no rival may be asked."""
    assert attempt.rival is not None
    assert attempt.rival() is None
    return ok()


def hedging(**details: Any) -> FakeKit:
    return FakeKit(hedge_s=0.7, **details)


def test_the_first_candidate_gets_the_second_for_a_rival() -> None:
    """After the seconds that the kit says, with a permit of its own, as somebody else's load."""
    rivals: list[Attempt] = []
    _, _, kit, made, _ = run({"small": [won_by("first", ok(), rivals=rivals)]}, kit=hedging())
    (attempt,), (rival,) = made, rivals
    assert (rival.model, rival.rewritten, attempt.rival_after_s) == (OWN, False, 0.7)
    assert kit.spills == [("small", False), ("large", True)]
    assert kit.asked_to_hedge == ["small"]


def test_a_first_that_answers_in_time_costs_nothing() -> None:
    """What might have been is not paid for: neither budget nor permit."""
    _, log, kit, _, _ = run({"small": [ok()]}, kit=hedging())
    assert (log.served, log.reason, log.attempts) == ("small", "complexity_match", [("small", "ok")])
    assert kit.settled == [("ok", "small")]
    assert kit.spills == [("small", False)]
    assert (kit.held, kit.hedging) == (0, 0)


def test_a_spent_budget_asks_nobody() -> None:
    """The first is waited for, as without hedging."""
    _, log, kit, _, _ = run({"small": [nobody_to_ask]}, kit=hedging(may_hedge=False))
    assert (log.served, kit.spills, kit.hedging) == ("small", [("small", False)], 0)


def test_a_rival_that_wins_is_the_answer_and_the_first_is_called_off() -> None:
    """Both are in the event; the loser teaches nothing."""
    _, log, kit, made, _ = run({"small": [won_by("rival", ok("the rival's"))]}, kit=hedging(), seconds_each=2.0)
    assert (log.served, log.reason) == ("large", "latency_fallback")
    assert log.attempts == [("small", "cancelled"), ("large", "ok")]
    assert log.took == [(2.0, "closed"), (2.0, "closed")]
    assert sorted(kit.settled) == [("neutral", "small"), ("ok", "large")]
    assert kit.learned == [("large", 2.0)]
    assert (kit.held, kit.hedging, len(made)) == (0, 0, 1)


def test_a_first_that_wins_after_all_calls_its_rival_off() -> None:
    """The reason stays the plan's."""
    _, log, kit, _, _ = run({"small": [won_by("first", ok())]}, kit=hedging())
    assert (log.served, log.reason) == ("small", "complexity_match")
    assert log.attempts == [("large", "cancelled"), ("small", "ok")]
    assert sorted(kit.settled) == [("neutral", "large"), ("ok", "small")]


def test_a_success_that_came_second_is_nobodys_answer() -> None:
    """It is told as what it was, and settled as neutral."""
    _, log, kit, _, _ = run({"small": [won_by("first", ok(), other=ok("late"))]}, kit=hedging())
    assert log.attempts == [("large", "ok"), ("small", "ok")]
    assert sorted(kit.settled) == [("neutral", "large"), ("ok", "small")]


def test_a_rival_that_failed_first_leaves_a_failover() -> None:
    """Whoever answers in the end: the hedge was not what answered."""
    answers = {
        "small": [won_by("rival", bad(FailureKind.SERVER), other=bad(FailureKind.OVERLOADED))],
        "elsewhere": [ok()],
    }
    _, log, _, made, _ = run(answers, kit=hedging())
    assert names(made) == ["small", "elsewhere"]
    assert log.reason == "failover"


def test_both_fail_and_the_call_goes_on_with_whoever_is_left() -> None:
    """Two attempts are made, both circuits learn, neither is asked again in this round."""
    answers = {
        "small": [won_by("first", bad(FailureKind.SERVER), other=bad(FailureKind.OVERLOADED))],
        "elsewhere": [ok()],
    }
    verdict, log, kit, made, _ = run(answers, kit=hedging())
    assert verdict.deliver() == "answer"
    assert names(made) == ["small", "elsewhere"]
    assert log.attempts == [("large", "overloaded"), ("small", "server"), ("elsewhere", "ok")]
    assert log.reason == "failover"
    assert sorted(kit.settled) == [("ok", "elsewhere"), ("overloaded", "large"), ("server", "small")]
    assert (kit.held, kit.hedging) == (0, 0)


def test_the_error_of_the_own_model_is_remembered_though_it_was_the_rival() -> None:
    """R3 holds for whichever of the two it was."""
    answers = {"small": [won_by("first", bad(FailureKind.SERVER), other=bad(FailureKind.OVERLOADED))]}
    verdict, *_ = run(answers, candidates=(BUDGET, OWN), kit=hedging(), retries=0)
    assert str(verdict.error) == "overloaded"


def test_two_at_once_count_as_two_attempts() -> None:
    """The cap holds for requests, not for turns."""
    answers = {
        "small": [won_by("first", bad(FailureKind.SERVER), other=bad(FailureKind.SERVER))],
        "elsewhere": [ok()],
    }
    _, _, _, made, _ = run(answers, kit=hedging(max_attempts=2), retries=0)
    assert names(made) == ["small"]


def test_only_the_first_attempt_is_hedged() -> None:
    """After a failure the call has a next candidate anyway."""
    kit = hedging(closed_to={"large"})
    candidates = (BUDGET, OWN, OTHER, ModelSpec("another", "groq", Tier.MID))
    _, _, kit, made, _ = run({"small": [bad(FailureKind.SERVER)], "elsewhere": [ok()]}, candidates=candidates, kit=kit)
    assert kit.asked_to_hedge == ["small"]
    assert made[1].rival is None
    assert kit.hedging == 0


def test_the_last_resort_is_not_hedged() -> None:
    """Everything refuses: one native answer, and no more."""
    kit = hedging(closed_to={"small", "large", "elsewhere"})
    _, _, kit, made, _ = run({"large": [ok()]}, kit=kit)
    assert kit.asked_to_hedge == []
    assert [attempt.rival for attempt in made] == [None]


@pytest.mark.parametrize(
    "options",
    [{"candidates": (BUDGET,)}, {"bound": "store"}, {"body": {"tools": [{"type": "function"}]}}],
    ids=["nobody else", "bound", "tools"],
)
def test_what_can_not_or_must_not_be_asked_twice_is_not_hedged(options: dict[str, Any]) -> None:
    """Nobody to ask, or effects that would be had twice."""
    _, _, kit, made, _ = run({"small": [ok()]}, kit=hedging(), **options)
    assert kit.asked_to_hedge == []
    assert made[0].rival is None


@pytest.mark.parametrize("kit", [hedging(closed_to={"large"}), hedging(states={"large": "half_open"})])
def test_a_rival_whose_circuit_is_not_closed_is_not_asked(kit: FakeKit) -> None:
    """A probe is not spent on a hedge; its permit and the budget are given back."""
    _, _, kit, _, _ = run({"small": [nobody_to_ask]}, kit=kit)
    assert (kit.held, kit.hedging) == (0, 0)
    assert [said for said, model in kit.settled if model == "large"] in ([], ["neutral"])


@pytest.mark.parametrize("asked", [True, False], ids=["rival asked", "in time"])
@pytest.mark.parametrize("exc", [KeyboardInterrupt(), ZeroDivisionError()], ids=lambda exc: type(exc).__name__)
def test_a_call_that_ends_under_a_hedge_gives_everything_back(exc: BaseException, asked: bool) -> None:
    """Both permits and the budget, whoever has ended it."""
    kit, log = hedging(), FakeLog()
    flow = route(Call("openai", "openai_chat", {}), Plan((BUDGET, OWN, OTHER), "complexity_match", OWN), kit, log)
    attempt = next(flow)
    assert isinstance(attempt, Attempt)
    assert attempt.rival is not None
    if asked:
        attempt.rival()
    with pytest.raises(type(exc)):
        flow.throw(exc)
    assert sorted(kit.settled) == [("neutral", "large"), ("neutral", "small")][not asked :]
    assert (kit.held, kit.hedging) == (0, 0)


def test_a_rival_has_its_own_share_of_the_deadline() -> None:
    """It is an attempt as any other."""
    rivals: list[Attempt] = []
    answers = {"small": [won_by("first", ok(), rivals=rivals)]}
    _, _, _, made, _ = run(answers, kit=hedging(), limits=Limits(deadline_s=10.0))
    assert (made[0].timeout_s, rivals[0].timeout_s) == (7.5, 7.5)


def test_without_hedging_there_is_no_rival() -> None:
    """Off, or too little known of the model."""
    _, _, kit, made, _ = run({"small": [ok()]})
    assert kit.asked_to_hedge == ["small"]
    assert made[0].rival is None
