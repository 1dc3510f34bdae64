"""Which behaviour a request meets."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from llm_router_middleware.sandbox.behaviour import Behaviour

__all__ = ["ANY", "Script"]

ANY = "*"
"""Stands for every model."""


@dataclass(frozen=True, slots=True)
class _Window:
    start_s: float
    end_s: float
    model: str
    behaviour: Behaviour


class Script:
    """The behaviours of one provider. The first that applies wins:

    an outage · a time window · a call number · the queue of the model · the queue of any model · the model's default ·
    any model's default · a good answer. Safe to change from any thread.

    Args:
        now: the clock, in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forgets everything; call numbers and time windows start anew."""
        with self._lock:
            self._began = self._now()
            self._calls: Counter[str] = Counter()
            self._outages: dict[str, Behaviour] = {}
            self._windows: list[_Window] = []
            self._numbered: dict[tuple[str, int], Behaviour] = {}
            self._queues: defaultdict[str, deque[Behaviour]] = defaultdict(deque)
            self._defaults: dict[str, Behaviour] = {}

    def queue(self, model: str, behaviours: tuple[Behaviour, ...]) -> None:
        """Appends to a model's queue."""
        with self._lock:
            self._queues[model].extend(behaviours)

    def default(self, model: str, behaviour: Behaviour) -> None:
        """Sets what a model does when nothing else applies."""
        with self._lock:
            self._defaults[model] = behaviour

    def at_call(self, number: int, behaviour: Behaviour, model: str) -> None:
        """Sets what a model's call of this number meets; 1 is the first."""
        with self._lock:
            self._numbered[model, number] = behaviour

    def between(self, start_s: float, end_s: float, behaviour: Behaviour, model: str) -> None:
        """Sets what a model does in a window, in seconds since the last reset."""
        with self._lock:
            self._windows.append(_Window(start_s, end_s, model, behaviour))

    def outage(self, behaviour: Behaviour, model: str) -> None:
        """Sets what a model does until it recovers."""
        with self._lock:
            self._outages[model] = behaviour

    def recover(self, model: str | None) -> None:
        """Ends the outage of a model; of everything when None."""
        with self._lock:
            if model is None:
                self._outages.clear()
            else:
                self._outages.pop(model, None)

    def outage_of(self, model: str) -> Behaviour | None:
        """The outage that a model is in."""
        with self._lock:
            return self._outages.get(model) or self._outages.get(ANY)

    def next(self, model: str) -> Behaviour:
        """The behaviour for a model's next call. Counts the call, and takes from the queue what it plays."""
        with self._lock:
            self._calls[model] += 1
            self._calls[ANY] += 1
            return self._windowed(model) or self._at_number(model) or self._queued(model) or self._standing(model)

    def _windowed(self, model: str) -> Behaviour | None:
        since = self._now() - self._began
        fits = (w for w in self._windows if w.model in (model, ANY) and w.start_s <= since < w.end_s)
        return next((window.behaviour for window in fits), None)

    def _at_number(self, model: str) -> Behaviour | None:
        numbers = ((name, self._calls[name]) for name in (model, ANY))
        return next((self._numbered[key] for key in numbers if key in self._numbered), None)

    def _queued(self, model: str) -> Behaviour | None:
        queues = (self._queues[name] for name in (model, ANY) if name in self._queues)
        return next((queue.popleft() for queue in queues if queue), None)

    def _standing(self, model: str) -> Behaviour:
        return self._defaults.get(model) or self._defaults.get(ANY) or Behaviour()
