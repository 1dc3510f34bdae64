"""Whole calls by the thousand in virtual time, and the laws that each of them must keep.

`python -m tests.faults.whole_calls [--seed 1] [--calls 10000]` plays one seed and prints what happened, and a digest of
its events: the same seed has the same digest, in every process.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import hashlib
import json
import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

from llm_router_middleware.intercept import door
from tests.faults.far_side import CALLER, FAULTS, Provider, Request
from tests.faults.laws import broken_laws
from tests.faults.near_side import Client, Stream
from tests.faults.virtual import LEVELS, VirtualLoop, in_virtual_time, router_between

__all__ = ["Played", "World"]

RATE = 5.0
"""Calls a second."""

ASKED = ("gpt-6.1-sol", "gpt-6-sol", "gpt-6-luna", "auto", "ft:nobody-knows")
PLANS = ("read", "read", "read", "read", "close", "forget", "cancel")
RARE = {"quota": 0.01, "401": 0.01}
"""These shut an endpoint for minutes; more of them, and nothing else would happen."""

ALL = {name: RARE.get(name, 1.0) for name in FAULTS}
WEATHERS: tuple[dict[str, float], ...] = (
    {"none": 1.0},
    {"none": 0.97, "500": 0.01, "429": 0.01, "reset": 0.01},
    {**ALL, "none": float(len(ALL))},
    ALL,
    {"503": 1.0},
    {"hang": 1.0},
    {"429 after": 1.0},
    {"refused": 1.0},
    {"none": 0.4, "cut midway": 0.2, "error midway": 0.2, "reset midway": 0.2},
    {"error first": 0.5, "empty": 0.5},
)


@dataclass
class Played:
    """What one caller did and saw.

    Attributes:
        number: of the call.
        plan: what he meant to do with the answer.
        stream: whether he asked for a stream.
        text: what he read.
        end: how it ended for him: "whole", "left", "cancelled", or the class of an exception.
        seconds: from his call to its answer or, of a stream, to its first content.
    """

    number: int
    plan: str
    stream: bool
    text: str = ""
    end: str = ""
    seconds: float = 0.0


class World:
    """Three providers in changing weather, one router, one client, and its callers.

    Args:
        seed: everything follows from it.
        calls: how many.
    """

    def __init__(self, seed: int, calls: int) -> None:
        self.draw = random.Random(seed)
        self.calls = calls
        self.loop = VirtualLoop()
        self.events: list[Any] = []
        self.owners: dict[str, int] = {}
        self.played: list[Played] = []
        self.made: list[Request] = []
        self.providers = {
            name: Provider(name, random.Random(f"{seed} {name}"), {"none": 1.0}, self.made)
            for name in ("openai", "groq", "anthropic")
        }
        self.deadline_s = self.draw.choice([None, 20.0])
        self.retries = self.draw.choice([0, 1, 2])
        others = {name: provider for name, provider in self.providers.items() if name != "openai"}
        self.router = router_between(
            self.loop, others, self.draw, self.owners, sinks=[self.events.append], deadline_s=self.deadline_s
        )
        self.client = Client(self.providers["openai"], max_retries=self.retries, timeout=30.0, draw=self.draw)
        self.client.__dict__[door.BINDING] = self.router

    def play(self) -> World:
        in_virtual_time(self.loop, self._traffic)
        return self

    async def _traffic(self) -> None:
        tasks = set()
        for number in range(self.calls):
            if number % 50 == 0:
                self._change_weather()
            await asyncio.sleep(self.draw.expovariate(RATE))
            task = self.loop.create_task(self._caller(number))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            if number % 500 == 499:
                gc.collect()
        await asyncio.gather(*tasks)
        for _ in range(2):
            await asyncio.sleep(10.0)
            gc.collect()
        await asyncio.sleep(10.0)

    def _change_weather(self) -> None:
        for provider in self.providers.values():
            provider.weights = self.draw.choice(WEATHERS)

    async def _caller(self, number: int) -> None:
        CALLER.set(number)
        draw = self.draw
        played = Played(number, draw.choice(PLANS), draw.random() < 0.5)
        self.played.append(played)
        body: dict[str, Any] = {
            "model": draw.choice(ASKED),
            "messages": [{"role": "user", "content": f"{draw.choice(list(LEVELS))} question {number}"}],
        }
        if played.stream:
            body["stream"] = True
        call = self.loop.create_task(self._call(played, body, self.loop.time()))
        if played.plan == "cancel":
            await asyncio.wait({call}, timeout=draw.expovariate(0.5))
            call.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await call

    async def _call(self, played: Played, body: dict[str, Any], began: float) -> None:
        try:
            answer = await self.client.create(body)
            played.seconds = self.loop.time() - began
            if isinstance(answer, Stream):
                await self._read(played, answer)
            else:
                played.text = answer if isinstance(answer, str) else answer.text
            played.end = played.end or "whole"
        except asyncio.CancelledError:
            played.end = "cancelled"
            raise
        except Exception as exc:
            played.seconds = played.seconds or self.loop.time() - began
            played.end = type(exc).__name__

    async def _read(self, played: Played, answer: Stream) -> None:
        async for chunk in answer:
            played.text += chunk["choices"][0]["delta"].get("content") or ""
            if played.plan in ("close", "forget") and len(played.text) > 30:
                played.end = "left"
                break
        if played.plan == "close":
            await answer.response.aclose()

    # -- what came of it

    def by_caller(self) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = {played.number: [] for played in self.played}
        for event in self.events:
            found[self.owners[event.request_id]].append(event)
        return found

    def requests(self) -> dict[int, list[Request]]:
        made: dict[int, list[Request]] = {played.number: [] for played in self.played}
        for request in self.made:
            made[request.caller].append(request)
        return made

    def digest(self) -> str:
        """Of all events, in the order in which they came."""
        lines = [
            json.dumps({**event.to_dict(), "request_id": self.owners[event.request_id]}, sort_keys=True)
            for event in self.events
        ]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def tally(self) -> Counter[str]:
        counts: Counter[str] = Counter(calls=len(self.played), events=len(self.events), requests=len(self.made))
        counts.update(f"fault {request.fault.name}" for request in self.made)
        for event in self.events:
            counts["attempts"] += len(event.attempts)
            counts[f"reason {event.selection_reason}"] += 1
            counts.update(f"attempt {attempt.outcome}" for attempt in event.attempts)
            counts[f"event {event.error or 'ok'}"] += 1
        return counts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", type=int, default=10_000)
    arguments = parser.parse_args()
    world = World(arguments.seed, arguments.calls).play()
    wrong = broken_laws(world)
    for name, count in sorted(world.tally().items()):
        print(f"{count:>9,}  {name}")
    print(f"{len(wrong):>9,}  broken laws\n", *wrong[:10], sep="\n")
    print(world.digest())


if __name__ == "__main__":
    main()
