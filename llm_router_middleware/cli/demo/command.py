"""The command's options, and what it does with them."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from llm_router_middleware.cli import show, world
from llm_router_middleware.cli.demo.prompts import Prompt, PromptError, bundled, read
from llm_router_middleware.errors import ConfigurationError

if TYPE_CHECKING:
    from llm_router_middleware.cli.demo.stage import Stage
    from llm_router_middleware.settings import RouterSettings

__all__ = ["demo_command"]


def demo_command(
    prompts: Path | None = typer.Option(
        None, help="Your own prompts: JSON lines with 'prompt' or 'messages', or text, one a line."
    ),
    limit: int | None = typer.Option(None, min=1, help="Only the first so many prompts."),
    explain: bool = typer.Option(False, help="Print every decision."),
    events: Path | None = typer.Option(None, help="Where the events go, as JSON lines; a new folder when not given."),
    live: bool = typer.Option(False, help="The real providers, with the keys in the environment. Costs money."),
    outage: bool = typer.Option(True, help="Let a provider fall over in the middle (never with --live)."),
    scorer: str | None = typer.Option(None, help="learned, heuristic, or your own as module:attribute."),
    seed: int = typer.Option(1, help="Of the scripted latencies."),
    as_json: bool = typer.Option(False, "--json", help="One JSON document, and nothing else on stdout."),
) -> None:
    """Routes real SDK clients: sync, async and streaming, through an outage. Needs no keys, and no network.

    The exit code is 1 if a call failed or was not recorded.
    """
    asked = _prompts(prompts)[:limit]
    try:
        from llm_router_middleware.cli.demo import screen, stage
        from llm_router_middleware.cli.demo.play import play, turns
        from llm_router_middleware.cli.demo.timeline import Timeline
    except ModuleNotFoundError as missing:
        show.fail(f"the demo needs {missing.name}: pip install 'llm-router-middleware[demo]'")
    sdks = _present(live) if live else stage.installed()
    if not sdks:
        show.fail("no SDK is installed: pip install 'llm-router-middleware[demo]'")
    order = turns(asked, sdks, each=not live)
    third = len(order) // 3
    down = range(third + 1, 2 * third + 1) if outage and not live and stage.FALLS in sdks and third else range(0)
    path = events if events is not None else Path(tempfile.mkdtemp(prefix="llm-router-")) / "events.jsonl"
    settings = _settings(path, scorer, live=live)
    with _stage(sdks, settings, live=live, calls=len(order), seed=seed) as set_:
        watch = screen.Screen(set_, order, down, quiet=as_json)
        began = time.monotonic()
        with watch, Timeline() as timeline:
            asyncio.run(play(set_, order, down, watch.done))
        took_s = time.monotonic() - began
    result = screen.Result(set_, order, down, timeline.changes, took_s, path)
    if as_json:
        show.print_json(result.to_dict(explain=explain))
    else:
        result.print(explain=explain)
    raise typer.Exit(0 if result.is_good else 1)


def _prompts(path: Path | None) -> list[Prompt]:
    try:
        return bundled() if path is None else read(path)
    except PromptError as error:
        show.fail(str(error))
    except OSError as error:
        show.fail(f"{path}: {error.strerror or type(error).__name__}")


def _settings(events: Path, scorer: str | None, *, live: bool) -> RouterSettings:
    """Of the router: from the environment when live, else today's defaults whatever the environment says."""
    from llm_router_middleware.settings import RouterSettings

    base = world.settings() if live else RouterSettings()
    changes = {"sinks": {"log": False, "jsonl": str(events)}} | ({} if scorer is None else {"scorer": scorer})
    try:
        return base.with_overrides(**changes)
    except ConfigurationError as error:
        show.fail(str(error))


def _present(live: bool) -> tuple[str, ...]:
    from llm_router_middleware.cli.demo.stage import installed
    from llm_router_middleware.settings import present_keys

    present = present_keys()
    sdks = tuple(sdk for sdk in installed() if sdk in present)
    if live and not sdks:
        show.fail("--live needs a key: set OPENAI_API_KEY, ANTHROPIC_API_KEY or GROQ_API_KEY")
    return sdks


@contextmanager
def _stage(sdks: tuple[str, ...], settings: RouterSettings, *, live: bool, calls: int, seed: int) -> Iterator[Stage]:
    from llm_router_middleware.cli.demo import stage

    try:
        if live:
            yield stage.live(sdks, settings)
        else:
            with stage.rehearsal(sdks, settings, calls, seed) as set_:
                yield set_
    except ConfigurationError as error:
        show.fail(str(error))
