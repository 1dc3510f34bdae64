"""The tables of llm_router.toml, one class each."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models.capabilities import Capabilities
from llm_router_middleware.models.spec import ModelSpec, Price, PriceStep, Tier

__all__ = [
    "Breaker",
    "Latency",
    "ModelTable",
    "Models",
    "Names",
    "ProviderTable",
    "ScorerName",
    "Seconds",
    "Share",
    "ShareTargets",
    "Sinks",
    "TierName",
]

_MODEL_NAME = re.compile(r"[A-Za-z0-9][\w.:/@-]{0,127}", re.ASCII)
_SCORER = re.compile(r"learned|heuristic|[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", re.ASCII)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _tier(value: Any) -> str | None:
    try:
        return None if value is None else str(Tier.parse(value))
    except ConfigurationError:
        raise ValueError("one of budget, mid, premium") from None


def _split(value: Any) -> Any:
    """A list in one variable: separated by commas, or JSON."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError("a list: a, b, c or JSON") from None
    return [item.strip() for item in value.split(",") if item.strip()]


def _model_name(value: Any) -> Any:
    if isinstance(value, str) and (not _MODEL_NAME.fullmatch(value) or "://" in value):
        raise ValueError("a model's name: at most 128 letters, digits and . _ : / @ -")
    return value


def _known_facts(value: Any) -> Any:
    if isinstance(value, dict):
        known = [field.name for field in fields(Capabilities)]
        for key in value:
            if key not in known:
                raise ValueError(f"facts such as {', '.join(get_close_matches(key, known, cutoff=0)[:3])}, not {key!r}")
    return value


def _scorer(value: Any) -> Any:
    if isinstance(value, str) and not _SCORER.fullmatch(value):
        raise ValueError("learned, heuristic, or a function of yours as module:attribute")
    return value


ScorerName = Annotated[str, BeforeValidator(_scorer)]
TierName = Annotated[str, BeforeValidator(_tier)]
ModelName = Annotated[str, BeforeValidator(_model_name)]
Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(gt=0)]
Usd = Annotated[float, Field(ge=0)]


class Breaker(_Section):
    """When a circuit breaker opens, and for how long. Defaults: Envoy's and Finagle's, at the rates of LLM calls."""

    failure_threshold: int = Field(default=5, ge=1, description="failures in a row that open it")
    failure_rate: float = Field(default=0.5, gt=0, le=1, description="share of failures in the window that opens it")
    minimum_calls: int = Field(default=10, ge=1, description="calls in the window before the share counts")
    window_s: Seconds = Field(default=30.0, description="seconds that a failure is remembered")
    open_s: Seconds = Field(default=5.0, description="seconds before the first probe, doubled each time it opens again")
    open_cap_s: Seconds = Field(default=300.0, description="the longest time before a probe, in seconds")
    cooldown_cap_s: Seconds = Field(default=300.0, description="the longest Retry-After that is obeyed, in seconds")

    @model_validator(mode="after")
    def _ordered(self) -> Breaker:
        if self.open_s > self.open_cap_s:
            raise ConfigurationError(
                f"breaker.open_s={self.open_s}: expected at most breaker.open_cap_s={self.open_cap_s}"
            )
        return self


class Latency(_Section):
    """How latency is measured."""

    window: int = Field(default=50, ge=1, le=10_000, description="samples kept per model")
    minimum: int = Field(default=5, ge=1, description="samples before a p95 is believed")

    @model_validator(mode="after")
    def _ordered(self) -> Latency:
        if self.minimum > self.window:
            raise ConfigurationError(f"latency.minimum={self.minimum}: expected at most latency.window={self.window}")
        return self


class ShareTargets(_Section):
    """The shares of traffic that the tiers shall have. They add up to 1."""

    budget: Share
    mid: Share
    premium: Share

    @model_validator(mode="after")
    def _whole(self) -> ShareTargets:
        total = self.budget + self.mid + self.premium
        if abs(total - 1) > 0.001:
            raise ValueError(f"shares that add up to 1, not to {total:g}")
        return self


class Sinks(_Section):
    """Where events go."""

    log: bool = Field(default=True, description="the logger llm_router, one JSON line per call")
    jsonl: Path | None = Field(default=None, description="a file that gets one line per call")
    sqlite: Path | None = Field(default=None, description="a database that gets one row per call")
    otel: bool = Field(default=False, description="OpenTelemetry spans and metrics")
    prometheus: bool = Field(default=False, description="metrics in prometheus_client's default registry")


class ProviderTable(_Section):
    """A provider of your own, or what is different about a built-in one: the fields of `ProviderSpec`."""

    base_url: str | None = Field(default=None, description="where it answers; https, or this machine")
    api_key_env: str | None = Field(default=None, description="the name of the variable that holds its key")
    wire: str | None = Field(default=None, description="its dialect, as in `engine.call.Wire`")
    sdk: str | None = Field(default=None, description="whose client asks it: openai, anthropic, groq")
    trusted_network: bool = Field(default=False, description="allow plain http and private addresses")


class PriceStepTable(_Section):
    """What all tokens of a call cost once its prompt is longer than `above` tokens, USD per million."""

    above: int = Field(ge=1)
    input: Usd
    output: Usd
    cached_input: Usd | None = None
    cache_write: Usd | None = None


class PriceTable(_Section):
    """A declared price, USD per million tokens."""

    input: Usd
    output: Usd
    cached_input: Usd | None = None
    cache_write: Usd | None = None
    steps: tuple[PriceStepTable, ...] = ()

    def price(self) -> Price:
        """The same as the registry's noun."""
        steps = tuple(PriceStep(**step.model_dump()) for step in sorted(self.steps, key=lambda step: step.above))
        rates = self.model_dump(exclude={"steps"})
        return Price(**rates, steps=steps)


class ModelTable(_Section):
    """A model of your own. What is left open is filled in from the bundled data, where that knows the model."""

    name: ModelName
    provider: str
    price: PriceTable | None = None
    context_window: int | None = Field(default=None, ge=1)
    max_output_tokens: int | None = Field(default=None, ge=1)
    capabilities: Annotated[Capabilities, BeforeValidator(_known_facts)] | None = None

    def spec(self, tier: Tier) -> ModelSpec:
        """The same as the registry's noun."""
        return ModelSpec(
            self.name,
            self.provider,
            tier,
            price=None if self.price is None else self.price.price(),
            context_window=self.context_window,
            max_output_tokens=self.max_output_tokens,
            capabilities=self.capabilities,
        )


def _kind(value: Any) -> str:
    return "<table>" if isinstance(value, (dict, ModelTable)) else "<name>"


Model = Annotated[Annotated[ModelName, Tag("<name>")] | Annotated[ModelTable, Tag("<table>")], Discriminator(_kind)]
Models = Annotated[tuple[Model, ...], BeforeValidator(_split)]
