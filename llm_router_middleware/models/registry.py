"""Who could answer: every model that the router knows, by tier. Immutable; changes give a new registry."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Any

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models import catalog
from llm_router_middleware.models.spec import ModelSpec, Tier

__all__ = ["ModelRegistry"]

_SNAPSHOT = re.compile(r"(.+)[-@](?:20\d{2}-\d{2}-\d{2}|20\d{6})")


class ModelRegistry:
    """The models a call may be routed to, and those that callers may name.

    Prices, windows and capabilities that a spec leaves open are filled in from the bundled data when a model is first
    asked for, so that building a registry reads no price data.

    Args:
        models: in order of preference within their tier. Of two with one key the later counts.
        aliases: further names, as (provider, name) -> name.
        join: fills in what a spec leaves open; `lambda spec: spec` leaves it open.
    """

    def __init__(
        self,
        models: Iterable[ModelSpec] = (),
        *,
        aliases: Mapping[tuple[str, str], str] | None = None,
        join: Callable[[ModelSpec], ModelSpec] = catalog.join,
    ) -> None:
        self._specs = {spec.key: spec for spec in models}
        self._aliases = dict(aliases or {})
        self._join = join
        # Bounded: callers choose the names that are looked up.
        self._variant = lru_cache(maxsize=256)(self._resolve)

    @classmethod
    def default(cls, providers: Collection[str]) -> ModelRegistry:
        """Today's models of these providers.

        Args:
            providers: names of those that may be routed to; the models of all others are known, but not routed to.
        """
        rows = catalog.rows()
        specs = [row.spec if row.spec.provider in providers else replace(row.spec, routable=False) for row in rows]
        aliases = {(row.spec.provider, alias): row.spec.name for row in rows for alias in row.aliases}
        return cls(specs, aliases=aliases)

    def find(self, provider: str, name: str) -> ModelSpec | None:
        """What is known of a model that a caller names.

        Args:
            provider: who he asks.
            name: the model's exact name, an alias, or a dated snapshot of it. The result carries the name as given,
                and the price of that very name.

        Returns:
            The spec, or None for a model that nobody declared (a fine-tune, a deployment).
        """
        return self._joined.get(f"{provider}/{name}") or self._variant(provider, name)

    def tier(self, tier: Tier | str) -> tuple[ModelSpec, ...]:
        """The models of a tier that calls may be routed to, in order of preference."""
        return self._tiers[Tier.parse(tier)]

    @property
    def known(self) -> tuple[ModelSpec, ...]:
        """Every model, those included that nobody is routed to."""
        return tuple(self._joined.values())

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers of the models that calls may be routed to."""
        return tuple(dict.fromkeys(spec.provider for spec in self._specs.values() if spec.routable))

    def fingerprint(self) -> str:
        """A short hash of which models are in which tier, in which order; no prices in it, and no price data read."""
        rows = [f"{spec.key} {spec.tier} {spec.routable}" for spec in self._specs.values()]
        return sha256("\n".join(rows).encode()).hexdigest()[:12]

    def with_model(self, spec: ModelSpec) -> ModelRegistry:
        """This registry and a model, in the place of the one with the same key, or last in its tier."""
        return self._copy([*(s for s in self._specs.values() if s.key != spec.key or s.tier is spec.tier), spec])

    def without(self, name: str) -> ModelRegistry:
        """This registry less a model, given by its name or its "provider/name"."""
        return self._copy([spec for spec in self._specs.values() if name not in (spec.name, spec.key)])

    def with_tiers(self, tiers: Mapping[Any, Sequence[ModelSpec | str]]) -> ModelRegistry:
        """This registry with other models in the tiers named; the other tiers keep theirs.

        Args:
            tiers: per tier its models in order: specs, or names known here ("gpt-6-luna", "groq/openai/gpt-oss-20b").

        Raises:
            ConfigurationError: for a name that is not known, or known of several providers.
        """
        chosen = [self._place(model, Tier.parse(tier)) for tier, models in tiers.items() for model in models]
        named = {Tier.parse(tier) for tier in tiers}
        keys = {spec.key for spec in chosen}
        rest = [
            replace(spec, routable=False) if spec.tier in named else spec
            for spec in self._specs.values()
            if spec.key not in keys
        ]
        return self._copy([*rest, *chosen])

    def __iter__(self) -> Iterator[ModelSpec]:
        """The models that calls may be routed to, cheapest tier first, in order of preference."""
        for tier in Tier:
            yield from self._tiers[tier]

    def __len__(self) -> int:
        return sum(spec.routable for spec in self._specs.values())

    def __repr__(self) -> str:
        names = {str(t): [s.key for s in self._specs.values() if s.routable and s.tier is t] for t in Tier}
        return f"ModelRegistry({', '.join(f'{tier}={keys}' for tier, keys in names.items())})"

    @cached_property
    def _joined(self) -> dict[str, ModelSpec]:
        return {key: self._join(spec) for key, spec in self._specs.items()}

    @cached_property
    def _tiers(self) -> dict[Tier, tuple[ModelSpec, ...]]:
        return {t: tuple(s for s in self._joined.values() if s.routable and s.tier is t) for t in Tier}

    def _resolve(self, provider: str, name: str) -> ModelSpec | None:
        """An alias or a snapshot: the tier of the model it stands for, the facts of the name itself."""
        base = self._aliases.get((provider, name))
        if base is None:
            match = _SNAPSHOT.fullmatch(name)
            if match is None:
                return None
            base = self._aliases.get((provider, match[1]), match[1])
        spec = self._specs.get(f"{provider}/{base}")
        if spec is None:
            return None
        return self._join(replace(spec, name=name))

    def _place(self, model: ModelSpec | str, tier: Tier) -> ModelSpec:
        spec = self._named(model) if isinstance(model, str) else model
        return replace(spec, tier=tier, routable=True)

    def _named(self, name: str) -> ModelSpec:
        hits = [spec for spec in self._specs.values() if name in (spec.name, spec.key)]
        if not hits:
            provider, _, bare = name.partition("/")
            variant = self._resolve(provider, bare) if bare else None
            hits = [variant] if variant is not None else []
        if len(hits) == 1:
            return hits[0]
        keys = [spec.key for spec in hits] or get_close_matches(name, self._names(), n=3)
        hint = f"; did you mean {' or '.join(keys)}?" if keys else ""
        why = "several providers serve it" if hits else "not a known model, declare it with provider and price"
        raise ConfigurationError(f"models: {name!r}: {why}{hint}")

    def _names(self) -> list[str]:
        return [name for spec in self._specs.values() for name in (spec.key, spec.name)]

    def _copy(self, specs: Iterable[ModelSpec]) -> ModelRegistry:
        return ModelRegistry(specs, aliases=self._aliases, join=self._join)
