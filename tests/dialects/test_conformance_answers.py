"""Conformance cases 59 to 71, 98 and 99: what a whole answer becomes, read by the caller's own SDK, strictly."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

from llm_router_middleware.dialects.ids import call_id
from llm_router_middleware.dialects.usage import read_usage
from llm_router_middleware.errors import RefusedAnswerError, TranslationError
from tests.dialects.kit import (
    ANTHROPIC,
    CALLERS,
    CHAT_USAGE,
    GROQ,
    MESSAGES_USAGE,
    OPENAI,
    RESPONSES,
    answered,
    completion,
    heard,
    message,
    tool_call,
)

TEXT = {"type": "text", "text": "hi"}
USE = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}
RESPONSES_USAGE = {
    "input_tokens": 100,
    "output_tokens": 9,
    "total_tokens": 109,
    "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
    "output_tokens_details": {"reasoning_tokens": 4},
}


def response(*output: dict[str, Any], status: str = "completed", **fields: Any) -> dict[str, Any]:
    """An answer of the Responses wire."""
    envelope = {"id": "resp_up", "object": "response", "created_at": 1, "model": "served", "status": status}
    return {**envelope, "output": list(output), "usage": RESPONSES_USAGE, **fields}


def output_text(text: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}


def function_call(identifier: str, arguments: str = '{"a":1}') -> dict[str, Any]:
    return {"type": "function_call", "id": "fc_1", "call_id": identifier, "name": "f", "arguments": arguments}


def to_openai(payload: dict[str, Any]) -> Any:
    return heard(OPENAI, answered(OPENAI, ANTHROPIC, payload))


def to_claude(payload: dict[str, Any], **request: Any) -> Any:
    return heard(ANTHROPIC, answered(ANTHROPIC, OPENAI, payload, request))


def test_case_059_a_refusal_stays_a_refusal_both_ways() -> None:
    """It never reads like an ordinary end."""
    refused = message(TEXT, stop="refusal", stop_details={"type": "refusal", "category": "cyber", "explanation": "no"})
    choice = to_openai(refused).choices[0]
    assert (choice.finish_reason, choice.message.refusal, choice.message.content) == ("content_filter", "no", "hi")
    for words, finish in (({"refusal": "no"}, "stop"), ({"content": "no"}, "content_filter")):
        back = to_claude(completion(words, finish))
        assert (back.stop_reason, back.content[0].text) == ("refusal", "no")
        assert back.stop_details.type == "refusal"
    with pytest.raises(RefusedAnswerError):
        answered(GROQ, ANTHROPIC, refused)
    with pytest.raises(RefusedAnswerError):
        answered(GROQ, OPENAI, completion({"refusal": "no"}))


@pytest.mark.parametrize("stop", ["model_context_window_exceeded", "max_tokens"])
def test_case_060_a_full_window_is_a_stop_for_length(stop: str) -> None:
    """A cut answer is not reported as whole."""
    assert to_openai(message(TEXT, stop=stop)).choices[0].finish_reason == "length"
    assert to_claude(completion({"content": "hi"}, "length")).stop_reason == "max_tokens"


@pytest.mark.parametrize("stop", ["pause_turn", "compaction"])
def test_case_061_a_turn_that_is_not_over_is_no_stop(stop: str) -> None:
    """It can't be carried."""
    for caller in (OPENAI, GROQ):
        with pytest.raises(TranslationError, match=stop):
            answered(caller, ANTHROPIC, message(TEXT, stop=stop))


def test_case_062_stop_with_tool_calls_is_tool_use() -> None:
    """Some servers say "stop" all the same; and tool_calls without one is an ordinary end."""
    assert to_claude(completion({"tool_calls": [tool_call("a")]}, "stop")).stop_reason == "tool_use"
    assert to_claude(completion({"content": "hi"}, "tool_calls")).stop_reason == "end_turn"
    groq = heard(GROQ, answered(GROQ, OPENAI, completion({"tool_calls": [tool_call("a")]}, "stop")))
    assert groq.choices[0].finish_reason == "tool_calls"


def test_case_063_all_tool_calls_are_carried() -> None:
    """In their order, ids and arguments included."""
    there = to_openai(message(TEXT, USE, {**USE, "id": "toolu_2", "input": {}}, stop="tool_use")).choices[0].message
    assert [(c.id, c.function.name, c.function.arguments) for c in there.tool_calls] == [
        ("toolu_1", "f", '{"a":1}'),
        ("toolu_2", "f", "{}"),
    ]
    calls = [tool_call("a", arguments='{"x":"é"}'), tool_call("b", arguments="")]
    back = to_claude(completion({"content": "ok", "tool_calls": calls}, "tool_calls"))
    assert [(b.id, b.input) for b in back.content[1:]] == [("a", {"x": "é"}), ("b", {})]
    flat = heard(OPENAI, answered(OPENAI, RESPONSES, response(function_call("a"), function_call("b"))))
    assert [c.id for c in flat.choices[0].message.tool_calls] == ["a", "b"]
    assert flat.choices[0].finish_reason == "tool_calls"


