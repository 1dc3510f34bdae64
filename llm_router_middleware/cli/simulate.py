"""`llm-router simulate`: what a mix of tiers costs, against sending everything to the premium model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import typer

from llm_router_middleware.cli import show, world
from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.events.event import Usage

if TYPE_CHECKING:
    from llm_router_middleware.models.spec import ModelSpec, Tier

__all__ = ["Line", "parse_mix", "simulate_command", "tutorial_models"]


@dataclass(frozen=True, slots=True)
class Line:
    """One tier's part of the traffic.

    Attributes:
        tier: its name.
        model: who serves it, as "provider/name".
        share: of all requests, 0 to 1.
        requests: how many that is.
        usd_per_request: for the tokens of one.
        usd: for all of them.
    """

    tier: str
    model: str
    share: float
    requests: float
    usd_per_request: float
    usd: float


def simulate_command(
    mix: str = typer.Option("70/20/10", help="Shares of budget/mid/premium, in percent."),
    input_tokens: int = typer.Option(300, min=0, help="Prompt tokens per request."),
    output_tokens: int = typer.Option(200, min=0, help="Answer tokens per request."),
    requests: int = typer.Option(10_000, min=1, help="Requests a day."),
    budget: str | None = typer.Option(None, help="The budget model; the registry's first when not given."),
    mid: str | None = typer.Option(None, help="The mid model; likewise."),
    premium: str | None = typer.Option(None, help="The premium model; likewise."),
    tutorial_prices: bool = typer.Option(False, help="The three models and prices of the tutorial instead."),
    as_json: bool = typer.Option(False, "--json", help="One JSON document instead of a table."),
) -> None:
    """The cost of a traffic mix at today's prices. Arithmetic, not a measurement: the mix is yours to find out."""
    shares = parse_mix(mix)
    models = tutorial_models() if tutorial_prices else _models({"budget": budget, "mid": mid, "premium": premium})
    lines = [
        _line(tier, model, share, requests, Usage(input_tokens, output_tokens))
        for (tier, model), share in zip(models.items(), shares, strict=True)
    ]
    total = sum(line.usd for line in lines)
    all_premium = requests * lines[-1].usd_per_request
    saved = 1 - total / all_premium if all_premium else None
    source = models["premium"].price.source if models["premium"].price else "unknown"
    if as_json:
        tiers = [asdict(line) for line in lines]
        show.print_json(
            {"tiers": tiers, "usd": total, "all_premium_usd": all_premium, "saved": saved, "prices": source}
        )
        return
    _print(lines, total, all_premium, saved, f"{input_tokens} + {output_tokens} tokens a request; prices: {source}")


def parse_mix(mix: str) -> tuple[float, float, float]:
    """Three shares out of "70/20/10".

    Raises:
        typer.Exit: they are not three numbers from 0 to 100 that add up to 100.
    """
    try:
        budget, mid, premium = (float(part) / 100 for part in mix.split("/"))
    except ValueError:
        show.fail(f"--mix={mix}: expected three percentages, as in 70/20/10")
    if min(budget, mid, premium) < 0 or not abs(budget + mid + premium - 1) < 1e-6:
        show.fail(f"--mix={mix}: expected three percentages that add up to 100")
    return budget, mid, premium


def tutorial_models() -> dict[str, ModelSpec]:
    """The tutorial's registry. Its prices are per 1,000 tokens there (0.00005, 0.00008 and so on); here per million."""
    from llm_router_middleware.models.spec import ModelSpec, Price, Tier

    def model(name: str, provider: str, tier: Tier, cost_in: float, cost_out: float) -> ModelSpec:
        return ModelSpec(name, provider, tier, Price(cost_in, cost_out, source="the tutorial's registry"))

    return {
        "budget": model("llama-3-8b", "groq", Tier.BUDGET, 0.05, 0.08),
        "mid": model("claude-haiku-3-5", "anthropic", Tier.MID, 0.80, 4.00),
        "premium": model("claude-opus-4", "anthropic", Tier.PREMIUM, 15.00, 75.00),
    }


def _models(named: dict[str, str | None]) -> dict[str, ModelSpec]:
    from llm_router_middleware.models.spec import Tier

    known = world.registry(world.settings())
    chosen: dict[Tier | str, list[ModelSpec | str]] = {tier: [name] for tier, name in named.items() if name is not None}
    try:
        known = known.with_tiers(chosen) if chosen else known
    except ConfigurationError as error:
        show.fail(str(error))
    found = {str(tier): known.tier(tier) for tier in Tier}
    for tier, models in found.items():
        if not models:
            show.fail(f"the registry has no {tier} model: name one with --{tier}")
    return {tier: models[0] for tier, models in found.items()}


def _line(tier: str, model: ModelSpec, share: float, requests: int, usage: Usage) -> Line:
    from llm_router_middleware.models.prices import cost_usd

    each = cost_usd(model, usage)
    if each is None:
        show.fail(f"{model.key}: its price is not known; name another model with --{tier}")
    return Line(tier, model.key, share, requests * share, each, requests * share * each)


def _print(lines: list[Line], total: float, all_premium: float, saved: float | None, note: str) -> None:
    columns = ("tier", "model", "share", "requests", "$/request", "a day")
    rows = [
        (
            line.tier,
            line.model,
            show.share(line.share),
            f"{line.requests:,.0f}",
            f"{line.usd_per_request:.8f}",
            show.usd(line.usd),
        )
        for line in lines
    ]
    screen = show.console()
    screen.print(show.table(note, columns, rows, left=2))
    screen.print(f"together     {show.usd(total)} a day")
    screen.print(f"all premium  {show.usd(all_premium)} a day")
    screen.print(f"saved        {show.usd(all_premium - total)} a day, {show.share(saved)}")
