"""The decisions of one call, driven without any I/O."""

from __future__ import annotations

import pytest

from llm_router_middleware.engine.call import Call, Failure, FailureKind, Limits, Outcome
from llm_router_middleware.engine.flow import Plan, route
from llm_router_middleware.engine.watch import StreamEnd
from llm_router_middleware.models.spec import ModelSpec, Tier
from tests.engine.fakes import BUDGET, OTHER, OWN, Admission, Bad, FakeKit, FakeLog, FakeWatch, bad, names, ok, run


def test_the_first_candidate_serves_when_it_can() -> None:
    """One attempt, one success, one event, the decision's own reason."""
    verdict, log, kit, made, _ = run({"small": [ok()]})
    assert verdict.deliver() == "answer"
    assert names(made) == ["small"]
    assert (log.served, log.reason, log.ended) == ("small", "complexity_match", [(True, None)])
    assert kit.held == 0


@pytest.mark.parametrize("kind", [k for k in FailureKind if k.tries_next], ids=lambda k: k.label)
def test_a_providers_failure_goes_on_to_the_next_candidate(kind: FailureKind) -> None:
    """Every kind that may fail over does, and the event says failover."""
    verdict, log, _, made, _ = run({"small": [bad(kind)], "large": [ok()]})
    assert verdict.deliver() == "answer"
    assert names(made) == ["small", "large"]
    assert log.reason == "failover"


def test_a_rejected_rewrite_is_retried_once_on_the_callers_own_model() -> None:
    """R2: the router never makes a good call fail, and remembers what did not fit."""
    verdict, log, kit, made, _ = run({"small": [bad(FailureKind.BAD_REQUEST, status=400)], "large": [ok()]})
    assert verdict.deliver() == "answer"
    assert [(a.model.name, a.rewritten) for a in made] == [("small", True), ("large", False)]
    assert kit.misfits == ["small"]
    assert log.reason == "capability"


def test_a_request_that_is_wrong_by_itself_is_raised_at_once() -> None:
    """The caller's fault on his own model: his SDK's error, no failover, no retry."""
    verdict, log, _, made, pauses = run({"large": [bad(FailureKind.BAD_REQUEST)]}, candidates=(OWN, OTHER))
    with pytest.raises(Bad, match="bad_request"):
        verdict.deliver()
    assert names(made) == ["large"]
    assert pauses == []
    assert log.ended == [(False, "Bad")]


def test_a_wrong_request_costs_two_attempts_when_it_was_rewritten() -> None:
    """The rewrite, then the caller's own: he sees the error of his own model."""
    verdict, _, _, made, _ = run({"small": [bad(FailureKind.BAD_REQUEST)], "large": [bad(FailureKind.NOT_FOUND)]})
    with pytest.raises(Bad, match="not_found"):
        verdict.deliver()
    assert names(made) == ["small", "large"]


def test_a_refused_candidate_is_skipped_and_the_next_is_a_circuit_fallback() -> None:
    """An open circuit is no attempt; the event says circuit_fallback."""
    _, log, _, made, _ = run({"large": [ok()]}, kit=FakeKit(closed_to={"small"}))
    assert names(made) == ["large"]
    assert (log.refusals, log.reason) == (["small"], "circuit_fallback")


def test_when_every_circuit_is_open_the_callers_own_call_is_made_once() -> None:
    """There is always a native answer."""
    kit = FakeKit(closed_to={"small", "large", "elsewhere"})
    verdict, log, kit, made, _ = run({"large": [ok()]}, kit=kit)
    assert verdict.deliver() == "answer"
    assert names(made) == ["large"]
    assert kit.held == 0
    assert log.ended == [(True, None)]


def test_when_all_fail_the_caller_sees_his_own_models_error() -> None:
    """R3: native errors, of the model that he named."""
    verdict, log, _, _, _ = run(
        {
            "small": [bad(FailureKind.SERVER)],
            "large": [bad(FailureKind.OVERLOADED)],
            "elsewhere": [bad(FailureKind.TIMEOUT)],
        },
        retries=0,
    )
    with pytest.raises(Bad, match="overloaded"):
        verdict.deliver()
    assert log.ended == [(False, "Bad")]


