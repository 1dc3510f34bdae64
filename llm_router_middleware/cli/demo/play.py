"""The play itself: every call in its turn, some at a time, with the outage in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from llm_router_middleware.cli.demo.asking import FORMS, Form, ask, request
from llm_router_middleware.cli.demo.prompts import Prompt
from llm_router_middleware.cli.demo.stage import Stage
from llm_router_middleware.events.event import RoutingEvent
from llm_router_middleware.inspection import last_event

__all__ = ["Turn", "play", "turns"]

AT_A_TIME = 8
"""Calls under way at once."""


@dataclass(slots=True)
class Turn:
    """One call: planned, then made.

    Attributes:
        number: its place in the order, from 1.
        prompt: what is asked.
        sdk: with whose client.
        form: in which form.
        event: what was recorded of it; None until then, and if nothing was.
        error: what the caller saw instead of an answer.
    """

    number: int
    prompt: Prompt
    sdk: str
    form: Form
    event: RoutingEvent | None = field(default=None)
    error: Exception | None = field(default=None)

    @property
    def recorded(self) -> bool:
        """Whether its one event is complete."""
        return self.event is not None and self.event.success is not None


def turns(prompts: Sequence[Prompt], sdks: Sequence[str], *, each: bool) -> list[Turn]:
    """The order of the calls; forms and SDKs alternate.

    Args:
        prompts: what is asked.
        sdks: who can be asked.
        each: every prompt through every SDK; else once, the SDKs taking turns.
    """
    planned = [
        (prompt, sdk, FORMS[(row + column) % len(FORMS)])
        for row, prompt in enumerate(prompts)
        for column, sdk in enumerate(sdks if each else [sdks[row % len(sdks)]])
    ]
    return [Turn(number, *rest) for number, rest in enumerate(planned, 1)]


async def play(stage: Stage, order: Sequence[Turn], outage: range, on_done: Callable[[Turn], None]) -> None:
    """Makes all calls.

    Args:
        stage: where.
        order: the calls.
        outage: the numbers of the calls before whose first the provider falls, and after whose last it is back.
        on_done: told of each call when it is over.
    """
    gate = asyncio.Semaphore(AT_A_TIME)

    async def one(turn: Turn) -> None:
        async with gate:
            if outage and turn.number == outage.start:
                stage.knock_over()
            if outage and turn.number == outage.stop:
                stage.put_up()
            await _make(stage, turn)
            on_done(turn)

    try:
        await asyncio.gather(*(one(turn) for turn in order))
    finally:
        stage.put_up()
        await stage.close()


async def _make(stage: Stage, turn: Turn) -> None:
    client = stage.clients[turn.sdk, turn.form.is_async]
    arguments = request(turn.sdk, turn.form, turn.prompt, stage.router.registry)
    try:
        turn.event = last_event(await ask(client, turn.sdk, turn.form, arguments))
    except Exception as error:  # noqa: BLE001 - a failed call is a result of the demo, whatever it failed with
        turn.error = error
        turn.event = last_event(error)
