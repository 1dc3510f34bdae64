"""Who is asked, how often and until when: deadlines, rounds, last resorts, refusals."""

from __future__ import annotations

import pytest

from llm_router_middleware.engine.call import Failure, FailureKind, Limits
from llm_router_middleware.models.spec import ModelSpec, Tier
from tests.engine.fakes import BUDGET, OTHER, OWN, FakeKit, bad, names, ok, run

SECOND = ModelSpec("second", "openai", Tier.BUDGET)


class Willing(FakeKit):
    """Every failure may fail over: `auth_failover` and `refusal_failover` are on."""

    def tries_next(self, failure: Failure) -> bool:
        return True


def test_an_attempt_is_made_even_after_the_deadline_when_there_was_none_before() -> None:
    """A call that came too late is told so by its provider, not by us."""
    verdict, _, _, made, _ = run({"small": [ok()]}, limits=Limits(deadline_s=0.0))
    assert verdict.deliver() == "answer"
    assert names(made) == ["small"]
    assert made[0].timeout_s == 0.001


@pytest.mark.parametrize("how", ["bound", "native_only"])
def test_what_must_stay_with_its_provider_does(how: str) -> None:
    """Bound by what it refers to, or by the kind of client: no other provider is a candidate."""
    answers = {"elsewhere": [ok()], "small": [bad(FailureKind.SERVER)], "large": [bad(FailureKind.SERVER)]}
    options = {"bound": "store"} if how == "bound" else {"native_only": "raw stream"}
    verdict, _, _, made, _ = run(answers, candidates=(BUDGET, OTHER, OWN), retries=0, **options)  # type: ignore[arg-type]
    assert names(made) == ["small", "large"]
    assert verdict.error is not None


def test_a_bound_request_that_failed_before_it_was_sent_may_be_made_elsewhere() -> None:
    """Nothing has run: another model of the same provider may have it."""
    lost = bad(FailureKind.TIMEOUT, sent=False)
    verdict, _, _, made, _ = run({"small": [lost], "large": [ok()]}, bound="store")
    assert verdict.deliver() == "answer"
    assert names(made) == ["small", "large"]


def test_what_failed_for_good_is_not_in_the_next_round() -> None:
    """A model whose second failure can't recover is left out of the third round."""
    answers = {
        "small": [bad(FailureKind.SERVER), bad(FailureKind.QUOTA)],
        "second": [bad(FailureKind.SERVER)],
    }
    _, _, _, made, _ = run(answers, candidates=(BUDGET, SECOND), own=None, retries=2)
    assert names(made) == ["small", "second", "small", "second", "second"]


@pytest.mark.parametrize(
    "kind",
    [FailureKind.OVERLOADED, FailureKind.TIMEOUT, FailureKind.CONNECTION_LOST, FailureKind.POOL],
    ids=lambda kind: kind.label,
)
def test_what_the_sdks_retry_by_themselves_is_retried(kind: FailureKind) -> None:
    """The caller's max_retries mean what they meant."""
    verdict, _, _, made, _ = run({"large": [bad(kind), ok()]}, candidates=(OWN,))
    assert verdict.deliver() == "answer"
    assert names(made) == ["large", "large"]


def test_a_pause_that_does_not_fit_the_deadline_ends_the_call() -> None:
    """Neither a pause that is longer than what is left, nor one that takes all of it."""
    for after_s, rounds in ((3.9, 2), (4.0, 1), (9.0, 1)):
        answer = bad(FailureKind.RATE_LIMIT, retry_after_s=after_s)
        _, _, _, made, pauses = run(
            {"large": [answer]}, candidates=(OWN,), retries=1, limits=Limits(deadline_s=6.0), seconds_each=2.0
        )
        assert (len(made), len(pauses)) == (rounds, rounds - 1), after_s


