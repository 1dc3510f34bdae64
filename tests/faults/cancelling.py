"""Cancels a call where it waits, at the n-th of its waits, and looks whether everything was given back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from llm_router_middleware.engine.call import Failure, FailureKind

__all__ = ["AtWait", "busy_connections", "held", "only_probes"]


class AtWait:
    """A coroutine that does something each time it waits for the n-th time.

    Args:
        coroutine: what is awaited.
        number: which of its waits; 1 is the first.
        strike: what is done there.

    Attributes:
        waits: how often it has waited so far.
        place: the functions in which it waited then, outermost first, as "package:function".
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any], number: int, strike: Callable[[], object]) -> None:
        self._steps = coroutine
        self._number = number
        self._strike = strike
        self.waits = 0
        self.place: list[str] = []

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._steps.__await__()
        try:
            wait = next(steps)
            while True:
                self.waits += 1
                if self.waits == self._number:
                    self.place = _stack(self._steps)
                    self._strike()
                try:
                    come = yield wait
                except BaseException as exc:
                    wait = steps.throw(exc)
                else:
                    wait = steps.send(come)
        except StopIteration as stop:
            return stop.value


def _stack(awaitable: Any) -> list[str]:
    places = []
    while awaitable is not None:
        frame = getattr(awaitable, "cr_frame", None) or getattr(awaitable, "gi_frame", None)
        if frame is not None:
            places.append(f"{str(frame.f_globals.get('__name__')).partition('.')[0]}:{frame.f_code.co_name}")
        awaitable = getattr(awaitable, "cr_await", None) or getattr(awaitable, "gi_yieldfrom", None)
    return places


async def cancelled_at(number: int, call: Callable[[], Coroutine[Any, Any, Any]]) -> tuple[list[str], Any]:
    """Makes a call in a task of its own and cancels it at its n-th wait.

    Returns:
        Where it waited then, empty if it had not so many waits; and what it came to: a value or an exception.
    """

    async def run() -> Any:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        waiting = AtWait(call(), number, lambda: loop.call_soon(task.cancel))
        try:
            return waiting, await waiting
        except BaseException as exc:
            return waiting, exc

    waiting, value = await asyncio.ensure_future(run())
    return waiting.place, value


def only_probes(router: Any, clock: Any) -> None:
    """Brings every circuit that the router knows into the state in which one call at a time may pass."""
    breakers = router.breakers
    for endpoint, place in list(breakers._endpoints.items()):
        for model in list(place.models):
            for _ in range(5):
                breakers.settle(breakers.acquire(endpoint, model), Failure(FailureKind.SERVER))
    clock.advance(1000.0)
    assert all(report.state == "half_open" for name, report in breakers.states().items() if "/" in name.split("#")[-1])


def held(router: Any) -> list[str]:
    """What of a router is still given away: probes, places at targets, retries."""
    kit = router._kit
    probes = [name for name, circuit in _circuits(router.breakers) if circuit._circuit.probe is not None]
    places = [key for key, limit in kit._spillways._limits.items() if limit.inflight]
    return [*probes, *places, *(["a retry"] if kit._retries._under_way else [])]


def _circuits(breakers: Any) -> list[tuple[str, Any]]:
    return [(circuit.name, circuit) for circuit in breakers._circuits()]


def busy_connections(client: Any) -> list[str]:
    """The connections of an SDK's client that are neither idle nor closed, and requests that wait for one."""
    pool = client._client._transport._pool
    busy = [repr(c) for c in pool._connections if not (c.is_idle() or c.is_closed() or c.has_expired())]
    return [*busy, *(["a waiting request"] if pool._requests else [])]


def loses_connections(client: Any) -> bool:
    """Whether it is an async client on httpx 0.28, under groq: cancelled while it opens or closes a connection it loses
    it, with us or without, since anyio's shields don't hold against asyncio's own cancellation.
    """
    return any(cls.__module__ == "httpx" for cls in type(client._client).__mro__) and hasattr(client._client, "aclose")


def is_closing(place: list[str]) -> bool:
    """Whether the HTTP library is closing a connection there: cancelled in the midst of that, httpx2 loses it too."""
    return any(name in ("httpcore2:aclose", "httpcore2:_close_connections") for name in place)