def test_case_063_a_long_id_is_the_same_in_the_answer_as_in_the_next_request() -> None:
    """So that the history that the caller builds from answers agrees with itself."""
    long = "call_" + "x" * 60
    back = to_claude(completion({"tool_calls": [tool_call(long)]}, "tool_calls"))
    assert back.content[0].id == call_id(long)


def test_case_064_several_messages_of_a_response_are_one_choice() -> None:
    """Their texts joined."""
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": []}
    answer = answered(OPENAI, RESPONSES, response(reasoning, output_text("a"), output_text("b")))
    choices = heard(OPENAI, answer).choices
    assert [c.message.content for c in choices] == ["ab"]


@pytest.mark.parametrize(("reason", "finish"), [("max_output_tokens", "length"), ("content_filter", "content_filter")])
def test_case_065_an_incomplete_response_is_a_stop_for_its_reason(reason: str, finish: str) -> None:
    """`completed` alone is a stop."""
    payload = response(output_text("a"), status="incomplete", incomplete_details={"reason": reason})
    assert answered(OPENAI, RESPONSES, payload)["choices"][0]["finish_reason"] == finish
    for status in ("failed", "in_progress", "cancelled"):
        with pytest.raises(TranslationError, match=status):
            answered(OPENAI, RESPONSES, response(output_text("a"), status=status))


def test_case_066_prompt_tokens_are_fresh_plus_read_plus_written() -> None:
    """One side counts totals with subsets, the other disjoint parts."""
    usage = to_openai(message(TEXT)).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (100, 9, 109)
    assert usage.prompt_tokens_details.cached_tokens == 60
    assert usage.prompt_tokens_details.cache_write_tokens == 10
    assert usage.completion_tokens_details.reasoning_tokens == 4


def test_case_067_cached_tokens_become_cache_reads() -> None:
    """And are taken out of the fresh ones."""
    usage = to_claude(completion({"content": "hi"})).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (30, 60, 10)
    assert (usage.output_tokens, usage.output_tokens_details.thinking_tokens) == (9, 4)


@pytest.mark.parametrize(
    ("wire", "payload"),
    [
        (OPENAI, {"usage": CHAT_USAGE}),
        (GROQ, {"usage": CHAT_USAGE}),
        (GROQ, {"object": "chat.completion.chunk", "x_groq": {"usage": CHAT_USAGE}}),
        (ANTHROPIC, {"usage": MESSAGES_USAGE}),
        (ANTHROPIC, {"type": "message_start", "message": {"usage": MESSAGES_USAGE}}),
        (RESPONSES, {"usage": RESPONSES_USAGE}),
        (RESPONSES, {"type": "response.completed", "response": {"usage": RESPONSES_USAGE}}),
    ],
)
def test_case_068_the_same_tokens_count_the_same_on_every_wire(wire: Any, payload: dict[str, Any]) -> None:
    """No part of them is counted twice."""
    assert read_usage(wire, payload) == {
        "input_tokens": 100,
        "output_tokens": 9,
        "cached_input_tokens": 60,
        "cache_write_tokens": 10,
        "reasoning_tokens": 4,
    }


def test_case_068_unknown_usage_stays_unknown() -> None:
    """Nothing is invented; where a number is mandatory it is 0."""
    payload = {**message(TEXT), "usage": None}
    assert to_openai(payload).usage is None
    assert read_usage(ANTHROPIC, payload) is None
    assert to_claude({**completion({"content": "hi"}), "usage": None}).usage.input_tokens == 0


@pytest.mark.parametrize("arguments", ["{", "[1]", "null", "nonsense"])
def test_case_069_arguments_that_are_no_object_can_not_be_carried_to_claude(arguments: str) -> None:
    """They are not repaired."""
    with pytest.raises(TranslationError, match="not a JSON object"):
        answered(ANTHROPIC, GROQ, completion({"tool_calls": [tool_call("a", arguments=arguments)]}, "tool_calls"))


def test_case_070_reasoning_and_groqs_own_fields_do_not_reach_others() -> None:
    """Nothing of it stands in the text or beside it."""
    payload = completion({"content": "hi", "reasoning": "hm"}, x_groq={"id": "req_1"}, usage_breakdown=None)
    there = answered(OPENAI, GROQ, payload)
    assert "hm" not in json.dumps(there)
    assert "x_groq" not in json.dumps(there)
    assert heard(OPENAI, there).choices[0].message.content == "hi"
    assert "hm" not in json.dumps(answered(ANTHROPIC, GROQ, payload, {}))
    thinking = message({"type": "thinking", "thinking": "hm", "signature": "S"}, TEXT)
    assert "hm" not in json.dumps(answered(OPENAI, ANTHROPIC, thinking))


