"""A redirect to another origin would carry the prompt along: clients that we build don't follow one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from llm_router_middleware import Router
from llm_router_middleware.sandbox import Behaviour, Sandbox
from tests.faults.calls import KINDS, SERVED, Kind
from tests.faults.table import others, specs
from tests.providers.test_failover import ask, client_of
from tests.scoring.mutation import Mutant, in_place


@pytest.fixture
def elsewhere() -> Iterator[Any]:
    """A server that sends everybody to `target`, and keeps what was asked of itself."""

    class Redirecting(BaseHTTPRequestHandler):
        target, asked = "", []  # type: ignore[var-annotated]

        def do_POST(self) -> None:  # the server's own name for it
            self.asked.append(self.path)
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(307)
            self.send_header("location", self.target)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        Redirecting.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
        yield Redirecting
        server.shutdown()
        thread.join()


class StolenError(AssertionError):
    """Somebody has followed."""


async def check(world: Sandbox, monkeypatch: pytest.MonkeyPatch, elsewhere: Any, kind: Kind) -> None:
    first, second = others(kind)
    getattr(world, kind.sdk).outage(Behaviour(status=500))
    elsewhere.target = f"{getattr(world, second).base_url}/stolen"
    monkeypatch.setenv(f"{first.upper()}_BASE_URL", elsewhere.url)
    events: list[Any] = []
    router = Router(specs(kind, rewritten=False), scorer="heuristic", sinks=[events.append])
    async with client_of(kind.sdk, kind.is_async, router) as client:
        await ask(client, kind.sdk, is_async=kind.is_async, stream=kind.stream, model=SERVED[kind.sdk])
    router.close()
    if "/stolen" in "".join(request.path for provider in world.providers for request in provider.requests):
        raise StolenError
    assert len(elsewhere.asked) == 1
    outcomes = [(attempt.provider, attempt.outcome) for attempt in events[0].attempts]
    assert outcomes == [(kind.sdk, "server"), (first, "html"), (second, "ok")]


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_a_redirected_provider_has_failed(
    sandbox_keys: Sandbox, monkeypatch: pytest.MonkeyPatch, elsewhere: Any, kind: Kind
) -> None:
    """Whoever stands in for the caller's provider and points elsewhere: nobody is asked there, and the next answers."""
    await check(sandbox_keys, monkeypatch, elsewhere, kind)


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_the_sdks_would_follow(
    sandbox_keys: Sandbox, monkeypatch: pytest.MonkeyPatch, elsewhere: Any, kind: Kind
) -> None:
    """Left as the SDKs build them, the clients do carry the prompt along."""
    with in_place(Mutant("providers.backends", "client._client.follow_redirects = False", "pass")):
        with pytest.raises(StolenError):
            await check(sandbox_keys, monkeypatch, elsewhere, kind)
