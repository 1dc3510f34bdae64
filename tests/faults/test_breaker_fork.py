"""T16: forks. A child may be born while another thread of its parent is inside any lock of the room."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from llm_router_middleware.engine.call import Effect
from llm_router_middleware.resilience.breaker import CircuitBreaker
from llm_router_middleware.resilience.breaker_settings import BreakerSettings
from llm_router_middleware.resilience.breakers import Breakers
from llm_router_middleware.resilience.budget import ConcurrencyLimit, PremiumCap, RetryBudget
from llm_router_middleware.resilience.latency import LatencyGate, LatencyTracker

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")

PATIENCE_S = 10
"""How long a child may take that has milliseconds of work, before it counts as deadlocked."""


def in_child(work: Callable[[], object]) -> int:
    """Forks, works in the child, and returns its exit code: 0 for done, 1 for an exception, -14 for a deadlock."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12+: forking with threads, which is the point here
        pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(PATIENCE_S)
        try:
            work()
        except BaseException as exc:
            sys.__stderr__.write(f"child: {exc!r}\n")
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def locks_of(owner: Any) -> list[threading.Lock]:
    slots = [name for cls in type(owner).__mro__ for name in getattr(cls, "__slots__", ())]
    values = [getattr(owner, name, None) for name in (*slots, *getattr(owner, "__dict__", {}))]
    return [value for value in values if type(value) is type(threading.Lock())]


def one_of_each() -> list[tuple[Any, Callable[[], object]]]:
    """Everything in the room that has a lock, and something that takes it."""
    breaker, breakers, tracker = CircuitBreaker(), Breakers(on_transition=None), LatencyTracker()
    breakers.settle(breakers.acquire("e", "m"), None)
    endpoint = breakers.acquire("e", "m").endpoint
    for _ in range(5):
        tracker.record("m", 9.0)
    gate, retries, limit, cap = LatencyGate(tracker), RetryBudget(), ConcurrencyLimit(), PremiumCap(0.5)
    return [
        (breaker, breaker.force_open),
        (breakers, lambda: breakers.acquire("e", "another")),
        (endpoint, lambda: endpoint.succeeded("another", 1e9)),
        (endpoint.circuit, endpoint.circuit.force_open),
        (endpoint.models["m"], endpoint.models["m"].force_open),
        (tracker, lambda: tracker.record("m", 1.0)),
        (gate, lambda: gate.too_slow("m", 1.0)),
        (retries, retries.try_acquire),
        (limit, limit.try_acquire),
        (cap, lambda: cap.admit(True)),
    ]


def test_a_lock_held_at_the_fork_is_free_in_the_child() -> None:
    """With every lock of the room held by another thread, a child does all that needs one, and does not hang."""
    objects = one_of_each()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        locks = [lock for owner, _ in objects for lock in locks_of(owner)]
        assert len(locks) == len(objects)
        for lock in locks:
            lock.acquire()
        held.set()
        done.wait()
        for lock in locks:
            lock.release()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        assert in_child(lambda: [act() for _, act in objects]) == 0
    finally:
        done.set()
        thread.join()


