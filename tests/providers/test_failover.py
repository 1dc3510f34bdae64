"""Failover across providers, over real sockets: the caller keeps his SDK's own objects whoever answers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import groq
import openai
import pytest

from llm_router_middleware import Router, last_event, routed, wrap
from llm_router_middleware.sandbox import Behaviour, Sandbox

CLASSES: dict[str, tuple[type[Any], type[Any]]] = {
    "openai": (openai.OpenAI, openai.AsyncOpenAI),
    "anthropic": (anthropic.Anthropic, anthropic.AsyncAnthropic),
    "groq": (groq.Groq, groq.AsyncGroq),
}
ASKED = {"openai": "gpt-6.1-sol", "anthropic": "claude-opus-5-5", "groq": "openai/gpt-oss-120b"}
ASK = [{"role": "user", "content": "What is the capital of France?"}]
FAULTS = {
    "500": Behaviour(status=500),
    "503": Behaviour(status=503),
    "529": Behaviour(status=529),
    "429": Behaviour(status=429),
    "429 after 7 s": Behaviour(status=429, retry_after=7),
    "html": Behaviour(html=True),
    "bad json": Behaviour(bad_json=True),
    "reset": Behaviour(reset_after=0),
}


@contextlib.asynccontextmanager
async def client_of(sdk: str, is_async: bool, router: Router, **options: Any) -> AsyncIterator[Any]:
    client = wrap(CLASSES[sdk][is_async](**{"max_retries": 0, **options}), router=router)
    try:
        yield client
    finally:
        await client.close() if is_async else client.close()


async def ask(client: Any, sdk: str, *, is_async: bool, stream: bool, **params: Any) -> tuple[Any, str, str]:
    """The answer's object, its text, and the model that it names."""
    params = {"model": ASKED[sdk], "messages": ASK, **params}
    if sdk == "anthropic":
        call = client.messages.create(**{"max_tokens": 1000, **params}, **({"stream": True} if stream else {}))
    else:
        call = client.chat.completions.create(**params, **({"stream": True} if stream else {}))
    answer = await call if is_async else call
    if not stream:
        text = answer.content[0].text if sdk == "anthropic" else answer.choices[0].message.content
        return answer, text, answer.model
    parts = [part async for part in answer] if is_async else list(answer)
    if sdk == "anthropic":
        text = "".join(p.delta.text for p in parts if p.type == "content_block_delta")
        return answer, text, parts[0].message.model
    return answer, "".join(p.choices[0].delta.content or "" for p in parts if p.choices), parts[0].model


@pytest.fixture
def world(sandbox_keys: Sandbox) -> Sandbox:
    return sandbox_keys


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("sdk", list(CLASSES))
@pytest.mark.parametrize("fault", list(FAULTS))
async def test_another_provider_answers_in_the_callers_own_types(
    world: Sandbox, sdk: str, is_async: bool, stream: bool, fault: str
) -> None:
    """The caller's provider is down, in whatever way: the object, its model and the event tell who answered."""
    getattr(world, sdk).outage(FAULTS[fault])
    events: list[Any] = []
    router = Router(scorer="heuristic", sinks=[events.append])
    async with client_of(sdk, is_async, router, _strict_response_validation=True) as client:
        answer, text, model = await ask(client, sdk, is_async=is_async, stream=stream)
    (event,) = events
    assert type(answer).__module__.partition(".")[0] == sdk
    assert event.success is True
    assert event.selection_reason == "failover"
    assert event.selected_provider != sdk
    assert (event.selected_model, event.served_model) == (model, model)
    assert model in text
    assert event.attempts[0].provider == sdk
    assert event.attempts[-1].outcome == "ok"
    assert event.usage.input_tokens > 0
    assert event.usage.output_tokens > 0
    assert event.cost_usd > 0
    hits = sum(len(provider.requests) for provider in (world.openai, world.anthropic, world.groq))
    if fault != "reset":
        assert hits == len(event.attempts), "one attempt is one request"


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("sdk", list(CLASSES))
@pytest.mark.parametrize(
    "fault",
    [
        Behaviour(error_event_after=0),
        Behaviour(truncate_after=0),
    ],
    ids=["error event first", "ends before content"],
)
async def test_a_stream_that_fails_before_content_fails_over_unseen(
    world: Sandbox, sdk: str, is_async: bool, fault: Behaviour
) -> None:
    """Until the first content the caller has seen nothing: another provider's stream is the only one he sees."""
    getattr(world, sdk).outage(fault)
    events: list[Any] = []
    router = Router(scorer="heuristic", sinks=[events.append])
    async with client_of(sdk, is_async, router) as client:
        _, text, model = await ask(client, sdk, is_async=is_async, stream=True)
    assert model in text
    assert events[0].success is True
    assert events[0].selected_provider != sdk


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("sdk", list(CLASSES))
async def test_when_everybody_is_down_the_callers_own_sdk_says_so(world: Sandbox, sdk: str, is_async: bool) -> None:
    """R3: the native exception of the caller's provider, with the whole trail in its event."""
    for provider in (world.openai, world.anthropic, world.groq):
        provider.outage(Behaviour(status=503))
    events: list[Any] = []
    router = Router(scorer="heuristic", sinks=[events.append])
    base = {"openai": openai.APIStatusError, "anthropic": anthropic.APIStatusError, "groq": groq.APIStatusError}[sdk]
    async with client_of(sdk, is_async, router) as client:
        with pytest.raises(base) as caught:
            await ask(client, sdk, is_async=is_async, stream=False)
    assert caught.value.status_code == 503
    assert last_event(caught.value) is events[0]
    assert events[0].success is False
    (note,) = caught.value.__notes__
    assert note.startswith(f"llm_router: asked {sdk}/")
    assert note.count(", then ") == len(events[0].attempts) - 1
    assert {a.provider for a in events[0].attempts} == {"openai", "anthropic", "groq"}
    assert ASKED[sdk] in [a.model for a in events[0].attempts], "the model that he named was asked too"


