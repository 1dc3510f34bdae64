"""Streams: observe the bytes, commit at the first content, finalise once.

A `Watch` follows one streamed answer; a `Tap` stands where the HTTP response's byte stream stood and shows the watch
every chunk on its way to the SDK. Above the tap the SDK works as ever, so its stream objects, raw responses and
helpers are its own. Nothing is buffered beyond the commit point but a bounded tail, which is read once, at the end.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

from wrapt import ObjectProxy

from llm_router_middleware.engine.call import Failure, FailureKind
from llm_router_middleware.engine.drive import Plan
from llm_router_middleware.engine.fence import fenced, report
from llm_router_middleware.engine.watch import Watch

__all__ = ["Tap", "decoder_for", "open_until_content"]

if TYPE_CHECKING:
    _Proxy = ObjectProxy[Any]
else:
    _Proxy = ObjectProxy  # not generic before wrapt 2


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
        try:
            while head:
                yield head.popleft()
            for chunk in () if self._self_whole else self._source(iter):
                try:
                    shown = take(chunk)
                except Exception as bug:  # noqa: BLE001 - fail open
                    shown, take = self._unread(bug, chunk)
                if shown:
                    yield shown
        except Exception as exc:
            last = fenced(self._broken, exc)
            if last is None:
                raise
            yield last
            return
        except BaseException as exc:
            fenced(self._left, exc)
            raise
        yield from self._ending()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        head, take = self._self_head, self._self_watch.take
        try:
            while head:
                yield head.popleft()
            if not self._self_whole:
                async for chunk in self._source(aiter):
                    try:
                        shown = take(chunk)
                    except Exception as bug:  # noqa: BLE001 - fail open
                        shown, take = self._unread(bug, chunk)
                    if shown:
                        yield shown
        except Exception as exc:
            last = fenced(self._broken, exc)
            if last is None:
                raise
            yield last
            return
        except BaseException as exc:
            fenced(self._left, exc)
            raise
        for last in self._ending():
            yield last

    def _unread(self, bug: Exception, chunk: bytes) -> tuple[bytes, Callable[[bytes], bytes]]:
        """A bug of ours while reading: from here on the SDK gets the provider's bytes as they come."""
        withheld = self._self_watch.reader.withheld()
        if withheld is None:
            raise bug
        report("a stream goes on unread", bug)
        self._self_watch.lose_track()
        return withheld + chunk, _as_it_is

    def _broken(self, exc: Exception) -> bytes | None:
        """Reading failed: the last bytes for the caller's SDK, or None where it shall see the exception itself."""
        watch = self._self_watch
        failure = fenced(self.classify, exc) or Failure(FailureKind.INTERNAL)
        fenced(watch.failed, failure)
        return watch.reader.break_off(failure)

    def _left(self, exc: BaseException) -> None:
        """The reader has gone. The provider's stream goes with him, so that its connection is given back at once."""
        self._self_source = None
        self.stop_at(None)
        watch = self._self_watch
        fenced(watch.closed if isinstance(exc, GeneratorExit) else watch.cancelled)

    def _ending(self) -> Iterator[bytes]:
        if self._self_error is not None:
            raise self._self_error
        last = None if self._self_whole else fenced(self._self_watch.closing)
        # Said before the last bytes are handed on: an SDK that makes an exception of them never comes back for more.
        fenced(self._self_watch.drained)
        if last:
            yield last

    def close(self) -> None:
        fenced(self._self_watch.closed)
        self.__wrapped__.close()

    async def aclose(self) -> None:
        fenced(self._self_watch.closed)
        await self.__wrapped__.aclose()

    def __del__(self) -> None:
        watch = getattr(self, "_self_watch", None)
        if watch is not None:
            fenced(watch.abandoned)


def _as_it_is(chunk: bytes) -> bytes:
    return chunk


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
        if not reader.committed and too_late():
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
