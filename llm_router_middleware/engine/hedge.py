"""Hedging: a second candidate asked beside a first that takes long. Off unless it is switched on; it costs tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from llm_router_middleware.engine.call import Attempt, Failure, FailureKind, Outcome

__all__ = ["Hedge"]

_CALLED_OFF = Failure(FailureKind.CANCELLED)


class Hedge:
    """An attempt and its rival, each with its permit, until one of them has won.

    Args:
        trail: the call.
        first: the attempt.
        permit: its permit.
        after_s: seconds until the rival is asked.
    """

    __slots__ = ("_first", "_permit", "_rival", "_rival_permit", "_trail", "attempt")

    def __init__(self, trail: Any, first: Attempt, permit: Any, after_s: float) -> None:
        self._trail = trail
        self._first = first
        self._permit = permit
        self._rival: Attempt | None = None
        self._rival_permit: Any = None
        self.attempt = replace(first, rival=self.ask, rival_after_s=after_s)

    def ask(self) -> Attempt | None:
        """The first takes long: the next candidate, where the budget and its circuit allow it.

        Asked for only then, since most calls never come to it: what might be is not paid for.
        """
        trail = self._trail
        if not trail.kit.begin_hedge():
            return None
        model = trail.queue[0]
        permit = trail.kit.acquire(model, trail.call, spill=True)
        if not permit or permit.state != "closed":
            trail.kit.settle(permit, None, neutral=True)
            trail.kit.end_hedge()
            return None
        self._rival, self._rival_permit = trail.attempt(model), permit
        return self._rival

    def judge(self, outcome: Outcome, seconds: float) -> tuple[Attempt, Any]:
        """Whose outcome it is, with its permit. The other one's is settled here."""
        trail = self._trail
        if self._rival is None:
            return self._first, self._permit
        trail.kit.end_hedge()
        trail.attempts += 1
        trail.queue.remove(self._rival.model)
        trail.hedged = outcome.by is self._rival
        first, rival = (self._first, self._permit), (self._rival, self._rival_permit)
        winner, (attempt, permit) = (rival, first) if trail.hedged else (first, rival)
        self._settle_loser(attempt, permit, outcome.other or Outcome(failure=_CALLED_OFF), seconds)
        return winner

    def _settle_loser(self, attempt: Attempt, permit: Any, outcome: Outcome, seconds: float) -> None:
        trail, failure = self._trail, outcome.failure
        trail.log.attempted(attempt.model, outcome, seconds, permit.state)
        # A success that came second, or was called off, says nothing bad and is nobody's answer.
        trail.kit.settle(permit, failure, neutral=failure is None or failure is _CALLED_OFF)
        if failure is not None and failure is not _CALLED_OFF:
            trail.remember(attempt, outcome)

    def call_off(self) -> None:
        """The call was cancelled."""
        if self._rival is not None:
            self._trail.kit.end_hedge()
            self._trail.kit.settle(self._rival_permit, None, neutral=True)
