"""How a reply is delivered: laws over every combination of faults, and the mutants that they kill."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from llm_router_middleware.sandbox import perform
from llm_router_middleware.sandbox.behaviour import BEFORE_HEADERS, Behaviour
from llm_router_middleware.sandbox.exchange import Reply
from llm_router_middleware.sandbox.wires.base import Frame
from tests.sandbox.mutants import survivors

SECONDS = (0.0, 0.0, 0.5, 2.0)


def random_reply(draw: random.Random) -> Reply:
    if draw.random() < 0.4:
        return Reply(200, (), (Frame(draw.randbytes(draw.randint(2, 20)), content=True),))
    frames = [Frame(draw.randbytes(draw.randint(1, 5)), draw.random() < 0.6) for _ in range(draw.randint(2, 8))]
    said = (Frame(b"<head>"), *frames, Frame(b"<end>"))
    extras = {"ping": b"<ping>", "error_frame": b"<error>", "broken_frame": b"<broken>"}
    return Reply(200, (), said, stream=True, **extras)


def random_behaviour(draw: random.Random) -> Behaviour:
    def position(least: int = BEFORE_HEADERS) -> int | None:
        return draw.randint(least, 6) if draw.random() < 0.35 else None

    return Behaviour(
        latency_s=draw.choice(SECONDS),
        first_token_s=draw.choice(SECONDS),
        per_token_s=draw.choice(SECONDS),
        truncate_after=position(),
        half_close=draw.random() < 0.4,
        reset_after=position(),
        stall_after=position(),
        stall_s=draw.choice(SECONDS),
        ping_every_s=draw.choice([None, 0.25]),
        error_event_after=position(0),  # an event needs a stream that has begun
        trickle=draw.choice([None, None, 1, 3]),
    )


@dataclass
class Seen:
    """What a client would have seen.

    Attributes:
        heads: how many.
        body: the bytes.
        seconds: that passed.
        early: seconds that passed before the head.
        endings: the steps that end an answer, in order.
        pings: of every pause that pings, whether it comes after the head.
        last: whether the last step is an ending.
        length: that the head promises.
    """

    heads: int
    body: bytes
    seconds: float
    early: float
    endings: list[str]
    pings: list[bool]
    last: bool
    length: int | None


def watch(module: ModuleType, steps: Iterator[Any]) -> Seen:
    taken = list(steps)
    names = [type(step).__name__ for step in taken]
    at = names.index("Head") if "Head" in names else len(names)
    pauses = [(i, step) for i, step in enumerate(taken) if isinstance(step, module.Pause)]
    endings = [name for name in names if name in ("End", "Close", "HalfClose", "Reset")]
    return Seen(
        heads=names.count("Head"),
        body=b"".join(step.data for step in taken if isinstance(step, module.Data)),
        seconds=sum(step.seconds for _, step in pauses),
        early=sum(step.seconds for i, step in pauses if i < at),
        endings=endings,
        pings=[i > at for i, step in pauses if step.every_s is not None],
        last=bool(names) and names[-1] in endings,
        length=taken[at].length if at < len(names) else None,
    )


def place(reply: Reply, position: int | None) -> int | None:
    """How many contents lie before a position. Past the last one means just behind it; a body has a middle."""
    if position is None or position == BEFORE_HEADERS:
        return position
    return min(position, sum(frame.content for frame in reply.frames) if reply.stream else 1)


def check(module: ModuleType, reply: Reply, behaviour: Behaviour) -> Seen:
    """Raises AssertionError when a law is broken."""
    seen = watch(module, module.perform(reply, behaviour))
    faults = {
        "reset": place(reply, behaviour.reset_after),
        "error": place(reply, behaviour.error_event_after) if reply.stream else None,
        "truncate": place(reply, behaviour.truncate_after),
    }
    first = min((at for at in faults.values() if at is not None), default=None)
    fault = next((name for name, at in faults.items() if at is not None and at == first), None)
    assert seen.last, "one ending, and it comes last"
    assert len(seen.endings) == 1
    assert seen.endings == [expected_ending(reply, behaviour, fault, first)]
    assert seen.body == expected_body(reply, fault, first)
    assert seen.heads == (0 if first == BEFORE_HEADERS else 1)
    if seen.heads:
        assert seen.length == (None if reply.stream else len(reply.frames[0].data)), "the promise is the whole body"
    check_time(reply, behaviour, first, seen)
    return seen


def expected_ending(reply: Reply, behaviour: Behaviour, fault: str | None, first: int | None) -> str:
    """Of several faults at the same place the reset wins, then the error event, then the truncation."""
    if fault == "reset":
        return "Reset"
    if fault == "error":
        return "End"
    if behaviour.half_close:
        return "HalfClose"
    polite = fault is None or (reply.stream and first != BEFORE_HEADERS)
    return "End" if polite else "Close"


def expected_body(reply: Reply, fault: str | None, first: int | None) -> bytes:
    """A cut lies exactly behind as many contents as it says."""
    full = b"".join(frame.data for frame in reply.frames)
    if fault is None:
        return full
    if first == BEFORE_HEADERS or first is None:
        return b""
    if not reply.stream:
        return full[: len(full) // 2] if first else b""
    contents = [i for i, frame in enumerate(reply.frames) if frame.content]
    before_closing, behind = len(reply.frames) - 1, [*contents[:1], *(i + 1 for i in contents)]
    end = behind[first] if contents else before_closing
    return b"".join(frame.data for frame in reply.frames[:end]) + (b"<error>" if fault == "error" else b"")


def check_time(reply: Reply, behaviour: Behaviour, first: int | None, seen: Seen) -> None:
    """Time passes where the script says, and pings come only within a stream."""
    stall = place(reply, behaviour.stall_after)
    if seen.heads:
        assert seen.early == behaviour.latency_s + (behaviour.stall_s if stall == BEFORE_HEADERS else 0.0)
    assert all(seen.pings), "no ping before the headers"
    if not reply.stream:
        assert seen.pings == []
    if first is None:
        halves = 2 if (behaviour.stall_after or 0) > 0 else 1
        contents = sum(frame.content for frame in reply.frames) if reply.stream else halves
        tokens = behaviour.first_token_s + behaviour.per_token_s * (contents - 1) if contents else 0.0
        stalled = behaviour.stall_s if stall is not None else 0.0
        assert seen.seconds == behaviour.latency_s + stalled + tokens


def laws(module: ModuleType, cases: int) -> Counter[str]:
    """Checks the laws on so many random cases.

    Returns:
        How often each ending was visited.
    """
    draw = random.Random(20261124)
    visits: Counter[str] = Counter()
    for _ in range(cases):
        visits[check(module, random_reply(draw), random_behaviour(draw)).endings[0]] += 1
    return visits


def test_every_delivery_keeps_the_laws() -> None:
    """What comes, how far, how it ends and when, is what the script says; every ending is visited often."""
    visits = laws(perform, 20_000)
    assert set(visits) == {"End", "Close", "HalfClose", "Reset"}
    assert min(visits.values()) >= 1000, visits


MUTANTS: dict[str, tuple[str, str]] = {
    "no latency": ("if behaviour.latency_s > 0:", "if False:"),
    "faults before the headers are forgotten": (
        "_mishaps(reply, behaviour, BEFORE_HEADERS)",
        "_mishaps(reply, behaviour, -9)",
    ),
    "a stream promises a length": ("None if reply.stream else sum", "sum"),
    "first and later tokens are mixed up": (
        "behaviour.per_token_s if contents else behaviour.first_token_s",
        "behaviour.first_token_s if contents else behaviour.per_token_s",
    ),
    "every frame waits": ("if frame.content:\n            yield from", "if True:\n            yield from"),
    "the half-close at the end is forgotten": (
        "yield HalfClose() if behaviour.half_close else End()\n\n",
        "yield End()\n\n",
    ),
    "a stall is skipped": ("if here(behaviour.stall_after):", "if False:"),
    "a reset goes on": ("yield Reset()\n        return True", "yield Reset()\n        return False"),
    "an error event goes on": (
        "yield Data(reply.error_frame)\n        yield End()\n        return True",
        "yield Data(reply.error_frame)",
    ),
    "a truncated stream is cut": ("polite = reply.stream and index", "polite = not reply.stream and index"),
    "a position is one too far": (
        "contents[min(position, len(contents)) - 1]",
        "contents[min(position + 1, len(contents)) - 1]",
    ),
    "position 0 is behind the first content": (
        "if position == 0:\n        return contents[0]",
        "if position == 0:\n        return contents[0] + 1",
    ),
    "a body ends whole": ("min(last + 1, contents[-1])", "last + 1"),
    "bodies are not halved": ("if reply.stream or not behaviour.breaks_within:", "if True:"),
    "pings in bodies": ("pings = reply.stream and started", "pings = started"),
    "pings before the headers": ("pings = reply.stream and started", "pings = reply.stream"),
    "the trickle loses a byte": ("step.data[start : start + size]", "step.data[start : start + size - 1]"),
}


def test_the_laws_can_fail() -> None:
    """Every mutant of the delivery breaks a law."""
    assert survivors("perform", MUTANTS, lambda module: laws(module, 3000)) == []
