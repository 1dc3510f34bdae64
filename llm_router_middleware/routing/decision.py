"""What the policy hands to the engine: the candidates in order, and why the others are not among them."""

from __future__ import annotations

from dataclasses import dataclass, field

from llm_router_middleware.models.spec import ModelSpec, Tier

__all__ = ["Reason", "RoutingDecision", "RuledOut"]

Reason = str
"""Why a model was selected: one of `complexity_match, latency_fallback, circuit_fallback, failover, capability,
ceiling, pinned, sticky, budget_cap, passthrough, shadow, router_error`."""


@dataclass(frozen=True, slots=True)
class RuledOut:
    """A model that was not used, and why, in words that a person can act on."""

    model: str
    provider: str
    reason: str


@dataclass(frozen=True, slots=True)
class RoutingDecision:
    """The plan of one call, complete before the first request.

    Attributes:
        tier: the tier that was chosen after all limits; None for a call that is passed through.
        score: the complexity score, 0.0 to 1.0.
        signals: the scorer's signals.
        candidates: the models to try, in order; the first is the choice, the rest are for failover.
        ruled_out: every model of the registry that is not a candidate, with the reason.
        reason: why the first candidate is the choice.
        complexity_tier: the tier that complexity alone asked for.
        requested: the model that the caller named, where the registry knows it.
        prompt_tokens: the estimated size of the whole prompt.
        dropped: per candidate (by its key), the parameters that an opt-in lets it lose.
        bound: why the request may have effects at its provider, so that it must not be made twice; None if it has none.
    """

    tier: Tier | None
    score: float
    signals: tuple[str, ...]
    candidates: tuple[ModelSpec, ...]
    ruled_out: tuple[RuledOut, ...]
    reason: Reason
    complexity_tier: Tier | None = None
    requested: ModelSpec | None = None
    prompt_tokens: int = 0
    dropped: dict[str, tuple[str, ...]] = field(default_factory=dict)
    bound: str | None = None