def test_case_070_reasoning_reaches_those_who_asked_to_read_it() -> None:
    """With a signature that we know again, in Anthropic's form."""
    payload = completion({"content": "hi", "reasoning": "hm"})
    shown = heard(ANTHROPIC, answered(ANTHROPIC, GROQ, payload, {"thinking": {"display": "summarized"}}))
    assert (shown.content[0].thinking, shown.content[0].signature) == ("hm", "lrm1:groq")
    thinking = message({"type": "thinking", "thinking": "hm", "signature": "S"}, TEXT)
    groq = heard(GROQ, answered(GROQ, ANTHROPIC, thinking, {"reasoning_format": "parsed"}))
    assert groq.choices[0].message.reasoning == "hm"


@pytest.mark.parametrize("stop", [None, "", "new_reason", 3, ["stop"]])
def test_case_071_an_unknown_stop_reason_is_an_error(stop: Any) -> None:
    """It is never taken for an ordinary end."""
    for caller, target, payload in (
        (OPENAI, ANTHROPIC, message(TEXT, stop=stop)),
        (ANTHROPIC, OPENAI, completion({"content": "hi"}, stop)),
        (GROQ, OPENAI, completion({"content": "hi"}, stop)),
        (OPENAI, GROQ, completion({"content": "hi"}, stop)),
    ):
        with pytest.raises(TranslationError):
            answered(caller, target, payload)


@pytest.mark.parametrize("field", ["audio", "function_call", "executed_tools", "annotations"])
def test_case_071_what_has_no_counterpart_is_an_error(field: str) -> None:
    """It is not left out."""
    payload = completion({"content": "hi", field: [{"x": 1}]})
    for caller, target in ((ANTHROPIC, OPENAI), (OPENAI, GROQ), (GROQ, OPENAI)):
        with pytest.raises(TranslationError, match=field):
            answered(caller, target, payload)
    cited = {**TEXT, "citations": [{"type": "char_location"}]}
    with pytest.raises(TranslationError, match="citations"):
        answered(OPENAI, ANTHROPIC, message(cited))
    with pytest.raises(TranslationError, match="server_tool_use"):
        answered(OPENAI, ANTHROPIC, message({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}))


ANSWERS: list[tuple[Any, dict[str, Any]]] = [
    (ANTHROPIC, message(TEXT)),
    (ANTHROPIC, message()),
    (ANTHROPIC, message(TEXT, USE, stop="tool_use")),
    (ANTHROPIC, message(USE, stop="tool_use")),
    (ANTHROPIC, message(TEXT, stop="max_tokens")),
    (ANTHROPIC, message(TEXT, stop="stop_sequence", stop_sequence="END")),
    (ANTHROPIC, message({"type": "thinking", "thinking": "hm", "signature": "S"}, TEXT)),
    (ANTHROPIC, {**message(TEXT), "usage": {"input_tokens": 1, "output_tokens": 1}}),
    (OPENAI, completion({"content": "hi"})),
    (OPENAI, completion({"content": ""})),
    (OPENAI, completion({"content": "hi", "tool_calls": [tool_call("a")]}, "tool_calls")),
    (OPENAI, completion({"tool_calls": [tool_call("a"), tool_call("b", arguments="")]}, "tool_calls")),
    (OPENAI, completion({"content": "hi"}, "length")),
    (OPENAI, {**completion({"content": "hi"}), "usage": None}),
    (GROQ, completion({"content": "hi", "reasoning": "hm"}, x_groq={"id": "r"})),
    (GROQ, completion({"tool_calls": [tool_call("a")]}, "tool_calls")),
    (RESPONSES, response(output_text("hi"))),
    (RESPONSES, response(output_text("hi"), function_call("a"))),
    (RESPONSES, response(status="incomplete", incomplete_details={"reason": "max_output_tokens"})),
]


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("caller", "target", "payload"),
    [(caller, target, payload) for caller in CALLERS for target, payload in ANSWERS if caller != target],
)
def test_case_098_every_answer_passes_strict_validation(
    caller: Any, target: Any, payload: dict[str, Any], is_async: bool
) -> None:
    """What the SDK would silently accept is an error here."""
    answer = heard(caller, answered(caller, target, payload), is_async=is_async)
    assert answer.model == "served"
    assert "up" in answer.id


@pytest.mark.parametrize("caller", [OPENAI, GROQ, ANTHROPIC])
def test_case_099_the_objects_are_the_sdks_own(caller: Any) -> None:
    """They pickle, copy and dump as native ones do."""
    target = ANTHROPIC if caller != ANTHROPIC else OPENAI
    payload = message(TEXT, USE, stop="tool_use") if target == ANTHROPIC else completion({"content": "hi"})
    translated = answered(caller, target, payload)
    answer = heard(caller, translated)
    assert pickle.loads(pickle.dumps(answer)) == answer
    assert copy.deepcopy(answer) == answer
    assert answer.to_dict(mode="json") == translated
    assert answer.model_validate(answer.model_dump()) == answer
