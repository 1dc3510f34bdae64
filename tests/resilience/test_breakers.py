"""Two layers of circuits: what an endpoint learns, what a model learns, and that one does not pay for the other."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from llm_router_middleware.engine.call import Failure, FailureKind
from llm_router_middleware.resilience.breaker_settings import BreakerSettings
from llm_router_middleware.resilience.breakers import Breakers
from llm_router_middleware.resilience.transition import Transition

K = FailureKind
OPENAI = "openai@https://api.openai.com#1"


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[Transition]:
    return []


@pytest.fixture
def breakers(clock: Clock, told: list[Transition]) -> Breakers:
    return Breakers(now=clock, random=lambda: 0.0, on_transition=told.append)


def call(breakers: Breakers, model: str, *failures: Failure | None, endpoint: str = OPENAI) -> list[bool]:
    """One call after another; returns which of them were admitted."""
    admitted = []
    for failure in failures:
        admission = breakers.acquire(endpoint, model)
        admitted.append(bool(admission))
        breakers.settle(admission, failure)
    return admitted


def states(breakers: Breakers) -> dict[str, str]:
    return {name.replace(OPENAI, "openai"): report.state for name, report in breakers.states().items()}


def test_a_models_failures_close_that_model_only(breakers: Breakers) -> None:
    """500s of one model open its circuit and leave the endpoint and its other models alone."""
    call(breakers, "a", *[Failure(K.SERVER, 500)] * 5)
    call(breakers, "b", None)
    assert states(breakers) == {"openai": "closed", "openai/a": "open", "openai/b": "closed"}


def test_refused_connections_close_the_endpoint(breakers: Breakers) -> None:
    """What never reached a model is the endpoint's: all its models are refused, and none of them is blamed."""
    call(breakers, "a", *[Failure(K.CONNECT, sent=False)] * 5)
    assert states(breakers) == {"openai": "open", "openai/a": "closed"}
    refused = breakers.acquire(OPENAI, "b")
    assert not refused
    assert refused.state == "open"
    assert refused.reason == "endpoint circuit open"
    assert refused.retry_after_s == 2.5


def test_timeouts_of_the_only_model_are_the_endpoints(breakers: Breakers) -> None:
    """With one model in use nobody can tell its timeouts from the endpoint's: both learn."""
    call(breakers, "a", *[Failure(K.TIMEOUT)] * 5)
    assert states(breakers) == {"openai": "open", "openai/a": "open"}


def test_timeouts_of_one_model_among_others_are_its_own(breakers: Breakers) -> None:
    """While another model is in use and answers, one model's timeouts don't count against the endpoint."""
    call(breakers, "b", None)
    for _ in range(9):
        call(breakers, "a", Failure(K.CONNECTION_LOST))
        call(breakers, "b", None)
    assert states(breakers) == {"openai": "closed", "openai/a": "open", "openai/b": "closed"}


def test_timeouts_of_two_models_are_the_endpoints(breakers: Breakers) -> None:
    """Once a second model times out the endpoint learns from each."""
    call(breakers, "c", None)
    call(breakers, "a", Failure(K.TIMEOUT))
    for _ in range(3):
        call(breakers, "b", Failure(K.TIMEOUT))
        call(breakers, "a", Failure(K.TIMEOUT))
    assert states(breakers)["openai"] == "open"
    assert states(breakers)["openai/a"] == "closed"


def test_an_old_timeout_of_another_model_counts_no_more(breakers: Breakers, clock: Clock) -> None:
    """ "A second model" means within the window: 30 s later it is one model's trouble again."""
    call(breakers, "b", Failure(K.TIMEOUT), None)
    clock.now += 30.1
    call(breakers, "c", None)
    call(breakers, "a", *[Failure(K.TIMEOUT)] * 5)
    assert states(breakers)["openai"] == "closed"
    assert states(breakers)["openai/a"] == "open"


