"""The small rules that every pair shares: ids, media, schemas, stop reasons, where an object ends."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_router_middleware.dialects.braces import ObjectEnd
from llm_router_middleware.dialects.ids import answer_id, call_id, pseudonym, tool_name
from llm_router_middleware.dialects.media import Enclosed, parse_data_url, size_of_image_url, sniff
from llm_router_middleware.dialects.observe import is_content, is_terminator, served_model, stop_reason
from llm_router_middleware.dialects.schema import Budget, closed, outside_anthropic, outside_openai
from llm_router_middleware.errors import RuledOutError
from tests.dialects.kit import ANTHROPIC, GROQ, OPENAI, RESPONSES

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)


@given(st.text())
def test_a_call_id_is_legal_everywhere_and_final(identifier: str) -> None:
    """Anthropic's characters, OpenAI's 40; made once, it is never made anew."""
    made = call_id(identifier)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}", made)
    assert call_id(made) == made
    assert call_id(identifier) == made


@given(st.sets(st.text(min_size=1), min_size=2, max_size=5))
def test_different_call_ids_stay_different(identifiers: set[str]) -> None:
    """Two calls never share a result."""
    assert len({call_id(identifier) for identifier in identifiers}) == len(identifiers)


def test_an_answers_id_has_one_prefix() -> None:
    """Whatever it had before."""
    assert answer_id("msg_", "chatcmpl-abc") == "msg_abc"
    assert answer_id("chatcmpl-", "msg_abc") == "chatcmpl-abc"
    assert answer_id("chatcmpl-", "resp_msg_abc") == "chatcmpl-abc"


@pytest.mark.parametrize("name", ["", "a.b", "é", "f" * 65, "a b", "f\n"])
def test_illegal_tool_names_are_refused(name: str) -> None:
    """They are not rewritten: the model would read another name."""
    with pytest.raises(RuledOutError):
        tool_name(name)
    assert tool_name("f" * 64) == "f" * 64


def test_a_pseudonym_is_stable_and_says_nothing() -> None:
    """The user's name stays with his provider."""
    assert pseudonym("jane@example.com") == pseudonym("jane@example.com")
    assert "jane" not in pseudonym("jane@example.com")
    assert len(pseudonym("x")) == 32


@pytest.mark.parametrize("text", ["", " ", "[1]", '"{}"', "1"])
def test_what_is_no_object_never_ends(text: str) -> None:
    """Nothing is taken for whole that is none."""
    end = ObjectEnd()
    end.feed(text)
    assert not end.reached


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7", "application/pdf"),
        (b"BM", None),
        (b"", None),
    ],
)
def test_bytes_say_what_they_are(head: bytes, kind: str | None) -> None:
    """By their first few, without decoding the rest."""
    data = base64.b64encode(head + b"\x00" * 60).decode() if head else ""
    assert sniff(data) == kind
    if kind:
        assert parse_data_url(f"data:image/bmp;name=x;base64,{data}") == Enclosed(kind, data)


def test_what_is_no_base64_is_refused() -> None:
    """Before a provider says so."""
    with pytest.raises(RuledOutError):
        parse_data_url("data:image/png;base64,***")
    assert parse_data_url("https://example.com/a.png") is None
    assert parse_data_url("data:text/plain,hello") is None
    assert size_of_image_url("https://example.com/a.png") == 0
    assert size_of_image_url("data:image/png;base64," + "A" * 400) == 300


