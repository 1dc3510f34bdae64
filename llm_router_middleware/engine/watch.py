"""Watching a stream: what its bytes say, and how it ended, said once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from llm_router_middleware.engine.call import Failure, FailureKind
from llm_router_middleware.engine.fence import fenced

__all__ = ["Reader", "StreamEnd", "Watch"]

TAIL_CHUNKS = 256
"""How many of a stream's last chunks are kept to read usage and terminator from. A chunk is one event or more, or one
read of the socket of a large closing event: 256 reads of one TCP segment hold 370 KB; the largest closing event seen in
recorded traffic (`response.completed`) is under 20 KB."""


class Reader(Protocol):
    """Understands the events of one wire, as they come; a translating one says them in the caller's words."""

    @property
    def translating(self) -> bool:
        """Whether the caller's SDK sees other bytes than the provider sent."""
        ...

    @property
    def committed(self) -> bool:
        """Whether content has been handed on: from here on there is no failover."""
        ...

    @property
    def finished(self) -> bool:
        """Whether the terminator has been seen."""
        ...

    @property
    def sealed(self) -> bool:
        """Whether the terminator has been seen, and the caller's SDK shows him nothing of what comes behind it."""
        ...

    @property
    def failure(self) -> Failure | None:
        """The provider's in-band error, or a stream that can't be carried."""
        ...

    @property
    def usage(self) -> Any:
        """Tokens that the provider has reported so far."""
        ...

    @property
    def served_model(self) -> str | None:
        """The model that the provider says is answering."""
        ...

    def feed(self, chunk: bytes) -> bytes:
        """Takes bytes of the provider's stream in any cut, returns the bytes that the caller's SDK shall see."""
        ...

    def end(self) -> bytes:
        """The provider's stream has ended: returns the closing bytes for the caller's SDK."""
        ...

    def tail(self, chunk: bytes, *, continued: bool) -> None:
        """Takes the stream's last bytes, to learn how it ended: the rest of it, or a piece that begins anywhere."""
        ...

    def withheld(self) -> bytes | None:
        """After a bug of ours: bytes taken and not handed on; None where the SDK can't read the provider's own."""
        ...

    def break_off(self, failure: Failure) -> bytes | None:
        """The provider's stream broke after content was handed on: the failure in the caller's in-band form.

        None where the caller's SDK shall see the exception itself.
        """
        ...


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How a stream ended.

    Attributes:
        complete: the terminator was seen.
        failure: the provider's failure; None when it is not to blame.
        error: a word for the event: None for success, else "closed", "abandoned", "cancelled", "unread" (after a bug of
            ours nobody knows) or a kind's label.
        usage: tokens that the provider reported.
        served_model: the model that the provider says has answered.
        events: how many events came after the first content; each is a token or a few.
    """

    complete: bool
    failure: Failure | None = None
    error: str | None = None
    usage: Any = None
    served_model: str | None = None
    events: int = 0


class Watch:
    """Follows one streamed answer from its first byte to its end, and says once how it ended."""

    __slots__ = ("__weakref__", "_decode", "_ended", "_events", "_listeners", "_lost", "_tail", "reader")

    def __init__(self, reader: Reader, decode: Callable[[bytes], bytes] | None = None) -> None:
        self.reader = reader
        self._decode = decode
        self._events = 0
        self._lost = False
        self._tail: deque[bytes] = deque(maxlen=TAIL_CHUNKS)
        self._ended: StreamEnd | None = None
        self._listeners: tuple[Callable[[StreamEnd], None], ...] = ()

    def on_end(self, listener: Callable[[StreamEnd], None]) -> None:
        """Names one more who is told, once, how the stream ended."""
        self._listeners = (*self._listeners, listener)
        if self._ended is not None:
            listener(self._ended)

    def head(self, chunk: bytes) -> bytes:
        """Takes a chunk before the commit point: every event is read."""
        return self.reader.feed(self._decode(chunk) if self._decode else chunk)

    @property
    def take(self) -> Callable[[bytes], bytes]:
        """Takes a chunk after the commit point, returns what the caller's SDK shall see of it."""
        return self.head if self.reader.translating else self._keep

    def _keep(self, chunk: bytes) -> bytes:
        """A stream that is not translated is not read either: its events are counted, and its tail is kept."""
        self._events += chunk.count(b"\n\n")
        self._tail.append(self._decode(chunk) if self._decode else chunk)
        return chunk

    def lose_track(self) -> None:
        """A bug of ours: what comes from here on is not read, and how it ends not known."""
        self._lost = True

    def closing(self) -> bytes:
        """The provider's stream has ended: what the caller's SDK shall see last."""
        return self.reader.end() if self.reader.translating and not self._lost else b""

    def drained(self) -> None:
        """The provider's stream has ended by itself."""
        self._finish(lambda: self._verdict("truncated"))

    def closed(self) -> None:
        """The caller, or his SDK after the terminator, has closed the stream."""
        self._finish(lambda: self._verdict("closed"))

    def abandoned(self) -> None:
        """Nobody holds the stream any more."""
        self._finish(lambda: self._verdict("abandoned"))

    def cancelled(self) -> None:
        """The reading task was cancelled."""
        self._finish(
            lambda: StreamEnd(False, None, "cancelled", self.reader.usage, self.reader.served_model, self._events)
        )

    def failed(self, failure: Failure) -> None:
        """Reading failed."""
        self._finish(lambda: self._broken(failure))

    def _broken(self, failure: Failure) -> StreamEnd:
        """A connection that breaks behind the answer takes nothing from it."""
        verdict, reader = self._verdict(failure.kind.label), self.reader
        if verdict.complete and reader.sealed:
            return verdict
        return StreamEnd(False, failure, failure.kind.label, reader.usage, reader.served_model, self._events)

    def _finish(self, end: Callable[[], StreamEnd]) -> None:
        if self._ended is not None:
            return
        self._ended = fenced(end) or StreamEnd(False, None, "unread")
        for listener in self._listeners:
            fenced(listener, self._ended)
        self._tail.clear()

    def _verdict(self, otherwise: str) -> StreamEnd:
        """Success if the terminator was seen; else the word for how it ended without."""
        reader = self.reader
        if self._lost:
            return StreamEnd(False, None, "unread", reader.usage, reader.served_model, self._events)
        if self._tail:
            reader.tail(b"".join(self._tail), continued=len(self._tail) < TAIL_CHUNKS)
        if reader.failure is not None:
            return StreamEnd(
                False, reader.failure, reader.failure.kind.label, reader.usage, reader.served_model, self._events
            )
        if reader.finished:
            return StreamEnd(True, None, None, reader.usage, reader.served_model, self._events)
        failure = Failure(FailureKind.TRUNCATED) if otherwise == "truncated" else None
        return StreamEnd(False, failure, otherwise, reader.usage, reader.served_model, self._events)
