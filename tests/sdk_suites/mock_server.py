"""A generic provider: answers every route of an installed SDK with a minimal valid value of the route's own type.

    python mock_server.py openai --port 4010 --log requests.jsonl

Each answer leaves in one packet. Each request is written to the log, without what differs from run to run.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import sys
from dataclasses import dataclass
from typing import Any

from answers import events, value
from routes import Route, matcher, routes

_VOLATILE = {"host", "content-length", "traceparent", "tracestate"}
_RANDOM = re.compile(r"boundary=\S+|stainless-python-retry-[0-9a-f-]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class Request:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """Without query."""
        return self.target.partition("?")[0]

    @property
    def payload(self) -> Any:
        """The JSON body; None where it isn't JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def wants_stream(self) -> bool:
        """Whether the caller asked for a stream."""
        payload = self.payload
        if isinstance(payload, dict):
            return payload.get("stream") is True
        return b'name="stream"' in self.body or "stream=true" in self.target or self.path.endswith("/stream")

    def line(self) -> str:
        """The request as the log keeps it: all that must be the same from run to run."""
        headers = {k: _RANDOM.sub("*", v) for k, v in self.headers.items() if k not in _VOLATILE}
        boundary = re.search(r"boundary=(\S+)", self.headers.get("content-type", ""))
        body = self.body.replace(boundary[1].encode(), b"*") if boundary else self.body
        return json.dumps([self.method, self.target, sorted(headers.items()), hashlib.sha256(body).hexdigest()[:24]])


class Answers:
    """What the server says, by route."""

    def __init__(self, sdk: str) -> None:
        self._sdk = sdk
        self._routes = [(route, matcher(route.path)) for route in routes(sdk)]
        self._routes.sort(key=lambda pair: (pair[0].path.count("{"), -len(pair[0].path)))

    def of(self, request: Request) -> tuple[int, str, bytes]:
        """Status, content type and body."""
        route = self._find(request)
        if route is None:
            return 404, "application/json", b'{"error":{"message":"no such route"}}'
        if route.streams and request.wants_stream:
            return 200, "text/event-stream", self._stream(route)
        if route.gives is str:
            return 200, "text/plain", b"string"
        if getattr(route.gives, "__module__", "").endswith("jsonl"):
            item = route.gives.__args__[0]
            return 200, "application/x-jsonl", json.dumps(value(item)).encode() + b"\n"
        return 200, "application/json", json.dumps(value(route.gives)).encode()

    def _find(self, request: Request) -> Route | None:
        beta = "beta=true" in request.target
        path = request.path.removeprefix("/v1") if self._sdk == "openai" else request.path
        found = [r for r, pattern in self._routes if r.method == request.method and pattern.match(path)]
        fitting = [route for route in found if (".beta." in route.where) == beta]
        return next(iter(fitting or found), None)

    def _stream(self, route: Route) -> bytes:
        out = b""
        for event in events(route.items):
            name = f"event: {event['type']}\n" if isinstance(event, dict) and "type" in event else ""
            out += f"{name}data: {json.dumps(event)}\n\n".encode()
        return out if self._sdk == "anthropic" else out + b"data: [DONE]\n\n"


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """One request of a connection; None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {n.strip().lower(): v.strip() for n, _, v in (line.partition(":") for line in lines if line)}
    if headers.get("transfer-encoding") == "chunked":
        body = await _chunked(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method.lower(), target, headers, body)


async def _chunked(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


async def serve(sdk: str, port: int, log: str | None) -> None:
    """Serves until cancelled."""
    answers = Answers(sdk)
    out = open(log, "a", buffering=1, encoding="utf-8") if log else None  # noqa: SIM115 - lives as long as the server

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await read_request(reader)) is not None:
            if out is not None:
                out.write(request.line() + "\n")
            status, kind, body = answers.of(request)
            head = f"HTTP/1.1 {status} OK\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n"
            head += "request-id: req_mock\r\nx-request-id: req_mock\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", port)
    print(f"serving {sdk} on 127.0.0.1:{port}", flush=True)
    async with server:
        await server.serve_forever()


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sdk", choices=["openai", "anthropic", "groq"])
    parser.add_argument("--port", type=int, default=4010)
    parser.add_argument("--log")
    given = parser.parse_args(arguments)
    asyncio.run(serve(given.sdk, given.port, given.log))


if __name__ == "__main__":
    main(sys.argv[1:])