OBJECT: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({**OBJECT}, None),
        ({**OBJECT, "additionalProperties": False}, None),
        ({**OBJECT, "additionalProperties": True}, "additional properties"),
        ({**OBJECT, "additionalProperties": {"type": "string"}}, "additional properties"),
        ({**OBJECT, "patternProperties": {}}, "patternProperties"),
        ({"type": "object", "properties": {"a": {"type": "string", "maxLength": 3}}}, "maxLength"),
        ({"type": "object", "properties": {"a": {"type": "array", "minItems": 2, "items": {}}}}, "minItems"),
        ({"type": "object", "properties": {"a": {"type": "array", "minItems": 1, "items": {}}}}, None),
        ({"type": "object", "properties": {"a": {"type": "string", "format": "uuid"}}}, None),
        ({"type": "object", "properties": {"a": {"type": "string", "format": "phone"}}}, "format"),
        ({"type": "object", "properties": {"a": {"enum": [1, "x", None]}}}, None),
        ({"type": "object", "properties": {"a": {"enum": [{}]}}}, "enum"),
        ({"type": "object", "properties": {"a": {"type": "map"}}}, "type"),
        ({"type": "object", "properties": {"a": {"$ref": "other.json"}}}, "another document"),
        ({"type": "object", "properties": {"a": {"$ref": "#"}}}, "recursive"),
        (
            {"$defs": {"n": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}}}, "$ref": "#/$defs/n"},
            "recursive",
        ),
        ({"$defs": {"s": {"type": "string"}}, "type": "object", "properties": {"a": {"$ref": "#/$defs/s"}}}, None),
        ({"type": "object", "properties": {"a": {"allOf": [{"$ref": "#/$defs/s"}]}}}, "allOf"),
        ({"type": "object", "properties": {"additionalProperties": {"type": "string"}}}, None),
        (None, "not an object"),
    ],
)
def test_the_subset_that_claude_guarantees(schema: Any, why: str | None) -> None:
    """A property may be named like a keyword; a keyword that is not guaranteed is named in the reason."""
    found = outside_anthropic(schema)
    assert (found is None) if why is None else why in str(found)


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({**OBJECT, "additionalProperties": False}, None),
        ({**OBJECT}, "open"),
        ({**OBJECT, "required": [], "additionalProperties": False}, "optional"),
        ({**OBJECT, "properties": {"a": {**OBJECT}}, "additionalProperties": False}, "open"),
        ({"type": "array", "items": {"type": "string"}}, None),
        ("x", "not an object"),
    ],
)
def test_the_subset_that_openai_guarantees(schema: Any, why: str | None) -> None:
    """Every property required, every object closed, all the way down."""
    found = outside_openai(schema)
    assert (found is None) if why is None else why in str(found)


def test_closing_a_schema_narrows_it_and_changes_nothing_else() -> None:
    """Objects that say nothing of other properties get none; the caller's own schema is not touched."""
    inner = {"type": "object", "properties": {"x": {"type": "integer"}}}
    schema = {**OBJECT, "properties": {"a": inner, "b": {"type": "array", "items": inner}}, "$defs": {"d": inner}}
    before = json.dumps(schema)
    shut = {**inner, "additionalProperties": False}
    assert closed(schema) == {
        **schema,
        "properties": {"a": shut, "b": {"type": "array", "items": shut}},
        "$defs": {"d": shut},
        "additionalProperties": False,
    }
    assert json.dumps(schema) == before
    named = {"type": "object", "properties": {"properties": {"type": "string"}}, "additionalProperties": False}
    assert closed(named) == named


@pytest.mark.parametrize(
    ("schema", "tool", "repeat", "why"),
    [
        ({"type": "object", "properties": {"a": {}}, "required": ["a"]}, True, 20, None),
        ({"type": "object", "properties": {"a": {}}, "required": ["a"]}, True, 21, "strict tools"),
        ({"type": "object", "properties": {"a": {}}}, False, 24, None),
        ({"type": "object", "properties": {"a": {}}}, False, 25, "optional"),
        ({"type": ["string", "null"]}, False, 16, None),
        ({"type": ["string", "null"]}, False, 17, "union"),
        ({"anyOf": [{"type": "string"}]}, False, 17, "union"),
    ],
)
def test_the_limits_hold_for_all_schemas_of_a_request_together(
    schema: Any, tool: bool, repeat: int, why: str | None
) -> None:
    """Not for each by itself."""
    budget = Budget()
    found = [budget.spend(schema, tool=tool) for _ in range(repeat)]
    assert set(found[:-1]) == {None}
    assert (found[-1] is None) if why is None else why in str(found[-1])


