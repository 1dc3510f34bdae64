"""How a reply is delivered: steps, without sockets and without a clock of its own."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from llm_router_middleware.sandbox.behaviour import BEFORE_HEADERS, Behaviour
from llm_router_middleware.sandbox.exchange import Reply
from llm_router_middleware.sandbox.wires.base import Frame

__all__ = ["Close", "Data", "End", "HalfClose", "Head", "Pause", "Reset", "Step", "perform"]


@dataclass(frozen=True, slots=True)
class Head:
    """Send the status line and the headers. `length` is the body's; None for a body in chunks."""

    status: int
    headers: tuple[tuple[str, str], ...]
    length: int | None


@dataclass(frozen=True, slots=True)
class Data:
    """Send a part of the body."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pause:
    """Let so many seconds pass, and send `ping` every `every_s` of them."""

    seconds: float
    ping: bytes = b""
    every_s: float | None = None


@dataclass(frozen=True, slots=True)
class End:
    """End the body as HTTP wants it; the connection stays."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection, whatever HTTP wants."""


@dataclass(frozen=True, slots=True)
class HalfClose:
    """Close our direction, and go on listening."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection."""


Step = Head | Data | Pause | End | Close | HalfClose | Reset


def perform(reply: Reply, behaviour: Behaviour) -> Iterator[Step]:
    """The steps that deliver a reply as the behaviour wants.

    Args:
        reply: what is to be said.
        behaviour: when, how slowly, and how far.
    """
    steps = _deliver(_halved(reply, behaviour), behaviour)
    return _trickled(steps, behaviour.trickle, behaviour.trickle_s) if behaviour.trickle else steps


def _deliver(reply: Reply, behaviour: Behaviour) -> Iterator[Step]:
    if behaviour.latency_s > 0:
        yield Pause(behaviour.latency_s)
    if (yield from _mishaps(reply, behaviour, BEFORE_HEADERS)):
        return
    length = None if reply.stream else sum(len(frame.data) for frame in reply.frames)
    yield Head(reply.status, reply.headers, length)
    contents = 0
    for i, frame in enumerate(reply.frames):
        if (yield from _mishaps(reply, behaviour, i)):
            return
        if frame.content:
            yield from _wait(reply, behaviour, behaviour.per_token_s if contents else behaviour.first_token_s)
            contents += 1
        broken = behaviour.bad_json and reply.stream and contents == 1 and frame.content
        yield Data(reply.broken_frame if broken else frame.data)
    yield HalfClose() if behaviour.half_close else End()


def _mishaps(reply: Reply, behaviour: Behaviour, index: int) -> Generator[Step, None, bool]:
    """What goes wrong just before the frame of this index. Returns whether that is the end."""

    def here(position: int | None) -> bool:
        return position is not None and _index(reply, position) == index

    if here(behaviour.stall_after):
        yield from _wait(reply, behaviour, behaviour.stall_s, started=index != BEFORE_HEADERS)
    if here(behaviour.reset_after):
        yield Reset()
        return True
    if reply.stream and here(behaviour.error_event_after):
        yield Data(reply.error_frame)
        yield End()
        return True
    if here(behaviour.truncate_after):
        polite = reply.stream and index != BEFORE_HEADERS
        yield HalfClose() if behaviour.half_close else End() if polite else Close()
        return True
    return False


def _index(reply: Reply, position: int) -> int:
    """The frame before which a position lies. Past the last content means just behind it."""
    contents = [i for i, frame in enumerate(reply.frames) if frame.content]
    if position == BEFORE_HEADERS:
        return BEFORE_HEADERS
    if not contents:
        return max(0, len(reply.frames) - 1)
    if position == 0:
        return contents[0]
    last = contents[min(position, len(contents)) - 1]
    return last + 1 if reply.stream else min(last + 1, contents[-1])


def _halved(reply: Reply, behaviour: Behaviour) -> Reply:
    """A body that something happens to in its midst comes in two halves."""
    if reply.stream or not behaviour.breaks_within:
        return reply
    body = b"".join(frame.data for frame in reply.frames)
    middle = len(body) // 2
    return Reply(reply.status, reply.headers, (Frame(body[:middle], content=True), Frame(body[middle:], content=True)))


def _wait(reply: Reply, behaviour: Behaviour, seconds: float, started: bool = True) -> Iterator[Step]:
    if seconds > 0:
        pings = reply.stream and started
        yield Pause(seconds, reply.ping if pings else b"", behaviour.ping_every_s if pings else None)


def _trickled(steps: Iterator[Step], size: int, seconds: float) -> Iterator[Step]:
    for step in steps:
        if not isinstance(step, Data):
            yield step
            continue
        for start in range(0, len(step.data), size):
            yield Data(step.data[start : start + size])
            yield Pause(seconds)
