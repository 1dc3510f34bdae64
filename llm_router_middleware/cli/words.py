"""A decision, and what became of it, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_router_middleware.cli import show

if TYPE_CHECKING:
    from llm_router_middleware.events.event import RoutingEvent
    from llm_router_middleware.routing.decision import RoutingDecision

__all__ = ["of_decision", "of_event"]

_WHY = {
    "complexity_match": "the cheapest tier that will do",
    "ceiling": "harder than that, but the caller's own model and limits are the ceiling",
    "capability": "nothing cheaper can honour the request",
    "latency_fallback": "the tier that would do is too slow now",
    "pinned": "the tier is fixed, whatever the complexity",
    "budget_cap": "the share of premium calls is used up",
    "sticky": "the conversation stays where it is",
    "circuit_fallback": "the first choice is known to be failing",
    "failover": "the first choice failed",
    "passthrough": "not routed (a model that the registry doesn't know, or routing is off); passed through as written",
    "shadow": "decided and recorded only",
    "router_error": "the router failed, so the call went through as written",
}


def of_decision(decision: RoutingDecision) -> str:
    """What would be asked first, and why."""
    if not decision.candidates:
        why = _WHY.get(decision.reason, decision.reason)
        return f"{why[0].upper()}{why[1:]}."
    first = decision.candidates[0]
    named = "" if decision.requested is None else f" instead of {decision.requested.key}"
    if decision.requested is not None and decision.requested.key == first.key:
        named = ", as the caller asked"
    wants = f"complexity {decision.score:.2f} asks for {decision.complexity_tier}"
    return f"{first.key} ({first.tier}){named}: {wants}; {_WHY.get(decision.reason, decision.reason)}."


def of_event(event: RoutingEvent) -> str:
    """What was asked, what answered, at what price, and why."""
    asked = f"{event.complexity_score:.2f} -> {event.complexity_tier}" if event.complexity_score is not None else "-"
    tried = " -> ".join(f"{a.provider}/{a.model} {a.outcome}" for a in event.attempts) or "nobody asked"
    money = f"{show.usd(event.cost_usd)} of {show.usd(event.baseline_cost_usd)}"
    return f"{asked} | {tried} | {_WHY.get(event.selection_reason, event.selection_reason)} | {money}"
