"""The hosts' rules beside ours: middleware, refusal fallbacks, tracing, and every option that a call can carry."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from anthropic.lib.credentials import AccessToken
from anthropic.lib.middleware import BetaRefusalFallbackMiddleware
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from llm_router_middleware import Router, wrap
from llm_router_middleware.sandbox import Behaviour, Sandbox
from tests.clients.pitfalls import ASK, BUDGET, PREMIUM, Recorded, routed_client

MODEL, CHEAP = PREMIUM["anthropic"], BUDGET["anthropic"]


def message(model: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": "Paris"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 1},
        **fields,
    }


class Memory:
    """An Anthropic that answers from memory and keeps every request."""

    def __init__(self, *refusing: str) -> None:
        self.requests: list[httpx2.Request] = []
        self._refusing = refusing

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        model = json.loads(request.content)["model"]
        refusal = {"content": [], "stop_reason": "refusal"} if model in self._refusing else {}
        return httpx2.Response(200, json=message(model, **refusal))

    @property
    def models(self) -> list[str]:
        """Asked, in order."""
        return [json.loads(request.content)["model"] for request in self.requests]

    def client(self, router: Router, **options: Any) -> anthropic.Anthropic:
        """A wrapped client of it."""
        http = httpx2.Client(transport=httpx2.MockTransport(self))
        return wrap(anthropic.Anthropic(api_key="k", http_client=http, **options), router=router)


# -- Anthropic's own chain


def test_middleware_sees_each_request_as_it_is_sent() -> None:
    """A `middleware=` chain runs in its order, beneath us: with the chosen model, once per request."""
    seen: list[tuple[str, str]] = []

    def outer(request: Any, call_next: Any) -> Any:
        seen.append(("outer", request.json["model"]))
        return call_next(request.copy(headers={**request.headers, "x-outer": "1"}))

    def inner(request: Any, call_next: Any) -> Any:
        seen.append(("inner", request.json["model"]))
        return call_next(request)

    host, router = Memory(), Recorded()
    with host.client(router, middleware=[outer, inner]) as client:
        assert client.messages.create(model=MODEL, max_tokens=9, messages=ASK).model == CHEAP  # type: ignore[arg-type]
    assert seen == [("outer", CHEAP), ("inner", CHEAP)]
    assert host.requests[0].headers["x-outer"] == "1"
    assert [event.selected_model for event in router.events] == [CHEAP]


def test_middleware_added_by_a_copy_keeps_the_router() -> None:
    """`with_options(middleware=...)` of a wrapped client is routed, with both."""
    seen: list[str] = []

    def note(request: Any, call_next: Any) -> Any:
        seen.append(request.json["model"])
        return call_next(request)

    host, router = Memory(), Recorded()
    with host.client(router) as client:
        client.with_options(middleware=[note]).messages.create(model=MODEL, max_tokens=9, messages=ASK)  # type: ignore[arg-type]
    assert seen == [CHEAP]
    assert len(router.events) == 1


def test_the_hosts_refusal_fallback_works_within_one_call() -> None:
    """A refusal by the chosen model goes down the host's own chain; to us it is one call with one event."""
    host, router = Memory(CHEAP), Recorded()
    fallback = BetaRefusalFallbackMiddleware([{"model": "claude-sonnet-5-5"}])
    with host.client(router, middleware=[fallback]) as client:
        answer = client.beta.messages.create(model=MODEL, max_tokens=9, messages=ASK)  # type: ignore[arg-type]
    assert host.models == [CHEAP, "claude-sonnet-5-5"]
    assert answer.model == "claude-sonnet-5-5"
    (event,) = router.events
    assert (event.success, event.selected_model, event.served_model) == (True, CHEAP, "claude-sonnet-5-5")


def test_middleware_that_asks_for_another_try_gets_it(sleepless: None) -> None:
    """A `RetryableError` of the caller's own is tried again as often as `max_retries` says, and is his in the end."""
    tries: list[str] = []

    def give_up(request: Any, _call_next: Any) -> Any:
        tries.append(request.json["model"])
        raise anthropic.RetryableError("try again")

    host, router = Memory(), Recorded(step_down=False)
    with host.client(router, middleware=[give_up], max_retries=2) as client, pytest.raises(anthropic.RetryableError):
        client.messages.create(model=CHEAP, max_tokens=9, messages=ASK)  # type: ignore[arg-type]
    assert len(tries) == 3
    assert host.requests == []
    (event,) = router.events
    assert (event.success, event.error, {a.breaker for a in event.attempts}) == (False, "RetryableError", {"closed"})


# -- tokens that the SDK renews


