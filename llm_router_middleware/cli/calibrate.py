"""`llm-router calibrate`: thresholds from a user's own traffic, as a diff to review."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llm_router_middleware.cli import show, world
from llm_router_middleware.errors import ConfigurationError

if TYPE_CHECKING:
    from llm_router_middleware.evaluation.calibrate import Calibration
    from llm_router_middleware.evaluation.traffic import Request
    from llm_router_middleware.settings import RouterSettings

__all__ = ["calibrate_command"]


def calibrate_command(
    prompts: Annotated[
        Path, typer.Option(help="Your traffic: prompts or request bodies, one per line, or a router's event log.")
    ],
    target_premium: Annotated[float | None, typer.Option(help="The share of calls for premium, 0 to 1.")] = None,
    target_mid: Annotated[
        float | None, typer.Option(help="The share for mid; 1.5 times premium's if not given.")
    ] = None,
    target_spend: Annotated[
        float | None, typer.Option(help="Instead: the spend, as a share of what premium alone would cost.")
    ] = None,
    output_tokens: Annotated[int, typer.Option(min=0, help="Tokens of an answer, for --target-spend.")] = 300,
    config: Annotated[Path, typer.Option(help="The configuration file that the change is for.")] = Path(
        "llm_router.toml"
    ),
    write: Annotated[bool, typer.Option("--write", help="Make the change; without it, it is only shown.")] = False,
    controller: Annotated[
        bool, typer.Option(help="Also set share_targets, which running routers then steer to.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of prose.")] = False,
) -> None:
    """Thresholds that give premium its share of your traffic, fitted on one half of it and shown on the other."""
    from llm_router_middleware.evaluation.calibrate import calibrate
    from llm_router_middleware.evaluation.toml_edit import diff, with_values
    from llm_router_middleware.evaluation.traffic import read_traffic
    from llm_router_middleware.parts import scorer_of

    settings = world.settings()
    try:
        requests = read_traffic(prompts, scorer_of(None, settings))
        shares = _shares(requests, settings, target_premium, target_mid, target_spend, output_tokens)
        found = calibrate(requests, *shares)
        before = config.read_text("utf-8") if config.exists() else ""
        after = with_values(before, _values(found, controller))
        if write:
            config.write_text(after, "utf-8")
    except ConfigurationError as error:
        show.fail(str(error))
    except OSError as error:
        show.fail(f"{config}: {error.strerror or type(error).__name__}")
    change = diff(before, after, config.name)
    if as_json:
        show.print_json({**_document(found), "diff": change, "written": write})
    else:
        _print(found, change, config if write else None)


def _shares(
    requests: list[Request],
    settings: RouterSettings,
    premium: float | None,
    mid: float | None,
    spend: float | None,
    output_tokens: int,
) -> tuple[float, float | None]:
    from llm_router_middleware.evaluation.calibrate import shares_for_spend
    from llm_router_middleware.models.spec import Tier

    if (premium is None) == (spend is None):
        raise ConfigurationError("expected either --target-premium or --target-spend")
    if spend is None:
        return (0.0 if premium is None else premium), mid
    if mid is not None:
        raise ConfigurationError("--target-mid: expected with --target-premium only; a spend sets both shares")
    known = world.registry(settings)
    prices = {tier: models[0].price for tier in Tier if (models := known.tier(tier)) and models[0].price}
    return shares_for_spend(requests, prices, spend, output_tokens)


def _values(found: Calibration, controller: bool) -> dict[str, Any]:
    from llm_router_middleware.models.spec import Tier

    values: dict[str, Any] = {"mid_threshold": found.mid_threshold, "premium_threshold": found.premium_threshold}
    if controller:
        mid, premium = (round(found.targets[tier], 4) for tier in (Tier.MID, Tier.PREMIUM))
        values["share_targets"] = {"budget": round(1 - mid - premium, 4), "mid": mid, "premium": premium}
    return values


def _document(found: Calibration) -> dict[str, Any]:
    return {
        "mid_threshold": found.mid_threshold,
        "premium_threshold": found.premium_threshold,
        "fitted_on": found.fitted_on,
        "held_out_size": found.held_out_size,
        "tied": found.tied,
        "tiers": {
            str(tier): {"target": target, "held_out": found.held_out[tier].value,
                        "low": found.held_out[tier].low, "high": found.held_out[tier].high}
            for tier, target in found.targets.items()
        },
    }  # fmt: skip


def _print(found: Calibration, change: str, written: Path | None) -> None:
    screen = show.console()
    rows = [
        (str(tier), show.share(target), show.share(seen.value), f"{show.share(seen.low)} to {show.share(seen.high)}")
        for tier, target in found.targets.items()
        if (seen := found.held_out[tier])
    ]
    title = f"fitted on {found.fitted_on} requests, shown on {found.held_out_size} others"
    screen.print(show.table(title, ("tier", "target", "held out", "95 % interval"), rows))
    if found.has_ties:
        screen.print(
            f"{show.share(found.tied)} of the requests have one and the same score, which no threshold can part; "
            "the running controller can (share_targets)."
        )
    screen.print("These thresholds hold for this traffic: on another workload the shares will be others.\n")
    typer.echo(change or "nothing changes: the file has these values already")
    if change:
        typer.echo(f"written to {written}" if written else "not written: --write makes the change")
