"""The only twins: what runs a plan of I/O, blocking and awaiting.

A plan is a generator that yields steps. A step is a callable that does one piece of I/O and returns its result, or,
for the async driver, an awaitable of it. The result is sent back into the plan; an exception is thrown into it. All
decisions are in the plan; these two know nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from llm_router_middleware.engine.call import Attempt, Outcome, Pause, Verdict

__all__ = ["Flow", "Perform", "Plan", "Step", "adrive", "carry_out", "drive"]

T = TypeVar("T")

Step = Callable[[], Any]
"""One piece of I/O: returns its result (sync) or an awaitable of its result (async)."""

Plan = Generator[Step, Any, T]
"""Steps of I/O, in the order in which they are wanted, and what came of them all."""

Flow = Generator[Attempt | Pause, Outcome | None, Verdict]
"""The decisions of one call: yields what it wants made, receives what came of it."""


def drive(plan: Plan[T]) -> T:
    """Carries out a plan whose steps block."""
    try:
        step = next(plan)
        while True:
            try:
                result = step()
            except BaseException as exc:  # noqa: BLE001 - whatever it is, the plan decides
                step = plan.throw(exc)
            else:
                step = plan.send(result)
    except StopIteration as stop:
        value: T = stop.value
        return value


async def adrive(plan: Plan[T]) -> T:
    """Carries out a plan whose steps are awaited."""
    try:
        step = next(plan)
        while True:
            try:
                result = await step()
            except BaseException as exc:  # noqa: BLE001 - whatever it is, the plan decides
                step = plan.throw(exc)
            else:
                step = plan.send(result)
    except StopIteration as stop:
        value: T = stop.value
        return value


Perform = Callable[[Attempt], Plan[Outcome]]
"""Carries out one attempt."""


def carry_out(
    flow: Flow, perform: Perform, sleep: Callable[[float], Step], race: Callable[[Perform, Attempt], Step]
) -> Plan[Verdict]:
    """Joins the decisions of a call with the I/O that they ask for.

    Args:
        flow: the decisions.
        perform: makes one request.
        sleep: lets time pass.
        race: makes an attempt and, if it takes long, its rival.
    """
    try:
        wish = next(flow)
        while True:
            try:
                outcome = yield from _grant(wish, perform, sleep, race)
            except BaseException as exc:  # noqa: BLE001 - a cancellation: the flow gives its permit back and re-raises
                wish = flow.throw(exc)
            else:
                wish = flow.send(outcome)
    except StopIteration as stop:
        verdict: Verdict = stop.value
        return verdict


def _grant(
    wish: Attempt | Pause, perform: Perform, sleep: Callable[[float], Step], race: Callable[[Perform, Attempt], Step]
) -> Plan[Outcome | None]:
    if isinstance(wish, Pause):
        yield sleep(wish.seconds)
        return None
    if wish.rival is not None:
        outcome: Outcome = yield race(perform, wish)
        return outcome
    return (yield from perform(wish))