class Mint:
    """Gives a new token each time that it is asked."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, *, force_refresh: bool = False) -> AccessToken:
        self.made.append(f"token-{len(self.made)}")
        return AccessToken(token=self.made[-1])


def guarded(*good: str) -> tuple[Memory, Any]:
    """An Anthropic that lets in only these tokens, and its handler."""
    memory = Memory()

    def handler(request: httpx2.Request) -> httpx2.Response:
        answer = memory(request)
        if request.headers["authorization"].removeprefix("Bearer ") in good:
            return answer
        error = {"type": "error", "error": {"type": "authentication_error", "message": "expired"}}
        return httpx2.Response(401, json=error)

    return memory, handler


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_an_expired_token_is_renewed_as_the_sdk_renews_it(is_async: bool) -> None:
    """A 401 has the SDK fetch a new token and ask again, once: one call, one event, no failure of the provider."""
    memory, handler = guarded("token-1")
    router, mint = Recorded(), Mint()
    transport = httpx2.MockTransport(handler)
    ask: dict[str, Any] = {"model": MODEL, "max_tokens": 9, "messages": ASK}
    if is_async:
        http = httpx2.AsyncClient(transport=transport)
        async with wrap(anthropic.AsyncAnthropic(credentials=mint, http_client=http), router=router) as client:
            raw = await client.messages.with_raw_response.create(**ask)
    else:
        with wrap(
            anthropic.Anthropic(credentials=mint, http_client=httpx2.Client(transport=transport)), router=router
        ) as plain:
            raw = plain.messages.with_raw_response.create(**ask)
    assert raw.retries_taken == 1
    assert memory.models == [CHEAP, CHEAP]
    assert [request.headers["authorization"] for request in memory.requests] == ["Bearer token-0", "Bearer token-1"]
    assert [request.headers["x-stainless-retry-count"] for request in memory.requests] == ["0", "1"]
    (event,) = router.events
    assert (event.success, [attempt.outcome for attempt in event.attempts]) == (True, ["ok"])


@pytest.mark.parametrize(("retries", "requests"), [(0, 1), (2, 2)])
def test_a_token_that_stays_refused_is_the_callers_error(retries: int, requests: int) -> None:
    """Renewed once and no more; not at all where the caller wants no retries, as with the bare SDK."""
    asked = {}
    for routed in (False, True):
        memory, handler = guarded()
        http = httpx2.Client(transport=httpx2.MockTransport(handler))
        client = anthropic.Anthropic(credentials=Mint(), http_client=http, max_retries=retries)
        with wrap(client, router=Recorded(step_down=False)) if routed else client:
            with pytest.raises(anthropic.AuthenticationError, match="expired"):
                client.messages.create(model=CHEAP, max_tokens=9, messages=ASK)  # type: ignore[arg-type]
        asked[routed] = len(memory.requests)
    assert asked == {False: requests, True: requests}


def test_an_answer_with_an_odd_usage_is_asked_for_once() -> None:
    """A count of tokens that is no number: the SDK hands the answer on, and so do we, without a further word."""
    answers = {"usage": {"input_tokens": "12", "output_tokens": 1}}
    asked: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json=message(MODEL, **answers))

    router = Recorded()
    http = httpx2.Client(transport=httpx2.MockTransport(handler))
    with wrap(anthropic.Anthropic(api_key="k", http_client=http), router=router) as client:
        answer = client.messages.create(model=MODEL, max_tokens=9, messages=ASK)  # type: ignore[arg-type]
    assert answer.usage.output_tokens == 1
    assert len(asked) == 1
    (event,) = router.events
    assert (event.success, event.selection_reason) == (True, "complexity_match")


def test_a_refusal_without_the_hosts_chain_is_handed_on() -> None:
    """A content refusal is an answer: nobody else is asked."""
    host, router = Memory(CHEAP), Recorded()
    with host.client(router) as client:
        answer = client.messages.create(model=MODEL, max_tokens=9, messages=ASK)  # type: ignore[arg-type]
    assert answer.stop_reason == "refusal"
    assert host.models == [CHEAP]


def test_the_hosts_own_tracing_tells_of_the_request_that_was_made() -> None:
    """`open_telemetry=`: one span per request, with the model that was asked, and its trace context on the wire."""
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    host, router = Memory(), Recorded()
    with host.client(router, open_telemetry={"tracer_provider": provider, "traces": True}) as client:
        client.messages.create(model=MODEL, max_tokens=9, messages=ASK)  # type: ignore[arg-type]
    (span,) = spans.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["gen_ai.request.model"] == CHEAP
    assert "traceparent" in host.requests[0].headers


# -- options: what they meant, they mean


class Wire:
    """An OpenAI that answers from memory and keeps every request."""

    def __init__(self, *statuses: int) -> None:
        self.requests: list[httpx2.Request] = []
        self._statuses = list(statuses)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        status = self._statuses.pop(0) if self._statuses else 200
        if status != 200:
            return httpx2.Response(status, json={"error": {"message": "no", "type": "server_error", "code": None}})
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Paris"}}
        body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        return httpx2.Response(200, json=body)

    def client(self, router: Router | None, **options: Any) -> openai.OpenAI:
        """A client of it, wrapped if a router is given."""
        http = httpx2.Client(transport=httpx2.MockTransport(self))
        client = openai.OpenAI(api_key="k", http_client=http, **options)
        return client if router is None else wrap(client, router=router)


def ask(client: Any, **options: Any) -> Any:
    return client.chat.completions.create(model=PREMIUM["openai"], messages=ASK, **options)


def test_everything_but_the_model_is_the_callers_own() -> None:
    """Default and extra headers, query, body and per-call options: the bare client's request, with another model."""
    options: dict[str, Any] = {
        "default_headers": {"x-default": "1", "User-Agent": "mine"},
        "default_query": {"dq": "1"},
        "organization": "org",
        "project": "proj",
        "timeout": 17.0,
    }
    extras: dict[str, Any] = {
        "extra_headers": {"x-extra": "2", "x-default": "over"},
        "extra_query": {"q": "3"},
        "extra_body": {"custom": {"deep": [1, 2.5, None]}},
        "timeout": 3.0,
        "seed": 5,
        "user": "ü",
    }
    bare, routed = Wire(), Wire()
    with bare.client(None, **options) as client:
        ask(client, **extras)
    with routed.client(Recorded(), **options) as client:
        ask(client, **extras)
    (theirs,), (ours,) = bare.requests, routed.requests
    assert ours.url == theirs.url
    assert dict(ours.headers) == {**theirs.headers, "content-length": ours.headers["content-length"]}
    assert ours.extensions["timeout"] == theirs.extensions["timeout"]
    chosen = json.loads(ours.content)["model"].encode()
    assert chosen != PREMIUM["openai"].encode()
    assert ours.content == theirs.content.replace(PREMIUM["openai"].encode(), chosen, 1)


