"""Conformance cases 1 to 58: what becomes of a request. Each case is named by its number in the published defects
of other gateways; most of them were found as "200 OK, and the parameter is gone"."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from llm_router_middleware.dialects.ids import call_id
from llm_router_middleware.errors import RuledOutError
from tests.dialects.kit import (
    ANTHROPIC,
    CHAT,
    CLAUDE,
    GPT4,
    GROQ,
    LUNA,
    MESSAGES,
    OPENAI,
    OPUS,
    OSS,
    QWEN,
    RESPONSES,
    SOL,
    USER,
    function,
    tool,
    tool_call,
    translate,
    unmet,
)

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(40)).decode()
CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
LOOSE = {"type": "object", "properties": {"a": {"type": "string"}}}


def ruled_out(*arguments: Any, parameter: str, **options: Any) -> None:
    """Asserts that a request is not carried, and that the reason names the parameter."""
    with pytest.raises(RuledOutError) as caught:
        translate(*arguments, **options)
    assert caught.value.parameter.startswith(parameter), str(caught.value)
    assert unmet(*arguments, **options) == str(caught.value)


def chat(**parameters: Any) -> dict[str, Any]:
    return {**CHAT, **parameters}


def claude(**parameters: Any) -> dict[str, Any]:
    return {**MESSAGES, **parameters}


def history(*messages: dict[str, Any]) -> dict[str, Any]:
    return chat(messages=list(messages))


def test_case_002_several_choices_rule_claude_out() -> None:
    """`n=2` never comes back as one choice with 200."""
    ruled_out(OPENAI, ANTHROPIC, CLAUDE, chat(n=2), parameter="n")
    assert "n" not in translate(OPENAI, ANTHROPIC, CLAUDE, chat(n=1)).body


@pytest.mark.parametrize("stop", ["END", ["END"], ["END", "STOP"]])
def test_case_003_stop_becomes_stop_sequences(stop: Any) -> None:
    """A string and a list both arrive as a list."""
    body = translate(OPENAI, ANTHROPIC, CLAUDE, chat(stop=stop)).body
    assert body["stop_sequences"] == ([stop] if isinstance(stop, str) else stop)


def test_case_004_stop_sequences_never_reach_responses() -> None:
    """The Responses wire has none, so nothing with some is sent there."""
    ruled_out(ANTHROPIC, RESPONSES, LUNA, claude(stop_sequences=["END"]), parameter="stop")
    ruled_out(OPENAI, RESPONSES, LUNA, chat(stop=["END"]), parameter="stop")


@pytest.mark.parametrize(("target", "model"), [(OPENAI, GPT4), (GROQ, QWEN)])
def test_case_005_anthropic_stop_sequences_stay_with_anthropic(target: Any, model: str) -> None:
    """Which sequence matched is not told elsewhere; only an opt-in lets that be lost, and says so."""
    body = claude(stop_sequences=["END"])
    ruled_out(ANTHROPIC, target, model, body, parameter="stop_sequences")
    translation = translate(ANTHROPIC, target, model, body, lossy=["stop_detail"])
    assert translation.body["stop"] == ["END"]
    assert translation.dropped == ("stop_sequences",)


@pytest.mark.parametrize("stop", [" ", ["END", "\n"], [""]])
def test_case_006_blank_stop_sequences_rule_claude_out(stop: Any) -> None:
    """Claude rejects stop sequences of white space alone."""
    ruled_out(OPENAI, ANTHROPIC, CLAUDE, chat(stop=stop), parameter="stop")


@pytest.mark.parametrize("name", ["temperature", "top_p"])
def test_case_007_sampling_rules_claude_out(name: str) -> None:
    """A temperature that was set is contract; the default says nothing and is dropped."""
    ruled_out(OPENAI, ANTHROPIC, CLAUDE, chat(**{name: 0.2}), parameter=name)
    assert name not in translate(OPENAI, ANTHROPIC, CLAUDE, chat(**{name: 1})).body
    translation = translate(OPENAI, ANTHROPIC, CLAUDE, chat(**{name: 0.2}), lossy=["sampling"])
    assert translation.dropped == (name,)
    assert name not in translation.body


def test_case_008_temperature_and_top_p_never_both_reach_an_old_claude() -> None:
    """Claude 4.5 rejects the two together; neither is sent."""
    ruled_out(OPENAI, ANTHROPIC, "claude-haiku-4-5", chat(temperature=0.2, top_p=0.5), parameter="temperature")
    body = translate(OPENAI, ANTHROPIC, "claude-haiku-4-5", chat(temperature=0.2, top_p=0.5), lossy=["sampling"]).body
    assert not {"temperature", "top_p"} & body.keys()


NAMED = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        (NAMED, {"type": "tool", "name": "f"}),
    ],
)
def test_case_009_tool_choice_survives_every_route(choice: Any, expected: dict[str, Any]) -> None:
    """Each form of tool choice means the same on every wire, there and back."""
    body = chat(tools=[function()], tool_choice=choice)
    there = translate(OPENAI, ANTHROPIC, CLAUDE, body).body
    assert there["tool_choice"] == expected
    assert there["tools"]
    back = translate(ANTHROPIC, OPENAI, GPT4, there).body
    assert back["tool_choice"] == choice
    assert translate(ANTHROPIC, GROQ, QWEN, there).body["tool_choice"] == choice
    assert translate(OPENAI, GROQ, QWEN, body).body["tool_choice"] == choice
    flat = {"type": "function", "name": "f"} if choice is NAMED else choice
    assert translate(OPENAI, RESPONSES, LUNA, body).body["tool_choice"] == flat


@pytest.mark.parametrize("choice", ["required", NAMED])
@pytest.mark.parametrize("model", [OPUS, "claude-sonnet-5-5", "claude-fable-5-2", "claude-mythos-5-1"])
def test_case_010_forced_tool_choice_rules_out_models_that_reject_it(choice: Any, model: str) -> None:
    """It is not downgraded to auto."""
    ruled_out(OPENAI, ANTHROPIC, model, chat(tools=[function()], tool_choice=choice), parameter="tool_choice")


def test_case_011_a_forced_tool_beside_enabled_thinking_is_ruled_out() -> None:
    """The two exclude each other, on the caller's own wire too."""
    body = claude(thinking={"type": "enabled", "budget_tokens": 2000}, tools=[tool()], tool_choice={"type": "any"})
    reason = unmet(ANTHROPIC, ANTHROPIC, "claude-opus-4-6", body)
    assert reason is not None
    assert reason.startswith("tool_choice")


