"""Streams: observe the bytes, commit at the first content, finalise once.

A `Watch` follows one streamed answer; a `Tap` stands where the HTTP response's byte stream stood and shows the watch
every chunk on its way to the SDK. Above the tap the SDK works as ever, so its stream objects, raw responses and
helpers are its own. Nothing is buffered beyond the commit point but a bounded tail, which is read once, at the end.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from wrapt import ObjectProxy

from llm_router_middleware.engine.call import Failure, FailureKind
from llm_router_middleware.engine.drive import Plan

__all__ = ["Reader", "StreamEnd", "Tap", "Watch", "decoder_for", "open_until_content"]

TAIL_CHUNKS = 256
"""How many of a stream's last chunks are kept to read usage and terminator from. A chunk is one event or more, or one
read of the socket of a large closing event: 256 reads of one TCP segment hold 370 KB; the largest closing event seen in
recorded traffic (`response.completed`) is under 20 KB."""


class Reader(Protocol):
    """Understands the events of one wire, as they come; a translating one says them in the caller's words."""

    @property
    def translating(self) -> bool:
        """Whether the caller's SDK sees other bytes than the provider sent."""

    @property
    def committed(self) -> bool:
        """Whether content has been handed on: from here on there is no failover."""

    @property
    def finished(self) -> bool:
        """Whether the terminator has been seen."""

    @property
    def failure(self) -> Failure | None:
        """The provider's in-band error, or a stream that can't be carried."""

    @property
    def usage(self) -> Any:
        """Tokens that the provider has reported so far."""

    @property
    def served_model(self) -> str | None:
        """The model that the provider says is answering."""

    def feed(self, chunk: bytes) -> bytes:
        """Takes bytes of the provider's stream in any cut, returns the bytes that the caller's SDK shall see."""

    def end(self) -> bytes:
        """The provider's stream has ended: returns the closing bytes for the caller's SDK."""

    def tail(self, chunk: bytes, *, continued: bool) -> None:
        """Takes the stream's last bytes, to learn how it ended: the rest of it, or a piece that begins anywhere."""

    def break_off(self, failure: Failure) -> bytes | None:
        """The provider's stream broke after content was handed on: the failure in the caller's in-band form.

        None where the caller's SDK shall see the exception itself.
        """


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How a stream ended.

    Attributes:
        complete: the terminator was seen.
        failure: the provider's failure; None when it is not to blame.
        error: a word for the event: None for success, else "closed", "abandoned", "cancelled" or a kind's label.
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


if TYPE_CHECKING:
    _Proxy = ObjectProxy[Any]
else:
    _Proxy = ObjectProxy  # not generic before wrapt 2


class Watch:
    """Follows one streamed answer from its first byte to its end, and says once how it ended."""

    __slots__ = ("__weakref__", "_decode", "_ended", "_events", "_listener", "_tail", "reader")

    def __init__(self, reader: Reader, decode: Callable[[bytes], bytes] | None = None) -> None:
        self.reader = reader
        self._decode = decode
        self._events = 0
        self._tail: deque[bytes] = deque(maxlen=TAIL_CHUNKS)
        self._ended: StreamEnd | None = None
        self._listener: Callable[[StreamEnd], None] | None = None

    def on_end(self, listener: Callable[[StreamEnd], None]) -> None:
        """Names who is told, once, how the stream ended."""
        self._listener = listener
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

    def closing(self) -> bytes:
        """The provider's stream has ended: what the caller's SDK shall see last."""
        return self.reader.end() if self.reader.translating else b""

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
        self._finish(lambda: StreamEnd(False, None, "cancelled", self.reader.usage, self.reader.served_model, self._events))

    def failed(self, failure: Failure) -> None:
        """Reading failed."""
        self._finish(lambda: StreamEnd(False, failure, failure.kind.label, self.reader.usage, self.reader.served_model, self._events))

    def _finish(self, end: Callable[[], StreamEnd]) -> None:
        if self._ended is not None:
            return
        self._ended = end()
        self._tail.clear()
        if self._listener is not None:
            self._listener(self._ended)

    def _verdict(self, otherwise: str) -> StreamEnd:
        """Success if the terminator was seen; else the word for how it ended without."""
        reader = self.reader
        if self._tail:
            reader.tail(b"".join(self._tail), continued=len(self._tail) < TAIL_CHUNKS)
        if reader.failure is not None:
            return StreamEnd(False, reader.failure, reader.failure.kind.label, reader.usage, reader.served_model, self._events)
        if reader.finished:
            return StreamEnd(True, None, None, reader.usage, reader.served_model, self._events)
        failure = Failure(FailureKind.TRUNCATED) if otherwise == "truncated" else None
        return StreamEnd(False, failure, otherwise, reader.usage, reader.served_model, self._events)


