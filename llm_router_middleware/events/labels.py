"""What sinks for metrics have in common: labels that can't grow without bound, and the buckets."""

from __future__ import annotations

from itertools import pairwise

from llm_router_middleware.events.encode import clean_name
from llm_router_middleware.events.event import RoutingEvent

__all__ = ["COUNT_BUCKETS", "DURATION_BUCKETS", "Labels", "failovers", "outcome", "retries"]

OTHER = "other"
_TIERS = ("budget", "mid", "premium")

DURATION_BUCKETS = (
    0.01,
    0.02,
    0.04,
    0.08,
    0.16,
    0.32,
    0.64,
    1.28,
    2.56,
    5.12,
    10.24,
    20.48,
    40.96,
    81.92,
    163.84,
    327.68,
)
"""Seconds: the buckets of OpenTelemetry's GenAI conventions, and two more."""

COUNT_BUCKETS = (1, 2, 3, 4, 5)
"""As gRPC A96 has them for retries and hedges."""


class Labels:
    """The labels of an event's metrics. Names of models come from outside: beyond a limit they are all "other".

    Args:
        limit: how many models get a label of their own, first come, first served.
    """

    def __init__(self, limit: int = 100) -> None:
        self._limit = limit
        self._seen: dict[tuple[str, str], None] = {}

    def of_call(self, event: RoutingEvent) -> dict[str, str]:
        """provider, model, tier, outcome."""
        provider, model = self._bounded(event.selected_provider, event.selected_model)
        tier = event.complexity_tier
        return {
            "provider": provider,
            "model": model,
            "tier": str(tier) if tier in _TIERS else "none",
            "outcome": outcome(event),
        }

    def of_attempts(self, event: RoutingEvent) -> list[dict[str, str]]:
        """Of each attempt: provider, model, outcome, class."""
        labels = []
        for attempt in event.attempts:
            provider, model = self._bounded(attempt.provider, attempt.model)
            ok = attempt.outcome == "ok"
            failure = "none" if ok else attempt.outcome
            labels.append({"provider": provider, "model": model, "outcome": "ok" if ok else "error", "class": failure})
        return labels

    def _bounded(self, provider: str, model: str) -> tuple[str, str]:
        pair = (clean_name(provider) or OTHER, clean_name(model) or OTHER)
        if pair in self._seen:
            return pair
        if len(self._seen) >= self._limit:
            return OTHER, OTHER
        self._seen[pair] = None
        return pair


def outcome(event: RoutingEvent) -> str:
    """ok, error, or how the caller left: cancelled, closed, abandoned."""
    if event.success:
        return "ok"
    return event.error if event.error in ("cancelled", "closed", "abandoned") else "error"


def failovers(event: RoutingEvent) -> int:
    """How often the call went on to another model."""
    models = [(attempt.provider, attempt.model) for attempt in event.attempts]
    return sum(one != other for one, other in pairwise(models))


def retries(event: RoutingEvent) -> int:
    """How often the same model was asked again at once."""
    return max(0, len(event.attempts) - 1 - failovers(event))