@pytest.mark.parametrize("timeout", [2.5, httpx2.Timeout(9.0, connect=1.0), None])
def test_a_timeout_reaches_every_attempt(timeout: Any) -> None:
    """Per call and per client, in any form: what a bare client would have told its transport."""
    bare, routed = Wire(), Wire(500, 200)
    with bare.client(None) as client:
        ask(client, timeout=timeout)
    with routed.client(Recorded()) as client:
        ask(client, timeout=timeout)
    assert len(routed.requests) == 2
    for request in routed.requests:
        assert request.extensions["timeout"] == bare.requests[0].extensions["timeout"]


def always_500(router: Router, **options: Any) -> tuple[list[str], BaseException]:
    wire = Wire(*[500] * 50)
    with wire.client(router, **options) as client, pytest.raises(openai.InternalServerError) as caught:
        ask(client)
    return [json.loads(request.content)["model"] for request in wire.requests], caught.value


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_max_retries_bounds_the_attempts(sleepless: None, retries: int) -> None:
    """`max_retries` is how often the whole plan is gone through again: each model at most once per round (P24)."""
    router = Recorded(step_down=False)
    asked, _ = always_500(router, max_retries=retries)
    (event,) = router.events
    assert len(event.attempts) == len(asked)
    assert max(asked.count(model) for model in asked) <= 1 + retries
    assert PREMIUM["openai"] in asked, "the caller's own model has had its turn"
    assert len(asked) <= 5 + retries


def test_the_error_is_the_callers_own(sleepless: None) -> None:
    """When everybody fails, the exception is the SDK's, of the caller's own provider, with its response."""
    _, error = always_500(Recorded(), max_retries=0)
    assert type(error) is openai.InternalServerError
    assert error.response.status_code == 500
    assert error.body == {"message": "no", "type": "server_error", "code": None}


@pytest.fixture
def sleepless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between rounds take no time."""
    monkeypatch.setattr("llm_router_middleware.visit.time.sleep", lambda _seconds: None)


def test_retries_say_how_many_they_are(sleepless: None) -> None:
    """A model asked again says so in the header in which the SDK says it, and in `retries_taken` (P28)."""
    wire = Wire(500, 500, 500, 500, 500, 200)
    router = Recorded()
    with wire.client(router, max_retries=2) as client:
        response = client.chat.completions.with_raw_response.create(model=PREMIUM["openai"], messages=ASK)  # type: ignore[arg-type]
    by_model: dict[str, list[str]] = {}
    for request in wire.requests:
        model = json.loads(request.content)["model"]
        by_model.setdefault(model, []).append(request.headers["x-stainless-retry-count"])
    assert all(counts == [str(n) for n in range(len(counts))] for counts in by_model.values())
    assert max(map(len, by_model.values())) > 1
    served = json.loads(wire.requests[-1].content)["model"]
    assert response.retries_taken == len(by_model[served]) - 1


def test_a_caller_who_takes_the_retry_header_away_does_not_get_it_back(sleepless: None) -> None:
    """`Omit()` for a header is obeyed on every attempt."""
    wire = Wire(500, 500, 500, 500, 200)
    with wire.client(Recorded(), max_retries=2) as client:
        ask(client, extra_headers={"x-stainless-retry-count": openai.Omit()})
    assert len(wire.requests) > 2
    assert not any("x-stainless-retry-count" in request.headers for request in wire.requests)


def test_a_forbidden_retry_is_not_made(sandbox: Sandbox, sleepless: None) -> None:
    """`x-should-retry: false` is obeyed: no model that said so is asked again in the same call."""
    sandbox.openai.default("*", Behaviour(status=500, headers={"x-should-retry": "false"}))
    router = Recorded()
    with routed_client(sandbox, "openai", router) as client, pytest.raises(openai.InternalServerError):
        ask(client)
    asked = [request.model for request in sandbox.openai.requests]
    assert len(asked) == len(set(asked))
