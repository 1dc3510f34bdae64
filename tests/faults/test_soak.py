"""Many calls: memory stays flat, threads and tasks lose nothing."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llm_router_middleware import Router, wrap
from tests.clients.memory import Wire, ask

PAGE = os.sysconf("SC_PAGE_SIZE")
GROWTH = 1024 * 1024
"""Bytes that resident memory may grow after the warm-up."""


def resident() -> int:
    """Bytes of resident memory, after a collection."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def prompt(number: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"question number {number}: what is {number} plus {number}?"}]


class Counting:
    """A sink that counts and keeps nothing."""

    def __init__(self) -> None:
        self.events = self.failed = 0
        self._lock = threading.Lock()

    def __call__(self, event: Any) -> None:
        with self._lock:
            self.events += 1
            self.failed += not event.success


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc")
@pytest.mark.parametrize("calls", [4_000, pytest.param(1_000_000, marks=pytest.mark.nightly)])
def test_memory_is_flat_after_the_warm_up(calls: int, record_property: Callable[[str, object], None]) -> None:
    """Every call has a prompt of its own; after the first quarter resident memory grows by less than 1 MB."""
    counting = Counting()
    wire = Wire("openai")
    with wrap(wire.client(), router=Router(sinks=[counting])) as client:
        before = 0
        for number in range(calls):
            ask(client, "openai", model="gpt-6.1-sol", messages=prompt(number))
            wire.requests.clear()
            wire.bodies.clear()
            if number == calls // 4:
                before = resident()
        grown = resident() - before
    record_property("calls", calls)
    record_property("most bytes grown", grown)
    assert counting.events == calls
    assert grown < GROWTH, f"{grown} bytes in {calls - calls // 4} calls"


def test_thirty_two_threads_lose_nothing() -> None:
    """One client, one router, 32 threads: as many events as requests, all of them successes."""
    counting, wire = Counting(), Wire("openai")
    with wrap(wire.client(), router=Router(sinks=[counting])) as client:

        def work(thread: int) -> None:
            for number in range(25):
                ask(client, "openai", model="gpt-6.1-sol", messages=prompt(thread * 100 + number))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (counting.events, counting.failed, len(wire.requests)) == (800, 0, 800)


async def test_a_thousand_tasks_lose_nothing() -> None:
    """And so many tasks at once."""
    counting, wire = Counting(), Wire("openai")
    async with wrap(wire.client(is_async=True), router=Router(sinks=[counting])) as client:
        await asyncio.gather(
            *(ask(client, "openai", model="gpt-6.1-sol", messages=prompt(number)) for number in range(1_000))
        )
    assert (counting.events, counting.failed, len(wire.requests)) == (1_000, 0, 1_000)


def test_several_event_loops_share_one_router() -> None:
    """A loop after another, and one in each of four threads: breakers and latencies serve them all."""
    counting = Counting()
    router = Router(sinks=[counting])

    async def one() -> None:
        async with wrap(Wire("openai").client(is_async=True), router=router) as client:
            await asyncio.gather(*(ask(client, "openai", model="gpt-6.1-sol", messages=prompt(n)) for n in range(10)))

    for _ in range(3):
        asyncio.run(one())
    threads = [threading.Thread(target=lambda: asyncio.run(one())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (counting.events, counting.failed) == (70, 0)
