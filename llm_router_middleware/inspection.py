"""Looking at decisions: the event of a call that was made, and the plan of one that was not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_router_middleware.events.event import RoutingEvent
from llm_router_middleware.events.recorder import EVENT_ATTRIBUTE
from llm_router_middleware.routing.decision import RoutingDecision

__all__ = ["explain", "last_event"]

_INSIDE = ("_raw_stream", "_stream", "_response", "response", "http_response")
"""Where the SDKs' helpers keep the object that the event was put on."""


def last_event(holder: object) -> RoutingEvent | None:
    """The event of a call, from what the call gave.

    Args:
        holder: a response, a raw response, a stream, a stream helper, or an exception that the call raised.

    Returns:
        The event; None if the call was not routed. Of an open stream, `success` is None until it has ended.
    """
    for candidate in (holder, *(_inside(holder, name) for name in _INSIDE)):
        event = getattr(candidate, "__dict__", {}).get(EVENT_ATTRIBUTE)
        if isinstance(event, RoutingEvent):
            return event
    return None


def explain(request: Mapping[str, Any], *, router: Any = None, provider: str | None = None) -> RoutingDecision:
    """The decision for a request, without making it.

    Args:
        request: the body of a call: `model`, `messages` and whatever else it has.
        router: who decides; the default router when None.
        provider: whose client would make the call; told from the model and the body's shape when None.

    Returns:
        The whole decision: tier, score, signals, candidates, and who was ruled out and why.

    Raises:
        ConfigurationError: the default router's configuration is wrong.
    """
    if router is None:
        from llm_router_middleware.intercept.scope import default_router

        router = default_router()
    decision: RoutingDecision = router.explain(request, provider=provider)
    return decision


def _inside(holder: object, name: str) -> object:
    return getattr(holder, "__dict__", {}).get(name)
