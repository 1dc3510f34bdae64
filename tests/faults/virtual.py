"""A router in virtual time between a client and three providers."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from llm_router_middleware import Router
from llm_router_middleware.models.spec import Tier
from llm_router_middleware.scoring import ComplexityScore
from tests.faults.far_side import CALLER, Provider
from tests.faults.near_side import Backends, Shadows
from tests.faults.outage_benchmark import VirtualLoop

__all__ = ["LEVELS", "VirtualLoop", "in_virtual_time", "router_between"]

LEVELS = {"easy": (Tier.BUDGET, 0.1), "fair": (Tier.MID, 0.45), "hard": (Tier.PREMIUM, 0.9)}


def scored(text: str) -> ComplexityScore:
    """The scorer: the first word of a prompt says how hard it is."""
    return ComplexityScore(*LEVELS[text.partition(" ")[0]])


def router_between(
    loop: VirtualLoop, others: dict[str, Provider], draw: random.Random, owners: dict[str, int], **options: Any
) -> Router:
    """A real router whose other providers are those, on the loop's clock. `owners` learns which call an event is of."""
    backends = Backends(others)
    with patch("llm_router_middleware.router.backends_of", lambda *_: backends):
        router = Router(
            scorer=scored, now=loop.time, clock=loop.time, random=random.Random(draw.random()).random, **options
        )
    router._trade = replace(router._trade, shadows=Shadows())
    opened = router._recorder.open

    def open_(**details: Any) -> Any:
        recording = opened(**details)
        owners[recording.event.request_id] = CALLER.get()
        return recording

    router._recorder.open = open_  # type: ignore[method-assign]
    return router


def in_virtual_time(loop: VirtualLoop, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs it to its end. The garbage collector waits: a collection at its own time is nothing that a seed knows."""
    asyncio.set_event_loop(loop)
    gc.collect()
    gc.disable()
    try:
        loop.run_until_complete(work())
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        gc.enable()
        loop.close()
        asyncio.set_event_loop(None)
