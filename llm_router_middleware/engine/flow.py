"""route(): the decisions of one call, from the plan to the verdict. No I/O, no await, no clock of its own.

The flow yields an `Attempt` and receives its `Outcome`; or yields a `Pause` and receives nothing. It returns a
`Verdict` and raises only what was thrown into it, so whatever else comes out of it is a bug of ours, and the door
makes the caller's own call instead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from typing import Any

from llm_router_middleware.engine.call import Attempt, Call, Failure, FailureKind, Outcome, Pause, Verdict
from llm_router_middleware.engine.drive import Flow
from llm_router_middleware.engine.trail import Kit, Log, Plan, Trail
from llm_router_middleware.models.spec import ModelSpec

__all__ = ["Kit", "Log", "Plan", "route"]


def route(call: Call, plan: Plan, kit: Kit, log: Log) -> Flow:
    """Carries one call from its plan to its verdict.

    Args:
        call: what was asked.
        plan: the candidates, in order.
        kit: permits, latencies and time.
        log: who writes the event.

    Returns:
        The verdict, by way of the generator's return value.
    """
    trail = Trail(call, plan, kit, log, kit.now(), deque(_admissible(plan, call)))
    try:
        verdict = yield from _rounds(trail)
    except Exception:
        raise
    except BaseException as exc:
        log.finish(success=False, error="cancelled" if _is_cancellation(exc) else type(exc).__name__)
        raise
    log.keep(verdict)
    return verdict


def _admissible(plan: Plan, call: Call) -> Iterable[ModelSpec]:
    if plan.bound or call.native_only:
        return (model for model in plan.candidates if model.provider == call.provider)
    return plan.candidates


Maybe = Generator[Attempt | Pause, Outcome | None, Verdict | None]
"""A part of a flow: a verdict when the call is over, None when it goes on."""


def _rounds(trail: Trail) -> Flow:
    trail.kit.begin()
    verdict = yield from _round(trail)
    while verdict is None:
        pause = trail.next_round()
        if pause is None or not trail.kit.begin_retry():
            break
        try:
            yield Pause(pause)
            verdict = yield from _round(trail)
        finally:
            trail.kit.end_retry()
    if verdict is None:
        verdict = yield from _last_resort(trail)
    return verdict or _give_up(trail)


def _last_resort(trail: Trail) -> Maybe:
    """The caller's own call, whatever the circuits say, with the tries that his SDK would have made."""
    model = trail.last_resort()
    verdict = None if model is None else (yield from _try(trail, model, admission=None))
    while verdict is None:
        own, pause = trail.once_more()
        if own is None or not trail.kit.begin_retry():
            return None
        try:
            yield Pause(pause)
            verdict = yield from _try(trail, own, admission=None)
        finally:
            trail.kit.end_retry()
    return verdict


def _round(trail: Trail) -> Maybe:
    while trail.queue and (trail.may_go_on() or not trail.attempts):
        model = trail.queue.popleft()
        admission = trail.kit.acquire(model, trail.call, spill=trail.has_failed)
        try:
            if not admission:
                trail.turned_away(model, admission)
                continue
            verdict = yield from _try(trail, model, admission)
        except BaseException:
            _settle(trail.kit, admission, None, neutral=True)
            raise
        if verdict is not None:
            return verdict
    return None


def _try(trail: Trail, model: ModelSpec, admission: Any) -> Maybe:
    """One attempt, with its permit; None for the last resort, which needs none."""
    kit, log = trail.kit, trail.log
    attempt = trail.attempt(model)
    trail.attempts += 1
    trail.again.pop(model, None)
    began = kit.now()
    hedge = None if trail.attempts > 1 else trail.hedge(attempt, admission)
    try:
        outcome = yield attempt if hedge is None else hedge.attempt
    except BaseException as exc:
        if hedge is not None:
            hedge.call_off()
        if not isinstance(exc, Exception):
            log.attempted(model, _GIVEN_UP, kit.now() - began, _state(admission))
        raise
    assert outcome is not None  # noqa: S101 - an attempt is always answered by its outcome
    seconds = kit.now() - began
    if hedge is not None:
        attempt, admission = hedge.judge(outcome, seconds)
        model = attempt.model
    log.attempted(model, outcome, seconds, _state(admission))
    if outcome.failure is None:
        kit.learn(model, seconds, outcome)
        return _succeed(trail, attempt, outcome, admission, kit.now() - trail.started)
    _settle(kit, admission, outcome.failure)
    return None if trail.failed(attempt, outcome) else _give_up(trail, outcome)


def _succeed(trail: Trail, attempt: Attempt, outcome: Outcome, admission: Any, seconds: float) -> Verdict:
    trail.log.selected(attempt.model, trail.reason(attempt))
    if outcome.watch is None:
        _settle(trail.kit, admission, None)
        trail.log.finish(success=True, outcome=outcome)
        return Verdict(outcome.value)
    trail.log.first_token(seconds)

    def ended(end: Any) -> None:
        try:
            _settle(trail.kit, admission, end.failure, neutral=end.failure is None and not end.complete)
        finally:
            trail.log.finish(success=end.failure is None, error=end.error, outcome=end)

    outcome.watch.on_end(ended)
    return Verdict(outcome.value)


def _give_up(trail: Trail, outcome: Outcome | None = None) -> Verdict:
    outcome = outcome or trail.worst()
    kind = outcome.failure.kind.label if outcome.failure is not None else None
    error = kind if outcome.error is None else type(outcome.error).__name__
    trail.log.finish(success=False, error=error)
    return Verdict(outcome.value, outcome.error)


def _settle(kit: Kit, admission: Any, failure: Failure | None, *, neutral: bool = False) -> None:
    if admission is not None:
        kit.settle(admission, failure, neutral=neutral)


def _state(admission: Any) -> str:
    return "closed" if admission is None else str(admission.state)


_GIVEN_UP = Outcome(failure=Failure(FailureKind.CANCELLED))
"""What came of an attempt whose caller no longer waits."""


def _is_cancellation(exc: BaseException) -> bool:
    return type(exc).__name__ in {"CancelledError", "GeneratorExit", "KeyboardInterrupt", "Cancelled"}
