"""Whatever stands in a body, a translator rules it out by name or carries it: it raises nothing else.

Valid requests, answers and streams are spoilt at a random place with random JSON.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_router_middleware.dialects import translator
from llm_router_middleware.errors import RuledOutError, TranslationError
from llm_router_middleware.routing.requirements import requirements
from tests.dialects.kit import (
    ANTHROPIC,
    CLAUDE,
    GPT4,
    GROQ,
    OPENAI,
    QWEN,
    RESPONSES,
    SOL,
    about,
    call_piece,
    chunk,
    completion,
    events,
    message,
    said,
    spec,
    thought,
    tool,
    tool_call,
    used,
)
from tests.dialects.test_conformance_answers import function_call, output_text, response
from tests.dialects.test_conformance_requests import CLOSED, PNG, function
from tests.dialects.test_conformance_streams import RESPONSE_EVENTS

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "x", "tool", "text"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "role", "x"]), inner, max_size=2)
    ),
    max_leaves=5,
)

CHAT_BODY: dict[str, Any] = {
    "model": "gpt-4.1",
    "messages": [
        {"role": "system", "content": "be nice"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "see"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
            ],
        },
        {"role": "assistant", "content": "so", "refusal": None, "tool_calls": [tool_call("a", arguments='{"x":1}')]},
        {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "42"}]},
        {"role": "user", "content": "and?"},
    ],
    "tools": [function(description="d", parameters=CLOSED, strict=True), function("g")],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "parallel_tool_calls": False,
    "max_completion_tokens": 5000,
    "stop": ["END"],
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": CLOSED, "strict": True}},
    "reasoning_effort": "low",
    "user": "u",
    "n": 1,
    "stream": True,
    "stream_options": {"include_usage": True},
    "temperature": 1,
}
CLAUDE_BODY: dict[str, Any] = {
    "model": "claude-opus-4-8",
    "max_tokens": 5000,
    "system": [{"type": "text", "text": "be nice", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "see"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "S"},
                {"type": "text", "text": "so"},
                {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "a",
                    "content": [{"type": "text", "text": "42"}],
                    "is_error": True,
                },
                {"type": "text", "text": "and?"},
            ],
        },
    ],
    "tools": [tool(description="d", strict=True, input_schema=CLOSED)],
    "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    "thinking": {"type": "adaptive", "display": "omitted"},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": CLOSED}},
    "metadata": {"user_id": "u"},
    "stream": True,
}
RESPONSES_BODY: dict[str, Any] = {
    "model": "gpt-6-luna",
    "input": [{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
    "tools": [{"type": "function", "name": "f", "parameters": CLOSED, "strict": True}],
    "text": {"format": {"type": "json_schema", "name": "n", "schema": CLOSED}},
    "reasoning": {"effort": "low"},
    "store": False,
}
BODIES = {OPENAI: CHAT_BODY, GROQ: CHAT_BODY, ANTHROPIC: CLAUDE_BODY, RESPONSES: RESPONSES_BODY}
TARGETS = {ANTHROPIC: CLAUDE, OPENAI: GPT4, GROQ: QWEN, RESPONSES: SOL}
PAIRS = [(a, b) for a in (OPENAI, GROQ, ANTHROPIC) for b in TARGETS]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything inside a value."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def spoilt(value: Any, path: tuple[Any, ...], change: Any) -> Any:
    """The value with something else at one place."""
    if not path:
        return change
    result = copy.deepcopy(value)
    inner = result
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = change
    return result


def one_of(value: Any) -> st.SearchStrategy[Any]:
    paths = [path for path in places(value) if path]
    return st.tuples(st.sampled_from(paths), json_values).map(lambda found: spoilt(value, *found))


@pytest.mark.parametrize(("caller", "target"), PAIRS)
@settings(max_examples=40)
@given(data=st.data())
def test_a_spoilt_request_is_carried_or_ruled_out(caller: Any, target: Any, data: st.DataObject) -> None:
    """Nothing but a `RuledOutError` comes out, and the dry run says the same."""
    body = data.draw(one_of(BODIES[caller]))
    before = copy.deepcopy(body)
    pair = translator(caller, target)
    assert pair is not None
    model = spec(target, TARGETS[target])
    try:
        pair.request(body, model, frozenset())
        expected = None
    except RuledOutError as out:
        expected = str(out)
    assert body == before
    if caller != target:
        assert requirements(body, caller, prompt_tokens=1).unmet_by(model, target) == expected


@pytest.mark.parametrize("wire", BODIES)
@settings(max_examples=40)
@given(data=st.data())
def test_requirements_are_read_from_anything(wire: Any, data: st.DataObject) -> None:
    """On every wire, of the caller's own model too."""
    body = data.draw(one_of(BODIES[wire]) | st.dictionaries(st.sampled_from([*BODIES[wire]]), json_values))
    needs = requirements(body, wire, prompt_tokens=1)
    assert needs.bound is None or isinstance(needs.bound, str)
    for target, model in TARGETS.items():
        found = needs.unmet_by(spec(target, model), target)
        assert found is None or isinstance(found, str)


ANSWERS = {
    ANTHROPIC: message(
        {"type": "thinking", "thinking": "hm", "signature": "S"},
        {"type": "text", "text": "hi", "citations": None},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
        stop="tool_use",
    ),
    OPENAI: completion({"content": "hi", "refusal": None, "tool_calls": [tool_call("a")]}, "tool_calls"),
    GROQ: completion({"content": "hi", "reasoning": "hm", "tool_calls": [tool_call("a")]}, "tool_calls"),
    RESPONSES: response(output_text("hi"), function_call("a")),
}
STREAMS: dict[str, list[dict[str, Any]]] = {
    ANTHROPIC: events(thought("hm"), said("hi"), used("a", "f", '{"x"', ":1}"), stop="tool_use"),
    OPENAI: [chunk({"content": "hi"}), chunk(call_piece(0, "{}", "a", "f")), chunk({}, "tool_calls")],
    GROQ: [chunk({"reasoning": "hm"}), chunk(call_piece(0, "{}", "a", "f")), chunk({}, "tool_calls")],
    RESPONSES: RESPONSE_EVENTS,
}


@pytest.mark.parametrize(("caller", "target"), [(a, b) for a, b in PAIRS if a != b])
@settings(max_examples=40)
@given(data=st.data())
def test_a_spoilt_answer_is_carried_or_is_a_translation_error(caller: Any, target: Any, data: st.DataObject) -> None:
    """So that the engine can fail over."""
    payload = data.draw(one_of(ANSWERS[target]))
    pair = translator(caller, target)
    assert pair is not None
    with contextlib.suppress(TranslationError):
        pair.answer(payload, about({"reasoning_format": "parsed", "thinking": {"display": "summarized"}}))


@pytest.mark.parametrize(("caller", "target"), [(a, b) for a, b in PAIRS if a != b])
@settings(max_examples=40)
@given(data=st.data())
def test_a_spoilt_stream_is_carried_or_is_a_translation_error(caller: Any, target: Any, data: st.DataObject) -> None:
    """So that the reader can break off."""
    upstream = data.draw(one_of(STREAMS[target]))
    pair = translator(caller, target)
    assert pair is not None
    machine = pair.stream(about({"reasoning_format": "parsed", "thinking": {"display": "summarized"}}))
    with contextlib.suppress(TranslationError):
        for event in upstream:
            if isinstance(event, dict):
                name = event.get("type")
                machine.feed(name if isinstance(name, str) else None, event)
        machine.end()
