"""Pitfalls that other wrappers have met, by their numbers in the design: how calls are made, copied, wrapped again."""

from __future__ import annotations

import contextvars
import inspect
import io
import json
import subprocess
import sys
import threading
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from llm_router_middleware import Router, UnsupportedClientError, is_wrapped, routed, unwrap, wrap
from llm_router_middleware.sandbox import Behaviour, Sandbox
from tests.clients.pitfalls import ASK, BUDGET, PREMIUM, Recorded, build, routed_async_client, routed_client


def create(client: Any, **options: Any) -> Any:
    return client.chat.completions.create(model=PREMIUM["openai"], messages=ASK, **options)


# -- P1 to P3, P8: a stream is the SDK's own


def test_p1_p2_p3_p8_a_stream_is_the_sdks_own(sandbox: Sandbox) -> None:
    """`with` hands back the same object, of the SDK's class, with its response and its `close`."""
    router = Recorded()
    with routed_client(sandbox, "openai", router) as client:
        stream = create(client, stream=True)
        with stream as inner:
            assert inner is stream
            assert type(stream) is openai.Stream
            assert isinstance(stream.response, httpx2.Response)
            assert len(list(inner)) > 1
        raw = client.chat.completions.with_raw_response.create(model=PREMIUM["openai"], messages=ASK, stream=True)
        assert not hasattr(raw, "_iterator")
        assert len(list(raw.parse())) > 1
    assert [event.error for event in router.events] == [None, None]


# -- P5, P6, P7: raw responses


def test_p5_raw_responses_have_headers_and_are_not_touched(sandbox: Sandbox) -> None:
    """`with_raw_response` gives the SDK's object, unparsed, with the provider's headers and request id."""
    with routed_client(sandbox, "openai", Recorded()) as client:
        raw = client.chat.completions.with_raw_response.create(model=PREMIUM["openai"], messages=ASK)
        assert raw.headers["content-type"].startswith("application/json")
        assert raw.request_id == raw.headers["x-request-id"]
        assert not hasattr(raw, "choices")
        assert raw.parse().choices[0].message.content


def test_p6_a_raw_stream_that_is_never_parsed_still_ends_in_an_event(sandbox: Sandbox) -> None:
    """A raw streamed response, dropped or closed unread, is one event."""
    router = Recorded()
    with routed_client(sandbox, "openai", router) as client:
        raw = client.chat.completions.with_raw_response.create(model=PREMIUM["openai"], messages=ASK, stream=True)
        assert router.events == []
        raw.http_response.close()
        (event,) = router.events
        assert event.error == "closed"


async def test_p7_the_async_parse_of_a_streaming_response_is_observed(sandbox: Sandbox) -> None:
    """`await response.parse()` inside `with_streaming_response` ends in a finished event with its usage."""
    router = Recorded()
    async with routed_async_client(sandbox, "openai", router) as client:
        manager = client.chat.completions.with_streaming_response.create(model=PREMIUM["openai"], messages=ASK)
        async with manager as response:
            answer = await response.parse()
    (event,) = router.events
    assert (event.success, event.error) == (True, None)
    assert event.usage is not None
    assert event.usage.output_tokens == answer.usage.completion_tokens


# -- P9, P10, P12: Anthropic's helpers


def test_p9_async_stream_helpers_stay_plain_functions() -> None:
    """`AsyncMessages.stream()` returns a manager, without await, stable and beta."""
    client = wrap(anthropic.AsyncAnthropic(api_key="k"), router=Router(scorer="heuristic"))
    for resource in (client.messages, client.beta.messages):
        assert not inspect.iscoroutinefunction(resource.stream)
        manager = resource.stream(model=PREMIUM["anthropic"], max_tokens=9, messages=ASK)  # type: ignore[arg-type]
        assert hasattr(manager, "__aenter__")
        manager._AsyncMessageStreamManager__api_request.close() if hasattr(
            manager, "_AsyncMessageStreamManager__api_request"
        ) else [v.close() for v in vars(manager).values() if inspect.iscoroutine(v)]


