"""`llm-router report`: what a file of events adds up to."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import typer

from llm_router_middleware.cli import show
from llm_router_middleware.cli.figures import Event, Figures, figures

__all__ = ["report_command"]

_DECISION = "llm_routing_decision"


def report_command(
    events: Path = typer.Argument(..., help="A file of events, one JSON line each; - for standard input."),
    as_json: bool = typer.Option(False, "--json", help="One JSON document instead of tables."),
    top: int = typer.Option(8, min=1, help="The longest that a list gets."),
) -> None:
    """Cost, savings, share by tier, failovers, latencies and reasons, from the events of the JSONL sink."""
    from llm_router_middleware.cli.world import tiers_by_key

    torn: list[int] = []
    try:
        found = figures(_read(events, torn), tiers_by_key())
    except OSError as error:
        show.fail(f"{events}: {error.strerror or type(error).__name__}")
    if as_json:
        show.print_json({**found.to_dict(), "torn_lines": len(torn)})
        return
    if not found.total.calls:
        show.fail(f"{events}: no events in it{_torn(torn)}")
    _print(found, torn, top)


def _print(found: Figures, torn: list[int], top: int) -> None:
    from llm_router_middleware.cli.tables import print_figures

    screen = show.console()
    total = found.total
    screen.print(f"{total.calls} calls{_when(found)}, {found.failed} failed, {found.attempts} requests{_torn(torn)}")
    print_figures(screen, found, top=top)
    screen.print(f"{show.share(found.failover_share)} of the calls were served by another model after a failure.")


def _read(path: Path, torn: list[int]) -> Iterator[Event]:
    if str(path) == "-":
        yield from _parsed(sys.stdin.buffer, torn)
        return
    with path.open("rb") as lines:
        yield from _parsed(lines, torn)


def _parsed(lines: Iterable[bytes], torn: list[int]) -> Iterator[Event]:
    """The events; of a killed process the last line may be half a line, and a log holds other lines as well."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            torn.append(number)
            continue
        if isinstance(value, dict) and value.get("event", _DECISION) == _DECISION and "selected_model" in value:
            yield value


def _torn(torn: list[int]) -> str:
    if not torn:
        return ""
    lines = "line" if len(torn) == 1 else "lines"
    return f"; {len(torn)} unreadable {lines} left out ({', '.join(map(str, torn[:5]))}{', ...' if torn[5:] else ''})"


def _when(found: Figures) -> str:
    if found.began is None or found.ended is None:
        return ""
    first, last = (time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at)) for at in (found.began, found.ended))
    return f" from {first} to {last} UTC"
