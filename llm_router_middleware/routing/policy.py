"""Who should answer: score, limits and capabilities in, a RoutingDecision out. Pure.

The rule in one line: the cheapest tier that will do, among models that can honour the request, never dearer than what
the caller named, unless that fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from llm_router_middleware.engine.call import Call, Limits
from llm_router_middleware.models.spec import ModelSpec, Tier
from llm_router_middleware.routing.decision import RoutingDecision, RuledOut
from llm_router_middleware.scoring.base import ComplexityScore

__all__ = ["AUTO", "Field", "Policy", "World", "select_model"]

AUTO = "auto"
"""The model name that lifts the ceiling."""


@dataclass(frozen=True, slots=True)
class World:
    """What the policy asks about a model, besides its spec.

    Attributes:
        unavailable: why nobody can be asked for it now; None if someone can.
        unmet: why it can't honour this request; None if it can.
        too_slow: whether its p95 is above a limit in seconds.
    """

    unavailable: Callable[[ModelSpec], str | None]
    unmet: Callable[[ModelSpec], str | None]
    too_slow: Callable[[ModelSpec, float], bool]


Ordered = tuple[tuple[ModelSpec, ...], str]
"""Candidates in order, and why the first of them."""


class Field:
    """The models that could answer a call of some shape, and why the others could not.

    Args:
        able: who could.
        out: who could not.
    """

    __slots__ = ("_orders", "able", "out")

    def __init__(self, able: tuple[ModelSpec, ...], out: tuple[RuledOut, ...]) -> None:
        self.able = able
        self.out = out
        self._orders: dict[tuple[Tier, str], Ordered] = {}

    def ordered(self, start: tuple[Tier, str], order: Callable[[], Ordered]) -> Ordered:
        """The order from a tier on; worked out when it is first needed."""
        known = self._orders.get(start)
        if known is None:
            known = self._orders[start] = order()
        return known

    def __add__(self, other: Field) -> Field:
        return Field(self.able + other.able, self.out + other.out)


@dataclass(frozen=True, slots=True)
class Policy:
    """The routing rules that are settings.

    Attributes:
        ceiling: the model that the caller names is the dearest first choice.
        prefer_own: the caller's own provider comes first within a tier.
        cross_provider: other providers may answer at all.
        failover: more than the first choice may be tried.
        step_down: after the tiers above, the tiers below may answer a call that failed.
    """

    ceiling: bool = True
    prefer_own: bool = True
    cross_provider: bool = True
    failover: bool = True
    step_down: bool = True

    def decide(
        self,
        call: Call,
        score: ComplexityScore,
        models: Iterable[ModelSpec],
        requested: ModelSpec | None,
        world: World,
        *,
        prompt_tokens: int = 0,
    ) -> RoutingDecision:
        """Plans one call: `sift`, then `choose`.

        Args:
            call: what was asked.
            score: how hard it is.
            models: every model that may be routed to.
            requested: the model that the caller named; None for "auto".
            world: what is true of the models now.
            prompt_tokens: the estimated size of the prompt.

        Returns:
            The decision, with a reason for every model that is not a candidate.
        """
        field = self.sift(call, models, requested, world)
        return self.choose(call, score, field, requested, world.too_slow, prompt_tokens=prompt_tokens)

    def sift(self, call: Call, models: Iterable[ModelSpec], requested: ModelSpec | None, world: World) -> Field:
        """Who could answer at all: the same for every call of the same shape, however hard."""
        able: list[ModelSpec] = []
        out: list[RuledOut] = []
        for model in models:
            own = _is(model, requested)
            why = self._barred(call, model) or (None if own else world.unavailable(model) or world.unmet(model))
            if why is None:
                able.append(model)
            else:
                out.append(RuledOut(model.name, model.provider, why))
        return Field(tuple(able), tuple(out))

    def choose(
        self,
        call: Call,
        score: ComplexityScore,
        field: Field,
        requested: ModelSpec | None,
        too_slow: Callable[[ModelSpec, float], bool],
        *,
        prompt_tokens: int = 0,
    ) -> RoutingDecision:
        """Whom of them to ask, in which order."""
        tier, reason = self._tier(score.tier, requested, call.limits)
        order, reason = field.ordered(
            (tier, reason),
            lambda: self._first_choice(self._order(field.able, tier, requested, call), tier, requested, call, reason),
        )
        order, reason = _step_up_when_slow(order, call.limits, too_slow, reason)
        out = field.out
        if not self.failover and order:
            out += tuple(RuledOut(m.name, m.provider, "failover is off") for m in order[1:])
            order = order[:1]
        return RoutingDecision(
            tier=order[0].tier if order else tier,
            score=score.score,
            signals=score.signals,
            candidates=order,
            ruled_out=out,
            reason=reason,
            complexity_tier=score.tier,
            requested=requested,
            prompt_tokens=prompt_tokens,
        )

    def _tier(self, wanted: Tier, requested: ModelSpec | None, limits: Limits) -> tuple[Tier, str]:
        """The tier to start from: what complexity asks for, within the caller's limits and ceiling."""
        if limits.tier is not None:
            tier = _at_most(Tier.parse(limits.tier), limits.max_tier)
            return tier, "pinned"
        tier = wanted
        if limits.min_tier is not None and Tier.parse(limits.min_tier).rank > tier.rank:
            tier = Tier.parse(limits.min_tier)
        capped = _at_most(tier, limits.max_tier)
        if self.ceiling and requested is not None and requested.tier.rank < capped.rank:
            capped = requested.tier
        return capped, "ceiling" if capped.rank < wanted.rank else "complexity_match"

    def _barred(self, call: Call, model: ModelSpec) -> str | None:
        limits = call.limits
        if model.provider != call.provider:
            if not self.cross_provider:
                return "other providers are off (cross_provider)"
            if call.native_only:
                return f"must stay with {call.provider}: {call.native_only}"
            if limits.allow_providers is not None and model.provider not in limits.allow_providers:
                return f"{model.provider} is not in allow_providers"
        if limits.max_tier is not None and model.tier.rank > Tier.parse(limits.max_tier).rank:
            return f"{model.tier} is above max_tier {limits.max_tier}"
        if limits.min_tier is not None and model.tier.rank < Tier.parse(limits.min_tier).rank:
            return f"{model.tier} is below min_tier {limits.min_tier}"
        return None

    def _order(
        self, able: tuple[ModelSpec, ...], tier: Tier, requested: ModelSpec | None, call: Call
    ) -> list[ModelSpec]:
        """The tier itself, then the tiers above, then, if allowed, the tiers below from the nearest down."""

        def place(model: ModelSpec) -> tuple[int, int, int]:
            above = model.tier.rank - tier.rank
            distance = above if above >= 0 else 10 - above
            foreign = self.prefer_own and model.provider != call.provider
            return distance, int(foreign), int(not _is(model, requested))

        order = sorted(able, key=place)
        if not self.step_down:
            order = [m for m in order if m.tier.rank >= tier.rank or _is(m, requested)]
        return order

    def _first_choice(
        self, order: list[ModelSpec], tier: Tier, requested: ModelSpec | None, call: Call, reason: str
    ) -> Ordered:
        """Moves the first model that the ceiling allows to the front: routing is never dearer than the caller."""
        if not order:
            return (), reason
        explicit = call.limits.tier is not None
        limit = requested if self.ceiling and not explicit else None
        choice = next((m for m in order if limit is None or _is(m, limit) or _within(m, limit)), order[0])
        rest = [m for m in order if m is not choice]
        if choice.tier is not tier and reason in ("complexity_match", "ceiling"):
            reason = "capability" if choice.tier.rank > tier.rank else reason
        return (choice, *rest), reason