@pytest.mark.parametrize(
    ("wire", "data", "content"),
    [
        (OPENAI, {"choices": [{"delta": {"role": "assistant", "content": ""}}]}, False),
        (OPENAI, {"choices": [{"delta": {"content": "a"}}]}, True),
        (OPENAI, {"choices": [{"delta": {"tool_calls": []}}]}, False),
        (OPENAI, {"choices": [{"delta": {"tool_calls": [{"index": 0}]}}]}, True),
        (OPENAI, {"choices": []}, False),
        (GROQ, {"choices": [{"delta": {"reasoning": "a"}}]}, True),
        (ANTHROPIC, {"type": "message_start"}, False),
        (ANTHROPIC, {"type": "ping"}, False),
        (ANTHROPIC, {"type": "content_block_start", "content_block": {"type": "text", "text": ""}}, False),
        (ANTHROPIC, {"type": "content_block_start", "content_block": {"type": "thinking", "thinking": ""}}, False),
        (ANTHROPIC, {"type": "content_block_start", "content_block": {"type": "tool_use"}}, True),
        (ANTHROPIC, {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}}, True),
        (ANTHROPIC, {"type": "content_block_delta", "delta": {"type": "text_delta", "text": ""}}, False),
        (RESPONSES, {"type": "response.created"}, False),
        (RESPONSES, {"type": "response.output_item.added", "item": {"type": "message"}}, False),
        (RESPONSES, {"type": "response.output_item.added", "item": {"type": "function_call"}}, True),
        (RESPONSES, {"type": "response.output_text.delta", "delta": "a"}, True),
        (RESPONSES, {"type": "response.output_text.done", "text": "a"}, False),
    ],
)
def test_announcements_are_no_content(wire: Any, data: dict[str, Any], content: bool) -> None:
    """The commit point of a stream is its first content."""
    assert is_content(wire, None, data) is content


@pytest.mark.parametrize(
    ("wire", "data", "ends"),
    [
        (OPENAI, "[DONE]", True),
        (OPENAI, {"choices": [{"delta": {}, "finish_reason": "stop"}]}, True),
        (OPENAI, {"choices": [{"delta": {}, "finish_reason": None}]}, False),
        (ANTHROPIC, {"type": "message_stop"}, True),
        (ANTHROPIC, {"type": "message_delta"}, False),
        (RESPONSES, {"type": "response.completed"}, True),
        (RESPONSES, {"type": "response.incomplete"}, True),
        (RESPONSES, {"type": "response.output_item.done"}, False),
    ],
)
def test_a_stream_says_that_it_is_whole(wire: Any, data: Any, ends: bool) -> None:
    """What ends without that was cut."""
    assert is_terminator(wire, None, data) is ends


@pytest.mark.parametrize(
    ("wire", "data", "model", "reason"),
    [
        (OPENAI, {"model": "m", "choices": [{"finish_reason": "stop"}]}, "m", "stop"),
        (ANTHROPIC, {"type": "message_start", "message": {"model": "m"}}, "m", None),
        (ANTHROPIC, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, None, "end_turn"),
        (ANTHROPIC, {"model": "m", "stop_reason": "tool_use"}, "m", "tool_use"),
        (
            RESPONSES,
            {"type": "response.completed", "response": {"model": "m", "status": "completed"}},
            "m",
            "completed",
        ),
        (RESPONSES, {"model": "m", "incomplete_details": {"reason": "max_output_tokens"}}, "m", "max_output_tokens"),
        (OPENAI, {"model": 3, "choices": "x"}, None, None),
    ],
)
def test_the_served_model_and_the_reason_are_read(wire: Any, data: Any, model: Any, reason: Any) -> None:
    """Of whole answers and of events."""
    assert (served_model(wire, data), stop_reason(wire, data)) == (model, reason)


@given(json_values)
def test_reading_events_never_raises(value: Any) -> None:
    """Whatever a server sends."""
    for data in (value, {"choices": value, "delta": value, "message": value, "response": value, "type": value}):
        if isinstance(data, dict):
            for wire in (OPENAI, GROQ, ANTHROPIC, RESPONSES):
                is_content(wire, None, data)  # type: ignore[arg-type]
                is_terminator(wire, None, data)  # type: ignore[arg-type]
                served_model(wire, data)  # type: ignore[arg-type]
                stop_reason(wire, data)  # type: ignore[arg-type]
