"""Drop-in routing, failover and cost control for the OpenAI, Anthropic and Groq SDKs.

A table of contents: nothing is imported before it is used, and nothing happens at import.
"""

from __future__ import annotations

# As type checkers know it, without importing typing: under `llm-router run` every interpreter comes by here.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from llm_router_middleware.dropins import Anthropic, AsyncAnthropic, AsyncGroq, AsyncOpenAI, Groq, OpenAI
    from llm_router_middleware.errors import ConfigurationError, LLMRouterError, UnsupportedClientError
    from llm_router_middleware.events.event import RoutingEvent
    from llm_router_middleware.inspection import explain, last_event
    from llm_router_middleware.intercept.bind import is_wrapped, unwrap, wrap
    from llm_router_middleware.intercept.scope import routed
    from llm_router_middleware.models.registry import ModelRegistry
    from llm_router_middleware.models.spec import ModelSpec, Price, Tier
    from llm_router_middleware.models.spec import ModelSpec as ModelConfig
    from llm_router_middleware.resilience.breaker import CircuitBreaker
    from llm_router_middleware.resilience.latency import LatencyTracker
    from llm_router_middleware.router import Router
    from llm_router_middleware.routing.decision import RoutingDecision
    from llm_router_middleware.routing.policy import select_model
    from llm_router_middleware.scoring import ComplexityScore, score_complexity
    from llm_router_middleware.settings import RouterSettings

__all__ = [
    "Anthropic",
    "AsyncAnthropic",
    "AsyncGroq",
    "AsyncOpenAI",
    "CircuitBreaker",
    "ComplexityScore",
    "ConfigurationError",
    "Groq",
    "LLMRouterError",
    "LatencyTracker",
    "ModelConfig",
    "ModelRegistry",
    "ModelSpec",
    "OpenAI",
    "Price",
    "Router",
    "RouterSettings",
    "RoutingDecision",
    "RoutingEvent",
    "Tier",
    "UnsupportedClientError",
    "__version__",
    "explain",
    "is_wrapped",
    "last_event",
    "routed",
    "score_complexity",
    "select_model",
    "unwrap",
    "wrap",
]

__version__ = "0.1.0"

_HOMES = {
    "CircuitBreaker": "resilience.breaker",
    "ComplexityScore": "scoring.base",
    "ConfigurationError": "errors",
    "LLMRouterError": "errors",
    "LatencyTracker": "resilience.latency",
    "ModelConfig": "models.spec:ModelSpec",
    "ModelRegistry": "models.registry",
    "ModelSpec": "models.spec",
    "Price": "models.spec",
    "Router": "router",
    "RouterSettings": "settings",
    "RoutingDecision": "routing.decision",
    "RoutingEvent": "events.event",
    "Tier": "models.spec",
    "UnsupportedClientError": "errors",
    "explain": "inspection",
    "is_wrapped": "intercept.bind",
    "last_event": "inspection",
    "routed": "intercept.scope",
    "score_complexity": "scoring",
    "select_model": "routing.policy",
    "unwrap": "intercept.bind",
    "wrap": "intercept.bind",
}
"""Where each name lives, as "module" or "module:name"; the six clients are made when they are first asked for."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in ("Anthropic", "AsyncAnthropic", "AsyncGroq", "AsyncOpenAI", "Groq", "OpenAI"):
        from llm_router_middleware.intercept.dropin import dropin

        value: Any = dropin(name)
    elif name in _HOMES:
        module, _, attribute = _HOMES[name].partition(":")
        value = getattr(import_module(f"llm_router_middleware.{module}"), attribute or name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