def test_case_012_parallel_tool_calls_off_alone_makes_an_auto_choice() -> None:
    """Not `any`: that would force a call."""
    body = translate(OPENAI, ANTHROPIC, CLAUDE, chat(tools=[function()], parallel_tool_calls=False)).body
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    none = chat(tools=[function()], parallel_tool_calls=False, tool_choice="none")
    assert translate(OPENAI, ANTHROPIC, CLAUDE, none).body["tool_choice"] == {"type": "none"}


@pytest.mark.parametrize(("target", "model"), [(OPENAI, GPT4), (GROQ, QWEN), (RESPONSES, LUNA)])
def test_case_013_disable_parallel_tool_use_becomes_parallel_tool_calls_off(target: Any, model: str) -> None:
    """It is carried; and where a model calls one tool at a time anyway, there is nothing to say."""
    body = claude(tools=[tool()], tool_choice={"type": "auto", "disable_parallel_tool_use": True})
    assert translate(ANTHROPIC, target, model, body).body["parallel_tool_calls"] is False
    assert "parallel_tool_calls" not in translate(ANTHROPIC, GROQ, OSS, body).body


@pytest.mark.parametrize("mode", ["auto", "required"])
def test_case_014_allowed_tools_filter_the_tools(mode: str) -> None:
    """Only the allowed ones are sent, which means the same."""
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [NAMED]}}
    body = chat(tools=[function("f"), function("g")], tool_choice=allowed)
    there = translate(OPENAI, ANTHROPIC, CLAUDE, body).body
    assert [t["name"] for t in there["tools"]] == ["f"]
    assert there["tool_choice"] == {"type": "any" if mode == "required" else "auto"}
    groq = translate(OPENAI, GROQ, QWEN, body).body
    assert [t["function"]["name"] for t in groq["tools"]] == ["f"]
    assert groq["tool_choice"] == mode


