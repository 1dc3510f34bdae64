"""How each part of a router is made from its settings. Called by Router alone."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from llm_router_middleware.dialects.errors import error_response
from llm_router_middleware.dialects.observe import served_model
from llm_router_middleware.dialects.table import target_wire, translator
from llm_router_middleware.dialects.usage import read_usage
from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.events.event import RoutingEvent
from llm_router_middleware.events.log import LogSink
from llm_router_middleware.events.sink import safely
from llm_router_middleware.intercept.install import install
from llm_router_middleware.intercept.native import endpoint_of, provider_of
from llm_router_middleware.intercept.sdk import SDKS
from llm_router_middleware.models.registry import ModelRegistry
from llm_router_middleware.models.spec import ModelSpec
from llm_router_middleware.providers.backends import Backends, fingerprint
from llm_router_middleware.providers.readers import TranslatingReader, UsageFilter, reader_for, usage_of
from llm_router_middleware.providers.shadow import Shadows
from llm_router_middleware.providers.trade import Trade
from llm_router_middleware.resilience.breakers import Breakers, BreakerSettings
from llm_router_middleware.resilience.failures import classify, classify_body, classify_value
from llm_router_middleware.resilience.latency import LatencyTracker
from llm_router_middleware.resilience.latency_gate import LatencyGate
from llm_router_middleware.routing.policy import Policy
from llm_router_middleware.scoring import (
    CachedScorer,
    ComplexityScore,
    HeuristicScorer,
    LearnedScorer,
    Scorer,
    ShareController,
)
from llm_router_middleware.settings import RouterSettings, credentials

__all__ = [
    "Latencies",
    "backends_of",
    "breakers_of",
    "controller_of",
    "credentials_in_use",
    "latency_of",
    "policy_of",
    "registry_of",
    "scorer_of",
    "sinks_of",
    "trade_of",
]

Sink = Callable[[RoutingEvent], None]


def registry_of(models: Any, settings: RouterSettings) -> ModelRegistry:
    """The models that may be routed to: the ones given, else the configured ones, else today's of every provider."""
    if isinstance(models, ModelRegistry):
        return models
    default = ModelRegistry.default(tuple(settings.provider_specs()))
    if models is None:
        return default.with_tiers(settings.tiers()) if settings.tiers() else default
    if isinstance(models, Mapping):
        return default.with_tiers({tier: _listed(entry) for tier, entry in models.items()})
    specs = list(models)
    if not all(isinstance(spec, ModelSpec) for spec in specs):
        raise ConfigurationError(f"models={specs!r}: expected ModelSpecs, or a mapping of tiers to models")
    tiers: dict[Any, list[ModelSpec]] = {"budget": [], "mid": [], "premium": []}
    for spec in specs:
        tiers[spec.tier].append(spec)
    return default.with_tiers(tiers)


def _listed(entry: Any) -> list[Any]:
    return [entry] if isinstance(entry, (str, ModelSpec)) else list(entry)


def scorer_of(scorer: Any, settings: RouterSettings) -> Callable[[str], ComplexityScore]:
    """The scorer, with its latest scores remembered."""
    chosen: Any = settings.scorer if scorer is None else scorer
    if isinstance(chosen, str):
        chosen = _named_scorer(chosen, settings)
    if not callable(chosen):
        raise ConfigurationError(f"scorer={chosen!r}: expected 'learned', 'heuristic', or a function of one text")
    return CachedScorer(cast(Scorer, chosen))


def _named_scorer(name: str, settings: RouterSettings) -> Any:
    if name == "heuristic":
        mid, premium = settings.mid_threshold, settings.premium_threshold
        return HeuristicScorer(0.3 if mid is None else mid, 0.6 if premium is None else premium)
    if name == "learned":
        return LearnedScorer(settings.mid_threshold, settings.premium_threshold, correction=settings.scorer_correction)
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as exc:
        raise ConfigurationError(
            f"scorer={name!r}: expected 'learned', 'heuristic' or 'module:attribute' ({exc})"
        ) from exc


def controller_of(settings: RouterSettings) -> ShareController | None:
    """Who steers the tiers towards their shares; None where no shares are set, or steering is off."""
    targets = settings.share_targets
    if targets is None or not settings.share_controller:
        return None
    return ShareController(targets.budget, targets.mid, targets.premium)