def test_the_own_model_sets_the_pause_and_without_it_the_shortest_does() -> None:
    """He waits as his SDK would have waited."""
    slow, quick = bad(FailureKind.RATE_LIMIT, retry_after_s=3.0), bad(FailureKind.RATE_LIMIT, retry_after_s=1.0)
    _, _, _, made, pauses = run({"small": [quick], "large": [slow]}, candidates=(BUDGET, OWN), retries=1)
    assert (names(made), pauses) == (["small", "large", "large", "small"][: len(made)], [3.0])
    _, _, _, _, pauses = run({"small": [quick], "second": [slow]}, candidates=(SECOND, BUDGET), own=None, retries=1)
    assert pauses == [1.0]


def test_every_round_makes_one_more_request_possible() -> None:
    """The cap on attempts grows by the caller's own retries, not by more."""
    many = tuple(ModelSpec(f"m{i}", "openai", Tier.BUDGET) for i in range(20))
    for retries in (0, 1, 2):
        answers = {m.name: [bad(FailureKind.SERVER)] for m in many}
        _, _, _, made, _ = run(answers, candidates=many, own=None, retries=retries)
        assert len(made) == 5 + retries


def test_no_last_resort_after_the_deadline() -> None:
    """Time is over: what failed is the answer."""
    kit = FakeKit(closed_to={"large"})
    verdict, _, _, made, _ = run(
        {"elsewhere": [bad(FailureKind.SERVER)], "large": [ok()]},
        candidates=(OTHER, OWN),
        kit=kit,
        retries=0,
        limits=Limits(deadline_s=2.0),
        seconds_each=2.0,
    )
    assert names(made) == ["elsewhere"]
    assert str(verdict.error) == "server"


def test_the_last_resort_is_the_own_model_where_another_of_its_provider_has_failed() -> None:
    """The caller's model was not let: his own call, once."""
    kit = FakeKit(closed_to={"large"})
    verdict, _, _, made, _ = run(
        {"small": [bad(FailureKind.SERVER)], "large": [ok()]}, candidates=(BUDGET, OWN), kit=kit, retries=0
    )
    assert verdict.deliver() == "answer"
    assert names(made) == ["small", "large"]


def test_no_last_resort_beyond_the_plan() -> None:
    """An own model that the plan has ruled out, above a ceiling perhaps, is not asked after all."""
    verdict, _, _, made, _ = run({"small": [bad(FailureKind.SERVER)]}, candidates=(BUDGET,), retries=0)
    assert names(made) == ["small"]
    assert str(verdict.error) == "server"


def test_auto_has_the_first_of_its_provider_for_a_last_resort() -> None:
    """He named no model: the first candidate of his own provider, and without one the first of all."""
    closed = FakeKit(closed_to={"small", "large", "elsewhere"})
    _, _, _, made, _ = run({"small": [ok()]}, candidates=(OTHER, BUDGET, OWN), own=None, kit=closed)
    assert names(made) == ["small"]
    closed = FakeKit(closed_to={"elsewhere"})
    _, _, _, made, _ = run({"elsewhere": [ok()]}, candidates=(OTHER,), own=None, kit=closed)
    assert names(made) == ["elsewhere"]


def test_the_own_models_error_comes_before_its_providers_and_that_before_others() -> None:
    """R3, in order; and of the caller's own provider the first one."""
    server, overloaded, capacity = (
        bad(FailureKind.SERVER),
        bad(FailureKind.OVERLOADED),
        bad(FailureKind.CAPACITY),
    )
    verdict, *_ = run(
        {"elsewhere": [server], "small": [overloaded], "second": [capacity]},
        candidates=(OTHER, BUDGET, SECOND),
        own=None,
        retries=0,
    )
    assert str(verdict.error) == "overloaded"
    verdict, *_ = run(
        {"elsewhere": [server], "small": [overloaded], "large": [capacity]},
        candidates=(OTHER, BUDGET, OWN),
        retries=0,
    )
    assert str(verdict.error) == "capacity"


def test_a_model_of_the_same_name_elsewhere_is_not_his_own() -> None:
    """A name belongs to its provider."""
    namesake = ModelSpec("large", "groq", Tier.PREMIUM)
    _, _, _, made, _ = run({"large": [ok()]}, candidates=(namesake, OWN))
    assert (made[0].native, made[0].rewritten) == (False, True)
    _, _, _, made, _ = run({"large": [ok()]}, candidates=(OWN, namesake))
    assert (made[0].native, made[0].rewritten) == (True, False)


