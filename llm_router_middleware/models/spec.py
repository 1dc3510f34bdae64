"""The nouns of the registry: what a model is, to a router."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from llm_router_middleware.errors import ConfigurationError

if TYPE_CHECKING:
    from llm_router_middleware.models.capabilities import Capabilities

__all__ = ["ModelSpec", "Price", "PriceStep", "Tier"]


class Tier(StrEnum):
    """How much model: budget, mid or premium, in this order."""

    BUDGET = "budget"
    MID = "mid"
    PREMIUM = "premium"

    @property
    def rank(self) -> int:
        """0 for budget, 1 for mid, 2 for premium."""
        return _RANKS[self]

    @classmethod
    def parse(cls, value: str) -> Tier:
        """Reads a tier, or the tutorial's low/medium/high.

        Raises:
            ConfigurationError: for any other value.
        """
        try:
            return _ALIASES[value]
        except (KeyError, TypeError):
            raise ConfigurationError(f"tier={value!r}: expected one of budget, mid, premium") from None


_RANKS = {Tier.BUDGET: 0, Tier.MID: 1, Tier.PREMIUM: 2}
_ALIASES = {
    "budget": Tier.BUDGET,
    "mid": Tier.MID,
    "premium": Tier.PREMIUM,
    "low": Tier.BUDGET,
    "medium": Tier.MID,
    "high": Tier.PREMIUM,
}


@dataclass(frozen=True, slots=True)
class PriceStep:
    """What all tokens of a call cost, in USD per million, once its prompt is longer than a threshold.

    Attributes:
        above: the threshold in prompt tokens, cached part included.
        input: uncached prompt tokens.
        output: completion tokens.
        cached_input: prompt tokens read from the provider's cache.
        cache_write: prompt tokens written to it.
    """

    above: int
    input: float | None
    output: float | None
    cached_input: float | None = None
    cache_write: float | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens. A part that nobody published is None, never 0.

    Attributes:
        input: uncached prompt tokens.
        output: completion tokens, reasoning included.
        cached_input: prompt tokens read from the provider's cache.
        source: where the numbers come from.
        cache_write: prompt tokens written to the cache, at its shortest lifetime.
        steps: dearer rates of long prompts, by ascending threshold.
    """

    input: float | None
    output: float | None
    cached_input: float | None = None
    source: str = "declared"
    cache_write: float | None = None
    steps: tuple[PriceStep, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model that a call may be routed to.

    Attributes:
        name: what goes on the wire as `model`; version-pinned.
        provider: who serves it ("openai", "anthropic", "groq", or a provider of your own).
        tier: how much model it is.
        price: USD per million tokens; None when unknown.
        context_window: tokens of prompt and answer together; None when unknown.
        max_output_tokens: the longest answer; None when unknown.
        capabilities: what it can honour; None when nobody declared it.
        routable: False for a model that callers may name (a ceiling, a baseline) but that nobody is routed to.
    """

    name: str
    provider: str
    tier: Tier
    price: Price | None = None
    context_window: int | None = None
    max_output_tokens: int | None = None
    capabilities: Capabilities | None = field(default=None, repr=False)
    routable: bool = True

    def __post_init__(self) -> None:
        if type(self.tier) is not Tier:
            object.__setattr__(self, "tier", Tier.parse(self.tier))

    @property
    def key(self) -> str:
        """`provider/name`, the name of this model in events, breakers and latency windows."""
        return f"{self.provider}/{self.name}"