def test_p12_each_turn_of_a_tool_runner_is_a_call(sandbox: Sandbox) -> None:
    """A runner that calls a tool makes two requests: two events, each routed, the tool loop with one provider."""
    sandbox.anthropic.at_call(1, Behaviour(tool_calls=(("weather", {"city": "Paris"}),)))
    sandbox.anthropic.at_call(2, Behaviour(text="It is sunny."))

    @anthropic.beta_tool
    def weather(city: str) -> str:
        """Tells the weather of a city.

        Args:
            city: whose.
        """
        return f"sunny in {city}"

    router = Recorded()
    with routed_client(sandbox, "anthropic", router) as client:
        runner = client.beta.messages.tool_runner(
            model=PREMIUM["anthropic"], max_tokens=99, messages=ASK, tools=[weather]
        )
        assert runner.until_done().content[0].text == "It is sunny."
    assert [event.success for event in router.events] == [True, True]
    assert len(sandbox.anthropic.requests) == 2
    assert {event.selected_provider for event in router.events} == {"anthropic"}


# -- P14, P21: wrapped, and how often


def test_p14_wrapping_twice_is_wrapping_once(sandbox: Sandbox) -> None:
    """The second `wrap` replaces the router; a call has one event, with the later one."""
    first, second = Recorded(), Recorded()
    with routed_client(sandbox, "openai", first) as client:
        assert wrap(client, router=second) is client
        create(client)
        assert is_wrapped(client)
        assert not is_wrapped(unwrap(client))
        create(client)
    assert (len(first.events), len(second.events)) == (0, 1)
    assert [request.model for request in sandbox.openai.requests] == [BUDGET["openai"], PREMIUM["openai"]]


class Child(openai.OpenAI):
    """A user's subclass."""


class Grandchild(Child):
    """And its own."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Overridden, as users do."""
        self.__dict__["asked"] = self.__dict__.get("asked", 0) + 1
        return super().request(*args, **kwargs)


def test_p21_subclasses_are_entered_once(sandbox: Sandbox) -> None:
    """A chain of subclasses, each with its own clients wrapped: one event per call, and overrides still run."""
    options = {"api_key": sandbox.openai.api_key, "base_url": sandbox.openai.base_url}
    for cls in (openai.OpenAI, Child, Grandchild):
        router = Recorded()
        with wrap(cls(**options), router=router) as client:  # type: ignore[arg-type]
            create(client)
            assert len(router.events) == 1
            assert client.__dict__.get("asked", 0) == (cls is Grandchild)
        assert type(client) is cls


# -- P16, O13: scopes and contexts


def test_p16_o13_scopes_leak_into_nothing(sandbox: Sandbox, sandbox_keys: Sandbox) -> None:
    """A thread begins outside; `copy_context` brings it in; after the block nothing is routed."""
    router = Recorded()
    client = build(sandbox, "openai")
    with routed(router=router):
        context = contextvars.copy_context()
        outside = threading.Thread(target=create, args=(client,))
        inside = threading.Thread(target=lambda: context.run(create, client))
        for thread in (outside, inside):
            thread.start()
            thread.join()
    create(client)
    client.close()
    asked = [request.model for request in sandbox.openai.requests]
    assert asked == [PREMIUM["openai"], BUDGET["openai"], PREMIUM["openai"]]
    assert len(router.events) == 1


# -- P18, P19: http libraries and clients of the caller's


def test_p18_p19_a_legacy_or_own_http_client_is_left_alone(sandbox: Sandbox) -> None:
    """Whatever `http_client=` is given is used for every attempt, and is the caller's afterwards."""
    import httpx

    for http in (httpx2.Client(), httpx.Client()):
        router = Recorded()
        client = wrap(build(sandbox, "openai", http_client=http), router=router)
        assert create(client).choices
        assert client._client is http
        http.close()
        assert len(router.events) == 1


# -- P22, P23: odd values


def test_p22_odd_chunks_do_not_raise(sandbox: Sandbox) -> None:
    """Chunks without choices, or with none, pass; `stream_options` is as the caller wrote it."""
    chunks = [
        {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []},
        {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": None},
        {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "delta": {"content": "Paris"}, "finish_reason": "stop"}],
        },
        {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [],
            "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
        },
    ]
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    sent: list[Any] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(json.loads(request.content))
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body.encode())

    router = Recorded()
    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    with wrap(openai.OpenAI(api_key="k", base_url="https://a.test/v1", http_client=http), router=router) as client:
        assert len(list(create(client, stream=True))) == 4
    assert "stream_options" not in sent[0]
    (event,) = router.events
    assert (event.success, event.error) == (True, None)
    assert event.usage is not None
    assert event.usage.output_tokens == 1