def test_after_all_failed_what_may_recover_is_tried_again_as_the_sdk_would() -> None:
    """The caller's max_retries are further rounds, with pauses between them and no more."""
    verdict, _, _, made, pauses = run(
        {"large": [bad(FailureKind.SERVER), bad(FailureKind.SERVER), ok()]}, candidates=(OWN,), retries=2
    )
    assert verdict.deliver() == "answer"
    assert names(made) == ["large"] * 3
    assert pauses == [0.5, 1.0]


def test_a_spent_retry_budget_ends_the_call() -> None:
    """R6: retries are a fifth of the load at most; beyond that the error is the caller's."""
    kit = FakeKit(may_retry=False)
    verdict, _, _, made, pauses = run({"large": [bad(FailureKind.SERVER)]}, candidates=(OWN,), kit=kit)
    assert verdict.error is not None
    assert (names(made), pauses) == (["large"], [])


def test_a_retry_that_is_over_is_given_back_to_the_budget() -> None:
    """However the rounds end, no retry stays under way."""
    for answers in ([bad(FailureKind.SERVER)], [bad(FailureKind.SERVER), ok()]):
        _, _, kit, _, _ = run({"large": answers}, candidates=(OWN,))
        assert kit.retrying == 0


def test_the_last_resort_has_the_tries_that_the_sdk_would_have_made() -> None:
    """R0: his circuit is open and nobody else answers: bare he would not have known, and would have tried on."""
    for retries in (0, 1, 2):
        kit = FakeKit(closed_to={"large", "elsewhere"})
        bads = [bad(FailureKind.SERVER)] * 3
        verdict, _, kit, made, pauses = run({"large": bads}, candidates=(OWN, OTHER), retries=retries, kit=kit)
        assert verdict.error is not None
        assert names(made) == ["large"] * (1 + retries)
        assert pauses == [0.5, 1.0][:retries]
        assert kit.retrying == 0


def test_the_last_resort_ends_with_what_the_sdk_would_not_have_tried_again() -> None:
    """A wrong request is wrong the second time too, and a provider may forbid to come back."""
    for failure in (bad(FailureKind.BAD_REQUEST), bad(FailureKind.QUOTA)):
        kit = FakeKit(closed_to={"large"})
        _, _, _, made, _ = run({"large": [bad(FailureKind.SERVER), failure, ok()]}, candidates=(OWN,), kit=kit)
        assert names(made) == ["large", "large"]


def test_a_quota_is_never_retried() -> None:
    """An empty account does not fill up while we wait."""
    verdict, _, _, made, pauses = run({"large": [bad(FailureKind.QUOTA)]}, candidates=(OWN,))
    with pytest.raises(Bad):
        verdict.deliver()
    assert (names(made), pauses) == (["large"], [])


def test_a_provider_that_forbids_retries_is_not_retried() -> None:
    """`x-should-retry: false` holds for the same provider."""
    verdict, _, _, made, _ = run({"large": [bad(FailureKind.SERVER, retry_forbidden=True)]}, candidates=(OWN,))
    assert verdict.error is not None
    assert names(made) == ["large"]


def test_a_conflict_is_retried_but_goes_nowhere_else() -> None:
    """409: once more on the same model, as the SDKs do."""
    verdict, _, _, made, _ = run({"large": [bad(FailureKind.CONFLICT), ok()]}, candidates=(OWN, OTHER))
    assert verdict.deliver() == "answer"
    assert names(made) == ["large", "large"]


def test_a_bound_request_stays_with_its_provider() -> None:
    """What is bound to a provider is never sent to another."""
    verdict, _, _, made, _ = run(
        {"small": [bad(FailureKind.SERVER)], "large": [bad(FailureKind.SERVER)]},
        bound="previous_response_id",
        retries=0,
    )
    assert verdict.error is not None
    assert names(made) == ["small", "large"]