def test_a_timeout_of_another_model_counts_for_the_whole_window(breakers: Breakers, clock: Clock) -> None:
    """Thirty seconds are thirty seconds, the last included."""
    call(breakers, "b", Failure(K.TIMEOUT), None)
    clock.now += 10.0
    call(breakers, "c", None)
    clock.now += 20.0
    call(breakers, "a", *[Failure(K.TIMEOUT)] * 5)
    assert states(breakers)["openai"] == "open"


def test_a_success_takes_only_the_locks_of_its_two_circuits(breakers: Breakers) -> None:
    """In steady traffic nothing is shared by the models of an endpoint but its circuit, nor by endpoints."""
    call(breakers, "a", None)
    endpoint = breakers.acquire(OPENAI, "a").endpoint
    with endpoint._lock, breakers._lock:
        assert call(breakers, "a", None) == [True]


def test_a_model_long_unused_is_not_in_use(breakers: Breakers, clock: Clock) -> None:
    """ "Only one model in use" means within the window too."""
    call(breakers, "b", None)
    clock.now += 31
    call(breakers, "a", *[Failure(K.TIMEOUT)] * 5)
    assert states(breakers)["openai"] == "open"


def test_a_success_still_counts_as_use_a_moment_later(breakers: Breakers, clock: Clock) -> None:
    """Successes of one model are noted once a second at most, and still keep it in use."""
    call(breakers, "b", None)
    clock.now += 29.5
    call(breakers, "b", None)
    clock.now += 29.5
    call(breakers, "a", *[Failure(K.TIMEOUT)] * 5)
    assert states(breakers)["openai"] == "closed"


@pytest.mark.parametrize("model_kind", [K.SERVER, K.OVERLOADED, K.HTML, K.BAD_JSON, K.TRUNCATED])
def test_kinds_that_teach_the_model(breakers: Breakers, model_kind: FailureKind) -> None:
    """The model's circuit learns of these, the endpoint's does not."""
    call(breakers, "a", *[Failure(model_kind)] * 5)
    assert states(breakers) == {"openai": "closed", "openai/a": "open"}


NOTHING = (
    K.POOL,
    K.TOO_LARGE,
    K.BAD_REQUEST,
    K.NOT_FOUND,
    K.CONFLICT,
    K.REFUSAL,
    K.CANCELLED,
    K.TRANSLATION,
    K.INTERNAL,
)


@pytest.mark.parametrize("kind", NOTHING)
def test_kinds_that_teach_nothing(breakers: Breakers, kind: FailureKind) -> None:
    """Bad requests, our own pool, our own bugs and callers who left say nothing of anybody's health."""
    call(breakers, "a", *[Failure(kind, retry_after_s=9.0)] * 50)
    assert states(breakers) == {"openai": "closed", "openai/a": "closed"}
    assert breakers.acquire(OPENAI, "a")


def test_a_request_too_big_does_not_cool_the_model_down(breakers: Breakers) -> None:
    """A 413 is about this request, also where it is worded as a rate limit (tokens a minute)."""
    call(breakers, "a", *[Failure(K.RATE_LIMIT, 413)] * 5)
    assert breakers.acquire(OPENAI, "a")


def test_a_throttled_model_cools_down_as_long_as_it_said(breakers: Breakers, clock: Clock) -> None:
    """429 is a cooldown of the model: no state moves, nothing counts, and it ends by itself."""
    call(breakers, "a", Failure(K.RATE_LIMIT, 429, retry_after_s=20.0))
    refused = breakers.acquire(OPENAI, "a")
    assert (refused.state, refused.reason, refused.retry_after_s) == ("closed", "model told to wait", 20.0)
    assert breakers.acquire(OPENAI, "b")
    clock.now += 20.0
    assert breakers.acquire(OPENAI, "a").state == "closed"
    assert breakers["openai/a"].failures == 0


def test_a_server_that_says_when_to_come_back_is_obeyed(breakers: Breakers, clock: Clock) -> None:
    """A 503 with Retry-After is a failure and a cooldown."""
    call(breakers, "a", Failure(K.SERVER, 503, retry_after_s=4.0))
    assert not breakers.acquire(OPENAI, "a")
    clock.now += 4.0
    assert breakers.acquire(OPENAI, "a")
    assert breakers["openai/a"].failures == 1