def test_streams_wait_for_content_as_long_as_their_share_and_no_longer_than_is_set() -> None:
    """The smaller of both while there is another candidate; of the last one only the deadline is asked."""
    answers = {"small": [bad(FailureKind.TIMEOUT)], "large": [bad(FailureKind.TIMEOUT)], "elsewhere": [ok()]}
    _, _, _, made, _ = run(answers, kit=FakeKit(first_token_s=7.0), limits=Limits(deadline_s=10.0))
    assert [attempt.first_token_s for attempt in made] == [7.0, 7.0, 10.0]
    _, _, _, made, _ = run(answers, kit=FakeKit(first_token_s=9.0), limits=Limits(deadline_s=10.0))
    assert [attempt.first_token_s for attempt in made] == [7.5, 7.5, 10.0]
    _, _, _, made, _ = run(answers, kit=FakeKit(first_token_s=9.0))
    assert [attempt.first_token_s for attempt in made] == [9.0, 9.0, None]


def test_the_reason_of_a_rejected_rewrite_holds_for_the_own_model_alone() -> None:
    """When his own model fails too, whoever answers then is a failover."""
    answers = {"small": [bad(FailureKind.BAD_REQUEST)], "large": [bad(FailureKind.SERVER)], "elsewhere": [ok()]}
    _, log, kit, made, _ = run(answers)
    assert names(made) == ["small", "large", "elsewhere"]
    assert (log.reason, kit.misfits) == ("failover", ["small"])


def test_a_rewrite_that_fails_without_a_next_try_falls_back_and_is_no_misfit() -> None:
    """His own pool was full: his own model once, as it would have been asked, and the other stays a candidate."""
    answers = {"small": [bad(FailureKind.POOL)], "large": [bad(FailureKind.POOL)]}
    _, _, kit, made, _ = run(answers, retries=0)
    assert names(made) == ["small", "large"]
    assert kit.misfits == []


def test_a_rejected_rewrite_of_auto_goes_on_to_the_next() -> None:
    """He named no model to fall back on."""
    answers = {"small": [bad(FailureKind.BAD_REQUEST)], "second": [ok()]}
    verdict, log, _, made, _ = run(answers, candidates=(BUDGET, SECOND), own=None)
    assert verdict.deliver() == "answer"
    assert names(made) == ["small", "second"]
    assert log.reason == "failover"


def test_nothing_begins_at_the_very_deadline() -> None:
    """What is left must be more than nothing."""
    answers = {"small": [bad(FailureKind.TIMEOUT)], "large": [bad(FailureKind.TIMEOUT)], "elsewhere": [ok()]}
    _, _, _, made, _ = run(answers, limits=Limits(deadline_s=10.0), seconds_each=5.0)
    assert names(made) == ["small", "large"]


def test_what_another_provider_rejects_is_no_misfit_of_ours() -> None:
    """The reason is a failover, and the model stays a candidate."""
    answers = {"elsewhere": [bad(FailureKind.BAD_REQUEST)], "large": [ok()]}
    _, log, kit, _, _ = run(answers, candidates=(OTHER, OWN))
    assert (log.reason, kit.misfits) == ("failover", [])


def test_a_rejected_rewrite_goes_to_the_own_model_before_anybody_else() -> None:
    """Though another provider stands before it in the plan."""
    answers = {"small": [bad(FailureKind.BAD_REQUEST)], "large": [ok()], "elsewhere": [ok()]}
    _, _, _, made, _ = run(answers, candidates=(BUDGET, OTHER, OWN))
    assert names(made) == ["small", "large"]


def test_a_rejected_rewrite_goes_to_the_own_model_though_failover_was_chosen() -> None:
    """Where a dead key may fail over, the caller's own model is asked first all the same."""

    answers = {"small": [bad(FailureKind.AUTH)], "large": [bad(FailureKind.AUTH)], "elsewhere": [ok()]}
    _, _, _, made, _ = run(answers, candidates=(BUDGET, OTHER, OWN), kit=Willing())
    assert names(made) == ["small", "large", "elsewhere"]