def test_a_bound_request_that_may_have_run_is_not_made_on_another_model() -> None:
    """A timeout of a request with effects: its own model again, as the SDK would, but no other."""
    verdict, _, _, made, _ = run({"small": [bad(FailureKind.TIMEOUT), ok()]}, bound="store")
    assert verdict.deliver() == "answer"
    assert names(made) == ["small", "small"]


def test_the_deadline_covers_all_attempts_and_the_last_gets_what_is_left() -> None:
    """R4: shares while there is an alternative, everything for the last candidate."""
    _, _, _, made, _ = run(
        {"small": [bad(FailureKind.TIMEOUT)], "large": [bad(FailureKind.TIMEOUT)], "elsewhere": [ok()]},
        limits=Limits(deadline_s=10.0),
        seconds_each=2.0,
    )
    assert [attempt.timeout_s for attempt in made] == [7.5, 6.0, 6.0]


def test_no_attempt_begins_after_the_deadline() -> None:
    """What is over is over; the error is the caller's own."""
    verdict, _, _, made, _ = run(
        {"small": [bad(FailureKind.TIMEOUT)], "large": [bad(FailureKind.TIMEOUT)], "elsewhere": [ok()]},
        limits=Limits(deadline_s=10.0),
        seconds_each=6.0,
    )
    assert verdict.error is not None
    assert names(made) == ["small", "large"]


def test_attempts_are_bounded() -> None:
    """R5: however many candidates, no more than the cap and the caller's own retries."""
    many = tuple(ModelSpec(f"m{i}", "openai", Tier.BUDGET) for i in range(20))
    _, _, _, made, _ = run({m.name: [bad(FailureKind.SERVER)] for m in many}, candidates=many, own=None, retries=0)
    assert len(made) == 5


def test_a_cancelled_attempt_gives_its_permit_back_and_leaves_one_event() -> None:
    """Cancellation: the permit is free, the event says cancelled, the exception goes on."""
    kit, log = FakeKit(), FakeLog()
    flow = route(Call("openai", "openai_chat", {}), Plan((OWN,), "complexity_match", OWN), kit, log)
    next(flow)
    with pytest.raises(KeyboardInterrupt):
        flow.throw(KeyboardInterrupt())
    assert kit.settled == [("neutral", "large")]
    assert kit.held == 0
    assert log.ended == [(False, "cancelled")]


@pytest.mark.parametrize(
    ("end", "settled", "event"),
    [
        (StreamEnd(True), "ok", (True, None)),
        (StreamEnd(False, None, "closed"), "neutral", (True, "closed")),
        (StreamEnd(False, None, "abandoned"), "neutral", (True, "abandoned")),
        (StreamEnd(False, Failure(FailureKind.TRUNCATED), "truncated"), "truncated", (False, "truncated")),
    ],
    ids=["whole", "closed", "abandoned", "truncated"],
)
def test_a_stream_settles_when_it_ends(end: StreamEnd, settled: str, event: tuple[bool, str | None]) -> None:
    """The permit and the event wait for the end of the stream; a reader who leaves early is nobody's failure."""
    watch = FakeWatch()
    _, log, kit, _, _ = run({"small": [Outcome(value="stream", watch=watch)]})
    assert (kit.held, log.ended) == (1, [])
    watch.tell(end)
    assert (kit.held, kit.settled[-1][0], log.ended) == (0, settled, [event])


def test_another_providers_failure_never_stops_the_call() -> None:
    """A target that says 400 to our translation is our fault: the caller's own provider is asked."""
    verdict, _, _, made, _ = run(
        {"elsewhere": [bad(FailureKind.BAD_REQUEST)], "large": [ok()]}, candidates=(OTHER, OWN), own=OWN
    )
    assert verdict.deliver() == "answer"
    assert names(made) == ["elsewhere", "large"]


