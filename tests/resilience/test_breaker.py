"""The breaker's promises, one by one, each named after the bug that it rules out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import pytest

from llm_router_middleware.engine.call import Effect
from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.resilience.breaker import CircuitBreaker, Permit
from llm_router_middleware.resilience.breaker_settings import BreakerSettings
from llm_router_middleware.resilience.circuit import Circuit
from llm_router_middleware.resilience.transition import LEGAL, Transition


class Bench:
    """A breaker with a clock that is moved by hand."""

    def __init__(self, **settings: Any) -> None:
        self.now = 0.0
        self.told: list[Transition] = []
        self.breaker = CircuitBreaker(
            settings=BreakerSettings(**settings),
            name="b",
            now=lambda: self.now,
            random=lambda: 1.0,
            on_transition=self.told.append,
        )

    def permit(self) -> Permit:
        permit = self.breaker.try_acquire()
        assert permit is not None
        return permit

    def call(self, effect: Effect, times: int = 1) -> None:
        for _ in range(times):
            self.breaker.settle(self.permit(), effect)

    def open(self) -> None:
        self.call(Effect.FAILURE, 5)
        assert self.breaker.state == "open"


def test_the_open_pause_doubles_to_its_ceiling_and_starts_over() -> None:
    """5, 10, 20 … 300 s while probes fail; 5 s again after one succeeded."""
    bench = Bench()
    pauses = []
    bench.open()
    for _ in range(8):
        pauses.append(bench.breaker.retry_after())
        bench.now += pauses[-1]
        bench.call(Effect.FAILURE)
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300]
    bench.now += 300
    bench.call(Effect.SUCCESS)
    bench.open()
    assert bench.breaker.retry_after() == 5


def test_a_provider_that_answers_nobody_is_noticed_by_one_caller_at_a_time() -> None:
    """Five timeouts of a minute each, one after the other, open the circuit, though they end a minute apart."""
    bench = Bench()
    for _ in range(5):
        permit = bench.permit()
        bench.now += 60.0
        bench.breaker.settle(permit, Effect.FAILURE)
    assert bench.breaker.state == "open"


def test_failures_with_quiet_spells_between_them_are_not_in_a_row() -> None:
    """Five failures in a month are five failures, not a row."""
    bench = Bench()
    for _ in range(50):
        bench.now += 30.1
        bench.call(Effect.FAILURE)
    assert bench.breaker.state == "closed"
    for _ in range(4):
        bench.now += 30.0
        bench.call(Effect.FAILURE)
    assert bench.breaker.state == "open"


def test_somebody_is_admitted_in_the_end_whatever_happens() -> None:
    """I7: at most the longest pause and one lease after the last call, somebody is let through."""
    bench = Bench()
    bench.open()
    for _ in range(200):
        bench.now += 300.0 + 120.0
        assert bench.breaker.try_acquire() is not None  # and never settled


def test_cooldowns_double_to_a_minute_where_nothing_is_said() -> None:
    """1, 2, 4 … 60 s for throttling without a Retry-After; 1 s again after a success."""
    bench = Bench()
    pauses = []
    for _ in range(9):
        bench.call(Effect.COOLDOWN)
        pauses.append(bench.breaker.retry_after())
        bench.now += pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    bench.call(Effect.SUCCESS)
    bench.call(Effect.COOLDOWN)
    assert bench.breaker.retry_after() == 1
    assert bench.told == []


def test_a_retry_after_is_stretched_and_capped() -> None:
    """Never sooner than told, up to a tenth later, never more than five minutes."""
    bench = Bench()
    bench.breaker.settle(bench.permit(), Effect.COOLDOWN, 20.0)
    assert bench.breaker.retry_after() == pytest.approx(22.0)
    bench.now += 22.0
    bench.breaker.settle(bench.permit(), Effect.COOLDOWN, 1e300)
    assert bench.breaker.retry_after() == 300.0


def test_a_lease_that_makes_no_sense_is_the_default() -> None:
    """An attempt without a timeout, or with nonsense for one, gives its probe up after two minutes."""
    for lease in (None, math.inf, math.nan):
        bench = Bench()
        bench.open()
        bench.now += 5
        assert bench.breaker.try_acquire(lease) is not None
        bench.now += 119.9
        assert bench.breaker.try_acquire() is None
        assert bench.breaker.refusal == "probing"
        bench.now += 0.1
        assert bench.breaker.try_acquire() is not None
    bench.now += 120
    assert bench.breaker.try_acquire(-50.0) is not None
    bench.now += 4.9
    assert bench.breaker.try_acquire() is None


def test_what_the_tutorial_called_it() -> None:
    """`CircuitBreaker(failure_threshold, recovery_timeout_s)` with its three methods, and a half-open that holds."""
    now = [0.0]
    breaker = CircuitBreaker(failure_threshold=3, recovery_timeout_s=60.0, now=lambda: now[0], random=lambda: 1.0)
    for _ in range(3):
        assert breaker.allow_request()
        breaker.record_failure()
    assert (breaker.state, breaker.failures) == ("open", 3)
    assert not breaker.allow_request()
    breaker.record_success()
    assert breaker.state == "open", "a late success must not close it"
    now[0] = 60.0
    assert breaker.state == "half_open"
    assert breaker.allow_request()
    assert not breaker.allow_request(), "one probe"
    breaker.record_failure()
    assert (breaker.state, breaker.retry_after()) == ("open", 120.0)
    now[0] = 180.0
    assert breaker.allow_request()
    breaker.record_success()
    assert breaker.state == "closed"
    assert breaker.allow_request()
    breaker.record_success()


def test_a_result_without_permit_does_not_decide_a_probe() -> None:
    """Half-open waits for the one whom it let through, and for nobody who only says so."""
    now = [-50.0]
    breaker = CircuitBreaker(1, 1.0, now=lambda: now[0], random=lambda: 1.0)
    breaker.record_failure()
    now[0] += 1.0
    probe = breaker.try_acquire()
    assert probe is not None
    breaker.record_success()
    assert breaker.state == "half_open"
    breaker.settle(probe, Effect.SUCCESS)
    assert breaker.state == "closed"


def test_a_recovery_timeout_above_the_ceiling_lifts_it() -> None:
    """Whoever asks for ten minutes gets ten minutes."""
    breaker = CircuitBreaker(1, 600.0, now=lambda: 0.0, random=lambda: 1.0)
    breaker.record_failure()
    assert breaker.retry_after() == 600.0


def test_force_open_and_disable_and_reset() -> None:
    """By hand: nobody, everybody, and as new; the last word counts."""
    bench = Bench()
    breaker = bench.breaker
    late = bench.permit()
    breaker.force_open()
    breaker.settle(late, Effect.SUCCESS)
    bench.now += 1e9
    assert (breaker.state, breaker.try_acquire(), breaker.retry_after(), breaker.refusal) == (
        "open",
        None,
        math.inf,
        "open",
    )
    breaker.disable()
    bypass = bench.permit()
    assert (breaker.disabled, bypass.is_bypass, bypass.is_probe, breaker.refusal) == (True, True, False, None)
    breaker.force_open()
    assert not breaker.disabled
    breaker.reset()
    assert (breaker.state, breaker.retry_after()) == ("closed", 0.0)
    assert [(t.before, t.after, t.reason, t.name) for t in bench.told] == [
        ("closed", "open", "forced", "b"),
        ("open", "closed", "reset", "b"),
    ]


def test_a_disabled_breaker_goes_on_measuring() -> None:
    """It opens, probes and closes as ever; it only refuses nobody."""
    bench = Bench()
    bench.breaker.disable()
    bench.open()
    for _ in range(50):
        bench.call(Effect.FAILURE)
    assert bench.breaker.state == "open"
    bench.now += 5
    probe = bench.permit()
    assert (probe.is_probe, bench.permit().is_bypass) == (True, True)
    bench.breaker.settle(probe, Effect.SUCCESS)
    assert bench.breaker.state == "closed"


def test_a_transition_tells_when_and_for_how_long() -> None:
    """What a timeline needs."""
    bench = Bench()
    bench.now = 7.0
    bench.open()
    bench.now = 13.0
    bench.call(Effect.SUCCESS)
    assert [(t.after, t.at, t.open_for_s, t.generation) for t in bench.told] == [
        ("open", 7.0, 5.0, 1),
        ("half_open", 13.0, 0.0, 2),
        ("closed", 13.0, 0.0, 3),
    ]
    assert (bench.breaker.transitions, bench.breaker.last_used) == (3, 13.0)


def test_idle_is_closed_and_without_anything_bad() -> None:
    """What may be forgotten: not an open circuit, a cooling one, a doubtful one or one that was set by hand."""
    bench = Bench()
    bench.now = 1_000.0
    breaker = bench.breaker
    assert breaker.is_idle
    bench.call(Effect.FAILURE)
    assert not breaker.is_idle
    bench.call(Effect.SUCCESS)
    assert breaker.is_idle, "the latest call succeeded"
    bench.call(Effect.FAILURE)
    bench.now += 30.0
    assert not breaker.is_idle
    bench.now += 0.1
    assert breaker.is_idle, "that failure is too old to matter"
    bench.call(Effect.COOLDOWN)
    assert not breaker.is_idle
    bench.now += 1.0
    assert not breaker.is_idle, "the next cooldown would be longer"
    bench.call(Effect.SUCCESS)
    assert breaker.is_idle
    breaker.settle(bench.permit(), Effect.COOLDOWN, 5.0)
    assert not breaker.is_idle
    bench.now += 5.5
    assert breaker.is_idle
    breaker.disable()
    assert not breaker.is_idle
    breaker.reset()
    bench.open()
    assert not breaker.is_idle


def test_an_edge_that_does_not_exist_is_an_error_and_not_a_surprise() -> None:
    """All legal transitions are enumerated; any other is a bug that speaks up."""
    for before, after in {(a, b) for a, _ in LEGAL for b, _ in LEGAL} - LEGAL:
        circuit = Circuit(BreakerSettings(), "b", lambda: 0.0, 0.0)
        circuit.state = before
        with pytest.raises(AssertionError):
            circuit._move(after, 0.0, "because")


def test_the_call_path_takes_no_lock_while_closed() -> None:
    """Asking a closed circuit is one read: it succeeds while another thread holds the lock. Also after a recovery."""
    bench = Bench()
    bench.open()
    bench.now += 5.0
    bench.call(Effect.SUCCESS, 2)
    for breaker in (CircuitBreaker(), bench.breaker):
        with breaker._lock:
            assert breaker.try_acquire() is not None
            assert (breaker.state, breaker.refusal, breaker.retry_after()) == ("closed", None, 0.0)
            assert breaker.is_idle


def test_interrupted_calls_are_neutral_by_their_callers_finally() -> None:
    """Five healthy streams that their consumers close early leave the circuit closed, and their exceptions alone."""
    breaker = CircuitBreaker(failure_threshold=2)

    @contextmanager
    def attempt() -> Iterator[None]:
        permit = breaker.try_acquire()
        assert permit is not None
        effect = Effect.NEUTRAL
        try:
            yield
            effect = Effect.SUCCESS
        finally:
            breaker.settle(permit, effect)

    def stream() -> Iterator[int]:
        with attempt():
            yield from range(9)

    for _ in range(5):
        reader = stream()
        assert next(reader) == 0
        reader.close()
    with pytest.raises(KeyboardInterrupt), attempt():
        raise KeyboardInterrupt
    assert (breaker.state, breaker.failures) == ("closed", 0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"failure_threshold": 0}, "failure_threshold=0: expected a finite number above 0"),
        ({"failure_threshold": 2.5}, "failure_threshold=2.5: expected a whole number"),
        ({"failure_threshold": True}, "failure_threshold=True: expected"),
        ({"minimum_calls": "10"}, "minimum_calls='10': expected"),
        ({"max_keys": 1.5}, "max_keys=1.5: expected a whole number"),
        ({"minimum_calls": 1.5}, "minimum_calls=1.5: expected a whole number"),
        ({"auth_threshold": 1.5}, "auth_threshold=1.5: expected a whole number"),
        ({"auth_threshold": -1}, "auth_threshold=-1: expected"),
        ({"window_s": math.inf}, "window_s=inf: expected a finite number"),
        ({"probe_lease_s": math.nan}, "probe_lease_s=nan: expected a finite number"),
        ({"failure_ratio": 1.1}, "failure_ratio=1.1: expected a share between 0 and 1"),
        ({"recovery_timeout_s": 400.0}, "max_recovery_timeout_s=300.0: expected at least recovery_timeout_s=400.0"),
    ],
)
def test_settings_that_no_breaker_can_work_with(wrong: dict[str, Any], message: str) -> None:
    """A wrong number is said at construction: its name, its value, what is allowed."""
    with pytest.raises(ConfigurationError) as caught:
        BreakerSettings(**wrong)
    assert str(caught.value).startswith(message)


def test_a_breaker_needs_nothing() -> None:
    """No name, no listener, the usual numbers; and a caller who has read the clock need not have it read again."""
    breaker = CircuitBreaker(now=lambda: 1.0)
    for _ in range(5):
        breaker.settle(breaker.try_acquire() or Permit(0), Effect.FAILURE, now=7.0)
    assert (breaker.name, breaker.state, breaker.last_used) == ("", "open", 7.0)


def test_the_specified_defaults() -> None:
    """The table of the specification."""
    assert asdict(BreakerSettings()) == {
        "failure_threshold": 5,
        "failure_ratio": 0.5,
        "minimum_calls": 10,
        "window_s": 30.0,
        "recovery_timeout_s": 5.0,
        "max_recovery_timeout_s": 300.0,
        "probe_lease_s": 120.0,
        "max_cooldown_s": 300.0,
        "quota_ejection_s": 600.0,
        "auth_ejection_s": 60.0,
        "auth_threshold": 2,
        "max_keys": 1024,
    }


def test_settings_at_their_edges() -> None:
    """A share of one, equal pauses and whole numbers written as floats are fine."""
    BreakerSettings(failure_ratio=1, recovery_timeout_s=300, max_recovery_timeout_s=300, failure_threshold=1)
    BreakerSettings(max_keys=16.0)  # type: ignore[arg-type]  # as a configuration file may hold it
