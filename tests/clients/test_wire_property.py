"""To the same provider the caller's own bytes go out, `model` excepted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_router_middleware import Router, wrap
from tests.clients.memory import Wire, ask

ASKED = {"openai": "gpt-6.1-sol", "anthropic": "claude-opus-5-5", "groq": "openai/gpt-oss-120b"}

text = st.text(max_size=60).filter(lambda s: s.isprintable())
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
parts = st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": text.filter(bool)}), min_size=1, max_size=3)
messages = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": text.filter(bool) | parts}),
    min_size=1,
    max_size=6,
)
schemas = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from("abc"), st.just({"type": "string"}))}
)
chat_params = st.fixed_dictionaries(
    {"messages": messages},
    optional={
        "temperature": st.floats(0, 2),
        "max_completion_tokens": st.integers(16, 4000),
        "stop": st.lists(text.filter(bool), min_size=1, max_size=4),
        "seed": st.integers(0, 2**31),
        "user": text,
        "tools": st.lists(
            st.builds(lambda s: {"type": "function", "function": {"name": "f", "parameters": s}}, schemas), max_size=2
        ),
        "metadata": st.dictionaries(st.sampled_from("ab"), text),
        "extra_body": st.dictionaries(st.sampled_from(["x_a", "x_b"]), json_values),
        "extra_headers": st.dictionaries(st.sampled_from(["x-a", "x-b"]), st.just("1")),
        "extra_query": st.dictionaries(st.sampled_from("pq"), st.sampled_from(["1", "z"])),
        "timeout": st.floats(1, 100),
    },
)
message_params = st.fixed_dictionaries(
    {"messages": messages, "max_tokens": st.integers(1, 4000)},
    optional={
        "system": text.filter(bool) | parts,
        "stop_sequences": st.lists(text.filter(bool), max_size=3),
        "metadata": st.fixed_dictionaries({"user_id": text}),
        "tools": st.lists(st.builds(lambda s: {"name": "f", "input_schema": s}, schemas), max_size=2),
        "extra_body": st.dictionaries(st.sampled_from(["x_a", "x_b"]), json_values),
        "extra_headers": st.dictionaries(st.sampled_from(["x-a", "x-b"]), st.just("1")),
        "timeout": st.floats(1, 100),
    },
)
PARAMS = {"openai": chat_params, "anthropic": message_params, "groq": chat_params}
UNKNOWN_TO_GROQ = {"metadata"}


def on_the_wire(sdk: str, model: str, params: dict[str, Any], router: Router | None) -> Any:
    """The last request that a call leaves on the wire."""
    wire = Wire(sdk)
    client = wire.client(max_retries=0)
    if router is not None:
        client = wrap(client, router=router)
    with client:
        ask(client, sdk, model=model, **params)
    return wire.requests[-1]


@pytest.mark.parametrize("sdk", ["openai", "anthropic", "groq"])
def test_the_bytes_on_the_wire_are_the_callers_own_but_for_the_model(sdk: str) -> None:
    """For any request: URL, headers and body equal those of the bare SDK that was given the selected model."""
    events: list[Any] = []
    router = Router(scorer="heuristic", sinks=[events.append])
    rewritten = 0

    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
    @given(PARAMS[sdk])
    def law(params: dict[str, Any]) -> None:
        nonlocal rewritten
        if sdk == "groq":
            params = {key: value for key, value in params.items() if key not in UNKNOWN_TO_GROQ}
        routed = on_the_wire(sdk, ASKED[sdk], params, router)
        bare = on_the_wire(sdk, events[-1].selected_model, params, None)
        assert routed.content == bare.content
        assert routed.url == bare.url
        assert routed.headers == bare.headers
        rewritten += events[-1].selected_model != ASKED[sdk]

    law()
    assert rewritten >= 20, "the law was not tried on rewritten requests"