@pytest.mark.parametrize("model", ["a", "b"])
def test_a_spent_quota_ejects_the_endpoint_for_ten_minutes(breakers: Breakers, clock: Clock, model: str) -> None:
    """Quota is the account's: every model of this credential is refused for 600 s; then one probe goes."""
    call(breakers, "a", Failure(K.QUOTA, 429, retry_after_s=1.0))
    assert breakers.acquire(OPENAI, model).retry_after_s == 600.0
    assert breakers.acquire(OPENAI.replace("#1", "#2"), model), "another credential has its own quota"
    clock.now += 600.0
    assert breakers.acquire(OPENAI, model).state == "half_open"
    assert not breakers.acquire(OPENAI, model)


def test_a_rejected_credential_ejects_after_two_in_a_row(
    breakers: Breakers, clock: Clock, told: list[Transition]
) -> None:
    """One 401 may be a glitch; two in a row are a dead key: 60 s without calls, told once."""
    rejected = Failure(K.AUTH, 401)
    assert call(breakers, "a", rejected, None, rejected, rejected, rejected) == [True, True, True, True, False]
    assert [(t.name, t.after, t.reason, t.open_for_s) for t in told] == [(OPENAI, "open", "auth", 60.0)]
    clock.now += 60.0
    assert call(breakers, "a", rejected, rejected) == [True, False], "a probe that is rejected ejects at once"
    clock.now += 60.0
    assert call(breakers, "a", None, None) == [True, True]


def test_a_rejected_credential_is_everybodys(breakers: Breakers) -> None:
    """A 401 is about the key, whichever model it was for and whoever else is in use."""
    call(breakers, "b", None)
    assert call(breakers, "a", Failure(K.AUTH, 401), Failure(K.AUTH, 401), None) == [True, True, False]


@pytest.mark.parametrize("between", [None, Failure(K.BAD_REQUEST, 400), Failure(K.RATE_LIMIT, 429)])
def test_any_answer_shows_that_the_credential_works(breakers: Breakers, between: Failure | None) -> None:
    """Rejections count in a row: whoever is told something else was let in."""
    rejected = Failure(K.AUTH, 401)
    call(breakers, "a", rejected)
    call(breakers, "b", between)
    call(breakers, "a", rejected)
    assert states(breakers)["openai"] == "closed"


@pytest.mark.parametrize("between", [Failure(K.CONNECT, sent=False), Failure(K.TIMEOUT), Failure(K.CANCELLED)])
def test_no_answer_shows_nothing_of_the_credential(breakers: Breakers, between: Failure) -> None:
    """A timeout between two rejections leaves them in a row."""
    rejected = Failure(K.AUTH, 401)
    call(breakers, "a", rejected, between, rejected)
    assert states(breakers)["openai"] == "open"


def test_a_model_that_this_credential_may_not_use_closes_nothing_else(breakers: Breakers) -> None:
    """403s of one gated model, while another is in use, are not the endpoint's; of two models they are."""
    call(breakers, "b", None)
    call(breakers, "gated", *[Failure(K.AUTH, 403)] * 5)
    assert states(breakers)["openai"] == "closed"
    call(breakers, "b", Failure(K.AUTH, 403))
    assert states(breakers)["openai"] == "open"


def test_a_403_of_the_only_model_ejects(breakers: Breakers) -> None:
    """With one model in use a 403 is a 401."""
    call(breakers, "a", Failure(K.AUTH, 403), Failure(K.AUTH, 403))
    assert states(breakers)["openai"] == "open"


def test_a_refusal_of_the_model_gives_the_endpoints_probe_back(breakers: Breakers, clock: Clock) -> None:
    """Where the endpoint says "you are the probe" and the model says no, the next caller is the probe."""
    call(breakers, "a", Failure(K.RATE_LIMIT, 429, retry_after_s=300.0))
    call(breakers, "b", *[Failure(K.CONNECT, sent=False)] * 5)
    clock.now += 10.0
    assert breakers.acquire(OPENAI, "a").reason == "model told to wait"
    assert breakers.acquire(OPENAI, "b").state == "half_open"
    refused = breakers.acquire(OPENAI, "b")
    assert (refused.reason, refused.retry_after_s) == ("endpoint recovering, its probe is under way", 0.0)


