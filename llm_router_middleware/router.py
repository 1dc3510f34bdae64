"""Router: the only composition root. Parts are made and joined here, and nowhere else."""

from __future__ import annotations

import logging
import random as _random
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from os import PathLike
from typing import Any

from llm_router_middleware.dialects.table import target_wire
from llm_router_middleware.engine.call import Call, Limits
from llm_router_middleware.events.event import RoutingEvent
from llm_router_middleware.events.recorder import Recorder
from llm_router_middleware.fields import Fields
from llm_router_middleware.intercept.limits import checked_limits, narrowed
from llm_router_middleware.kit import Kit, Misfits
from llm_router_middleware.models.prices import cost_usd
from llm_router_middleware.models.registry import ModelRegistry
from llm_router_middleware.models.spec import ModelSpec, Tier
from llm_router_middleware.parts import (
    backends_of,
    breakers_of,
    controller_of,
    credentials_in_use,
    latency_of,
    policy_of,
    registry_of,
    scorer_of,
    sinks_of,
    trade_of,
)
from llm_router_middleware.resilience.budget import PremiumCap, RetryBudget
from llm_router_middleware.routing.decision import RoutingDecision
from llm_router_middleware.routing.policy import AUTO, World
from llm_router_middleware.routing.requirements import Requirements, requirements
from llm_router_middleware.scoring import ask, estimate_tokens
from llm_router_middleware.settings import RouterSettings, Switches, switches
from llm_router_middleware.spillways import Spillways
from llm_router_middleware.visit import Visit

__all__ = ["Router"]

_logger = logging.getLogger("llm_router")


