"""`llm-router models`: which models there are, what they cost, and who could be asked for them now."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import typer

from llm_router_middleware.cli import show, world

if TYPE_CHECKING:
    from llm_router_middleware.models.spec import ModelSpec, Price
    from llm_router_middleware.settings import RouterSettings

__all__ = ["models_command"]


def models_command(
    everything: bool = typer.Option(False, "--all", help="Also the models that are known but never routed to."),
    as_json: bool = typer.Option(False, "--json", help="One JSON document instead of a table."),
) -> None:
    """The registry: tiers in order of preference, prices in USD per million tokens, windows, and who could be asked."""
    configured = world.settings()
    known = world.registry(configured)
    specs = list(known)
    if everything:
        specs += [spec for spec in known.known if not spec.routable]
    rows = [_row(spec, _availability(spec.provider, configured)) for spec in specs]
    if as_json:
        show.print_json(rows)
    else:
        _print(rows)


def _row(spec: ModelSpec, availability: str) -> dict[str, Any]:
    price, source, retires = spec.price, *_provenance(spec)
    return {
        "tier": spec.tier,
        "model": spec.key,
        "routable": spec.routable,
        "input_usd_per_mtok": _part(price, "input"),
        "output_usd_per_mtok": _part(price, "output"),
        "cached_input_usd_per_mtok": _part(price, "cached_input"),
        "context_window": spec.context_window,
        "max_output_tokens": spec.max_output_tokens,
        "price_source": None if price is None else price.source,
        "name_source": source,
        "retires": retires,
        "availability": availability,
    }


def _part(price: Price | None, part: str) -> float | None:
    value: float | None = None if price is None else getattr(price, part)
    return value


def _provenance(spec: ModelSpec) -> tuple[str | None, str | None]:
    """Where the name stands, and the day the provider switches the model off."""
    from llm_router_middleware.models.catalog import rows

    row = next((row for row in rows() if row.spec.key == spec.key), None)
    return (None, None) if row is None else (f"{row.source}, {row.date}", row.retires)


def _availability(provider: str, configured: RouterSettings) -> str:
    """ "ready", or what is missing."""
    from llm_router_middleware.settings import present_keys

    spec = configured.provider_specs().get(provider)
    if spec is None:
        return "no such provider"
    if provider not in present_keys(specs=configured.provider_specs()):
        return "no key"
    return "ready" if find_spec(spec.sdk) is not None else f"no {spec.sdk} package"


def _print(rows: list[dict[str, Any]]) -> None:
    columns = ("tier", "model", "available", "in $/M", "out $/M", "cached", "window")
    lines = [
        (
            str(row["tier"]) if row["routable"] else f"({row['tier']})",
            row["model"],
            row["availability"],
            show.per_mtok(row["input_usd_per_mtok"]),
            show.per_mtok(row["output_usd_per_mtok"]),
            show.per_mtok(row["cached_input_usd_per_mtok"]),
            "-" if row["context_window"] is None else f"{row['context_window']:,}",
        )
        for row in rows
    ]
    screen = show.console()
    screen.print(show.table("Models, cheapest tier first, in order of preference", columns, lines, left=3))
    missing = sorted({row["model"].partition("/")[0] for row in rows if row["availability"] == "no key"})
    if missing:
        screen.print(f"no key: nothing to ask {', '.join(missing)} with when another provider fails.")
    sources = ", ".join(sorted({row["price_source"] for row in rows if row["price_source"]}))
    screen.print(f"Prices: {sources or 'none known'}. A tier in brackets: known as a ceiling, never routed to.")
    for row in rows:
        if row["retires"] is not None and row["routable"]:
            screen.print(f"{row['model']} is switched off on {row['retires']}.", markup=False)
