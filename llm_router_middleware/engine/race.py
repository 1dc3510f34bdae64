"""Two attempts at once, the first success counts: in tasks, or in threads that live as long as their request."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import queue
import threading
from collections.abc import Mapping
from typing import Any

from llm_router_middleware.engine.call import Attempt, Failure, FailureKind, Outcome
from llm_router_middleware.engine.drive import Perform, Step, adrive, drive
from llm_router_middleware.engine.fence import fenced

__all__ = ["race"]


def race(perform: Perform, attempt: Attempt, *, is_async: bool) -> Step:
    """A step that makes an attempt and, after its delay, its rival; gives the outcome that counts.

    Args:
        perform: carries out one attempt.
        attempt: the first, which names its rival.
        is_async: whether the step is awaited.
    """
    if is_async:
        return lambda: _arace(perform, attempt)
    return lambda: _race(perform, attempt)


async def _arace(perform: Perform, attempt: Attempt) -> Outcome:
    first = asyncio.create_task(adrive(perform(attempt)))
    tasks = {first: attempt}
    try:
        await asyncio.wait(tasks, timeout=attempt.rival_after_s)
        rival = None if first.done() or attempt.rival is None else fenced(attempt.rival)
        if rival is None:
            return await first
        tasks[asyncio.create_task(adrive(perform(rival)))] = rival
        pending: set[Any] = set(tasks)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            if any(task.result().failure is None for task in done):
                break
        return await _decided(tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _decided(tasks: Mapping[asyncio.Task[Outcome], Attempt]) -> Outcome:
    ended = [(task.result(), attempt) for task, attempt in tasks.items() if task.done()]
    outcome = _ranked(ended)
    closing = _close(outcome.other)
    if inspect.isawaitable(closing):
        await closing
    return outcome


def _race(perform: Perform, attempt: Attempt) -> Outcome:
    results: queue.SimpleQueue[tuple[Outcome, Attempt]] = queue.SimpleQueue()
    decided = threading.Event()
    _start(perform, attempt, results, decided)
    with contextlib.suppress(queue.Empty):
        return results.get(timeout=attempt.rival_after_s)[0]
    rival = None if attempt.rival is None else fenced(attempt.rival)
    if rival is None:
        return results.get()[0]
    _start(perform, rival, results, decided)
    ended = [results.get()]
    if ended[0][0].failure is not None:
        ended.append(results.get())
    decided.set()
    return _ranked(ended)


def _start(perform: Perform, attempt: Attempt, results: Any, decided: threading.Event) -> None:
    def run() -> None:
        try:
            outcome = drive(perform(attempt))
        except Exception as bug:  # noqa: BLE001 - the waiting thread must hear of it
            outcome = Outcome(error=bug, failure=Failure(FailureKind.INTERNAL))
        if decided.is_set():
            _close(outcome)
        else:
            results.put((outcome, attempt))

    context = contextvars.copy_context()
    threading.Thread(target=lambda: context.run(run), name="llm-router-hedge", daemon=True).start()


def _ranked(ended: list[tuple[Outcome, Attempt]]) -> Outcome:
    """The first success, else the first failure; it is told whose it is, and of the other one."""
    ended = sorted(ended, key=lambda pair: pair[0].failure is not None)
    outcome, by = ended[0]
    outcome.by = by
    outcome.other = ended[1][0] if len(ended) > 1 else None
    return outcome


def _close(outcome: Outcome | None) -> Any:
    """Closes a stream that came second: nobody will read it. Gives what there is to await of it."""
    close = getattr(outcome.value, "close", None) if outcome is not None and outcome.watch is not None else None
    return close() if close is not None else None
