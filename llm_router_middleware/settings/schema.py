"""RouterSettings: everything that can be set, with its default and its limits."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models.providers import ProviderSpec, provider_specs
from llm_router_middleware.models.spec import ModelSpec, Tier
from llm_router_middleware.settings.environment import Switches
from llm_router_middleware.settings.problems import explain_problems
from llm_router_middleware.settings.sections import (
    Breaker,
    Latency,
    Models,
    ModelTable,
    Names,
    ProviderTable,
    ScorerName,
    Seconds,
    Share,
    ShareTargets,
    Sinks,
    TierName,
)

__all__ = ["RouterSettings"]

_UNDECIDING = {"enabled", "disabled", "shadow", "sinks", "log_level"}
"""Settings that change nothing about which model is chosen or what is tried."""


_TIER_NAMES = ("budget", "mid", "premium", "low", "medium", "high")


class RouterSettings(BaseSettings):
    """The configuration of a router. Frozen. Built directly, it reads nothing; `load` reads file and environment.

    Raises:
        ConfigurationError: a value is wrong. The message names each key, its value and what is allowed.
    """

    model_config = SettingsConfigDict(
        env_prefix="LLM_ROUTER_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
    )

    enabled: bool = Field(default=False, description="route the clients of a whole program (`llm-router run`)")
    disabled: bool = Field(
        default=False, description="kill switch: every call goes through as written, from the next call on"
    )
    shadow: bool = Field(default=False, description="decide and record, but change nothing")

    scorer: ScorerName = Field(
        default="learned", description="`learned`, `heuristic`, or your own as `module:attribute`"
    )
    scorer_correction: Path | None = Field(
        default=None, description="a correction fitted to your own outcomes by `adapt`"
    )
    mid_threshold: Share | None = Field(
        default=None, description="score from which mid is asked for; the scorer's own when unset"
    )
    premium_threshold: Share | None = Field(default=None, description="score from which premium is asked for; likewise")
    share_targets: ShareTargets | None = Field(
        default=None, description="shares of traffic per tier that thresholds are steered to"
    )
    share_controller: bool = Field(default=True, description="steer towards share_targets while running")

    ceiling: bool = Field(default=True, description="the model that a caller names is the dearest first choice")
    tier: TierName | None = Field(default=None, description="this tier, whatever the complexity")
    min_tier: TierName | None = Field(default=None, description="never below this tier")
    max_tier: TierName | None = Field(default=None, description="never above this tier, not even on failure")
    max_latency_s: Seconds | None = Field(
        default=None, description="step up when the chosen model's p95 is above, in seconds"
    )
    premium_cap: Share | None = Field(default=None, description="the largest share of calls that may go to premium")
    prefer_own_provider: bool = Field(default=True, description="the caller's own provider comes first within a tier")

    failover: bool = Field(default=True, description="try another model when one fails")
    cross_provider: bool = Field(default=True, description="other providers may answer")
    step_down: bool = Field(
        default=True, description="after the tiers above, cheaper tiers may answer a call that failed"
    )
    auth_failover: bool = Field(default=False, description="a rejected key tries the next provider")
    refusal_failover: bool = Field(default=False, description="a content refusal tries the next model")
    hedge: bool = Field(
        default=False, description="ask a second model when the first is slower than its p95; costs tokens"
    )
    max_attempts: int = Field(default=5, ge=1, le=20, description="requests per call, at most")
    deadline_s: Seconds | None = Field(
        default=None, description="seconds for a call and all its attempts; the client's timeout when unset"
    )
    first_token_deadline_s: Seconds | None = Field(default=None, description="seconds until a stream must show content")

    allow_providers: Annotated[Names | None, NoDecode] = Field(
        default=None, description="the only providers that may see a request"
    )
    lossy: Annotated[Names, NoDecode] = Field(
        default=(), description="parameters that may be lost in translation, by name"
    )
    strict: bool = Field(default=False, description="refuse models of unknown price and capabilities as targets")
    include_usage: bool = Field(
        default=True, description="ask OpenAI's streams for their usage and withhold the extra chunk"
    )

    breaker: Breaker = Field(default=Breaker(), description="circuit breakers")
    latency: Latency = Field(default=Latency(), description="latency windows")
    sinks: Sinks = Field(default=Sinks(), description="where events go")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="level of the event's log line"
    )
    models: dict[str, Models] = Field(default_factory=dict, description="tier -> its models in order: names, or tables")
    providers: dict[str, ProviderTable] = Field(
        default_factory=dict, description="providers of your own, or changes to the built-in ones"
    )

    _origins: dict[tuple[str, ...], str] = PrivateAttr(default_factory=dict)
    _warnings: tuple[str, ...] = PrivateAttr(default=())

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            from llm_router_middleware.settings.load import allowed_keys

            raise ConfigurationError(explain_problems(error, ".".join, allowed_keys)) from None

    @classmethod
    def load(
        cls, path: str | os.PathLike[str] | None = None, environ: Mapping[str, str] | None = None, **overrides: Any
    ) -> RouterSettings:
        """Reads the configuration: defaults, then `llm_router.toml`, then `LLM_ROUTER_*`, then `overrides`.

        Args:
            path: the file; when None, the one that `LLM_ROUTER_CONFIG` names, or `llm_router.toml` in the working
                directory if there is one.
            environ: the environment; the process's own when None.
            overrides: single settings, over all others.

        Raises:
            ConfigurationError: the file can't be read, or a value is wrong. The message names each key as it was
                written, its value and what is allowed.
        """
        from llm_router_middleware.settings.load import load

        return load(cls, path, os.environ if environ is None else environ, overrides)

    def with_overrides(self, **overrides: Any) -> RouterSettings:
        """These settings with some of them changed; a table is merged key by key."""
        from llm_router_middleware.settings.load import merged

        changed = type(self)(**merged([self.model_dump(exclude_unset=True), overrides]))
        changed._warnings = self._warnings
        changed._origins = self._origins | {(key,): "argument" for key in overrides}
        return changed

    @property
    def warnings(self) -> tuple[str, ...]:
        """What looked wrong without being an error: variables of ours that no setting has."""
        return self._warnings

    def origin(self, key: str) -> str:
        """Where a setting comes from: "default", "argument", a variable's name, or a file's."""
        return self._origins.get(tuple(key.split(".")), "default")

    def limits(self) -> dict[str, Any]:
        """What applies to every call, in the words of `engine.call.Limits`."""
        return {
            "tier": self.tier,
            "min_tier": self.min_tier,
            "max_tier": self.max_tier,
            "max_latency_s": self.max_latency_s,
            "allow_providers": None if self.allow_providers is None else frozenset(self.allow_providers),
            "lossy": frozenset(self.lossy),
            "deadline_s": self.deadline_s,
        }

    def switches(self) -> Switches:
        """What holds where the environment says nothing: the default for `settings.switches()`."""
        return Switches(self.disabled, self.shadow)

    def provider_specs(self) -> Mapping[str, ProviderSpec]:
        """The built-in providers and the declared ones, by name."""
        return provider_specs({name: t.model_dump(exclude_unset=True) for name, t in self.providers.items()})

    def tiers(self) -> dict[Tier, tuple[ModelSpec | str, ...]]:
        """The models that were set, for `ModelRegistry.with_tiers`: names as they are, tables as specs."""
        return {
            Tier.parse(tier): tuple(m.spec(Tier.parse(tier)) if isinstance(m, ModelTable) else m for m in models)
            for tier, models in self.models.items()
        }

    @cached_property
    def policy_version(self) -> str:
        """A short hash of everything that decides; equal settings have equal hashes in every process."""
        return _digest(self.model_dump(exclude=_UNDECIDING))

    def fingerprint(self) -> str:
        """A short hash of all settings."""
        return _digest(self.model_dump())

    def __hash__(self) -> int:
        return hash(self.fingerprint())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RouterSettings) and self.fingerprint() == other.fingerprint()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings calls with these names
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments only: what else is read, and in which order, stands in `load`."""
        return (init_settings,)

    @field_validator("models", mode="before")
    @classmethod
    def _tier_names(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        for tier in value:
            if tier not in _TIER_NAMES:
                raise ConfigurationError(
                    f"models.{tier}={value[tier]!r:.80}: not a tier; expected one of budget, mid, premium"
                )
        return {str(Tier.parse(tier)): models for tier, models in value.items()}

    @model_validator(mode="after")
    def _consistent(self) -> RouterSettings:
        _ordered("min_tier", "max_tier", self, _rank)
        _ordered("mid_threshold", "premium_threshold", self)
        known = self.provider_specs()
        for name in self.allow_providers or ():
            if name not in known:
                raise ConfigurationError(f"allow_providers={name!r}: expected some of {', '.join(known)}")
        for tier, models in self.models.items():
            for model in models:
                if isinstance(model, ModelTable) and model.provider not in known:
                    raise ConfigurationError(
                        f"models.{tier}={model.provider!r}: not a provider; expected one of {', '.join(known)}, "
                        f"or a table [providers.{model.provider}]"
                    )
        return self


def _rank(tier: str) -> int:
    return Tier.parse(tier).rank


def _ordered(low: str, high: str, settings: RouterSettings, key: Callable[[Any], float] = float) -> None:
    below, above = getattr(settings, low), getattr(settings, high)
    if below is not None and above is not None and key(below) > key(above):
        raise ConfigurationError(f"{low}={below!r}: expected at most {high}={above!r}")


def _digest(values: Mapping[str, Any]) -> str:
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"), default=_stable)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def _stable(value: Any) -> Any:
    """Sets have no order that a second process would repeat."""
    return sorted(value) if isinstance(value, (set, frozenset)) else str(value)
