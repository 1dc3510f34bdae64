"""The caller's own SDK, fed another provider's answer as a synthetic HTTP response.

So that the SDK itself builds the object, raises the exception, parses the `.parse()` and iterates the stream: we
construct none of its types. A shadow is a private client of the caller's SDK whose transport answers from memory.
"""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

__all__ = ["Shadows", "http_library"]

_TICKET = "x-llm-router-shadow"
"""The request header that tells the in-memory transport which response is meant."""


class Shadows:
    """The shadow clients of one router: at most one per SDK, sync or async, strict or not.

    Args:
        beneath: a client's `request` beneath the door, so that a shadow is never routed itself.
    """

    def __init__(self, beneath: Callable[[Any], Callable[..., Any]]) -> None:
        self._beneath = beneath
        self._clients: dict[tuple[str, bool, bool], Any] = {}
        self._waiting: dict[str, Any] = {}
        self._tickets = itertools.count(1)

    def say(
        self, native: Any, status: int, headers: dict[str, str], body: bytes | None, stream: Any = None
    ) -> Callable[[], Any]:
        """A step that has the caller's SDK take a response as the answer to his request.

        Args:
            native: the caller's call.
            status: of the response; the SDK raises its own exception for an error.
            headers: of the response.
            body: the whole body; None for a stream.
            stream: an iterable of bytes, with `close` or `aclose`.
        """
        client = self._client(native.sdk, native.is_async, native.strict)
        ticket = str(next(self._tickets))
        http = http_library(native.sdk)
        content = {"content": body} if body is not None else {"stream": _body(http, stream, native.is_async)}
        self._waiting[ticket] = http.Response(status, headers=headers, **content)
        options = native.detached({_TICKET: ticket})
        request = self._beneath(client)
        return partial(request, native.cast_to, options, stream=native.stream, **native.rest)

    def _client(self, sdk: Any, is_async: bool, strict: bool) -> Any:
        key = (sdk.name, is_async, strict)
        client = self._clients.get(key)
        if client is None:
            client = self._clients[key] = self._build(sdk, is_async, strict)
        return client

    def _build(self, sdk: Any, is_async: bool, strict: bool) -> Any:
        cls = getattr(sdk.module, sdk.roots[is_async])
        http = http_library(sdk)
        transport = _transport(http, is_async, self._waiting.pop)
        options: dict[str, Any] = {
            "api_key": "llm-router-shadow",
            "base_url": "http://llm-router.invalid",
            "max_retries": 0,
            "_strict_response_validation": strict,
            "http_client": (http.AsyncClient if is_async else http.Client)(transport=transport, trust_env=False),
        }
        if "open_telemetry" in inspect.signature(cls).parameters:
            options["open_telemetry"] = False
        return cls(**options)


def http_library(sdk: Any) -> Any:
    """The HTTP library that an SDK speaks: httpx2 for openai >= 3 and anthropic >= 1, else httpx."""
    base = sys.modules[f"{sdk.name}._base_client"]
    return getattr(base, "httpx2", None) or base.httpx


def _transport(http: Any, is_async: bool, take: Callable[[str], Any]) -> Any:
    if is_async:

        class AsyncMemory(http.AsyncBaseTransport):  # type: ignore[misc]
            async def handle_async_request(self, request: Any) -> Any:
                return take(request.headers[_TICKET])

        return AsyncMemory()

    class Memory(http.BaseTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            return take(request.headers[_TICKET])

    return Memory()


def _body(http: Any, stream: Any, is_async: bool) -> Any:
    """The stream in the clothes of the caller's HTTP library; closing it closes what is beneath."""
    if is_async:

        class AsyncBody(http.AsyncByteStream):  # type: ignore[misc]
            def __aiter__(self) -> Any:
                return aiter(stream)

            async def aclose(self) -> None:
                await stream.aclose()

        return AsyncBody()

    class Body(http.SyncByteStream):  # type: ignore[misc]
        def __iter__(self) -> Any:
            return iter(stream)

        def close(self) -> None:
            stream.close()

    return Body()