def test_case_015_strict_is_kept_or_ruled_out() -> None:
    """A guarantee is never dropped."""
    kept = translate(OPENAI, ANTHROPIC, CLAUDE, chat(tools=[function(parameters=CLOSED, strict=True)])).body
    assert kept["tools"][0]["strict"] is True
    assert translate(ANTHROPIC, OPENAI, GPT4, {**kept}).body["tools"][0]["function"]["strict"] is True
    pattern = {**CLOSED, "properties": {"a": {"type": "string", "pattern": "x"}}}
    ruled_out(OPENAI, ANTHROPIC, CLAUDE, chat(tools=[function(parameters=pattern, strict=True)]), parameter="tools")
    ruled_out(OPENAI, GROQ, QWEN, chat(tools=[function(parameters=CLOSED, strict=True)]), parameter="tools")
    ruled_out(ANTHROPIC, OPENAI, GPT4, claude(tools=[tool(input_schema=LOOSE, strict=True)]), parameter="tools")


def test_case_016_responses_tools_always_say_strict() -> None:
    """Left out it means yes there: loose schemas would be filled with empty values."""
    loose = translate(OPENAI, RESPONSES, SOL, chat(tools=[function(parameters=LOOSE)])).body["tools"][0]
    assert loose["strict"] is False
    tight = translate(OPENAI, RESPONSES, SOL, chat(tools=[function(parameters=CLOSED, strict=True)])).body["tools"][0]
    assert tight["strict"] is True


@pytest.mark.parametrize(
    ("caller", "target", "model", "body"),
    [
        (OPENAI, ANTHROPIC, CLAUDE, chat(tools=[function(parameters=LOOSE)])),
        (OPENAI, GROQ, QWEN, chat(tools=[function(parameters=LOOSE)])),
        (OPENAI, RESPONSES, SOL, chat(tools=[function(parameters=LOOSE)])),
        (ANTHROPIC, OPENAI, GPT4, claude(tools=[tool(input_schema=LOOSE)])),
        (ANTHROPIC, GROQ, QWEN, claude(tools=[tool(input_schema=LOOSE)])),
    ],
)
def test_case_017_required_is_never_rewritten(caller: Any, target: Any, model: str, body: Any) -> None:
    """A schema that is not guaranteed goes as it is."""
    sent = translate(caller, target, model, body).body["tools"][0]
    schema = sent.get("input_schema") or sent.get("parameters") or sent["function"]["parameters"]
    assert schema == LOOSE


@pytest.mark.parametrize("key", ["anyOf", "oneOf", "allOf"])
def test_case_018_a_choice_at_the_root_of_a_tool_schema_rules_claude_out(key: str) -> None:
    """Claude answers 400 to it."""
    schema = {"type": "object", key: [LOOSE]}
    ruled_out(OPENAI, ANTHROPIC, CLAUDE, chat(tools=[function(parameters=schema)]), parameter="tools")


def test_case_019_the_type_of_a_tool_is_not_merged_into_its_schema() -> None:
    """`type: function` is the tool's, `type: object` the schema's."""
    sent = translate(OPENAI, ANTHROPIC, CLAUDE, chat(tools=[function(parameters=LOOSE)])).body["tools"][0]
    assert sent["input_schema"]["type"] == "object"
    assert "type" not in sent
    back = translate(ANTHROPIC, OPENAI, GPT4, claude(tools=[tool(type="custom")])).body["tools"][0]
    assert back["type"] == "function"
    assert back["function"]["parameters"] == tool()["input_schema"]


def test_case_020_schema_keywords_are_not_filtered() -> None:
    """What a schema says beyond the common is carried where nothing is guaranteed."""
    schema = {**LOOSE, "minProperties": 1, "examples": [{"a": "b"}], "x-own": 1}
    sent = translate(OPENAI, ANTHROPIC, CLAUDE, chat(tools=[function(parameters=schema)])).body["tools"][0]
    assert sent["input_schema"] == schema


