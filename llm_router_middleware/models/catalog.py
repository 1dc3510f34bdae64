"""The models that ship with the package: rows of tiers.toml, and what else is known of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from llm_router_middleware.models.spec import ModelSpec, Tier

if TYPE_CHECKING:
    from llm_router_middleware.models.capabilities import Capabilities

__all__ = ["Row", "join", "read_data", "rows"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of tiers.toml.

    Attributes:
        spec: the model, without its price, window and capabilities.
        aliases: other names of the same tier.
        source: where the name stands.
        date: when it was read (ISO).
        retires: when the provider switches it off (ISO); None when nothing is announced.
        unpriced: genai-prices is known not to know it.
    """

    spec: ModelSpec
    aliases: tuple[str, ...]
    source: str
    date: str
    retires: str | None
    unpriced: bool


def read_data(name: str) -> Mapping[str, Any]:
    """Reads one of this folder's TOML files."""
    import tomllib

    return tomllib.loads(resources.files("llm_router_middleware.models").joinpath(name).read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def rows() -> tuple[Row, ...]:
    """Every row of tiers.toml, in the order of the file."""
    return tuple(_row(row) for row in read_data("tiers.toml")["models"])


def _row(row: Mapping[str, Any]) -> Row:
    return Row(
        spec=ModelSpec(row["name"], row["provider"], Tier.parse(row["tier"]), routable=row["routable"]),
        aliases=tuple(row.get("aliases", ())),
        source=row["source"],
        date=row["date"].isoformat(),
        retires=row["retires"].isoformat() if "retires" in row else None,
        unpriced=row.get("unpriced", False),
    )


def join(spec: ModelSpec) -> ModelSpec:
    """Fills in what a spec leaves open: price and window from genai-prices, abilities from capabilities.toml.

    What the spec says itself stands. What nobody knows stays None.
    """
    from llm_router_middleware.models.prices import context_window_of, price_of

    known = spec.capabilities or _capabilities(spec)
    window = spec.context_window or getattr(known, "context_window", None)
    return replace(
        spec,
        price=spec.price or price_of(spec.provider, spec.name),
        context_window=window or context_window_of(spec.provider, spec.name),
        max_output_tokens=spec.max_output_tokens or getattr(known, "max_output_tokens", None),
        capabilities=known,
    )


def _capabilities(spec: ModelSpec) -> Capabilities | None:
    try:
        from llm_router_middleware.models.capabilities import capabilities
    except ModuleNotFoundError:
        return None
    return capabilities(spec.provider, spec.name)
