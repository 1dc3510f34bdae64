"""A scripted provider without sockets: a transport for `httpx` or `httpx2`, whichever the SDK uses.

No time passes on its own: a pause calls `sleep`, and one longer than the request's read timeout ends in that timeout.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from llm_router_middleware.sandbox.perform import Close, Data, End, HalfClose, Head, Pause, Reset, Step
from llm_router_middleware.sandbox.provider import ScriptedProvider
from llm_router_middleware.sandbox.recording import RecordedRequest

__all__ = ["transport"]


def transport(provider: ScriptedProvider, http: Any, sleep: Callable[[float], object]) -> Any:
    """Makes a `MockTransport`, good for synchronous and asynchronous clients.

    Args:
        provider: who answers.
        http: the module `httpx` or `httpx2`.
        sleep: called with the seconds of every pause.

    Returns:
        `http.MockTransport`.
    """

    def handle(request: Any) -> Any:
        headers = {name.lower(): value for name, value in request.headers.items()}
        recorded, steps = provider.respond(request.method, request.url.raw_path.decode(), headers, request.content)
        return _Delivery(http, request, recorded, steps, sleep).response()

    return http.MockTransport(handle)


class _Delivery:
    """One answer on its way.

    Args:
        http: the module `httpx` or `httpx2`.
        request: in its words.
        recorded: in ours.
        steps: what is to be done.
        sleep: passes time.
    """

    def __init__(
        self,
        http: Any,
        request: Any,
        recorded: RecordedRequest,
        steps: Iterator[Step],
        sleep: Callable[[float], object],
    ) -> None:
        self._http = http
        self._request = request
        self._recorded = recorded
        self._steps = steps
        self._sleep = sleep
        self._left: int | None = None

    def response(self) -> Any:
        """Goes as far as the headers."""
        for step in self._steps:
            if isinstance(step, Head):
                self._recorded.status = step.status
                self._left = step.length
                return self._http.Response(
                    step.status, headers=list(step.headers), stream=_body(self._http, self._data(), self._recorded)
                )
            self._take(step)
        raise AssertionError("unreachable: every answer has headers, or breaks before them")

    def _data(self) -> Iterator[bytes]:
        try:
            for step in self._steps:
                if isinstance(step, Data):
                    self._left = None if self._left is None else self._left - len(step.data)
                    yield step.data
                elif isinstance(step, Pause) and step.every_s is not None:
                    yield from self._pings(step, step.every_s)
                elif isinstance(step, End):
                    break
                else:
                    self._take(step)
            self._recorded.end("complete")
        finally:
            self._recorded.end("abandoned")

    def _take(self, step: Step) -> None:
        if isinstance(step, Pause):
            self._wait(step.seconds)
            return
        self._recorded.end("cut")
        if isinstance(step, Reset):
            raise self._http.ReadError("[Errno 104] Connection reset by peer", request=self._request)
        if isinstance(step, (Close, HalfClose)) and self._left != 0:
            text = "peer closed connection without sending complete message body"
            raise self._http.RemoteProtocolError(text, request=self._request)

    def _pings(self, pause: Pause, every_s: float) -> Iterator[bytes]:
        """Keep-alives while time passes. One that never ends would never fail either, so that is a timeout at once."""
        if pause.seconds == float("inf"):
            self._wait(pause.seconds)
        for _ in range(int(pause.seconds / every_s)):
            self._wait(every_s)
            yield pause.ping

    def _wait(self, seconds: float) -> None:
        patience = self._request.extensions.get("timeout", {}).get("read")
        if seconds == float("inf") or (patience is not None and seconds > patience):
            self._sleep(patience or 0.0)
            raise self._http.ReadTimeout("The read operation timed out", request=self._request)
        self._sleep(seconds)


def _body(http: Any, data: Iterator[bytes], recorded: RecordedRequest) -> Any:
    """A body for both kinds of client."""

    class Body(http.SyncByteStream, http.AsyncByteStream):  # type: ignore[misc] # the base depends on the library
        def __iter__(self) -> Iterator[bytes]:
            return data

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for part in data:
                yield part

        def close(self) -> None:
            data.close()  # type: ignore[attr-defined] # a generator
            recorded.end("abandoned")  # one that was never begun does not end by itself

        async def aclose(self) -> None:
            self.close()

    return Body()