def test_case_021_a_tool_name_of_65_characters_rules_out() -> None:
    """The floor of all providers is 64; it is not cut."""
    ruled_out(OPENAI, ANTHROPIC, CLAUDE, chat(tools=[function("f" * 65)]), parameter="tools")
    ruled_out(ANTHROPIC, OPENAI, GPT4, claude(tools=[tool("f" * 65)]), parameter="tools")
    ruled_out(OPENAI, GROQ, QWEN, chat(tools=[function("a.b")]), parameter="tools")


@pytest.mark.parametrize(
    "theirs",
    [
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "bash_20250124", "name": "bash"},
        {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
    ],
)
def test_case_022_tools_of_the_provider_are_refused(theirs: dict[str, Any]) -> None:
    """They are not dropped from the list."""
    ruled_out(ANTHROPIC, OPENAI, GPT4, claude(tools=[tool(), theirs]), parameter="tools")
    custom = {"type": "custom", "custom": {"name": "grammar"}}
    ruled_out(OPENAI, ANTHROPIC, CLAUDE, chat(tools=[custom]), parameter="tools")


@pytest.mark.parametrize("identifier", ["functions.f:0", "call_abc|fc_123", "é", ""])
def test_case_023_illegal_call_ids_are_rewritten_alike_in_call_and_result(identifier: str) -> None:
    """The same id always becomes the same one, in requests and in answers."""
    body = history(
        USER,
        {"role": "assistant", "content": None, "tool_calls": [tool_call(identifier)]},
        {"role": "tool", "tool_call_id": identifier, "content": "42"},
    )
    once, twice = (translate(OPENAI, ANTHROPIC, CLAUDE, body).body["messages"] for _ in range(2))
    assert once == twice
    used, result = once[1]["content"][0]["id"], once[2]["content"][0]["tool_use_id"]
    assert used == result == call_id(identifier)
    assert call_id(used) == used
    assert len(used) <= 40


def test_case_024_a_60_character_id_fits_everywhere() -> None:
    """40 characters are the floor of all wires."""
    long = "toolu_" + "a" * 54
    body = claude(
        messages=[
            USER,
            {"role": "assistant", "content": [{"type": "tool_use", "id": long, "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": long, "content": "42"}]},
        ]
    )
    sent = translate(ANTHROPIC, OPENAI, GPT4, body).body["messages"]
    assert sent[1]["tool_calls"][0]["id"] == sent[2]["tool_call_id"]
    assert len(sent[2]["tool_call_id"]) <= 40
    items = translate(ANTHROPIC, RESPONSES, LUNA, body).body["input"]
    assert len(items[1]["call_id"]) <= 64
    assert items[1]["call_id"] == items[2]["call_id"]


TWO_CALLS = (
    USER,
    {"role": "assistant", "content": None, "tool_calls": [tool_call("a"), tool_call("b")]},
    {"role": "tool", "tool_call_id": "a", "content": "1"},
    {"role": "tool", "tool_call_id": "b", "content": "2"},
)


def test_case_025_parallel_results_are_one_user_message_results_first() -> None:
    """Claude demands all results in the next turn, before anything else in it."""
    sent = translate(OPENAI, ANTHROPIC, CLAUDE, history(*TWO_CALLS, {"role": "user", "content": "and?"})).body
    assert [m["role"] for m in sent["messages"]] == ["user", "assistant", "user"]
    assert [b["type"] for b in sent["messages"][2]["content"]] == ["tool_result", "tool_result", "text"]


def test_case_025_results_that_come_late_still_stand_first() -> None:
    """A word of the user between two results does not part them."""
    messages = (*TWO_CALLS[:3], {"role": "user", "content": "wait"}, TWO_CALLS[3])
    sent = translate(OPENAI, ANTHROPIC, CLAUDE, history(*messages)).body["messages"][2]["content"]
    assert [b["type"] for b in sent] == ["tool_result", "tool_result", "text"]
    assert [b.get("tool_use_id") for b in sent] == ["a", "b", None]


