"""The sandbox: three providers, one thread, one event loop."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType

from llm_router_middleware.sandbox.origins import Anthropic, Groq, OpenAI
from llm_router_middleware.sandbox.provider import Provider

__all__ = ["Sandbox"]


class Sandbox:
    """OpenAI, Anthropic and Groq on three ports of 127.0.0.1. A context manager, also an asynchronous one.

    Args:
        now: the clock of recorded requests and time windows, in seconds.
        strict: refuse, as the providers do, parameters that they don't know and tool calls without their results.

    Attributes:
        openai, anthropic, groq: the providers.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic, *, strict: bool = False) -> None:
        self.openai = Provider(OpenAI(), now, strict=strict)
        self.anthropic = Provider(Anthropic(), now, strict=strict)
        self.groq = Provider(Groq(), now, strict=strict)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._pid = os.getpid()

    @property
    def providers(self) -> tuple[Provider, ...]:
        """The three."""
        return (self.openai, self.anthropic, self.groq)

    def env(self) -> dict[str, str]:
        """The six environment variables with which the SDKs come here."""
        env = {}
        for provider in self.providers:
            env[f"{provider.name.upper()}_API_KEY"] = provider.api_key
            env[f"{provider.name.upper()}_BASE_URL"] = provider.base_url
        return env

    def start(self) -> Sandbox:
        """Starts listening.

        Returns:
            The sandbox itself.

        Raises:
            RuntimeError: it runs already.
            OSError: no port could be had.
        """
        if self._thread is not None:
            raise RuntimeError("the sandbox is already running")
        ready: Future[None] = Future()
        self._pid = os.getpid()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_disowning(weakref.ref(self)))
        self._thread = threading.Thread(target=self._run, args=(ready,), name="llm-router-sandbox", daemon=True)
        self._thread.start()
        try:
            ready.result()
        except BaseException:
            self._thread.join()
            self._thread = None
            raise
        return self

    def close(self) -> None:
        """Stops everything: ports, connections, thread. May be called twice; in a forked child it does nothing."""
        thread, self._thread = self._thread, None
        if thread is None or self._pid != os.getpid():
            return
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        thread.join()

    def reset(self) -> None:
        """Resets the three providers."""
        for provider in self.providers:
            provider.reset()

    def disown(self) -> None:
        """In a forked child: lets go of every socket, so that what the parent closes is closed."""
        for provider in self.providers:
            provider.listener.disown()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Sandbox:
        return self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, ready: Future[None]) -> None:
        try:
            asyncio.run(self._serve(ready))
        except OSError as error:
            ready.set_exception(error)

    async def _serve(self, ready: Future[None]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        listeners = [provider.listener for provider in self.providers]
        try:
            for listener in listeners:
                await listener.open()
            ready.set_result(None)
            await self._stop.wait()
        finally:
            for listener in listeners:
                await listener.close()


def _disowning(reference: weakref.ref[Sandbox]) -> Callable[[], None]:
    """What to do in a forked child, without keeping the sandbox alive."""

    def disown() -> None:
        sandbox = reference()
        if sandbox is not None:
            sandbox.disown()

    return disown
