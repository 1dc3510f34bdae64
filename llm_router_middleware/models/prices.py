"""What tokens cost. Every number comes from genai-prices' bundled snapshot, without network, or from the user.

genai-prices is imported at the first use of a price. Its own calculation takes some 60 microseconds a call, so its
rates are copied once per model into a `Price`, and the arithmetic here is a handful of multiplications; the tests hold
the two equal for every model of the registry.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from llm_router_middleware.models.spec import ModelSpec, Price, PriceStep

if TYPE_CHECKING:
    from decimal import Decimal

    from genai_prices.types import ModelInfo, ModelPrice, TieredPrices

__all__ = ["UsageLike", "context_window_of", "cost_usd", "price_of"]

_PARTS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached_input": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
}


class UsageLike(Protocol):
    """Tokens of one call, as in `events.event.Usage`: `input_tokens` is the whole prompt, cached parts included."""

    @property
    def input_tokens(self) -> int | None: ...
    @property
    def output_tokens(self) -> int | None: ...
    @property
    def cached_input_tokens(self) -> int | None: ...
    @property
    def cache_write_tokens(self) -> int | None: ...


@lru_cache(maxsize=1024)
def price_of(provider: str, name: str) -> Price | None:
    """The published price of a model today, or None when genai-prices doesn't know it.

    Args:
        provider: a provider's id in genai-prices, which for the built-in ones is their name here. Ids match exactly: a
            provider of your own is never mistaken for a public one.
        name: the model, or a dated snapshot of it.

    Returns:
        USD per million tokens. Also None for prices that depend on the time of day: there is no one number for them.
    """
    model = _find(provider, name)
    rates = None if model is None else _rates_today(model, datetime.now(UTC))
    if rates is None:
        return None
    units = {part: getattr(rates, key) for part, key in _PARTS.items()}
    thresholds = sorted({step.start for unit in units.values() for step in getattr(unit, "tiers", ())})
    steps = tuple(
        PriceStep(above=start, **{part: _rate(unit, start) for part, unit in units.items()}) for start in thresholds
    )
    base = {part: _rate(unit, 0) for part, unit in units.items()}
    if base["input"] is None and base["output"] is None:
        return None
    return Price(**base, steps=steps, source=_source())


def context_window_of(provider: str, name: str) -> int | None:
    """The context window of a model in tokens, or None when genai-prices doesn't know it."""
    model = _find(provider, name)
    return None if model is None else model.context_window


def cost_usd(model: ModelSpec | str | None, usage: UsageLike | None) -> float | None:
    """What a call cost.

    Args:
        model: the model that served, or its key "provider/name". A price declared in the spec comes before a published
            one.
        usage: tokens as the provider counted them.

    Returns:
        USD, or None when the price of a part that was used, or the usage itself, is unknown. Never a guessed 0.
    """
    if model is None or usage is None:
        return None
    price = _price(model)
    return None if price is None else _cost(price, usage)


def _price(model: ModelSpec | str) -> Price | None:
    if isinstance(model, str):
        provider, _, name = model.partition("/")
        return price_of(provider, name)
    return model.price if model.price is not None else price_of(model.provider, model.name)


def _cost(price: Price, usage: UsageLike) -> float | None:
    prompt, answer = usage.input_tokens, usage.output_tokens
    if prompt is None or answer is None:
        return None
    cached, written = usage.cached_input_tokens or 0, usage.cache_write_tokens or 0
    fresh = prompt - cached - written
    if min(fresh, answer, cached, written) < 0:
        return None  # the provider contradicts itself
    rates = _rates_at(price, prompt)
    # Where no price of its own is published, a cached token costs what any other prompt token costs.
    cached_rate = rates.input if rates.cached_input is None else rates.cached_input
    written_rate = rates.input if rates.cache_write is None else rates.cache_write
    return _total(((fresh, rates.input), (cached, cached_rate), (written, written_rate), (answer, rates.output)))


def _rates_at(price: Price, prompt_tokens: int) -> Price | PriceStep:
    """The rates for a prompt of this length: one step holds for all tokens of the call, as the providers bill."""
    for step in reversed(price.steps):
        if prompt_tokens > step.above:
            return step
    return price


def _total(parts: Iterable[tuple[int, float | None]]) -> float | None:
    total = 0.0
    for tokens, rate in parts:
        if tokens:
            if rate is None:
                return None
            total += tokens * rate
    return total / 1e6


def _find(provider: str, name: str) -> ModelInfo | None:
    from genai_prices.data_snapshot import get_snapshot

    snapshot = get_snapshot()
    known = next((p for p in snapshot.providers if p.id == provider), None)
    # LiteLLM's and Bedrock's spellings aside, a name is looked up as it goes on the wire.
    return None if known is None or not name else known.find_model(name, all_providers=snapshot.providers)


def _rates_today(model: ModelInfo, today: datetime) -> ModelPrice | None:
    from genai_prices.types import TimeOfDateConstraint

    conditional = model.prices if isinstance(model.prices, list) else []
    if any(isinstance(price.constraint, TimeOfDateConstraint) for price in conditional):
        return None
    return model.get_prices(today)


def _rate(unit: Decimal | TieredPrices | None, start: int) -> float | None:
    """One unit's rate on the step that begins at `start` (0: the base rate)."""
    if unit is None:
        return None
    rate: Any = getattr(unit, "base", unit)
    for step in getattr(unit, "tiers", ()):
        if 0 < start >= step.start:
            rate = step.price
    return float(rate)


@lru_cache(maxsize=1)
def _source() -> str:
    from importlib.metadata import version

    return f"genai-prices {version('genai-prices')}"