def _step_up_when_slow(
    order: tuple[ModelSpec, ...], limits: Limits, too_slow: Callable[[ModelSpec, float], bool], reason: str
) -> Ordered:
    """Puts models that are too slow now behind those that are not; they stay candidates."""
    limit = limits.max_latency_s
    if limit is None or len(order) < 2:
        return order, reason
    # Asked once per model: the answer may be a throw of the dice, by which a slow model is tried now and then.
    slow = {model.key for model in order if too_slow(model, limit)}
    fast = [m for m in order if m.key not in slow and m.tier.rank >= order[0].tier.rank]
    if order[0].key not in slow or not fast:
        return order, reason
    return (*fast, *(m for m in order if m not in fast)), "latency_fallback"


def _at_most(tier: Tier, limit: str | None) -> Tier:
    if limit is None:
        return tier
    top = Tier.parse(limit)
    return top if top.rank < tier.rank else tier


def _is(model: ModelSpec, other: ModelSpec | None) -> bool:
    return other is not None and model.name == other.name and model.provider == other.provider


def _within(model: ModelSpec, ceiling: ModelSpec) -> bool:
    """Not a higher tier, and not dearer for input or output. What nobody priced can't be shown to be dearer."""
    if model.tier.rank > ceiling.tier.rank:
        return False
    ours, theirs = model.price, ceiling.price
    if ours is None or theirs is None:
        return True
    return not (_dearer(ours.input, theirs.input) or _dearer(ours.output, theirs.output))


def _dearer(ours: float | None, theirs: float | None) -> bool:
    return ours is not None and theirs is not None and ours > theirs


def select_model(
    complexity: ComplexityScore,
    models: Iterable[ModelSpec],
    max_latency_s: float | None = None,
    p95: Callable[[str], float | None] = lambda _key: None,
) -> ModelSpec | None:
    """The tutorial's question: the first model of the score's tier, or of a higher one when that is too slow.

    Args:
        complexity: the score.
        models: what there is, in order of preference.
        max_latency_s: seconds; None for no limit.
        p95: the 95th percentile of a model's latency by its key, in seconds; None when unknown.

    Returns:
        The model; None when there is none of that tier or above.
    """
    reachable = sorted((m for m in models if m.tier.rank >= complexity.tier.rank), key=lambda m: m.tier.rank)
    if max_latency_s is None:
        return next(iter(reachable), None)
    for model in reachable:
        seconds = p95(model.key)
        if seconds is None or seconds <= max_latency_s:
            return model
    return reachable[-1] if reachable else None