def test_p23_sentinels_and_none_are_not_values(sandbox: Sandbox) -> None:
    """`omit`, `not_given` and None in arguments reach neither arithmetic nor JSON."""
    router = Recorded()
    with routed_client(sandbox, "openai", router) as client:
        create(client, max_completion_tokens=openai.omit, temperature=openai.omit, tools=openai.omit, stop=None)
    (request,) = sandbox.openai.requests
    assert set(json.loads(request.body)) == {"messages", "model", "stop"}
    assert router.events[0].selection_reason == "complexity_match"


# -- O4: what can be read once


def test_o4_generators_and_files_inside_messages_are_there_for_every_attempt() -> None:
    """One-shot iterators and open files, nested anywhere: each attempt sends all of them, as the SDK would have."""
    sent: list[Any] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(json.loads(request.content)["messages"])
        if len(sent) == 1:
            return httpx2.Response(500, json={"type": "error", "error": {"type": "api_error", "message": "no"}})
        message = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": []}
        usage = {"input_tokens": 1, "output_tokens": 1}
        return httpx2.Response(200, json={**message, "stop_reason": "end_turn", "stop_sequence": None, "usage": usage})

    def parts() -> Any:
        yield {"type": "text", "text": "hello"}
        source = {"type": "base64", "media_type": "image/png", "data": io.BytesIO(b"PNG!")}
        yield {"type": "image", "source": source}

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    with wrap(anthropic.Anthropic(api_key="k", http_client=http), router=Recorded()) as client:
        client.messages.create(
            model=PREMIUM["anthropic"],
            max_tokens=9,
            messages=(m for m in [{"role": "user", "content": parts()}]),  # type: ignore[misc]
        )
    text, image = sent[0][0]["content"]
    assert (text["text"], image["source"]["data"]) == ("hello", "UE5HIQ==")
    assert sent[1] == sent[0]


def test_o4_files_posted_elsewhere_are_not_read_by_us() -> None:
    """An open file in the body of an endpoint that is not routed is the SDK's to read."""
    bodies: list[bytes] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        bodies.append(request.content)
        return httpx2.Response(200, json={})

    for wrapped in (False, True):
        http = httpx2.Client(transport=httpx2.MockTransport(answer))
        client = anthropic.Anthropic(api_key="k", http_client=http)
        with wrap(client, router=Recorded()) if wrapped else client:
            client.post("/foo", body={"type": "base64", "data": io.StringIO("hi")}, cast_to=object)
    assert bodies[0] == bodies[1]


# -- O10: a deployment in the URL; O5, O9, O11, O12 are in the form table, the frameworks and the failover tests


def test_o10_a_pinned_deployment_is_told_and_left_alone() -> None:
    """`azure_deployment=` fixes the model: the request is the caller's own, and the event says passthrough."""
    sent: list[tuple[str, str]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append((request.url.path, json.loads(request.content)["model"]))
        return httpx2.Response(500 if "x" in request.url.path else 200, json={"choices": []})

    for options in ({"azure_deployment": "mine"}, {}):
        router = Recorded()
        http = httpx2.Client(transport=httpx2.MockTransport(answer))
        client = openai.AzureOpenAI(
            api_key="k", api_version="2025-01-01", azure_endpoint="https://a.test", http_client=http, **options
        )
        with wrap(client, router=router):
            create(client)
        assert [event.selection_reason for event in router.events] == ["passthrough"]
        assert type(client) is openai.AzureOpenAI
    assert sent == [
        ("/openai/deployments/mine/chat/completions", PREMIUM["openai"]),
        (f"/openai/deployments/{PREMIUM['openai']}/chat/completions", PREMIUM["openai"]),
    ]


# -- the object itself


def test_an_unknown_object_is_refused_with_a_clear_error() -> None:
    """`wrap()` says what it expected."""
    for stranger in (object(), httpx2.Client()):
        with pytest.raises(UnsupportedClientError, match=r"expected a client of the openai, anthropic or groq SDK"):
            wrap(stranger)


def test_the_module_level_client_is_routed(sandbox_keys: Sandbox) -> None:
    """`openai.chat...` inside a scope, and after wrapping the client that it loads."""
    code = """
import openai
from llm_router_middleware import Router, routed, last_event
with routed(router=Router(scorer="heuristic")):
    answer = openai.chat.completions.create(model="gpt-6.1-sol", messages=[{"role": "user", "content": "Hi"}])
print(last_event(answer).selected_model)
answer = openai.chat.completions.create(model="gpt-6.1-sol", messages=[{"role": "user", "content": "Hi"}])
print(last_event(answer))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == [BUDGET["openai"], "None"], done.stderr[-800:]
