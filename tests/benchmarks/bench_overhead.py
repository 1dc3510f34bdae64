"""What routing costs, as ratios measured in one run: `python -m tests.benchmarks.bench_overhead`.

Bare and routed calls of the same SDK over the same in-memory transport, interleaved in blocks (A B B A); CPU time of
the calling thread; the median of paired ratios. An A/A row (bare against bare) shows the noise. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from llm_router_middleware import Router, wrap
from tests.clients.memory import LIBRARY, Wire, answer, ask

ASKED = {"openai": "gpt-6.1-sol", "anthropic": "claude-opus-5-5", "groq": "openai/gpt-oss-120b"}
WORDS = [
    "river",
    "stone",
    "market",
    "winter",
    "paper",
    "engine",
    "garden",
    "silver",
    "morning",
    "letter",
    "bridge",
    "forest",
    "candle",
    "harbor",
]
CHUNKS = 200


def prompt(words: int, salt: int = 0) -> str:
    return " ".join(WORDS[(i * 7 + salt) % len(WORDS)] + (str(salt) if i == 0 else "") for i in range(words))


def history(turns: int, words: int, salt: int = 0) -> list[dict[str, Any]]:
    return [{"role": "user" if i % 2 == 0 else "assistant", "content": prompt(words, salt)} for i in range(turns)]


def sse(sdk: str, model: str) -> bytes:
    if sdk == "anthropic":
        start = {"type": "message_start", "message": {**answer(sdk, model), "content": [], "stop_reason": None}}
        block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "word "}}
        end = [
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": CHUNKS},
            },
            {"type": "message_stop"},
        ]
        events = [start, block, *([delta] * CHUNKS), *end]
        return b"".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events)
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": model}
    deltas: list[tuple[dict[str, Any], str | None]] = [
        ({"role": "assistant", "content": ""}, None),
        *([({"content": "word "}, None)] * CHUNKS),
        ({}, "stop"),
    ]
    chunks = [{**chunk, "choices": [{"index": 0, "delta": d, "finish_reason": f}]} for d, f in deltas]
    return b"".join(f"data: {json.dumps(c)}\n\n".encode() for c in chunks) + b"data: [DONE]\n\n"


def streaming(sdk: str) -> Callable[[Any, dict[str, Any]], Any]:
    http = LIBRARY[sdk]
    bodies: dict[str, bytes] = {}

    class Pieces(http.SyncByteStream, http.AsyncByteStream):  # type: ignore[misc,name-defined]
        def __init__(self, body: bytes) -> None:
            self.pieces = [piece + b"\n\n" for piece in body.split(b"\n\n")[:-1]]

        def __iter__(self) -> Any:
            return iter(self.pieces)

        async def __aiter__(self) -> Any:
            for piece in self.pieces:
                yield piece

    def reply(_request: Any, body: dict[str, Any]) -> Any:
        model = body["model"]
        bodies.setdefault(model, sse(sdk, model))
        return http.Response(200, headers={"content-type": "text/event-stream"}, stream=Pieces(bodies[model]))

    return reply


class Pair:
    """A bare and a routed client on equal wires, and one call on each."""

    def __init__(self, sdk: str, *, is_async: bool = False, stream: bool = False) -> None:
        reply = streaming(sdk) if stream else None
        self.sdk, self.is_async, self.stream = sdk, is_async, stream
        self.bare = Wire(sdk, reply).client(is_async=is_async)
        self.again = Wire(sdk, reply).client(is_async=is_async)
        self.routed = wrap(Wire(sdk, reply).client(is_async=is_async), router=Router())

    def call(self, client: Any, messages: Any) -> Callable[[], Any]:
        params: dict[str, Any] = {"model": ASKED[self.sdk], "messages": messages}
        if not self.stream:
            return lambda: ask(client, self.sdk, **params)
        params["stream"] = True

        def drain() -> int:
            return sum(1 for _ in ask(client, self.sdk, **params))

        async def adrain() -> int:
            return sum([1 async for _ in await ask(client, self.sdk, **params)])

        return adrain if self.is_async else drain


def cpu(run: Callable[[], Any], times: int) -> float:
    began = time.thread_time()
    for _ in range(times):
        run()
    return (time.thread_time() - began) / times


async def acpu(run: Callable[[], Any], times: int) -> float:
    began = time.thread_time()
    for _ in range(times):
        await run()
    return (time.thread_time() - began) / times


async def compare(
    pair: Pair, make: Callable[[int], Any], blocks: int, size: int, *, control: bool = False
) -> tuple[float, float, float]:
    """(median ratio, median added microseconds, bare microseconds), from interleaved blocks."""
    ratios, added, bares = [], [], []
    other = pair.again if control else pair.routed
    for block in range(blocks + 2):
        messages = make(block)
        one, two = pair.call(pair.bare, messages), pair.call(other, messages)
        times = [await acpu(run, size) if pair.is_async else cpu(run, size) for run in (one, two, two, one)]
        bare, ours = (times[0] + times[3]) / 2, (times[1] + times[2]) / 2
        if block >= 2:
            ratios.append(ours / bare)
            added.append((ours - bare) * 1e6)
            bares.append(bare * 1e6)
    return statistics.median(ratios), statistics.median(added), statistics.median(bares)


async def table(blocks: int) -> None:
    print(f"{'call':58s} {'ratio':>7s} {'added us':>9s} {'bare us':>9s}")
    seen = history(2, 200)
    rows: list[tuple[str, Pair, Callable[[int], Any], int, bool]] = []
    for sdk in ("openai", "anthropic", "groq"):
        for is_async in (False, True):
            name = f"{sdk} {'async' if is_async else 'sync'}"
            pair = Pair(sdk, is_async=is_async)
            rows.append((f"{name}, A/A control", pair, lambda _b: seen, 10, True))
            rows.append((f"{name}, 2 messages x 200 words, seen prompt", pair, lambda _b: seen, 10, False))
            rows.append((f"{name}, 2 messages x 200 words, new prompt", pair, lambda b: history(2, 200, b), 1, False))
            rows.append((f"{name}, 49 messages x 200 words", pair, lambda _b: history(49, 200), 2, False))
            rows.append(
                (
                    f"{name}, stream of {CHUNKS} chunks",
                    Pair(sdk, is_async=is_async, stream=True),
                    lambda _b: seen,
                    2,
                    False,
                )
            )
    for name, pair, make, size, control in rows:
        n = blocks * 4 if size == 1 else blocks
        ratio, added, bare = await compare(pair, make, n, size, control=control)
        print(f"{name:58s} {ratio:7.3f} {added:9.1f} {bare:9.1f}", flush=True)


def decisions(rounds: int) -> None:
    """The decision alone, by prompt and history: as ratios to the shortest."""
    router = Router()
    print(f"\n{'decision alone':58s} {'ratio':>7s} {'us':>9s}")
    base = 0.0
    for words in (20, 200, 2_000, 20_000):
        requests = [{"model": "gpt-6.1-sol", "messages": history(1, words, salt)} for salt in range(rounds)]
        us = statistics.median(cpu(lambda r=r: router.explain(r), 1) for r in requests) * 1e6
        base = base or us
        print(f"{f'new prompt of {words} words':58s} {us / base:7.2f} {us:9.1f}")
    for turns in (1, 11, 51, 99):
        request = {"model": "gpt-6.1-sol", "messages": history(turns, 200)}
        router.explain(request)
        us = statistics.median(cpu(lambda r=request: router.explain(r), 1) for _ in range(rounds)) * 1e6
        print(f"{f'history of {turns} turns x 200 words, seen':58s} {us / base:7.2f} {us:9.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--blocks", type=int, default=40)
    arguments = parser.parse_args()
    asyncio.run(table(arguments.blocks))
    decisions(arguments.blocks)
