"""Who could answer, remembered by the shape of the request: most calls of a program have one of a few."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from llm_router_middleware.engine.call import Call
from llm_router_middleware.kit import Misfits
from llm_router_middleware.models.registry import ModelRegistry
from llm_router_middleware.models.spec import ModelSpec
from llm_router_middleware.providers.backends import Backends
from llm_router_middleware.routing.policy import Field, Policy, World
from llm_router_middleware.routing.requirements import Requirements

__all__ = ["Fields"]

_SMALL_PROMPT = 60_000
"""Tokens below which a prompt fits every model of the registry (the smallest window is 131,072, the largest margin
1.35, the longest answer asked for is in the key): such prompts have one shape, larger ones are judged one by one."""


class Fields:
    """Sifts the models of a registry for a call, and remembers the outcome. Bounded.

    What depends on the request's text, whether another provider's dialect can carry it, is worked out for each call.

    Args:
        policy: who may.
        registry: who there is.
        backends: who is there.
        misfits: who has rejected what.
        size: how many outcomes are kept.
    """

    def __init__(
        self, policy: Policy, registry: ModelRegistry, backends: Backends, misfits: Misfits, size: int = 256
    ) -> None:
        self._policy = policy
        self._models = tuple(registry)
        self._backends = backends
        self._misfits = misfits
        self._size = size
        self._others: dict[tuple[str, bool], tuple[ModelSpec, ...]] = {}
        self._known: OrderedDict[Any, Field] = OrderedDict()
        self._lock = threading.Lock()

    def of(
        self, call: Call, needs: Requirements, requested: ModelSpec | None, is_async: bool, world: Callable[[], World]
    ) -> Field:
        """Who could answer this call."""
        foreign = self._foreign(call.provider, is_async)
        near = self._near(call, needs, requested, is_async, world, foreign)
        return near + self._policy.sift(call, foreign, requested, world()) if foreign else near

    def _foreign(self, provider: str, is_async: bool) -> tuple[ModelSpec, ...]:
        """Models of other providers that somebody can be asked for. Keys and packages stay as long as a router does."""
        known = self._others.get((provider, is_async))
        if known is None:
            known = self._others[provider, is_async] = tuple(
                model
                for model in self._models
                if self._policy.cross_provider
                and model.provider != provider
                and self._backends.unavailable(model.provider, is_async) is None
            )
        return known

    def _near(
        self,
        call: Call,
        needs: Requirements,
        requested: ModelSpec | None,
        is_async: bool,
        world: Callable[[], World],
        apart: tuple[ModelSpec, ...],
    ) -> Field:
        """The part that is the same for every request of this shape."""
        fits = needs.prompt_tokens < _SMALL_PROMPT and (needs.asked.max_output or 0) < _SMALL_PROMPT
        if not fits:
            return self._policy.sift(call, self._rest(requested, apart), requested, world())
        key = (call.provider, call.wire, call.limits, call.native_only, is_async, needs.asked, self._misfits.stamp)
        known = self._known.get(key)
        if known is None:
            known = self._policy.sift(call, self._rest(requested, apart), requested, world())
            with self._lock:
                self._known[key] = known
                if len(self._known) > self._size:
                    self._known.popitem(last=False)
        return known

    def _rest(self, requested: ModelSpec | None, apart: tuple[ModelSpec, ...]) -> Iterable[ModelSpec]:
        listed, away = {model.key for model in self._models}, {model.key for model in apart}
        first = [requested] if requested is not None and requested.key not in listed else []
        return [*first, *(model for model in self._models if model.key not in away)]