def test_case_026_a_result_is_sent_once() -> None:
    """Each result has one block."""
    sent = translate(OPENAI, ANTHROPIC, CLAUDE, history(*TWO_CALLS)).body["messages"][2]["content"]
    assert [b["tool_use_id"] for b in sent] == ["a", "b"]


def test_case_027_text_after_a_tool_result_survives() -> None:
    """It follows as the user's own message."""
    body = claude(
        messages=[
            USER,
            {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "42"}]},
                    {"type": "text", "text": "and now?"},
                ],
            },
        ]
    )
    sent = translate(ANTHROPIC, OPENAI, GPT4, body).body["messages"]
    assert [(m["role"], m["content"]) for m in sent[2:]] == [("tool", "42"), ("user", "and now?")]


def test_case_028_an_image_in_a_tool_result_needs_a_wire_that_takes_it() -> None:
    """OpenAI's chat wire is ruled out; Responses and Groq carry it."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    body = claude(
        messages=[
            USER,
            {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [image]}]},
        ]
    )
    ruled_out(ANTHROPIC, OPENAI, GPT4, body, parameter="messages")
    output = translate(ANTHROPIC, RESPONSES, LUNA, body).body["input"][-1]["output"]
    assert output[0]["image_url"] == f"data:image/png;base64,{PNG}"
    groq = translate(ANTHROPIC, GROQ, QWEN, body).body["messages"][-1]
    assert groq["content"][0]["image_url"]["url"] == f"data:image/png;base64,{PNG}"


@pytest.mark.parametrize(("content", "expected"), [("boom", "[tool error] boom"), ([], "[tool error]")])
def test_case_029_is_error_reaches_the_model(content: Any, expected: str) -> None:
    """There is no field for it, so the text says it."""
    body = claude(
        messages=[
            USER,
            {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "a", "content": content, "is_error": True}],
            },
        ]
    )
    assert translate(ANTHROPIC, OPENAI, GPT4, body).body["messages"][-1]["content"] == expected


@pytest.mark.parametrize("arguments", ["", " ", "{}"])
def test_case_030_a_call_without_arguments(arguments: str) -> None:
    """Blank arguments are an empty object on one wire and "{}" on the other."""
    body = history(
        USER,
        {"role": "assistant", "content": None, "tool_calls": [tool_call("a", arguments=arguments)]},
        {"role": "tool", "tool_call_id": "a", "content": "42"},
    )
    there = translate(OPENAI, ANTHROPIC, CLAUDE, body).body
    assert there["messages"][1]["content"][0]["input"] == {}
    back = translate(ANTHROPIC, OPENAI, GPT4, there).body
    assert back["messages"][1]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_case_030_arguments_that_are_no_object_rule_claude_out() -> None:
    """Nothing is invented to repair them."""
    for arguments in ("[1]", "{", "null"):
        broken = {"role": "assistant", "content": None, "tool_calls": [tool_call("a", arguments=arguments)]}
        body = history(USER, broken, {"role": "tool", "tool_call_id": "a", "content": "42"})
        ruled_out(OPENAI, ANTHROPIC, CLAUDE, body, parameter="messages[1]")


def test_case_031_null_tool_calls_are_not_sent_to_groq() -> None:
    """Groq answers 400 to them."""
    body = history(USER, {"role": "assistant", "content": "hi", "tool_calls": None}, USER)
    sent = translate(OPENAI, GROQ, QWEN, body).body["messages"][1]
    assert sent == {"role": "assistant", "content": "hi"}
    ruled_out(OPENAI, GROQ, QWEN, history({**USER, "tool_calls": []}), parameter="messages[0].tool_calls")


LATE = (USER, {"role": "assistant", "content": "hi"}, USER, {"role": "system", "content": "be brief"}, USER)


def test_case_032_a_late_system_message_keeps_its_place() -> None:
    """It is not hoisted: that would change meaning, order and cache."""
    sent = translate(OPENAI, ANTHROPIC, CLAUDE, history(*LATE)).body
    assert [m["role"] for m in sent["messages"]] == ["user", "assistant", "user", "system", "user"]
    assert "system" not in sent
    back = translate(ANTHROPIC, OPENAI, GPT4, sent).body["messages"]
    assert [m["role"] for m in back] == ["user", "assistant", "user", "developer", "user"]


def test_case_032_a_late_system_message_after_the_assistant_is_ruled_out() -> None:
    """Claude takes one after a user's turn only, and never between a call and its result."""
    after = history(USER, {"role": "assistant", "content": "hi"}, {"role": "system", "content": "be brief"}, USER)
    ruled_out(OPENAI, ANTHROPIC, CLAUDE, after, parameter="messages[2]")
    between = (*TWO_CALLS[:2], {"role": "system", "content": "be brief"}, *TWO_CALLS[2:])
    ruled_out(OPENAI, ANTHROPIC, CLAUDE, history(*between), parameter="messages")


