"""What a sink is: a callable that takes one event. A function is enough."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from llm_router_middleware.events.event import RoutingEvent

__all__ = ["EventSink", "Fenced", "safely"]


@runtime_checkable
class EventSink(Protocol):
    """Takes the event of every call, once, when the call has ended. Called on the caller's thread: be quick."""

    def __call__(self, event: RoutingEvent, /) -> None: ...


class Fenced:
    """A sink whose failures reach nobody's call.

    Attributes:
        sink: the sink itself.
        failures: events that it has lost by raising.
    """

    def __init__(self, sink: Callable[[RoutingEvent], None]) -> None:
        self.sink = sink
        self.failures = 0
        self._lock = threading.Lock()

    def __call__(self, event: RoutingEvent) -> None:
        try:
            self.sink(event)
        except Exception as error:  # noqa: BLE001 - the fail-open fence of all sinks
            self._lost(type(error).__name__)

    def _lost(self, error: str) -> None:
        with self._lock:
            self.failures += 1
            first = self.failures == 1
        if first:
            # Once, and the class alone: an exception's text may hold anything.
            logging.getLogger("llm_router.sinks").warning("%s lost an event: %s", _name_of(self.sink), error)

    def __repr__(self) -> str:
        return f"Fenced({_name_of(self.sink)}, failures={self.failures})"


def safely(sink: Callable[[RoutingEvent], None]) -> Fenced:
    """Puts a fence around a sink: what it raises is counted, and told once to the logger `llm_router.sinks`."""
    return sink if isinstance(sink, Fenced) else Fenced(sink)


def _name_of(sink: object) -> str:
    return str(getattr(sink, "__name__", type(sink).__name__))