class Tap(_Proxy):
    """Stands for the byte stream of an HTTP response; hands on its bytes and tells the watch.

    A proxy, so that it passes for the HTTP library's own stream class and forwards whatever else is asked of it.
    """

    def __init__(self, stream: Any, watch: Watch, classify: Callable[[BaseException], Failure]) -> None:
        super().__init__(stream)
        self._self_watch = watch
        self._self_classify = classify
        self._self_source: Any = None
        self._self_head: deque[bytes] = deque()
        self._self_error: BaseException | None = None
        self._self_whole = False

    # -- before the commit point: the engine reads ahead

    def pull(self) -> bytes | None:
        """The next chunk; None at the end."""
        chunk: bytes | None = next(self._source(iter), None)
        return chunk

    async def apull(self) -> bytes | None:
        """The next chunk, awaited; None at the end."""
        chunk: bytes | None = await anext(self._source(aiter), None)
        return chunk

    def _source(self, begin: Callable[[Any], Any]) -> Any:
        """The one iterator over the provider's stream, however often the SDK begins to iterate."""
        if self._self_source is None:
            self._self_source = begin(self.__wrapped__)
        return self._self_source

    def replay(self, chunk: bytes) -> None:
        """Keeps a chunk that was read ahead for the SDK."""
        if chunk:
            self._self_head.append(chunk)

    def classify(self, exc: BaseException) -> Failure:
        """What an exception while reading means."""
        failure: Failure = self._self_classify(exc)
        return failure

    @property
    def error(self) -> BaseException | None:
        """What the SDK will see raised after what was read ahead."""
        error: BaseException | None = self._self_error
        return error

    def stop_at(self, error: BaseException | None) -> None:
        """Nothing more comes: after what was read ahead the stream ends, or raises `error`."""
        self._self_whole = True
        self._self_error = error

    # -- after it: the SDK reads

    def __iter__(self) -> Iterator[bytes]:
        head, take = self._self_head, self._self_watch.take
        while head:
            yield head.popleft()
        try:
            for chunk in () if self._self_whole else self._source(iter):
                shown = take(chunk)
                if shown:
                    yield shown
        except Exception as exc:
            last = self._broken(exc)
            if last is None:
                raise
            yield last
            return
        yield from self._ending()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        head, take = self._self_head, self._self_watch.take
        while head:
            yield head.popleft()
        try:
            if not self._self_whole:
                async for chunk in self._source(aiter):
                    shown = take(chunk)
                    if shown:
                        yield shown
        except Exception as exc:
            last = self._broken(exc)
            if last is None:
                raise
            yield last
            return
        except BaseException as exc:
            if not isinstance(exc, GeneratorExit):
                self._self_watch.cancelled()
            raise
        for last in self._ending():
            yield last

    def _broken(self, exc: Exception) -> bytes | None:
        """Reading failed: the last bytes for the caller's SDK, or None where it shall see the exception itself."""
        watch = self._self_watch
        failure = self.classify(exc)
        watch.failed(failure)
        return watch.reader.break_off(failure)

    def _ending(self) -> Iterator[bytes]:
        if self._self_error is not None:
            raise self._self_error
        last = b"" if self._self_whole else self._self_watch.closing()
        if last:
            yield last
        self._self_watch.drained()

    def close(self) -> None:
        self._self_watch.closed()
        self.__wrapped__.close()

    async def aclose(self) -> None:
        self._self_watch.closed()
        await self.__wrapped__.aclose()

    def __del__(self) -> None:
        watch = getattr(self, "_self_watch", None)
        if watch is not None:
            watch.abandoned()


def open_until_content(
    tap: Tap, watch: Watch, pull: Callable[[], Any], too_late: Callable[[], bool]
) -> Plan[Failure | None]:
    """Reads ahead until the first content, so that a provider that fails before it fails over unseen.

    Args:
        tap: the stream, which will replay what was read.
        watch: who reads the events.
        pull: `tap.pull` or `tap.apull`.
        too_late: whether the time for the first content is over. Keep-alives don't reset it.

    Returns:
        The failure that came before the first content; None when the stream may be handed to the caller.
    """
    reader = watch.reader
    while not reader.committed:
        try:
            chunk = yield pull
        except Exception as exc:  # noqa: BLE001 - any failure to read is the provider's, and is replayed to the SDK
            tap.stop_at(exc)
            return tap.classify(exc)
        if chunk is None:
            return _ended_early(tap, watch)
        shown = watch.head(chunk)
        tap.replay(shown if reader.translating else chunk)
        if reader.failure is not None or reader.finished:
            return reader.failure
        if too_late():
            return Failure(FailureKind.TIMEOUT)
    return None


def _ended_early(tap: Tap, watch: Watch) -> Failure | None:
    tap.stop_at(None)
    tap.replay(watch.closing())
    if watch.reader.failure is not None:
        return watch.reader.failure
    return None if watch.reader.finished else Failure(FailureKind.TRUNCATED)


def decoder_for(content_encoding: str) -> Callable[[bytes], bytes] | None:
    """A function that decodes a body's bytes as they come; None where there is nothing to decode.

    Raises:
        LookupError: an encoding that the standard library can't read.
    """
    if content_encoding in ("", "identity"):
        return None
    if content_encoding in ("gzip", "deflate"):
        return zlib.decompressobj(47).decompress
    raise LookupError(content_encoding)