class Router:
    """Decides, carries out and records the calls of the clients bound to it. One serves sync and async clients alike.

    Args:
        models: what to route to: `ModelSpec`s, or a mapping of tiers to models by spec or name. Today's models of the
            three providers when None.
        scorer: how hard a text is: a `Scorer`, any function from text to `ComplexityScore`, or "learned" or
            "heuristic".
        sinks: who gets the events beside the logger `llm_router`: callables of one `RoutingEvent`.
        backends: SDK clients that may answer when the caller's own provider can't, used as they are. Others are built
            when they are needed, of the providers whose keys are in the environment.
        settings: the configuration; read from environment and `llm_router.toml` when None.
        now: monotonic seconds.
        clock: seconds since the epoch.
        random: a number in [0, 1), for jitter.
        overrides: single settings, over all others: `Router(max_tier="mid")`.

    Raises:
        ConfigurationError: a setting is wrong; the message names the key, the value and what is allowed.
    """

    def __init__(
        self,
        models: Iterable[ModelSpec] | Mapping[str, Any] | ModelRegistry | None = None,
        *,
        scorer: Callable[[str], Any] | str | None = None,
        sinks: Iterable[Callable[[RoutingEvent], None]] = (),
        backends: Iterable[Any] = (),
        settings: RouterSettings | None = None,
        now: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = _random.random,
        **overrides: Any,
    ) -> None:
        if settings is None:
            settings = RouterSettings.load(**overrides)
        elif overrides:
            settings = settings.with_overrides(**overrides)
        self.settings = settings
        self.registry = registry_of(models, settings)
        self.scorer = scorer_of(scorer, settings)
        self.breakers = breakers_of(settings, now, random)
        self.latency = latency_of(settings, now, random)
        self._disabled = False
        self._addresses: weakref.WeakKeyDictionary[Any, tuple[Any, Any, str, str]] = weakref.WeakKeyDictionary()
        self._backends = backends_of(settings, backends)
        self._policy = policy_of(settings)
        self._limits = checked_limits(settings.limits())
        self._standing = Limits(**self._limits)
        self._controller = controller_of(settings)
        self._misfits = Misfits(_shape, now)
        self._fields = Fields(self._policy, self.registry, self._backends, self._misfits)
        self._recorder = Recorder(sinks_of(settings, sinks), cost_usd, now, clock)
        self._policy_version = f"{settings.policy_version}-{self.registry.fingerprint()}"
        self._cap = None if settings.premium_cap is None else PremiumCap(settings.premium_cap)
        self._strict = settings.strict
        for warning in settings.warnings:
            _logger.warning("llm_router: %s", warning)
        self._switched = Switches(settings.disabled, settings.shadow)
        self._trade = trade_of(settings, self._backends, now, clock)
        self._kit = self._kit_with(now, random)

    def _kit_with(self, now: Callable[[], float], random: Callable[[], float]) -> Kit:
        return Kit(
            breakers=self.breakers,
            latency=self.latency.tracker,
            endpoint_of=self._backends.endpoint,
            find=self.registry.find,
            misfits=self._misfits,
            retries=RetryBudget(now=now),
            spillways=Spillways(),
            now=now,
            random=random,
            max_attempts=self.settings.max_attempts,
            first_token_s=self.settings.first_token_deadline_s,
            auth_failover=self.settings.auth_failover,
            refusal_failover=self.settings.refusal_failover,
            hedge=self.settings.hedge,
        )

    # -- three more ways to make one

    @classmethod
    def from_env(cls, **options: Any) -> Router:
        """A router configured by `LLM_ROUTER_*` and `llm_router.toml`, and by `options` over both."""
        return cls(**options)

    @classmethod
    def from_toml(cls, path: str | PathLike[str], **options: Any) -> Router:
        """A router configured by a file, the environment over it, and `options` over both.

        Raises:
            ConfigurationError: the file can't be read, or a setting in it is wrong.
        """
        return cls(settings=RouterSettings.load(path=path), **options)

    @classmethod
    def default(cls) -> Router:
        """The router of clients that were given none: the same one for as long as settings and keys are the same."""
        settings = RouterSettings.load()
        return _shared(settings, credentials_in_use(settings))

    # -- what people do with one

    def explain(self, request: Mapping[str, Any], *, provider: str | None = None) -> RoutingDecision:
        """The decision for a request body, without making the call.

        Args:
            request: `model`, `messages` (or `input`), and whatever else the body has.
            provider: whose client would make the call; told from the model and the body's shape when None.
        """
        who = provider or self._guess_provider(request)
        wire = self._backends.wire(who) or "openai_chat"
        if "input" in request and "messages" not in request:
            wire = "openai_responses"
        call = Call(who, wire, request, bool(request.get("stream")), limits=self._standing)
        if not self._is_routed(call):
            return RoutingDecision(None, 0.0, (), (), (), "passthrough", prompt_tokens=estimate_tokens(request))
        return self._decide(call, is_async=False, dry=True)

    def disable(self) -> None:
        """Sends every call, from the next on, through as the caller wrote it."""
        self._disabled = True

    def enable(self) -> None:
        """Takes `disable()` back."""
        self._disabled = False

    def close(self) -> None:
        """Closes the connections to other providers that were opened for failover. The router stays usable."""
        self._backends.close()

    def add_sink(self, sink: Callable[[RoutingEvent], None]) -> Callable[[], None]:
        """Sends events to one more sink. Returns a function that takes it off again."""
        (fenced,) = sinks_of(None, [sink])
        self._recorder.sinks = (*self._recorder.sinks, fenced)

        def remove() -> None:
            self._recorder.sinks = tuple(s for s in self._recorder.sinks if s is not fenced)

        return remove

    def __repr__(self) -> str:
        return f"Router(policy={self.settings.policy_version}, models={len(self.registry)})"

    # -- what the door does with one

    def visit(self, native: Any, limits: Mapping[str, Any] | None) -> Visit:
        """One call: planned, carried out and recorded by what is returned."""
        request = native.request
        effective = Limits(**narrowed(self._limits, limits)) if limits else self._standing
        provider, endpoint = self._address(native)
        call = Call(
            provider=provider,
            wire=request.wire or "openai_chat",
            body=request.body,
            stream=request.stream,
            endpoint=endpoint,
            retries=native.retries,
            timeout_s=native.timeout_s,
            limits=effective,
        )
        recording = self._recorder.open(
            requested_model=call.model,
            provider=call.provider,
            stream=call.stream,
            policy_version=self._policy_version,
        )
        now = switches(default=self._switched)
        return Visit(
            call,
            native,
            recording,
            lambda: self._decide(call, native.is_async),
            self._kit,
            self._trade,
            self._passthrough(call, native, now),
            shadow=now.shadow,
        )

    def _address(self, native: Any) -> tuple[str, str]:
        """Provider and endpoint of a client, remembered until its address or key changes."""
        identity = native.identity
        known = self._addresses.get(native.client)
        if known is None or known[0] is not identity[0] or known[1] is not identity[1]:
            known = self._addresses[native.client] = (*identity, native.provider, native.endpoint)
        return known[2:]

    def _passthrough(self, call: Call, native: Any, now: Any) -> str | None:
        if call.limits.pinned:
            return "pinned"
        request = native.request
        off = self._disabled or now.disabled
        if off or request.wire is None or request.opaque or native.pinned or not self._is_routed(call):
            return "passthrough"
        return None

    def _is_routed(self, call: Call) -> bool:
        return call.model == AUTO or self.registry.find(call.provider, call.model) is not None

    # -- deciding

    def _decide(self, call: Call, is_async: bool, *, dry: bool = False) -> RoutingDecision:
        tokens = estimate_tokens(call.body)
        needs = requirements(call.body, call.wire, prompt_tokens=tokens)
        score = self.scorer(ask(call.body))
        if self._controller is not None and not dry:
            score = replace(score, tier=self._controller(score))
        requested = None if call.model == AUTO else self.registry.find(call.provider, call.model)
        world = partial(self._world, call, needs, is_async)
        field = self._fields.of(call, needs, requested, is_async, world)
        slow = self._slow_stream if call.stream else self._slow_answer
        decision = self._policy.choose(call, score, field, requested, slow, prompt_tokens=tokens)
        if not dry and self._cap is not None and not self._cap.admit(decision.tier is Tier.PREMIUM):
            decision = self._capped(call, score, needs, requested, is_async, slow)
        return replace(decision, bound=needs.bound) if needs.bound else decision

    def _capped(self, call: Call, score: Any, needs: Requirements, requested: Any, is_async: bool, slow: Any) -> Any:
        """The plan of a call that premium has no more room for: the next tier down, for failover too."""
        call = replace(call, limits=replace(call.limits, tier=None, min_tier=None, max_tier=str(Tier.MID)))
        field = self._fields.of(call, needs, requested, is_async, partial(self._world, call, needs, is_async))
        decision = self._policy.choose(call, score, field, requested, slow, prompt_tokens=needs.prompt_tokens)
        return replace(decision, reason="budget_cap")

    def _slow_answer(self, model: ModelSpec, limit_s: float) -> bool:
        return self.latency.too_slow(model.key, limit_s, False)

    def _slow_stream(self, model: ModelSpec, limit_s: float) -> bool:
        return self.latency.too_slow(model.key, limit_s, True)

    def _world(self, call: Call, needs: Requirements, is_async: bool) -> World:
        """What is true of the models now, for one call."""

        def unavailable(model: ModelSpec) -> str | None:
            return None if model.provider == call.provider else self._backends.unavailable(model.provider, is_async)

        def unmet(model: ModelSpec) -> str | None:
            if self._strict and (model.price is None or model.capabilities is None):
                return "nobody declared its price and capabilities (strict)"
            if model.provider == call.provider:
                return needs.unmet_by(model, call.wire, call.limits.lossy) or self._misfits.why(model.key, call)
            wire = self._backends.wire(model.provider)
            if needs.bound:
                return f"must stay with {call.provider}: {needs.bound}"
            assert wire is not None  # noqa: S101 - an available provider has a wire
            return needs.unmet_by(model, target_wire(call.wire, call.body, model, wire), call.limits.lossy)

        return World(unavailable, unmet, self._slow_answer)

    def _guess_provider(self, request: Mapping[str, Any]) -> str:
        model = request.get("model")
        if isinstance(model, str):
            for provider in self.registry.providers:
                if self.registry.find(provider, model) is not None:
                    return provider
        return "anthropic" if "system" in request and "messages" in request else "openai"


def _shape(call: Call) -> Any:
    return replace(requirements(call.body, call.wire, prompt_tokens=0).asked, model="")


@lru_cache(maxsize=8)
def _shared(settings: RouterSettings, _credentials: tuple[str, ...]) -> Router:
    return Router(settings=settings)
