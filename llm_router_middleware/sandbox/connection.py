"""One TCP connection: HTTP/1.1 by h11, requests one after the other, steps performed as they come."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

try:
    import h11
except ModuleNotFoundError as missing:
    hint = "the sandbox needs h11: pip install 'llm-router-middleware[sandbox]'"
    raise ModuleNotFoundError(hint, name="h11") from missing

from llm_router_middleware.sandbox.perform import Close, Data, End, HalfClose, Head, Pause, Reset, Step
from llm_router_middleware.sandbox.recording import RecordedRequest

__all__ = ["Connection", "Respond"]

Respond = Callable[[str, str, dict[str, str], bytes], tuple[RecordedRequest, Iterator[Step]]]
"""From method, target, headers and body to the recorded request and the steps of its answer."""

_PACKET = 64 * 1024


class Connection(asyncio.Protocol):
    """Speaks HTTP/1.1 with one client.

    Args:
        respond: answers a request.
        alive: the provider's open connections; this one puts itself in and takes itself out.

    Attributes:
        gone: set when the connection is closed for good.
    """

    def __init__(self, respond: Respond, alive: set[Connection]) -> None:
        self._respond = respond
        self._alive = alive
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=1024 * 1024)
        self._request: h11.Request | None = None
        self._body: list[bytes] = []
        self._task: asyncio.Task[None] | None = None
        self._leaving = False
        self.gone = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a TCP server hands out
        self._transport = transport
        self._alive.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio asks for it
        self._alive.discard(self)
        self.gone.set()
        self._writable.set()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._http.receive_data(data)
        self._advance()

    def eof_received(self) -> bool:
        if self._task is not None:
            # A client that has closed can't be told from one that only stopped talking; real ones have closed.
            self._transport.abort()
        return False

    def fileno(self) -> int:
        """The socket's descriptor; -1 once it is closed."""
        raw: Any = self._transport.get_extra_info("socket")
        return int(raw.fileno())

    def leave(self) -> None:
        """Closes the connection: now if it is idle, else after the answer under way."""
        self._leaving = True
        if self._task is None:
            self.abort()

    def abort(self) -> None:
        """Closes the connection at once."""
        self._transport.abort()

    def _advance(self) -> None:
        """Reads what there is, up to the end of a request."""
        while self._task is None:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                return self._refuse()
            if isinstance(event, h11.Request):
                self._begin(event)
            elif isinstance(event, h11.Data):
                self._body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._task = asyncio.get_running_loop().create_task(self._answer())
            else:
                return None
        return None

    def _begin(self, request: h11.Request) -> None:
        self._request, self._body = request, []
        if self._http.they_are_waiting_for_100_continue:
            self._send(h11.InformationalResponse(status_code=100, headers=[]))

    def _refuse(self) -> None:
        """What came is not HTTP."""
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._send(h11.Response(status_code=400, headers=[("content-length", "0"), ("connection", "close")]))
        self._transport.close()

    async def _answer(self) -> None:
        try:
            await self._exchange()
        except Exception as error:  # noqa: BLE001 - told to the loop; no client waits for what a bug of ours has eaten
            told = {"message": "the sandbox failed to answer", "exception": error, "protocol": self}
            asyncio.get_running_loop().call_exception_handler(told)
            self._transport.abort()
        else:
            self._next()

    async def _exchange(self) -> None:
        request = self._request
        assert request is not None  # noqa: S101 - set before the task is made
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
        method, target = request.method.decode("latin-1"), request.target.decode("latin-1")
        recorded, steps = self._respond(method, target, headers, b"".join(self._body))
        try:
            await self._perform(steps, recorded)
        except asyncio.CancelledError:
            recorded.end("abandoned")
            raise

    def _next(self) -> None:
        """Makes ready for the next request on this connection."""
        self._task = None
        if self._transport.is_closing():
            return
        if self._leaving or self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            self._transport.close()
            return
        self._http.start_next_cycle()
        self._advance()

    async def _perform(self, steps: Iterator[Step], recorded: RecordedRequest) -> None:
        packet = bytearray()
        for step in steps:
            if isinstance(step, Head):
                recorded.status = step.status
                packet += self._bytes(h11.Response(status_code=step.status, headers=_framed(step)))
            elif isinstance(step, Data):
                if len(packet) >= _PACKET:
                    await self._flush(packet)
                packet += self._bytes(h11.Data(data=step.data))
            elif isinstance(step, Pause):
                await self._flush(packet)
                await self._pause(step)
            elif isinstance(step, End):
                packet += self._bytes(h11.EndOfMessage())
                recorded.end("complete")
            else:
                await self._flush(packet)
                recorded.end("cut")
                await self._break(step)
        await self._flush(packet)

    async def _flush(self, packet: bytearray) -> None:
        """Writes what has gathered, in one packet."""
        if packet:
            self._transport.write(bytes(packet))
            packet.clear()
        await self._writable.wait()

    async def _pause(self, pause: Pause) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + pause.seconds
        if pause.every_s is not None:
            while (left := end - loop.time()) > pause.every_s:
                await asyncio.sleep(min(left, pause.every_s))
                self._send(h11.Data(data=pause.ping))
        left = end - loop.time()
        if left == float("inf"):
            await loop.create_future()
        await asyncio.sleep(max(0.0, left))

    async def _break(self, step: Close | HalfClose | Reset) -> None:
        if isinstance(step, Close):
            self._transport.close()
        elif isinstance(step, HalfClose):
            self._transport.write_eof()
            await asyncio.get_running_loop().create_future()
        else:
            raw: Any = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if os.name == "nt" else "ii", 1, 0))
            self._transport.abort()

    def _bytes(self, event: Any) -> bytes:
        return self._http.send(event) or b""

    def _send(self, event: Any) -> None:
        self._transport.write(self._bytes(event))


def _framed(head: Head) -> list[tuple[str, str]]:
    framing = ("transfer-encoding", "chunked") if head.length is None else ("content-length", str(head.length))
    return [*head.headers, framing]