def policy_of(settings: RouterSettings) -> Policy:
    """The routing rules."""
    return Policy(
        ceiling=settings.ceiling,
        prefer_own=settings.prefer_own_provider,
        cross_provider=settings.cross_provider,
        failover=settings.failover,
        step_down=settings.step_down,
    )


def breakers_of(settings: RouterSettings, now: Callable[[], float], random: Callable[[], float]) -> Breakers:
    """The circuit breakers."""
    given = settings.breaker
    numbers = BreakerSettings(
        failure_threshold=given.failure_threshold,
        failure_ratio=given.failure_rate,
        minimum_calls=given.minimum_calls,
        window_s=given.window_s,
        recovery_timeout_s=given.open_s,
        max_recovery_timeout_s=given.open_cap_s,
        max_cooldown_s=given.cooldown_cap_s,
    )
    return Breakers(numbers, now=now, random=random)


@dataclass(frozen=True, slots=True)
class Latencies:
    """How fast models have been, and whether that is too slow."""

    tracker: LatencyTracker
    gate: LatencyGate

    def too_slow(self, key: str, limit_s: float, streaming: bool) -> bool:
        """Whether a model's p95 is above a limit, without flapping."""
        return self.gate.too_slow(key, limit_s, streaming)

    def p95(self, key: str) -> float | None:
        """The 95th percentile of a model's whole answers, in seconds; None when there are too few."""
        return self.tracker.p95(key)


def latency_of(settings: RouterSettings, now: Callable[[], float], random: Callable[[], float]) -> Latencies:
    """The latency windows."""
    tracker = LatencyTracker(settings.latency.window, settings.latency.minimum, now=now)
    return Latencies(tracker, LatencyGate(tracker, random=random))


def sinks_of(settings: RouterSettings | None, given: Iterable[Sink]) -> list[Sink]:
    """The sinks: the configured ones and the given ones, each fenced."""
    sinks: list[Sink] = []
    if settings is not None:
        if settings.sinks.log:
            sinks.append(LogSink(settings.log_level))
        if settings.sinks.jsonl is not None:
            from llm_router_middleware.events.jsonl import JsonlSink

            sinks.append(JsonlSink(settings.sinks.jsonl))
        if settings.sinks.sqlite is not None:
            from llm_router_middleware.events.sqlite import SqliteSink

            sinks.append(SqliteSink(settings.sinks.sqlite))
        if settings.sinks.otel:
            from llm_router_middleware.events.otel import OtelSink

            sinks.append(OtelSink())
        if settings.sinks.prometheus:
            from llm_router_middleware.events.prometheus import PrometheusSink

            sinks.append(PrometheusSink())
    return [safely(sink) for sink in (*sinks, *given)]


def backends_of(settings: RouterSettings, given: Iterable[Any]) -> Backends:
    """Who else could answer: the given clients, and the providers whose keys are in the environment."""
    return Backends(settings.provider_specs(), credentials, _client_class, install, provider_of, endpoint_of, given)


def credentials_in_use(settings: RouterSettings) -> tuple[str, ...]:
    """The keys and addresses of the environment as strings that change with them, and tell nothing of the keys."""
    found = (credentials(spec) for spec in settings.provider_specs().values())
    return tuple(f"{c.provider}@{c.base_url}#{fingerprint(c.key)}" for c in found if c is not None)


def _client_class(sdk: str, is_async: bool) -> type:
    cls: type = getattr(importlib.import_module(sdk), SDKS[sdk].roots[is_async])
    return cls


def trade_of(
    settings: RouterSettings, backends: Backends, now: Callable[[], float], clock: Callable[[], float]
) -> Trade:
    """What performers need."""
    return Trade(
        backends=backends,
        shadows=Shadows(lambda client: install(type(client)).beneath(client)),
        classify=classify,
        classify_value=classify_value,
        classify_body=classify_body,
        reader=lambda wire, content_type: reader_for(wire, content_type, classify_body),
        translating_reader=lambda caller, target, machine: TranslatingReader(caller, target, machine, classify_body),
        translator=translator,
        target_wire=target_wire,
        read_usage=lambda wire, payload: (usage_of(read_usage(wire, payload)), served_model(wire, payload)),  # type: ignore[arg-type]
        error_response=error_response,
        usage_filter=lambda: UsageFilter(classify_body),
        include_usage=settings.include_usage,
        refusal_failover=settings.refusal_failover,
        now=now,
        clock=clock,
    )
