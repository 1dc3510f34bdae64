"""T3: threads that are switched as often as the interpreter can, and event loops that come and go."""

from __future__ import annotations

import asyncio
import random
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from llm_router_middleware.engine.call import Effect, Failure, FailureKind
from llm_router_middleware.resilience.breaker import CircuitBreaker
from llm_router_middleware.resilience.breaker_settings import BreakerSettings
from llm_router_middleware.resilience.breakers import Breakers
from llm_router_middleware.resilience.circuit import Circuit

THREADS = 16
CALLS = 320_000


@pytest.fixture(autouse=True)
def _nervous_interpreter() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def in_threads(work: Callable[[int], None]) -> None:
    """Runs `work(n)` in all threads at once; raises the first error of any."""
    errors: list[BaseException] = []
    start = threading.Barrier(THREADS)

    def run(number: int) -> None:
        start.wait()
        try:
            work(number)
        except BaseException as exc:
            errors.append(exc)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_no_probe_is_given_twice() -> None:
    """I2, I6: while callers come and go in 16 threads, at most one probe is under way, over thousands of openings."""
    ticks = iter(range(10**9))
    settings = BreakerSettings(failure_threshold=3, recovery_timeout_s=5.0, max_recovery_timeout_s=20.0)
    generations: list[int] = []
    breaker = CircuitBreaker(
        settings=settings, now=lambda: float(next(ticks)), on_transition=lambda t: generations.append(t.generation)
    )
    guard = threading.Lock()
    under_way = [0]
    probes = [0]

    def work(number: int) -> None:
        rng = random.Random(number)
        for _ in range(CALLS // THREADS):
            permit = breaker.try_acquire(lease_s=1e12)
            if permit is None:
                continue
            if permit.is_probe:
                with guard:
                    under_way[0] += 1
                    probes[0] += 1
                    assert under_way[0] == 1, "two probes at once"
                breaker.try_acquire()
                with guard:
                    under_way[0] -= 1
            breaker.settle(permit, rng.choice([Effect.FAILURE, Effect.FAILURE, Effect.SUCCESS, Effect.NEUTRAL]))

    in_threads(work)
    assert sorted(generations) == list(range(1, breaker.transitions + 1)), "a transition was lost or told twice"
    assert breaker.transitions > 1_000
    assert probes[0] > 1_000


def test_one_probe_among_those_who_wait() -> None:
    """I2: of 16 callers who find the time over together, one passes; and again after each result."""
    clock = [0.0]
    breaker = CircuitBreaker(1, 1.0, now=lambda: clock[0])
    rounds = 300
    passed = [0] * rounds
    gate = threading.Barrier(THREADS)
    guard = threading.Lock()

    def prepare(number: int) -> None:
        permit = breaker.try_acquire()
        assert permit is not None
        breaker.settle(permit, Effect.FAILURE)
        clock[0] += 1_000.0

    def work(number: int) -> None:
        for round_ in range(rounds):
            if gate.wait() == 0:
                prepare(round_)
            gate.wait()
            permit = breaker.try_acquire(lease_s=1e9)
            if permit is not None:
                with guard:
                    passed[round_] += 1
            if gate.wait() == 0:
                breaker.reset()
            gate.wait()

    in_threads(work)
    assert passed == [1] * rounds


def test_no_result_is_lost() -> None:
    """I5: every permit is settled by two threads at once, and every call counts exactly once."""
    settings = BreakerSettings(failure_threshold=10**9, minimum_calls=10**9)
    breaker = CircuitBreaker(settings=settings, now=lambda: 0.0)
    each = CALLS // THREADS // 4
    permits = [breaker.try_acquire() for _ in range(each * THREADS // 2)]

    def work(number: int) -> None:
        mine = permits[number // 2 * each : (number // 2 + 1) * each]
        for index, permit in enumerate(mine):
            assert permit is not None
            breaker.settle(permit, Effect.FAILURE if index % 4 == 0 else Effect.SUCCESS)

    in_threads(work)
    window = breaker._circuit.health.window
    assert (window.total, window.marked) == (len(permits), len(permits) // 4)
    assert breaker.failures == len(permits) // 4


def test_an_admission_is_settled_once_by_whichever_thread() -> None:
    """I5, both layers: racing settlements of one admission teach once."""
    settings = BreakerSettings(failure_threshold=10**9, minimum_calls=10**9)
    breakers = Breakers(settings, now=lambda: 0.0)
    admissions = [breakers.acquire("openai@here", "m") for _ in range(4_000)]
    failure = Failure(FailureKind.SERVER, 500)

    def work(number: int) -> None:
        for admission in admissions:
            breakers.settle(admission, failure)

    in_threads(work)
    assert breakers["openai/m"].failures == len(admissions)


def test_every_touch_of_the_circuit_is_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What writes to a circuit holds the lock of its breaker, on every path."""
    touched: set[str] = set()

    def watched(name: str) -> Callable[..., Any]:
        original = getattr(Circuit, name)

        def call(circuit: Circuit, *args: Any) -> Any:
            assert breaker._lock.locked(), name
            touched.add(name)
            return original(circuit, *args)

        return call

    for name in ("ask", "settle", "force_open", "reset"):
        monkeypatch.setattr(Circuit, name, watched(name))
    breaker = CircuitBreaker(1)
    permit = breaker.try_acquire()
    assert permit is not None
    breaker.settle(permit, Effect.FAILURE)
    breaker.try_acquire()
    breaker.force_open()
    breaker.reset()
    breaker.disable()
    assert touched == {"ask", "settle", "force_open", "reset"}


def test_listeners_are_told_outside_the_lock() -> None:
    """A listener may ask the breaker itself: no deadlock, from any edge."""
    told: list[tuple[str, str]] = []
    clock = [0.0]

    def listen(transition: Any) -> None:
        assert not breaker._lock.locked()
        told.append((transition.after, breaker.state))
        breaker.try_acquire()

    breaker = CircuitBreaker(1, 1.0, now=lambda: clock[0], on_transition=listen)
    breaker.force_open()
    breaker.reset()
    permit = breaker.try_acquire()
    assert permit is not None
    breaker.settle(permit, Effect.FAILURE)
    clock[0] += 5.0
    assert breaker.try_acquire() is not None
    assert told == [("open", "open"), ("closed", "closed"), ("open", "open"), ("half_open", "half_open")]


def test_one_breaker_serves_several_event_loops_and_threads() -> None:
    """Nothing in it belongs to a loop: ten loops, one after the other and side by side, share one breaker."""
    breakers = Breakers(BreakerSettings(failure_threshold=10**9, minimum_calls=10**9))

    async def call() -> None:
        admission = breakers.acquire("openai@here", "m")
        await asyncio.sleep(0)
        breakers.settle(admission, Failure(FailureKind.SERVER, 500))

    async def many() -> None:
        await asyncio.gather(*(call() for _ in range(20)))

    for _ in range(2):
        asyncio.run(many())
    in_threads(lambda number: asyncio.run(many()))
    assert breakers["openai/m"].failures == 20 * (2 + THREADS)


def test_a_cancelled_task_gives_its_probe_back() -> None:
    """I4, T7: the caller settles in `finally`; one tick after a cancellation the next caller has the probe."""

    async def main() -> None:
        clock = [0.0]
        breakers = Breakers(BreakerSettings(failure_threshold=1), now=lambda: clock[0], on_transition=None)
        breakers.settle(breakers.acquire("e", "m"), Failure(FailureKind.SERVER, 500))
        clock[0] += 10.0

        async def probe() -> None:
            admission = breakers.acquire("e", "m")
            assert admission.state == "half_open"
            neutral = True
            try:
                await asyncio.sleep(3600)
                neutral = False
            finally:
                breakers.settle(admission, None, neutral=neutral)

        task = asyncio.create_task(probe())
        await asyncio.sleep(0)
        assert not breakers.acquire("e", "m")
        task.cancel()
        await asyncio.sleep(0)
        assert breakers.acquire("e", "m").state == "half_open"
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
