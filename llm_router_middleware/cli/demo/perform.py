"""From the wishes to the result: who plays, with which settings, on which stage."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_router_middleware.cli import show, world
from llm_router_middleware.cli.demo import stage
from llm_router_middleware.cli.demo.play import Turn, play, turns
from llm_router_middleware.cli.demo.prompts import Prompt
from llm_router_middleware.cli.demo.screen import Result, Screen
from llm_router_middleware.cli.demo.timeline import Timeline
from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.settings import RouterSettings, present_keys

__all__ = ["Wishes", "perform"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for.

    Attributes:
        events: the file that the events are appended to.
        live: the real providers.
        outage: one falls over in the middle.
        scorer: its name; None for the settings' own.
        seed: of the scripted latencies.
        quiet: show nothing while it plays.
    """

    events: Path
    live: bool = False
    outage: bool = True
    scorer: str | None = None
    seed: int = 1
    quiet: bool = False


def perform(prompts: Sequence[Prompt], wishes: Wishes) -> Result:
    """Plays it all.

    Raises:
        typer.Exit: with what is missing, or wrong with the settings.
    """
    order = turns(prompts, _players(live=wishes.live), each=not wishes.live)
    down = _outage(order) if wishes.outage and not wishes.live else range(0)
    with _opened(order, wishes) as set_:
        watch = Screen(set_, order, down, quiet=wishes.quiet)
        began = time.monotonic()
        with watch, Timeline() as timeline:
            asyncio.run(play(set_, order, down, watch.done))
        return Result(set_, order, down, timeline.changes, time.monotonic() - began, wishes.events)


def _players(*, live: bool) -> tuple[str, ...]:
    """The SDKs whose clients play: all that are installed; when live, those whose key is there."""
    installed = stage.installed()
    if not installed:
        show.fail("no SDK is installed: pip install 'llm-router-middleware[demo]'")
    if not live:
        return installed
    present = present_keys()
    with_key = tuple(sdk for sdk in installed if sdk in present)
    if not with_key:
        show.fail("--live needs a key: set OPENAI_API_KEY, ANTHROPIC_API_KEY or GROQ_API_KEY")
    return with_key


def _outage(order: Sequence[Turn]) -> range:
    """The numbers of the calls in the middle third; none if nobody asks the provider that would fall."""
    third = len(order) // 3
    return range(third + 1, 2 * third + 1) if any(turn.sdk == stage.FALLS for turn in order) else range(0)


@contextmanager
def _opened(order: Sequence[Turn], wishes: Wishes) -> Iterator[stage.Stage]:
    sdks = tuple(dict.fromkeys(turn.sdk for turn in order))
    try:
        settings = _settings(wishes)
        if wishes.live:
            yield stage.live(sdks, settings)
        else:
            with stage.rehearsal(sdks, settings, len(order), wishes.seed) as set_:
                yield set_
    except ConfigurationError as error:
        show.fail(str(error))


def _settings(wishes: Wishes) -> RouterSettings:
    """From the environment when live, else today's defaults whatever the environment says."""
    base = world.settings() if wishes.live else RouterSettings()
    changes: dict[str, Any] = {"sinks": {"log": False, "jsonl": str(wishes.events)}}
    if wishes.scorer is not None:
        changes["scorer"] = wishes.scorer
    return base.with_overrides(**changes)
