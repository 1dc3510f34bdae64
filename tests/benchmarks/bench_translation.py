"""What translation costs, as ratios to the SDK's own work: `python -m tests.benchmarks.bench_translation`.

The denominator of an answer or a chunk is the caller's SDK reading the very bytes that the translation made, from
memory; of a request, the same SDK's whole call. CPU time of the thread, alternating blocks, medians. Nothing is
asserted.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llm_router_middleware.dialects import translator
from llm_router_middleware.dialects.sse import SseDecoder, encode, terminator
from llm_router_middleware.routing.requirements import requirements
from tests.dialects.kit import (
    ANTHROPIC,
    CLAUDE,
    GPT4,
    GROQ,
    OPENAI,
    QWEN,
    RESPONSES,
    SOL,
    USAGE_CHUNK,
    USER,
    about,
    chunk,
    client,
    completion,
    events,
    message,
    said,
    spec,
    sse,
    streamed,
    tool_call,
)

CHUNKS = 200
WORD = "word "
PAIRS: list[tuple[Any, Any, str]] = [
    (OPENAI, ANTHROPIC, CLAUDE),
    (GROQ, ANTHROPIC, CLAUDE),
    (ANTHROPIC, OPENAI, GPT4),
    (ANTHROPIC, GROQ, QWEN),
    (OPENAI, GROQ, QWEN),
    (GROQ, OPENAI, GPT4),
    (OPENAI, RESPONSES, SOL),
    (ANTHROPIC, RESPONSES, SOL),
]


def response_events() -> list[dict[str, Any]]:
    response = {
        "id": "resp_1",
        "model": "served",
        "status": "completed",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    delta = {"type": "response.output_text.delta", "output_index": 0, "delta": WORD}
    return [
        {"type": "response.created", "response": response},
        *[delta] * CHUNKS,
        {"type": "response.completed", "response": response},
    ]


UPSTREAM: dict[str, list[dict[str, Any]]] = {
    ANTHROPIC: events(said(*[WORD] * CHUNKS)),
    OPENAI: [*[chunk({"content": WORD})] * CHUNKS, chunk({}, "stop"), USAGE_CHUNK],
    GROQ: [*[chunk({"content": WORD})] * CHUNKS, chunk({}, "stop"), USAGE_CHUNK],
    RESPONSES: response_events(),
}
TEXT = WORD * 400
WHOLE: dict[str, dict[str, Any]] = {
    ANTHROPIC: message(
        {"type": "text", "text": TEXT}, {"type": "tool_use", "id": "a", "name": "f", "input": {"a": 1}}, stop="tool_use"
    ),
    OPENAI: completion({"content": TEXT, "tool_calls": [tool_call("a")]}, "tool_calls"),
    GROQ: completion({"content": TEXT, "tool_calls": [tool_call("a")]}, "tool_calls"),
    RESPONSES: {
        "id": "resp_1",
        "model": "served",
        "status": "completed",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": TEXT}]}],
    },
}


def history(turns: int, caller: Any) -> dict[str, Any]:
    """A conversation of so many turns, every second of them with a tool."""
    messages: list[dict[str, Any]] = [USER]
    for turn in range(turns):
        if caller == ANTHROPIC:
            use = {"type": "tool_use", "id": f"call_{turn}", "name": "f", "input": {"a": turn}}
            messages.append({"role": "assistant", "content": [{"type": "text", "text": TEXT[:200]}, use]})
            result = {"type": "tool_result", "tool_use_id": f"call_{turn}", "content": TEXT[:200]}
            messages.append({"role": "user", "content": [result, {"type": "text", "text": "go on"}]})
        else:
            calls = [tool_call(f"call_{turn}", arguments='{"a":1}')]
            messages.append({"role": "assistant", "content": TEXT[:200], "tool_calls": calls})
            messages.append({"role": "tool", "tool_call_id": f"call_{turn}", "content": TEXT[:200]})
            messages.append({"role": "user", "content": "go on"})
    return {"model": "m", "max_tokens": 8192, "messages": messages}


@dataclass(frozen=True)
class Row:
    """One line of the report: what ours costs, and what the SDK's own work costs, in microseconds."""

    name: str
    ours: float
    theirs: float

    def __str__(self) -> str:
        return f"{self.name:58} {self.ours:9.1f} us {self.theirs:9.1f} us {100 * self.ours / self.theirs:7.1f} %"


def compare(name: str, ours: Callable[[], Any], theirs: Callable[[], Any], per: int, blocks: int) -> Row:
    """Times two functions in alternating blocks; `per` is how many things one run of each does."""
    ours()
    theirs()
    times: tuple[list[float], list[float]] = ([], [])
    for block in range(blocks):
        for place in (0, 1) if block % 2 else (1, 0):
            began = time.thread_time()
            (ours, theirs)[place]()
            times[place].append((time.thread_time() - began) / per * 1e6)
    return Row(name, statistics.median(times[0]), statistics.median(times[1]))