async def test_failover_never_crosses_the_allowed_providers(world: Sandbox) -> None:
    """allow_providers is a boundary: beyond it there is no answer, and the event says why."""
    world.openai.outage(Behaviour(status=500))
    events: list[Any] = []
    router = Router(scorer="heuristic", sinks=[events.append], allow_providers=["openai"])
    async with client_of("openai", False, router) as client:
        with pytest.raises(openai.InternalServerError):
            await ask(client, "openai", is_async=False, stream=False)
    assert {a.provider for a in events[0].attempts} == {"openai"}
    assert not world.groq.requests
    assert not world.anthropic.requests
    reasons = {reason for _, provider, reason in events[0].ruled_out if provider != "openai"}
    assert reasons == {"groq is not in allow_providers", "anthropic is not in allow_providers"}


async def test_an_inner_scope_can_only_tighten_the_boundary(world: Sandbox) -> None:
    """A scope cannot reopen what an outer one has closed."""
    world.openai.outage(Behaviour(status=500))
    router = Router(scorer="heuristic")
    async with client_of("openai", False, router) as client:
        with routed(allow_providers={"openai", "groq"}), routed(allow_providers={"groq", "anthropic"}):
            await ask(client, "openai", is_async=False, stream=False)
    assert not world.anthropic.requests
    assert len(world.groq.requests) == 1


@pytest.mark.parametrize("sdk", list(CLASSES))
async def test_no_key_of_one_provider_reaches_another(world: Sandbox, sdk: str) -> None:
    """Credentials belong to one provider: every request carries its own provider's key and nothing of the others'."""
    getattr(world, sdk).outage(Behaviour(status=500))
    async with client_of(sdk, False, Router(scorer="heuristic"), default_headers={"x-own": "secret-header"}) as client:
        await ask(client, sdk, is_async=False, stream=False, extra_headers={"x-extra": "secret-extra"})
    for name in CLASSES:
        others = [f"sk-sandbox-{other}" for other in CLASSES if other != name]
        for request in getattr(world, name).requests:
            seen = repr(request.headers) + request.body.decode()
            assert not any(key in seen for key in others)
            assert ("secret" in seen) == (name == sdk)


