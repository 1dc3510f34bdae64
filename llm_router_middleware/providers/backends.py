"""Who else could answer: clients of other providers, built when first needed, once, and pooled.

A credential belongs to one provider and one origin: a backend is built from a pair of both, or was given as a whole
client. Async clients are kept per event loop, since their connections live in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import inspect
import threading
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from typing import Any

from llm_router_middleware.engine.call import Wire

__all__ = ["CHAT_PATHS", "Backend", "Backends", "fingerprint"]

CHAT_PATHS: Mapping[Wire, str] = {
    "openai_chat": "/chat/completions",
    "openai_responses": "/responses",
    "groq_chat": "/openai/v1/chat/completions",
    "anthropic_messages": "/v1/messages",
}
"""Where each wire's chat endpoint is, under the base URL of its SDK's client."""

_RAW = "X-Stainless-Raw-Response"


class Backend:
    """One client of another provider, asked beneath the door with a wire body, for a raw HTTP response."""

    def __init__(self, client: Any, entrance: Any, guard: Any = None) -> None:
        self.client = client
        self._guard = guard
        self.sdk = entrance.sdk
        self._entrance = entrance

    def post(self, wire: Wire, body: dict[str, Any], timeout_s: float | None) -> Callable[[], Any]:
        """A step that sends a body and gives the SDK's raw response, its HTTP body unread.

        Raises (the step): the exceptions of this backend's SDK.
        """
        base = importlib.import_module(f"{self.sdk.name}._models")
        options: dict[str, Any] = {
            "method": "post",
            "url": CHAT_PATHS[wire],
            "json_data": body,
            "headers": {_RAW: "stream"},
            "max_retries": 0,
        }
        if timeout_s is not None:
            options["timeout"] = timeout_s
        final = base.FinalRequestOptions.construct(**options)
        # A stream in any case: the body is read by a step of its own, where a failure to read it can be told apart.
        module = self.sdk.module
        streams = module.AsyncStream if self._entrance.is_async else module.Stream
        request = self._entrance.beneath(self.client)
        return lambda: request(object, final, stream=True, stream_cls=streams[object])


class Backends:
    """The other providers of one router.

    Args:
        providers: what is known of each provider, by name: objects with `name`, `sdk` and `wire`.
        credentials: the key and base URL of a provider; None where its key is absent.
        client_class: an SDK's client class, by the SDK's name, sync or async; imports the SDK.
        enter: what the door knows of a client class, so that a backend is asked beneath it.
        given: clients to use as they are.
        name_of: the provider that a given client talks to.
        endpoint_of: the name of a given client's circuit, which is the same where that client is the caller's.
    """

    def __init__(
        self,
        providers: Mapping[str, Any],
        credentials: Callable[[Any], Any],
        client_class: Callable[[str, bool], type],
        enter: Callable[[type], Any],
        name_of: Callable[[Any], str],
        endpoint_of: Callable[[Any], str],
        given: Iterable[Any] = (),
    ) -> None:
        self._providers = providers
        self._credentials = {name: credentials(spec) for name, spec in providers.items()}
        self._client_class = client_class
        self._enter = enter
        self._lock = threading.Lock()
        self._installed: dict[str, bool] = {}
        self._sync: dict[str, Backend] = {}
        # Closed when this object goes, not when the garbage collector meets clients and sockets in some order.
        weakref.finalize(self, _close_all, self._sync).atexit = False
        self._async: weakref.WeakKeyDictionary[Any, dict[str, Backend]] = weakref.WeakKeyDictionary()
        self._given: dict[tuple[str, bool], Backend] = {}
        self._endpoints: dict[str, str] = {}
        for client in given:
            entrance = enter(type(client))
            provider = name_of(client)
            self._given[provider, entrance.is_async] = Backend(client, entrance)
            self._endpoints[provider] = endpoint_of(client)

    def unavailable(self, provider: str, is_async: bool) -> str | None:
        """Why nobody can be asked there; None if someone can. Builds nothing, imports nothing."""
        if (provider, is_async) in self._given:
            return None
        spec = self._providers.get(provider)
        if spec is None:
            return f"no provider {provider!r} is configured"
        if self._credentials[provider] is None:
            return f"no API key for {provider}"
        if not self._is_installed(spec.sdk):
            return f"the {spec.sdk} package is not installed"
        return None

    def _is_installed(self, package: str) -> bool:
        if package not in self._installed:
            self._installed[package] = importlib.util.find_spec(package) is not None
        return self._installed[package]

    def wire(self, provider: str) -> Wire | None:
        """The dialect that a provider speaks; None for one that is not configured."""
        spec = self._providers.get(provider)
        return None if spec is None else spec.wire

    def endpoint(self, provider: str) -> str:
        """Provider, origin and credential in one key, for its circuit breaker."""
        if provider in self._endpoints:
            return self._endpoints[provider]
        credentials = self._credentials.get(provider)
        return provider if credentials is None else f"{provider}@{credentials.origin}#{fingerprint(credentials.key)}"

    def get(self, provider: str, is_async: bool) -> Backend:
        """The backend of a provider, built now if it was never needed before."""
        given = self._given.get((provider, is_async))
        if given is not None:
            return given
        with self._lock:
            pool = self._pool(is_async)
            if provider not in pool:
                pool[provider] = self._build(provider, is_async)
            return pool[provider]

    def close(self) -> None:
        """Closes the sync clients that were built here. Async ones close with their loop; given ones are yours."""
        with self._lock:
            _close_all(self._sync)

    def _pool(self, is_async: bool) -> dict[str, Backend]:
        if not is_async:
            return self._sync
        return self._async.setdefault(asyncio.get_running_loop(), {})

    def _build(self, provider: str, is_async: bool) -> Backend:
        spec, credentials = self._providers[provider], self._credentials[provider]
        entrance = self._enter(self._client_class(spec.sdk, is_async))
        options: dict[str, Any] = {"api_key": credentials.key, "base_url": credentials.base_url, "max_retries": 0}
        if "open_telemetry" in inspect.signature(entrance.cls).parameters:
            options["open_telemetry"] = False
        client = entrance.cls(**options)
        # A redirect to another origin would carry the prompt, and headers other than Authorization, with it.
        client._client.follow_redirects = False
        return Backend(client, entrance, _closing_with_the_loop(client) if is_async else None)


def _close_all(pool: dict[str, Backend]) -> None:
    while pool:
        pool.popitem()[1].client.close()


def _closing_with_the_loop(client: Any) -> AsyncIterator[None]:
    """A guard that, as long as it is kept, closes a client when its event loop shuts its async generators down.

    `asyncio.run` does so at its end. There is no other moment at which connections that live in a loop can be closed:
    later the loop is gone.
    """
    guard = _until_shutdown(client)
    with contextlib.suppress(StopIteration):
        guard.__anext__().send(None)
    return guard


async def _until_shutdown(client: Any) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await client.close()
        await asyncio.sleep(0)  # the transports' own callbacks, which close the sockets, run after this


def fingerprint(key: object) -> str:
    """Tells credentials apart within one process, and tells nothing about them: 16 bits of a hash keyed per process."""
    return f"{hash(key) & 0xFFFF:04x}" if isinstance(key, str) else ""