def test_a_neutral_settlement_teaches_nothing_in_either_layer(breakers: Breakers, clock: Clock) -> None:
    """A cancelled probe leaves both circuits as they were, and its place to the next."""
    call(breakers, "a", *[Failure(K.TIMEOUT)] * 5)
    clock.now += 10.0
    probe = breakers.acquire(OPENAI, "a")
    breakers.settle(probe, Failure(K.SERVER, 500), neutral=True)
    assert states(breakers) == {"openai": "half_open", "openai/a": "half_open"}
    assert call(breakers, "a", None, None) == [True, True]
    assert states(breakers) == {"openai": "closed", "openai/a": "closed"}


def test_an_admission_settles_once_and_a_refusal_never(breakers: Breakers) -> None:
    """A second settlement, or one of a refusal, changes nothing."""
    admission = breakers.acquire(OPENAI, "a")
    assert (admission.reason, admission.retry_after_s, admission.state) == ("", None, "closed")
    breakers.settle(admission, None)
    for _ in range(9):
        breakers.settle(admission, Failure(K.CONNECT))
    assert states(breakers) == {"openai": "closed", "openai/a": "closed"}
    breakers["openai"].force_open()
    refused = breakers.acquire(OPENAI, "a")
    breakers.settle(refused, None)
    assert (states(breakers)["openai"], refused.retry_after_s) == ("open", None)


def test_the_lease_reaches_both_layers(breakers: Breakers, clock: Clock) -> None:
    """A probe is given up 5 s after its attempt's timeout, in both layers."""
    call(breakers, "a", *[Failure(K.TIMEOUT)] * 5)
    clock.now += 10.0
    assert breakers.acquire(OPENAI, "a", lease_s=7.0)
    clock.now += 11.9
    assert not breakers.acquire(OPENAI, "a", lease_s=7.0)
    clock.now += 0.1
    assert breakers.acquire(OPENAI, "a").state == "half_open"


def test_admissions_say_when_a_circuit_was_disabled(breakers: Breakers) -> None:
    """What passes a disabled circuit that would have refused is told apart."""
    call(breakers, "a", *[Failure(K.SERVER, 500)] * 5)
    breakers["openai/a"].disable()
    admission = breakers.acquire(OPENAI, "a")
    assert (bool(admission), admission.state) == (True, "disabled")
    assert breakers.states()[f"{OPENAI}/a"].disabled
    breakers["openai/a"].reset()
    call(breakers, "a", *[Failure(K.CONNECT, sent=False)] * 5)
    breakers["openai"].disable()
    assert breakers.acquire(OPENAI, "a").state == "disabled"


def test_circuits_are_found_by_the_names_that_people_use(breakers: Breakers) -> None:
    """By key, by provider, by provider and model; a model's name may hold slashes."""
    call(breakers, "meta/llama", None)
    assert breakers["openai"] is breakers[OPENAI]
    assert breakers["openai/meta/llama"] is breakers[f"{OPENAI}/meta/llama"]
    assert list(breakers) == [OPENAI, f"{OPENAI}/meta/llama"]
    assert len(breakers) == 2
    assert "openai" in breakers
    assert "groq" not in breakers
    with pytest.raises(KeyError, match="groq: no call has gone there yet"):
        breakers["groq"]
    with pytest.raises(KeyError, match="openai/b: no call"):
        breakers["openai/b"]
    call(breakers, "a", None, endpoint="openai@http://localhost#2")
    with pytest.raises(KeyError, match=r"more than one endpoint, name one of openai@https.*openai@http://localhost#2"):
        breakers["openai"]


