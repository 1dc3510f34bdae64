"""R0: one script of faults, played to a caller without a router and to the same caller with one.

`python -m tests.faults.differential [--seed 1] [--calls 10000] [--memory]` plays one seed and prints what came of it.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from llm_router_middleware.intercept import door
from llm_router_middleware.parts import breakers_of
from tests.faults.far_side import CALLER, FAULTS, MIDWAY, Provider, Request
from tests.faults.near_side import Answer, Client, Stream
from tests.faults.virtual import LEVELS, VirtualLoop, in_virtual_time, router_between

__all__ = ["Duel", "Script"]

ASKED = ("gpt-6.1-sol", "gpt-6-sol", "gpt-6-luna")
LASTING = frozenset({"quota", "401"})
"""What is as true of the next request to the provider as of this one."""

BEFORE_CONTENT = [name for name in FAULTS if name not in MIDWAY]
"""A stream that breaks after its first content can't be taken back (R8): a model that the caller did not name may not
do so here, for he would not have met it without us."""


@dataclass
class Script:
    """What the providers do to the requests of one call.

    Attributes:
        asked: the model that the caller names.
        level: the first word of his prompt.
        stream: whether he reads a stream.
        faults: of each model's requests, in order; then all is well.
        lasting: what a provider does to every request.
    """

    asked: str
    level: str
    stream: bool
    faults: dict[str, list[str]]
    lasting: dict[str, str] = field(default_factory=dict)

    @classmethod
    def drawn(cls, draw: random.Random, models: Iterable[Any]) -> Script:
        script = cls(draw.choice(ASKED), draw.choice(list(LEVELS)), draw.random() < 0.5, {})
        hardship = draw.choice((0.3, 0.8, 1.0))
        for model in models:
            own = model.name == script.asked
            names = list(FAULTS) if own else BEFORE_CONTENT
            length = draw.randrange(4) if draw.random() < hardship else 0
            faults = [name for name in draw.choices(names, k=length) if name not in LASTING]
            script.faults[model.name] = faults if own or draw.random() < 0.5 else faults * 9
        if draw.random() < 0.1:
            script.lasting[draw.choice(("openai", "groq", "anthropic"))] = draw.choice(sorted(LASTING))
        return script


class Scripted(Provider):
    """A provider that does what the script of the moment says."""

    def play(self, script: Script) -> None:
        self._lasting = script.lasting.get(self.name)
        self._left = defaultdict(deque, {model: deque(faults) for model, faults in script.faults.items()})

    def mood(self, model: str) -> str:
        return self._lasting or (self._left[model].popleft() if self._left[model] else "none")


@dataclass
class Came:
    """What came of one call.

    Attributes:
        whole: whether all of an answer was read.
        end: the class of what was raised; empty if nothing was.
        requests: that were made.
    """

    whole: bool
    end: str
    requests: list[Request]


class Side:
    """A caller and his providers, with a router between them or without."""

    def __init__(self, loop: VirtualLoop, seed: int, retries: int) -> None:
        self.made: list[Request] = []
        self.providers = {
            name: Scripted(name, random.Random(seed), {}, self.made) for name in ("openai", "groq", "anthropic")
        }
        self.client = Client(self.providers["openai"], max_retries=retries, timeout=30.0, draw=random.Random(seed))
        self._loop = loop

    async def call(self, number: int, script: Script) -> Came:
        CALLER.set(number)
        self.made.clear()
        for provider in self.providers.values():
            provider.play(script)
        body: dict[str, Any] = {
            "model": script.asked,
            "messages": [{"role": "user", "content": f"{script.level} question {number}"}],
        }
        if script.stream:
            body["stream"] = True
        text, end = "", ""
        try:
            answer = await self.client.create(body)
            if isinstance(answer, Stream):
                async for chunk in answer:
                    text += chunk["choices"][0]["delta"].get("content") or ""
            elif isinstance(answer, Answer):
                text = answer.text
        except Exception as error:
            end = type(error).__name__
        return Came(not end and text.endswith(f"{number}.3 "), end, list(self.made))


class Duel:
    """The same caller twice.

    Args:
        seed: everything follows from it.
        calls: how many.
        memory: whether the circuits remember earlier calls.
    """

    def __init__(self, seed: int, calls: int, *, memory: bool) -> None:
        self.draw = random.Random(seed)
        self.calls, self.memory = calls, memory
        self.loop = VirtualLoop()
        retries = seed % 3
        self.bare, self.ours = Side(self.loop, seed, retries), Side(self.loop, seed, retries)
        others = {name: each for name, each in self.ours.providers.items() if name != "openai"}
        self.router = router_between(self.loop, others, self.draw, {})  # type: ignore[arg-type]
        self.ours.client.__dict__[door.BINDING] = self.router
        self.lost: list[str] = []
        self.tally: Counter[str] = Counter()

    def play(self) -> Duel:
        in_virtual_time(self.loop, self._play)
        return self

    async def _play(self) -> None:
        for number in range(self.calls):
            if not self.memory:
                self.router.breakers = breakers_of(self.router.settings, self.loop.time, self.draw.random)
                self.router._kit._breakers = self.router.breakers
            script = Script.drawn(self.draw, self.router.registry)
            bare = await self.bare.call(number, script)
            ours = await self.ours.call(number, script)
            self.tally[f"bare {'passes' if bare.whole else 'fails'}, routed {'passes' if ours.whole else 'fails'}"] += 1
            if bare.whole and not ours.whole:
                asked = [(request.provider, request.model, request.fault.name) for request in ours.requests]
                self.lost.append(
                    f"{number}: {script.asked} {script.faults[script.asked]} came to {ours.end} by {asked}"
                )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--memory", action="store_true")
    arguments = parser.parse_args()
    duel = Duel(arguments.seed, arguments.calls, memory=arguments.memory).play()
    for name, count in sorted(duel.tally.items()):
        print(f"{count:>9,}  {name}")
    print(f"{len(duel.lost):>9,}  lost", *duel.lost[:10], sep="\n")


if __name__ == "__main__":
    main()
