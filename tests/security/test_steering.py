"""What is in a request chooses a model among the configured ones, at most: no address, no key, no name."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from llm_router_middleware import Router
from llm_router_middleware.sandbox import Behaviour, Sandbox
from tests.faults.calls import KINDS, Kind
from tests.faults.table import BY_NAME
from tests.providers.test_failover import ask, client_of

STEERING = {
    "base_url": "http://169.254.169.254/latest",
    "api_base": "http://10.0.0.1/v1",
    "api_key": "sk-steered-canary",
    "provider": "evil",
    "llm_router": {"allow_providers": ["evil"], "models": ["evil"]},
    "fallbacks": ["http://10.0.0.1/v1", "evil-model"],
}
"""Members of a body by which other routers can be steered (LiteLLM PR #34189 and its like)."""

HOSTILE = (
    "https://evil.example/v1",
    "openai/https://evil.example",
    "../../etc/passwd",
    "gpt-6.1-sol\r\nx: y",
    "m" * 999,
)


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_a_body_steers_nobody(sandbox_keys: Sandbox, kind: Kind) -> None:
    """They go to the caller's own provider as they are, and never further: who stands in is asked what is known."""
    getattr(sandbox_keys, kind.sdk).outage(Behaviour(status=500))
    events: list[Any] = []
    router = Router(scorer="heuristic", sinks=[events.append])
    known = {(model.provider, model.name) for model in router.registry}
    async with client_of(kind.sdk, kind.is_async, router) as client:
        with contextlib.suppress(BY_NAME[kind.sdk].module.APIError):  # who stands in may not know them
            await ask(client, kind.sdk, is_async=kind.is_async, stream=kind.stream, extra_body=STEERING)
    asked = {(attempt.provider, attempt.model) for attempt in events[0].attempts}
    assert asked <= known | {(kind.sdk, events[0].requested_model)}
    for provider in sandbox_keys.providers:
        sent = "".join(request.body.decode() + repr(request.headers) for request in provider.requests)
        assert ("canary" in sent) == (provider.name == kind.sdk)
        assert all(request.path.endswith(("/chat/completions", "/messages")) for request in provider.requests)


@pytest.mark.parametrize("model", HOSTILE)
@pytest.mark.parametrize("sdk", ["openai", "anthropic", "groq"])
async def test_a_name_is_no_address(sandbox_keys: Sandbox, sdk: str, model: str) -> None:
    """A name that nobody has configured goes to the caller's own provider and nowhere else, whatever it looks like."""
    events: list[Any] = []
    getattr(sandbox_keys, sdk).outage(Behaviour(status=404))
    async with client_of(sdk, False, Router(scorer="heuristic", sinks=[events.append])) as client:
        with pytest.raises(Exception, match="404"):
            await ask(client, sdk, is_async=False, stream=False, model=model)
    assert [len(provider.requests) for provider in sandbox_keys.providers if provider.name != sdk] == [0, 0]
    assert [request.model for request in getattr(sandbox_keys, sdk).requests] == [model]
    assert events[0].selection_reason == "passthrough"