@pytest.mark.parametrize("model", ["claude-sonnet-5", "claude-haiku-4-5", "claude-opus-4-6"])
def test_case_033_models_that_ignore_late_system_messages_are_ruled_out(model: str) -> None:
    """Sonnet 5 answers 200 and does not heed them."""
    ruled_out(OPENAI, ANTHROPIC, model, history(*LATE), parameter="messages")


@pytest.mark.parametrize("content", ["", None, [], " "])
def test_case_034_an_empty_text_beside_calls_makes_no_block(content: Any) -> None:
    """Claude answers 400 to empty text blocks."""
    said = {"role": "assistant", "content": content, "tool_calls": [tool_call("a")]}
    body = history(USER, said, {"role": "tool", "tool_call_id": "a", "content": "42"})
    sent = translate(OPENAI, ANTHROPIC, CLAUDE, body).body["messages"][1]["content"]
    assert [b["type"] for b in sent] == ["tool_use"]


def test_case_035_blank_text_is_removed_before_claude() -> None:
    """Of a user's message nothing but blank text can't be sent; an empty turn of the assistant is none."""
    parts = [{"type": "text", "text": "\n"}, {"type": "text", "text": "hi"}]
    sent = translate(OPENAI, ANTHROPIC, CLAUDE, history({"role": "user", "content": parts})).body
    assert [b["text"] for b in sent["messages"][0]["content"]] == ["hi"]
    ruled_out(OPENAI, ANTHROPIC, CLAUDE, history({"role": "user", "content": " "}), parameter="messages[0]")
    blank = history(USER, {"role": "assistant", "content": " "}, USER)
    assert [m["role"] for m in translate(OPENAI, ANTHROPIC, CLAUDE, blank).body["messages"]] == ["user"]


def test_case_036_the_sdks_own_empty_text_blocks_are_dropped() -> None:
    """What an answer held may be sent back."""
    said = {
        "role": "assistant",
        "content": [{"type": "text", "text": "", "citations": None}, {"type": "text", "text": "x"}],
    }
    sent = translate(ANTHROPIC, OPENAI, GPT4, claude(messages=[USER, said, USER])).body["messages"]
    assert sent[1]["content"] == "x"


@pytest.mark.parametrize("model", [CLAUDE, "claude-opus-4-6", "claude-haiku-4-5"])
def test_case_037_a_trailing_assistant_message_rules_claude_out(model: str) -> None:
    """New models answer 400, old ones continue the text where OpenAI would begin a new message."""
    ruled_out(OPENAI, ANTHROPIC, model, history(USER, {"role": "assistant", "content": "I"}), parameter="messages")


def test_case_038_the_bytes_of_an_image_decide_what_it_is() -> None:
    """A wrong label is corrected, `image/jpg` is spelled right, and what Claude can't see is ruled out."""
    for label, data, kind in (
        ("image/png", JPEG, "image/jpeg"),
        ("image/jpg", base64.b64encode(bytes(24)).decode(), "image/jpeg"),
        ("image/jpeg", PNG, "image/png"),
    ):
        part = {"type": "image_url", "image_url": {"url": f"data:{label};base64,{data}"}}
        sent = translate(OPENAI, ANTHROPIC, CLAUDE, history({"role": "user", "content": [part]})).body
        assert sent["messages"][0]["content"][0]["source"] == {"type": "base64", "media_type": kind, "data": data}
    bmp = {"type": "image_url", "image_url": {"url": "data:image/bmp;base64,Qk0="}}
    ruled_out(OPENAI, ANTHROPIC, CLAUDE, history({"role": "user", "content": [bmp]}), parameter="messages[0]")


