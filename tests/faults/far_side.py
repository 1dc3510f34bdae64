"""Providers in virtual time: what they do to each request is drawn, and every request that reaches them is counted."""

from __future__ import annotations

import asyncio
import json
import math
import random
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from tests.faults.wire_forms import chat_events, chat_whole, messages_events, messages_whole

__all__ = ["CALLER", "FAULTS", "MIDWAY", "ConnectError", "Fault", "NetworkError", "Provider", "Request", "Response"]

CALLER: ContextVar[int] = ContextVar("caller")
"""The number of the call on whose behalf a request is made."""


@dataclass(frozen=True)
class Fault:
    """What a provider may do to a request.

    Attributes:
        name: of it.
        whole: how the attempt shall be classified when a whole answer was asked for.
        stream: and when a stream was.
        status: of its answer, where there is one.
        code: in the body of an error.
        retry_after: header.
    """

    name: str
    whole: str = "ok"
    stream: str = "ok"
    status: int = 200
    code: str = "error"
    retry_after: str | None = None


def _both(name: str, label: str, **details: Any) -> Fault:
    return Fault(name, label, label, **details)


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("none"),
        _both("429", "rate_limit", status=429, code="rate_limit_exceeded"),
        _both("429 after", "rate_limit", status=429, code="rate_limit_exceeded", retry_after="3"),
        _both("quota", "quota", status=429, code="insufficient_quota"),
        _both("500", "server", status=500),
        _both("503", "server", status=503),
        _both("529", "overloaded", status=529, code="overloaded_error"),
        _both("400", "bad_request", status=400),
        _both("404", "not_found", status=404),
        _both("401", "auth", status=401, code="invalid_api_key"),
        _both("409", "conflict", status=409),
        _both("refused", "connect"),
        _both("reset", "connection_lost"),
        _both("hang", "timeout"),
        _both("html", "html"),
        _both("bad json", "bad_json"),
        Fault("error first", "ok", "server", code="server_error"),
        Fault("empty", "ok", "truncated"),
        Fault("cut midway"),
        Fault("error midway", code="server_error"),
        Fault("reset midway"),
        Fault("pings"),
    )
}
MIDWAY = {"cut midway": "truncated", "error midway": "server", "reset midway": "connection_lost"}
"""How a stream ends that breaks after its first content."""


@dataclass(frozen=True)
class Request:
    """A request that was made.

    Attributes:
        caller: on whose behalf.
        provider: to whom.
        model: for which model.
        fault: what became of it.
        stream: whether it asked for a stream.
    """

    caller: int
    provider: str
    model: str
    fault: Fault
    stream: bool


@dataclass
class Response:
    """An HTTP response, as far as anybody looks at it."""

    status: int
    headers: dict[str, str]
    stream: Any
    content: bytes = b""
    is_closed: bool = False

    async def aread(self) -> bytes:
        self.content = b"".join([part async for part in self.stream])
        self.is_closed = True
        return self.content

    async def aclose(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            await self.stream.aclose()


class ConnectError(Exception):
    """No connection, in the HTTP library's word."""


class NetworkError(Exception):
    """A connection that broke, likewise."""


@dataclass
class Provider:
    """A service.

    Attributes:
        name: of it.
        draw: where its moods come from.
        weights: how likely each fault is now.
        requests: all that were made, to this provider or another, in order.
        open: bodies of answers that are neither read to their end nor closed.
    """

    name: str
    draw: random.Random
    weights: dict[str, float]
    requests: list[Request]
    open: set[Any] = field(default_factory=set)

    def mood(self, model: str) -> str:
        """What happens to the next request for a model."""
        return self.draw.choices(list(self.weights), list(self.weights.values()))[0]

    async def answer(self, body: dict[str, Any]) -> Response:
        """One request, from its arrival to the headers of its answer."""
        model, stream = str(body["model"]), bool(body.get("stream"))
        fault = FAULTS[self.mood(model)]
        self.requests.append(Request(CALLER.get(), self.name, model, fault, stream))
        await asyncio.sleep(0.5 * math.exp(0.5 * self.draw.gauss(0, 1)))
        if fault.name == "refused":
            raise ConnectError
        if fault.name == "reset":
            raise NetworkError
        if fault.name == "hang":
            await asyncio.sleep(1e6)
        return self._response(fault, body, stream)

    def _response(self, fault: Fault, body: dict[str, Any], stream: bool) -> Response:
        headers = {"content-type": "application/json"}
        if fault.retry_after is not None:
            headers["retry-after"] = fault.retry_after
        if fault.status >= 400:
            parts: Any = iter([(0.0, json.dumps(self._error(fault)).encode())])
        elif fault.name == "html":
            headers["content-type"] = "text/html"
            parts = iter([(0.0, b"<html>Sign in to continue</html>")])
        elif stream:
            headers["content-type"] = "text/event-stream"
            parts = self._events(fault, body)
        else:
            whole = messages_whole if self.name == "anthropic" else chat_whole
            answer = json.dumps(whole(body, "".join(self._words(body)))).encode()
            parts = iter([(0.0, answer[:-9] if fault.name == "bad json" else answer)])
        return Response(fault.status, headers, Body(parts, self))

    def _error(self, fault: Fault) -> dict[str, Any]:
        kind = "invalid_request_error" if fault.status == 400 else fault.code
        error = {"message": "no", "type": kind, "code": fault.code}
        return {"type": "error", "error": error} if self.name == "anthropic" else {"error": error}

    def _words(self, body: dict[str, Any]) -> list[str]:
        """What it says: who it is, and words that belong to this caller alone."""
        return [f"{self.name}/{body['model']} ", *(f"{CALLER.get()}.{i} " for i in range(4))]

    def _events(self, fault: Fault, body: dict[str, Any]) -> Iterator[tuple[float, bytes]]:
        """The bytes of a stream, each with the seconds before it."""
        speak = messages_events if self.name == "anthropic" else chat_events
        opening, contents, closing = speak(body, self._words(body))
        yield 0.0, opening
        for _ in range(40 if fault.name == "pings" else 0):
            yield 0.1, b": ping\n\n"
        if fault.name == "bad json":
            yield 0.0, contents[0].replace(b"}", b"", 1)
            return
        for i, content in enumerate(contents):
            if (i, fault.name) in {(0, "empty"), (2, "cut midway")}:
                return
            if (i, fault.name) in {(0, "error first"), (2, "error midway")}:
                yield 0.0, self._error_event(fault)
                return
            if (i, fault.name) == (2, "reset midway"):
                raise NetworkError
            yield 0.05, content
        for event in closing:
            yield 0.0, event

    def _error_event(self, fault: Fault) -> bytes:
        name = b"event: error\n" if self.name == "anthropic" else b""
        return name + b"data: " + json.dumps(self._error(fault)).encode() + b"\n\n"


class Body:
    """A body on its way: awaited, closed, and counted as open in between."""

    def __init__(self, parts: Iterator[tuple[float, bytes]], owner: Provider) -> None:
        self._parts, self._owner = parts, owner
        self._token = object()
        owner.open.add(self._token)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for seconds, data in self._parts:
                if seconds:
                    await asyncio.sleep(seconds)
                yield data
        finally:
            self._owner.open.discard(self._token)

    async def aclose(self) -> None:
        self._owner.open.discard(self._token)