def create(caller: Any, sdk: Any, **arguments: Any) -> Any:
    if caller == ANTHROPIC:
        return sdk.messages.create(model="m", max_tokens=5, messages=[USER], **arguments)
    return sdk.chat.completions.create(model="m", messages=[USER], **arguments)


def chunk_row(caller: Any, target: Any, blocks: int) -> Row:
    """A streamed chunk: decoded, translated and encoded, against the SDK's reading of the result."""
    raw = sse(target, [(e.get("type"), e) for e in UPSTREAM[target]])
    result = sse(caller, streamed(caller, target, UPSTREAM[target]))
    sdk = client(caller, result, "text/event-stream")
    sdk._strict_response_validation = False
    pair = translator(caller, target)
    assert pair is not None

    def ours() -> bytes:
        machine, decoder, out = pair.stream(about()), SseDecoder(), bytearray()
        for piece in raw.split(b"\n\n"):
            for name, data in decoder.feed(piece + b"\n\n"):
                if data != "[DONE]":
                    for frame in machine.feed(name, json.loads(data)):
                        out += encode(caller, frame)
        for frame in machine.end():
            out += encode(caller, frame)
        return bytes(out) + terminator(caller)

    return compare(
        f"chunk    {caller} <- {target}", ours, lambda: list(create(caller, sdk, stream=True)), CHUNKS, blocks
    )


def machine_row(caller: Any, target: Any, blocks: int) -> Row:
    """The machine alone, dicts in and dicts out."""
    result = sse(caller, streamed(caller, target, UPSTREAM[target]))
    sdk = client(caller, result, "text/event-stream")
    sdk._strict_response_validation = False

    def ours() -> Any:
        return streamed(caller, target, UPSTREAM[target])

    return compare(
        f"machine  {caller} <- {target}", ours, lambda: list(create(caller, sdk, stream=True)), CHUNKS, blocks
    )


def answer_row(caller: Any, target: Any, blocks: int) -> Row:
    """A whole answer: parsed, translated and encoded, against the SDK's reading of the result."""
    pair = translator(caller, target)
    assert pair is not None
    raw = json.dumps(WHOLE[target])

    def ours() -> bytes:
        return json.dumps(pair.answer(json.loads(raw), about())).encode()

    sdk = client(caller, ours(), "application/json")
    sdk._strict_response_validation = False
    return compare(f"answer   {caller} <- {target}", ours, lambda: create(caller, sdk), 1, blocks * 20)


def request_row(caller: Any, target: Any, model: str, turns: int, blocks: int) -> Row:
    """A request put into the target's words, against one whole call of the SDK with the same history."""
    body = history(turns, caller)
    pair, target_spec = translator(caller, target), spec(target, model)
    assert pair is not None
    answer = pair and json.dumps(completion({"content": "x"}) if caller != ANTHROPIC else message()).encode()
    sdk = client(caller, answer, "application/json")
    sdk._strict_response_validation = False
    method = sdk.messages.create if caller == ANTHROPIC else sdk.chat.completions.create
    name = f"request  {caller} -> {target}, {turns} turns"
    return compare(name, lambda: pair.request(body, target_spec, frozenset()), lambda: method(**body), 1, blocks * 5)


def requirements_row(caller: Any, turns: int, blocks: int) -> Row:
    """Requirements read, and asked of one model on the caller's own wire."""
    body = history(turns, caller)
    own = spec(caller, {OPENAI: GPT4, GROQ: QWEN, ANTHROPIC: CLAUDE}[caller])
    answer = json.dumps(completion({"content": "x"}) if caller != ANTHROPIC else message()).encode()
    sdk = client(caller, answer, "application/json")
    sdk._strict_response_validation = False
    method = sdk.messages.create if caller == ANTHROPIC else sdk.chat.completions.create

    def ours() -> str | None:
        return requirements(body, caller, prompt_tokens=10).unmet_by(own, caller)

    return compare(f"requirements {caller}, {turns} turns", ours, lambda: method(**body), 1, blocks * 5)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=15)
    blocks = parser.parse_args().blocks
    print(f"{'':58} {'ours':>12} {'the SDK':>12} {'ratio':>9}")
    for caller, target, _ in PAIRS:
        print(chunk_row(caller, target, blocks))
        print(machine_row(caller, target, blocks))
    for caller, target, _ in PAIRS:
        print(answer_row(caller, target, blocks))
    for turns in (1, 30):
        for caller, target, model in PAIRS:
            print(request_row(caller, target, model, turns, blocks))
        for caller in (OPENAI, ANTHROPIC):
            print(requirements_row(caller, turns, blocks))


if __name__ == "__main__":
    main()