def test_case_039_an_image_url_is_passed_as_a_url() -> None:
    """Nothing is downloaded on the way."""
    part = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "high"}}
    sent = translate(OPENAI, ANTHROPIC, CLAUDE, history({"role": "user", "content": [part]})).body
    assert sent["messages"][0]["content"][0]["source"] == {"type": "url", "url": "https://example.com/a.png"}
    back = translate(ANTHROPIC, OPENAI, GPT4, sent).body["messages"][0]["content"][0]
    assert back["image_url"]["url"] == "https://example.com/a.png"


@pytest.mark.parametrize(("target", "model"), [(ANTHROPIC, CLAUDE), (GROQ, QWEN), (RESPONSES, LUNA)])
def test_case_040_audio_rules_out(target: Any, model: str) -> None:
    """A message is never emptied of it."""
    audio = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}
    ruled_out(OPENAI, target, model, history({"role": "user", "content": [audio]}), parameter="messages")
    ruled_out(OPENAI, target, model, chat(modalities=["text", "audio"]), parameter="modalities")


def test_case_041_cache_control_is_stripped_on_a_hop() -> None:
    """Everywhere it may stand, its lifetime included; it changes cost, not the answer."""
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    body = claude(
        **mark,
        system=[{"type": "text", "text": "be nice", **mark}],
        tools=[tool(**mark)],
        messages=[{"role": "user", "content": [{"type": "text", "text": "hi", **mark}]}],
    )
    for target, model in ((OPENAI, GPT4), (GROQ, QWEN), (RESPONSES, LUNA)):
        translation = translate(ANTHROPIC, target, model, body)
        assert "cache_control" not in json.dumps(translation.body)
        assert "ttl" not in json.dumps(translation.body)
        assert translation.dropped == ()


def test_case_042_parameters_of_one_provider_do_not_leak_to_another() -> None:
    """Caching options are dropped; fallbacks are a contract that nobody else can keep."""
    body = chat(prompt_cache_options={"mode": "explicit"}, prompt_cache_key="k", prompt_cache_retention="24h")
    for target, model in ((ANTHROPIC, CLAUDE), (GROQ, QWEN)):
        assert "prompt_cache" not in json.dumps(translate(OPENAI, target, model, body).body)
    ruled_out(ANTHROPIC, OPENAI, GPT4, claude(fallbacks=[{"model": "claude-opus-4-8"}]), parameter="fallbacks")
    ruled_out(ANTHROPIC, OPENAI, GPT4, claude(inference_geo="eu"), parameter="inference_geo")


def test_case_043_store_and_metadata_are_not_sent_to_groq() -> None:
    """Groq answers 400 to `store` at all; storing itself is a contract."""
    body = translate(OPENAI, GROQ, QWEN, chat(store=False, metadata={"a": "b"})).body
    assert not {"store", "metadata"} & body.keys()
    ruled_out(OPENAI, GROQ, QWEN, chat(store=True), parameter="store")


def test_case_044_foreign_reasoning_is_not_sent_to_groq() -> None:
    """`reasoning_content` is a 400 there, and belongs to the model that wrote it."""
    body = history(USER, {"role": "assistant", "content": "hi", "reasoning_content": "hm", "reasoning": "hm"}, USER)
    assert translate(OPENAI, GROQ, QWEN, body).body["messages"][1] == {"role": "assistant", "content": "hi"}


