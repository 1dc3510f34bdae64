"""Exactly one event per call, whatever happens to it."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from llm_router_middleware.events.event import AttemptRecord, RoutingEvent, Usage

__all__ = ["EVENT_ATTRIBUTE", "Recorder", "Recording"]

EVENT_ATTRIBUTE = "_llm_router_event"
"""Where `last_event` finds the event: an attribute of the response, the stream or the exception."""

_QUOTING = ("for=", "against=")
"""Signals of the learned scorer that name words of the prompt: for `explain()`, which goes nowhere, not for events."""

Money = Callable[[Any, Usage], float | None]
"""USD of these tokens on this model; None when its price is unknown."""


class Recorder:
    """Opens a recording per call and hands its finished event to the sinks, in order.

    Args:
        sinks: who gets the events; each is fenced by its owner, none may raise.
        money: USD of a usage on a model.
        now: monotonic seconds.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        sinks: Iterable[Callable[[RoutingEvent], None]] = (),
        money: Money = lambda _model, _usage: None,
        now: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.sinks = tuple(sinks)
        self._money = money
        self._now = now
        self._clock = clock
        self._counter = itertools.count(1)
        self._prefix = ""
        self._pid = 0

    def open(self, *, requested_model: str, provider: str, stream: bool, policy_version: str) -> Recording:
        """Starts the recording of one call."""
        event = RoutingEvent(
            request_id=self._next_id(),
            timestamp=self._clock(),
            requested_model=requested_model,
            selected_model=requested_model,
            selected_provider=provider,
            stream=stream,
            policy_version=policy_version,
        )
        return Recording(event, self._emit, self._money, self._now)

    def _next_id(self) -> str:
        # A random prefix per process and a counter: unique after a fork too, at a twentieth of the price of a UUID.
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._prefix = f"lr-{os.urandom(6).hex()}-"
        return f"{self._prefix}{next(self._counter)}"

    def _emit(self, event: RoutingEvent) -> None:
        for sink in self.sinks:
            sink(event)


class Recording:
    """The event of one call while it is being written."""

    __slots__ = ("_baseline", "_done", "_emit", "_lock", "_model", "_money", "_now", "_started", "event")

    def __init__(
        self,
        event: RoutingEvent,
        emit: Callable[[RoutingEvent], None],
        money: Money,
        now: Callable[[], float],
    ) -> None:
        self.event = event
        self._emit = emit
        self._money = money
        self._now = now
        self._started = now()
        self._model: Any = None
        self._baseline: Any = None
        self._done = False
        self._lock = threading.Lock()

    def planned(self, decision: Any, expected: Usage) -> None:
        """Takes note of the plan: tier, score, candidates, who was ruled out, and the expected cost."""
        event = self.event
        event.prompt_tokens_est = decision.prompt_tokens
        event.complexity_tier = decision.complexity_tier and str(decision.complexity_tier)
        event.complexity_score = decision.score
        event.complexity_signals = tuple(s for s in decision.signals if not s.startswith(_QUOTING))
        event.candidates = tuple(model.key for model in decision.candidates)
        event.ruled_out = tuple((out.model, out.provider, out.reason) for out in decision.ruled_out)
        event.selection_reason = decision.reason
        self._baseline = decision.requested
        if decision.candidates:
            self._select(decision.candidates[0])
            event.estimated_cost_usd = self._money(self._model, expected)

    def attempted(self, model: Any, outcome: Any, seconds: float, breaker: str) -> None:
        """One request was made."""
        failure = outcome.failure
        label = "ok" if failure is None else failure.kind.label
        if failure is None:
            self.event.dropped_params = tuple(outcome.dropped)
        status = None if failure is None else failure.status
        self._select(model)
        record = AttemptRecord(model.provider, model.name, label, seconds, breaker, status)
        self.event.attempts = (*self.event.attempts, record)

    def refused(self, model: Any, reason: str) -> None:
        """A candidate was not asked: its circuit breaker refused."""
        self.event.ruled_out = (*self.event.ruled_out, (model.name, model.provider, reason))

    def selected(self, model: Any, reason: str) -> None:
        """This model serves, for this reason."""
        self._select(model)
        self.event.selection_reason = reason

    def first_token(self, seconds: float) -> None:
        """The first content of the stream has come."""
        self.event.time_to_first_token_s = seconds

    def finish(self, *, success: bool, error: str | None = None, outcome: Any = None) -> None:
        """The call is over. Only the first of these counts."""
        with self._lock:
            if self._done:
                return
            self._done = True
        event = self.event
        event.error = error
        try:
            event.actual_latency_s = self._now() - self._started
            if outcome is not None:
                event.served_model = outcome.served_model
                self._account(outcome.usage or self._estimated(outcome))
        finally:  # whatever could not be accounted for, the event is not lost
            event.success = success
            self._emit(event)

    def keep(self, verdict: Any) -> None:
        """Leaves the event where `last_event` finds it, and on an exception the trail of who else was asked."""
        if verdict.error is None:
            attach(verdict.value, self.event)
            return
        attach(verdict.error, self.event)
        if len(self.event.attempts) > 1:
            verdict.error.add_note(f"llm_router: asked {_trail(self.event.attempts)}")

    def _select(self, model: Any) -> None:
        self._model = model
        self.event.selected_model = model.name
        self.event.selected_provider = model.provider

    def _estimated(self, outcome: Any) -> Usage | None:
        """The tokens of a stream that reported none: our estimate of the prompt, and one token an event."""
        events = getattr(outcome, "events", 0)
        return Usage(self.event.prompt_tokens_est, events, estimated=True) if events else None

    def _account(self, usage: Usage | None) -> None:
        event = self.event
        event.usage = usage
        if usage is None:
            return
        event.cost_usd = self._money(self._model, usage)
        event.baseline_cost_usd = self._money(self._baseline, usage)
        if event.cost_usd is not None and event.baseline_cost_usd is not None:
            event.savings_usd = event.baseline_cost_usd - event.cost_usd


def _trail(attempts: tuple[AttemptRecord, ...]) -> str:
    """Who was asked and what came of it. Names and labels only: nothing that a provider said."""
    return ", then ".join(f"{attempt.provider}/{attempt.model} ({attempt.outcome})" for attempt in attempts)


def attach(holder: Any, event: RoutingEvent) -> None:
    """Puts an event on a response, a stream or an exception; on nothing where there is no place for it."""
    places = getattr(holder, "__dict__", None)
    if isinstance(places, dict):
        places[EVENT_ATTRIBUTE] = event