def test_without_a_native_model_the_last_foreign_error_is_the_verdict() -> None:
    """`auto` on a provider that has none of the tier: what the other provider said, in the caller's own class."""
    verdict, _, _, made, _ = run({"elsewhere": [bad(FailureKind.SERVER)]}, candidates=(OTHER,), own=None, retries=0)
    with pytest.raises(Bad, match="server"):
        verdict.deliver()
    assert names(made) == ["elsewhere"]


def test_in_further_rounds_the_callers_own_model_comes_first() -> None:
    """Whatever else has failed, he gets the tries that his SDK would have made: one more request a round is enough."""
    many = tuple(ModelSpec(f"m{i}", "openai", Tier.BUDGET) for i in range(4))
    answers: dict[str, list[Outcome]] = {model.name: [bad(FailureKind.SERVER)] for model in many}
    answers["large"] = [bad(FailureKind.SERVER), bad(FailureKind.SERVER), ok()]
    verdict, _, _, made, _ = run(answers, candidates=(*many, OWN), retries=2)
    assert verdict.deliver() == "answer"
    assert names(made) == ["m0", "m1", "m2", "m3", "large", "large", "large"]


def test_a_model_that_is_refused_in_a_round_is_not_forgotten() -> None:
    """A round in which the own model's circuit refuses leaves it for the next."""
    kit = FakeKit(closed_to=set())
    verdict, _, _, made, _ = run(
        {"large": [bad(FailureKind.RATE_LIMIT), ok()]}, candidates=(OWN,), kit=Recovering(kit, after_s=0.6), retries=2
    )
    assert verdict.deliver() == "answer"
    assert names(made) == ["large", "large"]


class Recovering(FakeKit):
    """A kit whose circuits refuse after a failure, until some time has passed."""

    def __init__(self, kit: FakeKit, after_s: float) -> None:
        super().__init__()
        self.after_s = after_s

    def acquire(self, model: ModelSpec, call: Call, *, spill: bool) -> Admission:
        if self.settled and self.time < self.after_s:
            return Admission(False)
        return super().acquire(model, call, spill=spill)


@pytest.mark.parametrize("kind", [FailureKind.CONFLICT, FailureKind.POOL, FailureKind.CANCELLED], ids=lambda k: k.label)
def test_a_rewrite_that_goes_nowhere_else_is_made_as_the_caller_wrote_it(kind: FailureKind) -> None:
    """R0: whatever befalls a model that he did not name, his own is asked."""
    verdict, _, kit, made, _ = run({"small": [bad(kind)], "large": [ok()]})
    assert verdict.deliver() == "answer"
    assert names(made) == ["small", "large"]
    assert kit.misfits == []


def test_an_own_model_that_was_refused_is_asked_when_the_others_have_failed() -> None:
    """His circuit was open; nobody else could answer: his own call is made once in any case."""
    kit = FakeKit(closed_to={"large"})
    verdict, _, _, made, _ = run(
        {"small": [bad(FailureKind.SERVER)], "large": [ok()]}, candidates=(BUDGET, OWN), kit=kit, retries=0
    )
    assert verdict.deliver() == "answer"
    assert names(made) == ["small", "large"]


def test_an_own_model_above_the_limits_is_not_the_last_resort() -> None:
    """What `max_tier` has barred stays barred when the rest fails."""
    verdict, _, _, made, _ = run({"small": [bad(FailureKind.SERVER)]}, candidates=(BUDGET,), own=OWN, retries=0)
    assert verdict.error is not None
    assert names(made) == ["small"]


def test_an_attempt_that_was_cancelled_is_in_the_event() -> None:
    """Every request that was made is listed, also the one that nobody waited for."""
    kit, log = FakeKit(), FakeLog()
    flow = route(Call("openai", "openai_chat", {}), Plan((OWN,), "complexity_match", OWN), kit, log)
    next(flow)
    with pytest.raises(KeyboardInterrupt):
        flow.throw(KeyboardInterrupt())
    assert log.attempts == [("large", "cancelled")]
