"""A port that is listened to, or not, and stays ours."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar

from llm_router_middleware.sandbox.connection import Connection, Respond

__all__ = ["Listener"]

_T = TypeVar("_T")
_BACKLOG = 2048


class Listener:
    """Listens on a port of 127.0.0.1. Its coroutines run in the sandbox's loop, its methods in any other thread.

    Args:
        respond: answers a request.

    Attributes:
        connections: the open ones.
    """

    def __init__(self, respond: Respond) -> None:
        self._respond = respond
        self.connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._placeholder: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._port: int | None = None

    @property
    def port(self) -> int:
        """The port's number.

        Raises:
            RuntimeError: the sandbox was not started.
        """
        if self._port is None:
            raise RuntimeError("the sandbox is not running: use it as a context manager, or call start()")
        return self._port

    async def open(self) -> None:
        """Takes a free port and listens."""
        self._loop = asyncio.get_running_loop()
        await self._listen(0)

    async def close(self) -> None:
        """Closes the port and every connection, and waits for the answers under way to be gone."""
        await self._stop()
        open_now = list(self.connections)
        for connection in open_now:
            connection.abort()
        await asyncio.gather(*(connection.gone.wait() for connection in open_now))
        self._drop_placeholder()
        self._loop = None

    def listen(self) -> None:
        """Listens again."""
        self._run(self._listen(self.port))

    def stop_listening(self) -> None:
        """Refuses connections until `listen`."""
        self._run(self._refuse())

    def disown(self) -> None:
        """In a forked child: points every descriptor at nothing. Closing them here would wake the parent's loop."""
        held = [] if self._server is None else [sock.fileno() for sock in self._server.sockets]
        held += [connection.fileno() for connection in self.connections]
        held += [] if self._placeholder is None else [self._placeholder.fileno()]
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in held:
            if descriptor >= 0:
                os.dup2(null, descriptor, inheritable=False)
        os.close(null)

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        if self._loop is None:
            work.close()
            raise RuntimeError("the sandbox is not running")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self, port: int) -> None:
        if self._server is not None:
            return
        # The placeholder itself begins to listen: between closing it and binding again, another could take the port.
        sock, self._placeholder = self._placeholder or _bound(port), None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, sock=sock, backlog=_BACKLOG)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        await self._stop()
        for connection in list(self.connections):
            connection.leave()

    async def _stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        self._server = None
        # A socket that is bound and does not listen refuses connections and keeps the port from others.
        self._placeholder = _bound(self.port)

    def _connection(self) -> Connection:
        return Connection(self._respond, self.connections)

    def _drop_placeholder(self) -> None:
        if self._placeholder is not None:
            self._placeholder.close()
            self._placeholder = None


def _bound(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":  # elsewhere the option would let two processes share the port
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
    except OSError:
        sock.close()
        raise
    return sock