THINKING = {"type": "thinking", "thinking": "hm", "signature": "SIG"}
IN_A_LOOP = claude(
    messages=[
        USER,
        {"role": "assistant", "content": [THINKING, {"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "42"}]},
    ]
)


def test_case_045_foreign_thinking_is_stripped_even_in_the_trailing_tool_turn() -> None:
    """Calls and results stay; the caller's own body is not touched."""
    before = json.dumps(IN_A_LOOP)
    sent = translate(ANTHROPIC, OPENAI, GPT4, IN_A_LOOP).body["messages"]
    assert "hm" not in json.dumps(sent)
    assert [m["role"] for m in sent] == ["user", "assistant", "tool"]
    assert json.dumps(IN_A_LOOP) == before


def test_case_053_an_answer_limit_below_16_rules_openai_out() -> None:
    """OpenAI's smallest is 16; it is not raised."""
    ruled_out(ANTHROPIC, OPENAI, GPT4, claude(max_tokens=10), parameter="max_tokens")
    ruled_out(OPENAI, RESPONSES, SOL, chat(max_tokens=10, tools=[function()]), parameter="max_tokens")
    assert translate(ANTHROPIC, GROQ, QWEN, claude(max_tokens=10)).body["max_completion_tokens"] == 10


def test_case_054_a_small_limit_meets_the_lowest_effort_or_rules_out() -> None:
    """Hidden reasoning must not eat an answer limit that was set for a model without."""
    small = chat(max_tokens=150)
    assert translate(OPENAI, ANTHROPIC, CLAUDE, small).body["thinking"] == {"type": "disabled"}
    assert translate(OPENAI, GROQ, OSS, small).body["reasoning_effort"] == "low"
    assert translate(OPENAI, GROQ, QWEN, small).body["reasoning_effort"] == "none"
    assert translate(ANTHROPIC, OPENAI, LUNA, claude(max_tokens=150)).body["reasoning_effort"] == "none"
    ruled_out(OPENAI, ANTHROPIC, OPUS, small, parameter="max_tokens")
    assert unmet(OPENAI, OPENAI, LUNA, small) == "max_tokens: it takes max_completion_tokens only"
    reason = unmet(OPENAI, OPENAI, LUNA, chat(max_completion_tokens=150))
    assert reason == "max_tokens: its reasoning would use up an answer limit of 150 tokens"


def test_case_054_a_limit_that_was_set_for_a_reasoning_model_is_left_alone() -> None:
    """Whoever named a model that reasons has sized the limit for it."""
    body = {**chat(max_completion_tokens=150), "model": LUNA}
    assert "thinking" not in translate(OPENAI, ANTHROPIC, CLAUDE, body).body
    assert unmet(OPENAI, OPENAI, SOL, body) is None


def test_case_055_the_targets_own_longest_answer_is_respected() -> None:
    """Lowering a limit loses nothing: a stop for length tells the truth."""
    assert translate(OPENAI, GROQ, QWEN, chat(max_tokens=60_000)).body["max_completion_tokens"] == 16_384
    assert translate(OPENAI, ANTHROPIC, "claude-haiku-4-5", chat()).body["max_tokens"] == 64_000
    assert translate(ANTHROPIC, GROQ, QWEN, claude(max_tokens=60_000)).body["max_completion_tokens"] == 16_384
    reason = unmet(OPENAI, OPENAI, "gpt-4o", chat(max_tokens=60_000))
    assert reason == "max_tokens: an answer of 60000 tokens, its longest is 16384"


def test_case_057_every_hop_starts_from_the_callers_request() -> None:
    """No translation changes what it reads, however many there are."""
    bodies: list[tuple[Any, dict[str, Any]]] = [
        (OPENAI, history(*TWO_CALLS, {"role": "user", "content": [{"type": "text", "text": "x"}]})),
        (ANTHROPIC, IN_A_LOOP),
    ]
    for caller, body in bodies:
        body = {**body, "tools": [function(parameters=CLOSED, strict=True) if caller == OPENAI else tool()]}
        before = json.dumps(body)
        for target, model in ((ANTHROPIC, CLAUDE), (OPENAI, GPT4), (GROQ, OSS), (RESPONSES, LUNA)):
            if target != caller:
                unmet(caller, target, model, body)
                assert json.dumps(body) == before


@pytest.mark.parametrize(("caller", "body"), [(OPENAI, CHAT), (GROQ, CHAT), (ANTHROPIC, MESSAGES)])
def test_case_058_responses_never_store(caller: Any, body: dict[str, Any]) -> None:
    """The default there is to store the caller's data."""
    assert translate(caller, RESPONSES, LUNA, body).body["store"] is False
    ruled_out(OPENAI, RESPONSES, LUNA, chat(store=True), parameter="store")