class AgentLoop:
    """Six turns with a tool, as an agent would make them, in one SDK's words."""

    def __init__(self, sdk: str, stream: bool, is_async: bool) -> None:
        self.sdk, self.stream, self.is_async = sdk, stream, is_async
        self.messages: list[dict[str, Any]] = [{"role": "user", "content": "Use the tool weather for Paris."}]

    @property
    def params(self) -> dict[str, Any]:
        schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
        if self.sdk == "anthropic":
            return {"max_tokens": 4000, "tools": [{"name": "weather", "input_schema": schema}]}
        params: dict[str, Any] = {
            "tools": [{"type": "function", "function": {"name": "weather", "parameters": schema}}]
        }
        return {**params, "reasoning_effort": "none"} if self.sdk == "openai" else params

    async def turn(self, client: Any) -> int:
        """One turn: the answer goes into the history; a tool call is answered. Returns how many calls there were."""
        model = {"openai": "gpt-6-sol", "anthropic": "claude-haiku-4-5", "groq": "openai/gpt-oss-120b"}[self.sdk]
        message = await self._message(client, model)
        calls = self._take(message)
        if not calls:
            self.messages.append({"role": "user", "content": "Use the tool weather for Rome."})
        return calls

    async def _message(self, client: Any, model: str) -> Any:
        params = {"model": model, "messages": self.messages, **self.params}
        if self.sdk == "anthropic":
            if self.stream and self.is_async:
                async with client.messages.stream(**params) as stream:
                    return await stream.get_final_message()
            if self.stream:
                with client.messages.stream(**params) as stream:
                    return stream.get_final_message()
            return await client.messages.create(**params) if self.is_async else client.messages.create(**params)
        if not self.stream:
            call = client.chat.completions.create(**params)
            return (await call if self.is_async else call).choices[0].message
        call = client.chat.completions.create(**params, stream=True)
        chunks = [c async for c in await call] if self.is_async else list(call)
        return self._assembled(chunks)

    @staticmethod
    def _assembled(chunks: list[Any]) -> Any:
        from types import SimpleNamespace as Plain

        text, calls = "", {}
        for delta in (c.choices[0].delta for c in chunks if c.choices):
            text += delta.content or ""
            for part in delta.tool_calls or []:
                call = calls.setdefault(part.index, {"id": "", "name": "", "arguments": ""})
                call["id"] = part.id or call["id"]
                call["name"] = (part.function and part.function.name) or call["name"]
                call["arguments"] += (part.function and part.function.arguments) or ""
        tool_calls = [
            Plain(id=c["id"], function=Plain(name=c["name"], arguments=c["arguments"])) for c in calls.values()
        ]
        return Plain(content=text or None, tool_calls=tool_calls or None)

    def _take(self, message: Any) -> int:
        if self.sdk == "anthropic":
            self.messages.append(
                {"role": "assistant", "content": [b.model_dump(exclude_none=True) for b in message.content]}
            )
            uses = [b for b in message.content if b.type == "tool_use"]
            results = [{"type": "tool_result", "tool_use_id": b.id, "content": "21 C"} for b in uses]
            if results:
                self.messages.append({"role": "user", "content": results})
            return len(uses)
        calls = [
            {"id": c.id, "type": "function", "function": {"name": c.function.name, "arguments": c.function.arguments}}
            for c in message.tool_calls or []
        ]
        entry: dict[str, Any] = {"role": "assistant", "content": message.content}
        self.messages.append({**entry, "tool_calls": calls} if calls else entry)
        self.messages += [{"role": "tool", "tool_call_id": c["id"], "content": "21 C"} for c in calls]
        return len(calls)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("sdk", list(CLASSES))
async def test_an_agent_loop_loses_its_provider_in_turn_three_and_gets_it_back_in_turn_five(
    world: Sandbox, sdk: str, is_async: bool, stream: bool
) -> None:
    """Six turns with tools: the loop goes on elsewhere and comes home, and the history stays good for everyone."""
    events: list[Any] = []
    router = Router(scorer="heuristic", sinks=[events.append], breaker={"failure_threshold": 50, "minimum_calls": 50})
    loop = AgentLoop(sdk, stream, is_async)
    calls = []
    async with client_of(sdk, is_async, router) as client:
        for turn in range(1, 7):
            if turn == 3:
                getattr(world, sdk).outage(Behaviour(status=500))
            if turn == 5:
                getattr(world, sdk).recover()
            calls.append(await loop.turn(client))
    served = [event.selected_provider for event in events]
    assert [event.success for event in events] == [True] * 6
    assert served[:2] == [sdk, sdk]
    assert all(provider != sdk for provider in served[2:4])
    assert served[4:] == [sdk, sdk]
    assert sum(calls) >= 3, "the tool was called before, during and after the outage"
