"""The tables that demo and report share."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from llm_router_middleware.cli import show
from llm_router_middleware.cli.figures import Figures, Slice

__all__ = ["print_figures"]


def print_figures(screen: Console, found: Figures, *, top: int = 8) -> None:
    """Shares, costs and latencies per tier, then why, and what the circuit breakers kept away.

    Args:
        screen: where.
        found: the figures.
        top: the longest that a list gets.
    """
    screen.print(_tiers(found))
    for note in _notes(found.total):
        screen.print(note)
    screen.print(_latencies(found))
    screen.print(_reasons(found, top))
    if found.errors:
        rows = [(error, str(times)) for error, times in found.errors[:top]]
        screen.print(show.table("Failed calls", ("error", "calls"), rows))
    if found.refusals:
        refused = [(model, why, str(times)) for model, why, times in found.refusals[:top]]
        screen.print(show.table("Not asked, to spare them", ("model", "why", "times"), refused, left=2))


def _tiers(found: Figures) -> Table:
    with_premium = found.total.premium_usd is not None
    columns = ["tier", "calls", "share", "cost", "as asked", "saved", "in %"]
    rows = [_money(part, with_premium) for part in (*found.tiers, found.total)]
    return show.table("Where the calls went", [*columns, "all-premium"] if with_premium else columns, rows)


def _notes(total: Slice) -> list[str]:
    notes = []
    if total.unpriced:
        notes.append(f"* without {total.unpriced} calls whose cost is unknown")
    if total.uncompared:
        notes.append(f"{total.uncompared} calls named no model with a price: in 'cost', not in 'as asked' and 'saved'")
    return notes


def _money(part: Slice, with_premium: bool) -> list[str]:
    cells = [
        part.name,
        str(part.calls),
        show.share(part.share),
        show.usd(part.cost_usd) + ("*" if part.unpriced else ""),
        show.usd(part.baseline_usd),
        show.usd(part.savings_usd),
        show.share(part.saved),
    ]
    return [*cells, show.usd(part.premium_usd)] if with_premium else cells


def _latencies(found: Figures) -> Table:
    rows = [
        (
            part.name,
            *map(show.seconds, (part.p50_s, part.p95_s, part.p99_s, part.first_token_s)),
        )
        for part in (*found.tiers, found.total)
    ]
    return show.table("Latency of answered calls", ("tier", "p50", "p95", "p99", "first token p50"), rows)


def _reasons(found: Figures, top: int) -> Table:
    rows = [(reason, str(times), show.share(times / found.total.calls)) for reason, times in found.reasons[:top]]
    return show.table("Why these models", ("reason", "calls", "share"), rows)
