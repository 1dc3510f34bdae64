"""Money in streams: OpenAI's own streams are asked for their usage, and the caller sees none of it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_router_middleware import Router, wrap
from llm_router_middleware.engine.call import Failure, FailureKind
from llm_router_middleware.providers.readers import UsageFilter
from tests.clients.memory import Wire, ask

ASK = [{"role": "user", "content": "hi"}]


def chunk(choices: list[Any], **more: Any) -> bytes:
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def events(with_usage: bool) -> bytes:
    delta = [{"index": 0, "delta": {"content": "hi"}, "finish_reason": None}]
    end = [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    null = {"usage": None} if with_usage else {}
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    last = chunk([], usage=usage) if with_usage else b""
    return chunk(delta, **null) * 3 + chunk(end, **null) + last + b"data: [DONE]\n\n"


def reply(_request: Any, body: dict[str, Any]) -> Any:
    asked = bool((body.get("stream_options") or {}).get("include_usage"))
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=events(asked))


@pytest.mark.parametrize(
    ("base_url", "params", "asked", "shown", "known"),
    [
        ("https://api.openai.com/v1", {}, True, False, True),
        ("https://api.openai.com/v1", {"stream_options": {"include_usage": True}}, True, True, True),
        ("http://127.0.0.1:9/v1", {}, False, False, False),
    ],
    ids=["openai itself", "the caller asked", "a compatible server"],
)
def test_usage_is_asked_for_and_withheld(
    base_url: str, params: dict[str, Any], asked: bool, shown: bool, known: bool
) -> None:
    """The event knows the tokens; the caller's chunks are those that he asked for."""
    seen: list[Any] = []
    wire = Wire("openai", reply)
    with wrap(wire.client(base_url=base_url), router=Router(scorer="heuristic", sinks=[seen.append])) as client:
        chunks = list(ask(client, "openai", model="gpt-6-luna", messages=ASK, stream=True, **params))
    assert ("stream_options" in wire.bodies[0]) == asked
    assert [c for c in chunks if not c.choices] == (chunks[-1:] if shown else [])
    assert len([c for c in chunks if c.choices]) == 4
    assert (seen[0].usage is not None and seen[0].usage.output_tokens == 3) == known
    assert (seen[0].cost_usd is not None) == known


class Live(httpx2.SyncByteStream):
    """A stream that comes event by event."""

    def __iter__(self) -> Any:
        return (event + b"\n\n" for event in events(False).split(b"\n\n")[:-1])


def test_a_stream_without_usage_is_estimated_and_says_so() -> None:
    """A compatible server that reports nothing: one token an event, flagged as an estimate."""
    seen: list[Any] = []
    headers = {"content-type": "text/event-stream"}
    wire = Wire("openai", lambda _request, _body: httpx2.Response(200, headers=headers, stream=Live()))
    with wrap(
        wire.client(base_url="http://127.0.0.1:9/v1"), router=Router(scorer="heuristic", sinks=[seen.append])
    ) as c:
        list(ask(c, "openai", model="gpt-6-luna", messages=ASK, stream=True))
    assert seen[0].usage.estimated is True
    assert seen[0].usage.output_tokens == 4
    assert seen[0].cost_usd > 0


def test_a_setting_turns_it_off() -> None:
    """`include_usage = false`: not a byte but the model is ours."""
    wire = Wire("openai", reply)
    with wrap(wire.client(), router=Router(scorer="heuristic", include_usage=False)) as client:
        list(ask(client, "openai", model="gpt-6-luna", messages=ASK, stream=True))
    assert "stream_options" not in wire.bodies[0]


@given(st.lists(st.integers(1, len(events(True)) - 1), max_size=12))
def test_any_cut_of_the_bytes_gives_the_same_stream(cuts: list[int]) -> None:
    """However the network cuts the stream, the caller's bytes are those without the usage chunk."""
    data = events(True)
    edges = [0, *sorted(cuts), len(data)]
    reader = UsageFilter(lambda _wire, _body: Failure(FailureKind.SERVER))
    out = b"".join(reader.feed(data[a:b]) for a, b in itertools.pairwise(edges)) + reader.end()
    usage = chunk([], usage={"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12})
    assert out == data.replace(usage, b"")
    assert reader.usage is not None
    assert reader.usage.output_tokens == 3