@pytest.mark.parametrize("deadline_s", [10.0, 0.5])
def test_the_last_resort_is_asked_while_time_is_left(deadline_s: float) -> None:
    """However little."""
    kit = FakeKit(closed_to={"large"})
    answers = {"elsewhere": [bad(FailureKind.SERVER)], "large": [ok()]}
    verdict, _, _, made, _ = run(
        answers, candidates=(OTHER, OWN), kit=kit, retries=0, limits=Limits(deadline_s=deadline_s), seconds_each=0.1
    )
    assert verdict.deliver() == "answer"
    assert names(made) == ["elsewhere", "large"]


@pytest.mark.parametrize(("refused", "asked"), [("elsewhere", ["small"]), ("small", ["large"])])
def test_a_dead_key_is_told_where_it_is_the_callers_own(refused: str, asked: list[str]) -> None:
    """His own is not hidden by paying somebody else; another provider's dead key is passed over."""
    kit = FakeKit(closed_to={refused}, because="auth")
    candidates = (OTHER, BUDGET, OWN) if refused == "elsewhere" else (BUDGET, OTHER, OWN)
    answers = {name: [ok()] for name in ("small", "large", "elsewhere")}
    _, _, _, made, _ = run(answers, candidates=candidates, kit=kit)
    assert names(made) == asked


REFUSAL = FailureKind.REFUSAL


def test_a_refusal_elsewhere_is_an_answer_but_for_the_own_model() -> None:
    """Who stands in declines: nobody is asked then but the model that the caller named, as he would have without us."""
    answers = {"elsewhere": [bad(REFUSAL)], "large": [ok()], "small": [ok()]}
    verdict, _, _, made, _ = run(answers, candidates=(OTHER, BUDGET, OWN))
    assert verdict.deliver() == "answer"
    assert names(made) == ["elsewhere", "large"]


def test_a_refusal_elsewhere_ends_a_call_whose_own_model_has_failed() -> None:
    """He gets what was said, and nobody else is asked, in no further round either."""
    answers = {"large": [bad(FailureKind.QUOTA)], "elsewhere": [bad(REFUSAL)], "small": [ok()]}
    verdict, _, _, made, pauses = run(answers, candidates=(OWN, OTHER, BUDGET))
    assert (names(made), pauses) == (["large", "elsewhere"], [])
    assert verdict.error is not None


def test_after_a_refusal_elsewhere_only_the_own_model_is_tried_again() -> None:
    """The rounds that his SDK would have made are his; those of others are over."""
    answers = {"small": [bad(FailureKind.SERVER)], "large": [bad(FailureKind.SERVER)], "elsewhere": [bad(REFUSAL)]}
    _, _, _, made, pauses = run(answers, candidates=(BUDGET, OWN, OTHER), retries=1)
    assert names(made) == ["small", "large", "elsewhere", "large"]
    assert len(pauses) == 1


def test_a_refusal_elsewhere_of_auto_is_the_answer() -> None:
    """He named no model, so there is none to ask."""
    answers = {"elsewhere": [bad(REFUSAL)], "small": [ok()]}
    verdict, _, _, made, _ = run(answers, candidates=(OTHER, BUDGET), own=None)
    assert names(made) == ["elsewhere"]
    assert str(verdict.error) == "refusal"


def test_a_refusal_elsewhere_goes_on_where_that_was_chosen() -> None:
    """With `refusal_failover` the next candidate is asked."""
    answers = {"elsewhere": [bad(REFUSAL)], "small": [ok()]}
    _, _, _, made, _ = run(answers, candidates=(OTHER, BUDGET, OWN), kit=Willing())
    assert names(made) == ["elsewhere", "small"]


def test_a_dead_key_is_passed_over_where_that_was_chosen() -> None:
    """With `auth_failover` another provider is asked."""
    kit = Willing(closed_to={"small", "large"}, because="auth")
    _, _, _, made, _ = run({"elsewhere": [ok()], "large": [ok()]}, candidates=(BUDGET, OWN, OTHER), kit=kit)
    assert names(made) == ["elsewhere"]