def test_reading_changes_nothing(breakers: Breakers, clock: Clock, told: list[Transition]) -> None:
    """A dashboard that reads all states every moment doesn't cost anybody his probe."""
    call(breakers, "a", *[Failure(K.SERVER, 500)] * 5)
    clock.now += 10.0
    before = len(told)
    for _ in range(100):
        assert breakers.states()[f"{OPENAI}/a"].state == "half_open"
        assert breakers["openai/a"].refusal is None
    assert len(told) == before
    assert breakers.acquire(OPENAI, "a").state == "half_open"


def test_a_report_counts(breakers: Breakers) -> None:
    """The totals of a circuit: failures, rejections, transitions, and the wait."""
    assert call(breakers, "a", *[Failure(K.SERVER, 500)] * 8) == [True] * 5 + [False] * 3
    report = breakers.states()[f"{OPENAI}/a"]
    assert (report.failures, report.rejections, report.transitions, report.retry_after_s) == (5, 3, 1, 2.5)


def test_a_listener_that_raises_is_not_heard(clock: Clock) -> None:
    """A broken callback must not break a call."""

    def listen(_: Transition) -> None:
        raise RuntimeError

    breakers = Breakers(now=clock, on_transition=listen)
    call(breakers, "a", *[Failure(K.SERVER, 500)] * 5)
    assert states(breakers)["openai/a"] == "open"


def test_transitions_are_logged_on_one_line_whatever_the_model_is_called(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a listener of one's own: a line of JSON; names from outside can't forge another line."""
    breakers = Breakers(BreakerSettings(failure_threshold=1), now=clock, random=lambda: 0.0)
    with caplog.at_level(logging.INFO, logger="llm_router"):
        call(breakers, "a\n\x1b[31m" + "x" * 9_999, Failure(K.SERVER, 500))
        clock.now += 10.0
        call(breakers, "a\n\x1b[31m" + "x" * 9_999, None)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO", "INFO"]
    assert {record.name for record in caplog.records} == {"llm_router"}
    lines: list[dict[str, Any]] = [json.loads(record.getMessage()) for record in caplog.records]
    assert all(record.getMessage().isascii() and record.getMessage().isprintable() for record in caplog.records)
    assert [(line["before"], line["after"], line["reason"]) for line in lines] == [
        ("closed", "open", "consecutive_failures"),
        ("open", "half_open", "probe"),
        ("half_open", "closed", "probe_succeeded"),
    ]
    assert {line["event"] for line in lines} == {"llm_circuit_transition"}
    assert list(lines[0]) == ["event", "circuit", "before", "after", "reason", "open_for_s"]
    assert max(len(line["circuit"]) for line in lines) == 256


@pytest.mark.parametrize(("failure", "seconds"), [(Failure(K.AUTH, 401), 60.0), (Failure(K.QUOTA, 429), 600.0)])
def test_what_only_a_person_can_mend_is_logged_loudly_and_once(
    clock: Clock, caplog: pytest.LogCaptureFixture, failure: Failure, seconds: float
) -> None:
    """A dead key or a spent quota is one error in the log, however many calls meet it."""
    breakers = Breakers(now=clock, random=lambda: 0.0)
    admissions = [breakers.acquire(OPENAI, "a") for _ in range(20)]
    for admission in admissions:
        breakers.settle(admission, failure)
    (record,) = caplog.records
    line = json.loads(record.getMessage())
    assert (record.levelname, line["reason"], line["open_for_s"]) == ("ERROR", failure.kind.label, seconds)


def test_seconds_are_logged_to_the_millisecond(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Finer would be noise."""
    breakers = Breakers(BreakerSettings(failure_threshold=1), now=clock, random=lambda: 1 / 3)
    breakers.settle(breakers.acquire(OPENAI, "a"), Failure(K.SERVER, 500))
    assert json.loads(caplog.records[0].getMessage())["open_for_s"] == 3.333


def test_a_circuit_forced_open_is_logged_without_an_end(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """JSON knows no infinity."""
    breakers = Breakers(now=clock)
    breakers.acquire(OPENAI, "a")
    breakers["openai"].force_open()
    assert json.loads(caplog.records[0].getMessage())["open_for_s"] is None