def test_without_renewal_the_child_would_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test above proves can fail: a lock that nobody renews is held for ever."""
    monkeypatch.setattr(sys.modules[__name__], "PATIENCE_S", 1)
    lock = threading.Lock()
    with lock:
        assert in_child(lock.acquire) == -signal.SIGALRM


def test_forks_in_the_middle_of_traffic() -> None:
    """Children born at any moment of eight busy threads come up with a breaker that works."""
    settings = BreakerSettings(failure_threshold=2, recovery_timeout_s=1e-4, max_recovery_timeout_s=1e-3)
    breakers = Breakers(settings, on_transition=None)
    over = threading.Event()

    def traffic(number: int) -> None:
        while not over.is_set():
            admission = breakers.acquire("e", f"m{number % 2}")
            if admission:
                breakers["e/m0"].settle(admission.of_model, Effect.FAILURE)
                breakers.settle(admission, None)

    def child() -> None:
        deadline = time.monotonic() + 5
        admitted = 0
        while admitted < 50:
            assert time.monotonic() < deadline, "nobody is let through"
            admission = breakers.acquire("e", "m0")
            admitted += bool(admission)
            breakers.settle(admission, None)
        assert breakers["e/m0"].state == "closed"

    threads = [threading.Thread(target=traffic, args=(number,)) for number in range(8)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    for thread in threads:
        thread.start()
    try:
        assert [in_child(child) for _ in range(30)] == [0] * 30
    finally:
        over.set()
        sys.setswitchinterval(before)
        for thread in threads:
            thread.join()


def test_a_probe_of_the_parent_does_not_block_the_child() -> None:
    """I2 is per process: the parent's probe will never report in the child, so the child sends its own."""
    clock = [0.0]
    breaker = CircuitBreaker(1, 1.0, now=lambda: clock[0])
    permit = breaker.try_acquire()
    assert permit is not None
    breaker.settle(permit, Effect.FAILURE)
    clock[0] = 10.0
    probe = breaker.try_acquire()
    assert probe is not None
    assert breaker.try_acquire() is None

    def child() -> None:
        own = breaker.try_acquire()
        assert own is not None
        assert own.is_probe
        breaker.settle(probe, Effect.SUCCESS)
        assert breaker.state == "half_open", "the parent's result counted in the child"
        breaker.settle(own, Effect.SUCCESS)
        assert breaker.state == "closed"

    assert in_child(child) == 0
    assert breaker.state == "half_open"
    breaker.settle(probe, Effect.SUCCESS)
    assert breaker.state == "closed"


def test_what_was_lent_in_the_parent_is_not_recorded_in_the_child() -> None:
    """Without permits, too: the child's first result is about the child's call."""
    breaker = CircuitBreaker(1, 1.0)
    assert breaker.allow_request()

    def child() -> None:
        assert breaker.allow_request()
        breaker.record_failure()
        assert breaker.state == "open"

    def child_that_never_asked() -> None:
        breaker.record_failure()
        assert breaker.state == "open"

    assert in_child(child) == 0
    assert in_child(child_that_never_asked) == 0


def test_calls_of_the_parent_take_no_place_in_the_child() -> None:
    """A full target and a spent budget are the parent's; what is given back in the child belongs to nobody there."""
    limit, budget = ConcurrencyLimit(8), RetryBudget()
    slots = [limit.try_acquire() for _ in range(9)]
    assert slots[8] is None
    assert [budget.try_acquire() for _ in range(4)] == [True, True, True, False]

    def child() -> None:
        assert limit.inflight == 0
        assert slots[0] is not None
        limit.release(slots[0])
        assert limit.inflight == 0
        assert sum(limit.try_acquire() is not None for _ in range(9)) == 8
        assert [budget.try_acquire() for _ in range(4)] == [True, True, True, False]

    assert in_child(child) == 0
    assert limit.inflight == 8


def test_where_there_are_no_forks_there_are_no_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no fork, and needs none of this."""
    monkeypatch.delattr(os, "register_at_fork")
    assert CircuitBreaker().try_acquire() is not None


def test_hooks_are_set_once_per_router_and_not_per_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook can't be taken back: a hundred names add none."""
    hooks: list[object] = []
    monkeypatch.setattr(os, "register_at_fork", lambda **hook: hooks.append(hook))
    breakers = Breakers()
    assert len(hooks) == 1
    for number in range(100):
        breakers.acquire(f"e{number % 10}", f"m{number}")
    assert len(hooks) == 1
    CircuitBreaker()
    assert len(hooks) == 2


def test_a_hook_keeps_nobody_alive(capfd: pytest.CaptureFixture[str]) -> None:
    """The hook holds its owner weakly, and a fork after the owner's death is quiet."""
    import weakref

    breaker = CircuitBreaker()
    gone = weakref.ref(breaker)
    del breaker
    gc.collect()
    assert gone() is None
    assert in_child(lambda: None) == 0
    assert capfd.readouterr().err == ""
