"""The call-form table: each form, sync and async, is routed once, recorded once, and gives the SDK's own type."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import groq
import openai
import pytest

from llm_router_middleware import Router, last_event, wrap
from llm_router_middleware.sandbox import Behaviour, Sandbox
from tests.clients.forms import FORMS, Form

CLASSES: dict[str, tuple[type[Any], type[Any]]] = {
    "openai": (openai.OpenAI, openai.AsyncOpenAI),
    "anthropic": (anthropic.Anthropic, anthropic.AsyncAnthropic),
    "groq": (groq.Groq, groq.AsyncGroq),
}
ASKED = {"openai": "gpt-6.1-sol", "anthropic": "claude-opus-5-5", "groq": "openai/gpt-oss-120b"}
SERVED = {"openai": "gpt-6-luna", "anthropic": "claude-haiku-5-5", "groq": "openai/gpt-oss-20b"}

WITHOUT_EVENT = {"client_post", "tool_runner"}
"""A plain dict has no place for the event; the tool runner parses its raw response a second time, into a new object."""

pytestmark = pytest.mark.parametrize("form", FORMS, ids=lambda f: f.name)


def build(sandbox: Sandbox, sdk: str, *, is_async: bool) -> Any:
    provider = getattr(sandbox, sdk)
    return CLASSES[sdk][is_async](api_key=f"sk-sandbox-{sdk}", base_url=provider.base_url, max_retries=2)


async def make(form: Form, client: Any, model: str, *, is_async: bool) -> tuple[Any, str]:
    result: tuple[Any, str] = await form.acall(client, model) if is_async else form.call(client, model)
    return result


@contextlib.asynccontextmanager
async def closing(client: Any, *, is_async: bool) -> AsyncIterator[Any]:
    try:
        yield client
    finally:
        await client.close() if is_async else client.close()


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_routed_once_recorded_once_right_type(sandbox: Sandbox, form: Form, is_async: bool) -> None:
    """One request with the cheaper model, one finished event, and an object of the type that the bare SDK gives."""
    events: list[Any] = []
    router = Router(sinks=[events.append], scorer="heuristic")
    async with closing(build(sandbox, form.sdk, is_async=is_async), is_async=is_async) as bare:
        expected, _ = await make(form, bare, SERVED[form.sdk], is_async=is_async)
    getattr(sandbox, form.sdk).reset()
    async with closing(wrap(build(sandbox, form.sdk, is_async=is_async), router=router), is_async=is_async) as client:
        answer, text = await make(form, client, ASKED[form.sdk], is_async=is_async)

    requests = getattr(sandbox, form.sdk).requests
    assert [request.model for request in requests] == [SERVED[form.sdk]]
    assert type(answer) is type(expected)
    assert text
    (event,) = events
    assert event.success is True
    assert event.error is None
    assert (event.requested_model, event.selected_model) == (ASKED[form.sdk], SERVED[form.sdk])
    assert event.selection_reason == "complexity_match"
    assert [a.outcome for a in event.attempts] == ["ok"]
    if form.name not in WITHOUT_EVENT:
        assert last_event(answer) is event


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_fails_over_within_the_provider_unseen(sandbox: Sandbox, form: Form, is_async: bool) -> None:
    """The first model is down: the same form still gives its answer, and the event tells of both attempts."""
    events: list[Any] = []
    provider = getattr(sandbox, form.sdk)
    provider.default(SERVED[form.sdk], Behaviour(status=500))
    router = Router(sinks=[events.append], scorer="heuristic")
    async with closing(wrap(build(sandbox, form.sdk, is_async=is_async), router=router), is_async=is_async) as client:
        _, text = await make(form, client, ASKED[form.sdk], is_async=is_async)
    assert text
    (event,) = events
    assert event.success is True
    assert event.selection_reason == "failover"
    assert [a.outcome for a in event.attempts] == ["server", "ok"]
    assert len(provider.requests) == 2


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_unwrapped_clients_are_untouched(sandbox: Sandbox, form: Form, is_async: bool) -> None:
    """A client that was not wrapped sends what it always sent, even where others of its class are wrapped."""
    wrap(build(sandbox, form.sdk, is_async=False), router=Router(scorer="heuristic")).close()
    async with closing(build(sandbox, form.sdk, is_async=is_async), is_async=is_async) as client:
        answer, _ = await make(form, client, ASKED[form.sdk], is_async=is_async)
    (request,) = getattr(sandbox, form.sdk).requests
    assert request.model == ASKED[form.sdk]
    assert last_event(answer) is None
