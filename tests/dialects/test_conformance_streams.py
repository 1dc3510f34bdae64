"""Conformance cases 72 to 90 and 98: what a stream becomes, read by the caller's own SDK, strictly."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import openai
import pytest

from llm_router_middleware.dialects import translator
from llm_router_middleware.dialects.errors import error_frame, in_band_error
from llm_router_middleware.dialects.observe import is_content, is_terminator
from llm_router_middleware.engine.call import FailureKind
from llm_router_middleware.errors import TranslationError, TruncatedStreamError
from tests.dialects.kit import (
    ANTHROPIC,
    CALLERS,
    GROQ,
    OPENAI,
    RESPONSES,
    USAGE_CHUNK,
    about,
    call_piece,
    chunk,
    events,
    heard_stream,
    helped,
    message,
    said,
    sse,
    streamed,
    thought,
    used,
)
from tests.dialects.test_conformance_answers import RESPONSES_USAGE

ROLE = chunk({"role": "assistant", "content": ""})
WITH_USAGE = {"stream_options": {"include_usage": True}}


def to_claude(*chunks: dict[str, Any], target: Any = OPENAI, **request: Any) -> Any:
    """What the SDK's helper makes of chat chunks; raw iteration must give as many events as were sent."""
    frames = streamed(ANTHROPIC, target, chunks, request)
    assert len(heard_stream(ANTHROPIC, frames)) == len(frames)
    return helped(ANTHROPIC, frames)


def to_openai(*blocks: Any, **options: Any) -> Any:
    """What the SDK's helper makes of Anthropic's events."""
    return helped(OPENAI, streamed(OPENAI, ANTHROPIC, events(*blocks, **options), WITH_USAGE))


def test_case_072_name_and_arguments_in_the_first_delta_both_arrive() -> None:
    """The start of a block holds no arguments, so they follow as a delta."""
    answer = to_claude(chunk(call_piece(0, '{"a":1}', "call_1", "f")), chunk({}, "tool_calls"), USAGE_CHUNK)
    assert [(b.id, b.name, b.input) for b in answer.content] == [("call_1", "f", {"a": 1})]


def test_case_073_an_empty_list_of_calls_is_none() -> None:
    """It opens no block and turns no text into arguments."""
    pieces = [chunk({"content": c, "tool_calls": []}) for c in ("hi", "!")]
    answer = to_claude(*pieces, chunk({}, "stop"), USAGE_CHUNK)
    assert [b.text for b in answer.content] == ["hi!"]
    assert answer.stop_reason == "end_turn"


@pytest.mark.parametrize("pieces", [("", '{"a"', ":1}"), ('{"a":1}',), ("", "", '{"a":1}', "")])
def test_case_074_arguments_have_no_empty_object_before_them(pieces: tuple[str, ...]) -> None:
    """The `{}` of a block's start is not part of them."""
    answer = to_openai(used("toolu_1", "f", *pieces), stop="tool_use")
    assert answer.choices[0].message.tool_calls[0].function.arguments == '{"a":1}'


def test_case_074_a_block_with_its_input_inside_says_it() -> None:
    """And a call without any has an empty object."""
    answer = to_openai(used("a", "f", value={"z": 1}), used("b", "g"), stop="tool_use")
    assert [c.function.arguments for c in answer.choices[0].message.tool_calls] == ['{"z":1}', "{}"]


def test_case_075_an_id_repeated_on_each_delta_is_one_call() -> None:
    """Not a new one per chunk, in either form."""
    pieces = [chunk(call_piece(0, a, "call_1", "f")) for a in ('{"a"', ":1}")]
    answer = to_claude(*pieces, chunk({}, "tool_calls"), USAGE_CHUNK)
    assert [(b.id, b.input) for b in answer.content] == [("call_1", {"a": 1})]
    frames = streamed(GROQ, OPENAI, [*pieces, chunk({}, "tool_calls"), USAGE_CHUNK])
    told = [c for _, f in frames for ch in f["choices"] for c in ch["delta"].get("tool_calls", [])]
    assert [c.get("id") for c in told] == ["call_1", None]
    assert "".join(c["function"]["arguments"] for c in told) == '{"a":1}'


def test_case_075_an_id_that_comes_late_is_waited_for() -> None:
    """The block opens when both id and name are known."""
    pieces = [chunk(call_piece(0, '{"a"', name="f")), chunk(call_piece(0, ":1}", "call_1"))]
    answer = to_claude(*pieces, chunk({}, "tool_calls"), USAGE_CHUNK)
    assert [(b.id, b.name, b.input) for b in answer.content] == [("call_1", "f", {"a": 1})]
    for caller in (ANTHROPIC, GROQ):
        with pytest.raises(TranslationError, match="without id or name"):
            streamed(caller, OPENAI, [pieces[0], chunk({}, "tool_calls")])


def test_case_076_interleaved_parallel_calls_stay_intact() -> None:
    """Blocks are serial on Anthropic's wire: the second call waits until the first is whole."""
    pieces = [
        chunk(call_piece(0, '{"a"', "c0", "f")),
        chunk(call_piece(1, '{"b"', "c1", "g")),
        chunk(call_piece(0, ':"}{"}')),
        chunk(call_piece(1, ":2}")),
    ]
    answer = to_claude(*pieces, chunk({}, "tool_calls"), USAGE_CHUNK)
    assert [(b.id, b.name, b.input) for b in answer.content] == [("c0", "f", {"a": "}{"}), ("c1", "g", {"b": 2})]


def test_case_076_a_call_is_streamed_live_and_the_next_one_too() -> None:
    """What can be said is said at once."""
    machine = translator(ANTHROPIC, OPENAI).stream(about())  # type: ignore[union-attr]
    assert machine.feed(None, chunk(call_piece(0, '{"a":1}', "c0", "f")))[-1][1]["delta"]["partial_json"] == '{"a":1}'
    later = machine.feed(None, chunk(call_piece(1, '{"b"', "c1", "g")))
    assert [name for name, _ in later] == ["content_block_stop", "content_block_start", "content_block_delta"]


def test_case_076_arguments_for_a_call_that_was_whole_are_an_error() -> None:
    """They are not lost."""
    pieces = [chunk(call_piece(0, "{}", "c0", "f")), chunk({"content": "so"}), chunk(call_piece(0, "{}"))]
    with pytest.raises(TranslationError, match="more arguments"):
        streamed(ANTHROPIC, OPENAI, [*pieces, chunk({}, "tool_calls")])


@pytest.mark.parametrize("target", [OPENAI, GROQ])
def test_case_077_content_on_the_finish_chunk_is_carried(target: Any) -> None:
    """The content first, then the end."""
    answer = to_claude(chunk({"content": "a"}), chunk({"content": "b"}, "stop"), USAGE_CHUNK, target=target)
    assert [b.text for b in answer.content] == ["ab"]


USAGE_WITH_FINISH = {**chunk({}, "stop"), "x_groq": {"id": "r", "usage": USAGE_CHUNK["usage"]}}


@pytest.mark.parametrize(
    ("chunks", "target"),
    [
        ([chunk({"content": "a"}), chunk({}, "stop"), USAGE_CHUNK], OPENAI),
        ([chunk({"content": "a"}), USAGE_CHUNK, chunk({}, "stop")], OPENAI),
        ([chunk({"content": "a"}), USAGE_WITH_FINISH], GROQ),
        ([chunk({"content": "a"}), {**chunk({}, "stop"), "usage": USAGE_CHUNK["usage"]}], OPENAI),
    ],
)
def test_case_078_usage_is_read_wherever_it_comes(chunks: list[dict[str, Any]], target: Any) -> None:
    """Before, with or after the finish reason."""
    usage = to_claude(*chunks, target=target).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (30, 60, 9)


@pytest.mark.parametrize("chunks", [[chunk({}, "stop")], [chunk({"content": "a"}), chunk({}, "stop")]])
def test_case_079_message_delta_always_has_usage_and_message_stop_does_not_zero_it(chunks: Any) -> None:
    """The SDK demands it; unknown reads 0."""
    for ending, tokens in (([], 0), ([USAGE_CHUNK], 9)):
        frames = streamed(ANTHROPIC, OPENAI, [*chunks, *ending])
        assert [name for name, _ in frames][-2:] == ["message_delta", "message_stop"]
        assert "usage" not in frames[-1][1]
        assert frames[-2][1]["usage"]["output_tokens"] == tokens
        assert helped(ANTHROPIC, frames).usage.output_tokens == tokens


def test_case_080_input_tokens_are_unknown_at_the_start_and_right_at_the_end() -> None:
    """The closing event overrides what the opening one could not know."""
    frames = streamed(ANTHROPIC, OPENAI, [chunk({"content": "a"}), chunk({}, "stop"), USAGE_CHUNK])
    assert frames[0][1]["message"]["usage"]["input_tokens"] == 0
    assert helped(ANTHROPIC, frames).usage.input_tokens == 30


def test_case_080_usage_in_a_stream_is_cumulative() -> None:
    """A later report replaces an earlier one; what it leaves out stays."""
    answer = to_openai(said("a"), start_usage={"input_tokens": 30, "cache_read_input_tokens": 60, "output_tokens": 1})
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (90, 9)


def test_case_081_chunks_without_choices_say_nothing() -> None:
    """Content filters and keep-alives of some servers."""
    empty = {**chunk(), "id": "", "model": "", "choices": []}
    answer = to_claude(empty, chunk({"content": "x"}), {**empty, "choices": None}, chunk({}, "stop"), USAGE_CHUNK)
    assert answer.content[0].text == "x"
    assert answer.model == "served"
    assert heard_stream(GROQ, streamed(GROQ, OPENAI, [empty, chunk({"content": "x"}), chunk({}, "stop")]))


@pytest.mark.parametrize(
    ("caller", "target", "cut"),
    [
        (ANTHROPIC, OPENAI, [chunk({"content": "half"})]),
        (GROQ, OPENAI, [chunk({"content": "half"})]),
        (OPENAI, GROQ, [chunk({"content": "half"})]),
        (OPENAI, ANTHROPIC, events(said("half"))[:-1]),
        (GROQ, ANTHROPIC, events(said("half"))[:-2]),
        (OPENAI, RESPONSES, [{"type": "response.output_text.delta", "delta": "half"}]),
        (ANTHROPIC, RESPONSES, [{"type": "response.output_text.delta", "delta": "half"}]),
        (OPENAI, OPENAI, [chunk({"content": "half"})]),
        (ANTHROPIC, ANTHROPIC, events(said("half"))[:-1]),
        (ANTHROPIC, OPENAI, []),
        (OPENAI, ANTHROPIC, []),
    ],
)
def test_case_082_an_end_without_terminator_is_an_error(caller: Any, target: Any, cut: Any) -> None:
    """Half an answer is not an answer."""
    with pytest.raises(TruncatedStreamError):
        streamed(caller, target, cut)


OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
FAILED = {"error": {"message": "boom", "type": "server_error"}}


@pytest.mark.parametrize(
    ("caller", "target", "before", "after", "error"),
    [
        (OPENAI, ANTHROPIC, events()[:2], events(said("a"))[:4], OVERLOADED),
        (ANTHROPIC, OPENAI, [ROLE], [ROLE, chunk({"content": "a"})], FAILED),
        (ANTHROPIC, GROQ, [ROLE], [ROLE, chunk({"content": "a"})], {**chunk(), "x_groq": {"id": "r", "error": "over"}}),
        (GROQ, OPENAI, [ROLE], [ROLE, chunk({"content": "a"})], FAILED),
    ],
)
def test_case_083_before_content_nothing_is_said_and_after_it_the_failure_is_in_band(
    caller: Any, target: Any, before: Any, after: Any, error: Any
) -> None:
    """So the first may fail over unseen, and the second must not."""
    for lead, committed in ((before, False), (after, True)):
        machine = translator(caller, target).stream(about())  # type: ignore[union-attr]
        said_so_far = [frame for event in lead for frame in machine.feed(event.get("type"), event)]
        assert bool(said_so_far) is machine.committed is committed
        assert in_band_error(target, error.get("type"), error) is not None
        with pytest.raises(TranslationError):
            machine.feed(error.get("type"), error)
    frame = error_frame(caller, FailureKind.OVERLOADED, "the upstream stream broke off")
    with pytest.raises((openai.APIError, anthropic.APIStatusError, Exception), match="upstream stream broke off"):
        heard_stream(caller, [*said_so_far, frame])


def test_case_084_a_quota_error_after_response_created_is_before_the_content() -> None:
    """The announcement of a response is not its content."""
    machine = translator(OPENAI, RESPONSES).stream(about())  # type: ignore[union-attr]
    created = {"type": "response.created", "response": {"id": "resp_1", "model": "served", "status": "in_progress"}}
    assert machine.feed("response.created", created) == ()
    failed = {
        "type": "response.failed",
        "response": {"status": "failed", "error": {"code": "insufficient_quota", "message": "no money"}},
    }
    assert in_band_error(RESPONSES, "response.failed", failed) == {
        "type": None,
        "code": "insufficient_quota",
        "message": "no money",
        "status": 429,
    }
    with pytest.raises(TranslationError):
        machine.feed("response.failed", failed)
    assert machine.committed is False


def test_case_085_a_stream_is_announced_once() -> None:
    """Each machine is one answer long."""
    frames = streamed(ANTHROPIC, OPENAI, [ROLE, ROLE, chunk({"content": "a"}), chunk({"content": "b"}, "stop")])
    assert [name for name, _ in frames].count("message_start") == 1
    for caller in (OPENAI, GROQ):
        frames = streamed(caller, ANTHROPIC, events(thought("hm"), said("a"), used("t", "f"), stop="tool_use"))
        roles = [c["delta"].get("role") for _, f in frames for c in f["choices"]]
        assert roles.count("assistant") == 1
        assert roles[0] == "assistant"


def test_case_086_failed_and_incomplete_responses_are_not_swallowed() -> None:
    """`failed` is an error, `incomplete` says why."""
    delta = {"type": "response.output_text.delta", "delta": "a"}
    with pytest.raises(TranslationError):
        streamed(OPENAI, RESPONSES, [delta, {"type": "response.failed", "response": {"status": "failed"}}])
    with pytest.raises(TranslationError):
        streamed(OPENAI, RESPONSES, [delta, {"type": "error", "code": "server_error", "message": "x"}])
    end = {
        "type": "response.incomplete",
        "response": {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
    }
    frames = streamed(OPENAI, RESPONSES, [delta, end])
    assert frames[-1][1]["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("kind", ["brand_new_error", None, 3])
def test_case_087_an_unknown_error_type_is_a_server_error(kind: Any) -> None:
    """It does not crash."""
    for wire, data in (
        (ANTHROPIC, {"type": "error", "error": {"type": kind, "message": "x"}}),
        (OPENAI, {"error": {"type": kind, "message": "x"}}),
        (GROQ, {"error": {"type": kind, "message": "x"}}),
        (RESPONSES, {"type": "error", "code": kind, "message": "x"}),
    ):
        found = in_band_error(wire, "error", data)  # type: ignore[arg-type]
        assert found is not None
        assert found["status"] == (3 if kind == 3 and wire == RESPONSES else 500)
    for odd in ({"type": "error"}, {"type": "error", "error": "text"}, {"type": "error", "error": []}):
        assert in_band_error(ANTHROPIC, "error", odd) is not None


def test_case_088_blank_arguments_of_a_cut_answer_stay_blank() -> None:
    """An empty object is said only of a call that was finished."""
    cut = streamed(OPENAI, ANTHROPIC, events(used("t", "f"), stop="max_tokens"))
    told = [
        c["function"]["arguments"] for _, f in cut for ch in f["choices"] for c in ch["delta"].get("tool_calls", [])
    ]
    assert told == [""]
    whole = to_openai(used("t", "f"), stop="tool_use")
    assert whole.choices[0].message.tool_calls[0].function.arguments == "{}"
    from tests.dialects.kit import answered

    use = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    answer = answered(OPENAI, ANTHROPIC, message(use, stop="max_tokens"))
    assert answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == ""


def test_case_090_groq_streams_have_no_event_lines_and_anthropics_always_have() -> None:
    """The one SDK mistakes named events for something else, the other drops nameless ones."""
    groq = sse(GROQ, streamed(GROQ, ANTHROPIC, events(said("a"))))
    assert b"event:" not in groq
    assert groq.endswith(b"data: [DONE]\n\n")
    frames = streamed(ANTHROPIC, OPENAI, [chunk({"content": "a"}), chunk({}, "stop")])
    claude = sse(ANTHROPIC, frames)
    assert claude.count(b"event: ") == claude.count(b"data: ") == len(frames)
    assert b"[DONE]" not in claude


RESPONSE_EVENTS = [
    {"type": "response.created", "response": {"id": "resp_up", "model": "served", "status": "in_progress"}},
    {"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning", "id": "rs"}},
    {"type": "response.reasoning_summary_text.delta", "delta": "hm"},
    {"type": "response.output_item.added", "output_index": 1, "item": {"type": "message", "id": "m"}},
    {"type": "response.content_part.added", "output_index": 1},
    {"type": "response.output_text.delta", "output_index": 1, "delta": "so "},
    {"type": "response.output_text.done", "output_index": 1, "text": "so "},
    {
        "type": "response.output_item.added",
        "output_index": 2,
        "item": {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": ""},
    },
    {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": '{"a"'},
    {"type": "response.function_call_arguments.done", "output_index": 2, "arguments": '{"a":1}'},
    {
        "type": "response.output_item.added",
        "output_index": 3,
        "item": {"type": "function_call", "id": "fc_2", "call_id": "call_2", "name": "g", "arguments": ""},
    },
    {"type": "response.function_call_arguments.delta", "output_index": 3, "delta": "{}"},
    {"type": "response.function_call_arguments.done", "output_index": 3, "arguments": "{}"},
    {"type": "response.completed", "response": {"status": "completed", "usage": RESPONSES_USAGE}},
]


def test_a_response_stream_becomes_text_and_calls() -> None:
    """Calls are numbered among themselves and named by their call id; what `done` adds to the deltas is said."""
    answer = helped(OPENAI, streamed(OPENAI, RESPONSES, RESPONSE_EVENTS, WITH_USAGE))
    spoken = answer.choices[0].message
    assert spoken.content == "so "
    assert [(c.id, c.function.name, c.function.arguments) for c in spoken.tool_calls] == [
        ("call_1", "f", '{"a":1}'),
        ("call_2", "g", "{}"),
    ]
    assert answer.usage.total_tokens == 109
    claude = helped(ANTHROPIC, streamed(ANTHROPIC, RESPONSES, RESPONSE_EVENTS))
    assert [b.type for b in claude.content] == ["text", "tool_use", "tool_use"]
    assert claude.content[1].input == {"a": 1}
    assert (claude.usage.input_tokens, claude.usage.output_tokens) == (30, 9)


STREAMS: list[tuple[Any, list[dict[str, Any]]]] = [
    (ANTHROPIC, events(said("he", "y"))),
    (ANTHROPIC, events()),
    (ANTHROPIC, events(said("ok"), used("t0", "f", '{"a"', ":1}"), used("t1", "g"), stop="tool_use")),
    (ANTHROPIC, events(thought("hm"), said("x"))),
    (ANTHROPIC, events(said("x"), stop="model_context_window_exceeded")),
    (ANTHROPIC, events(said("x"), stop="refusal", details={"type": "refusal", "explanation": "no"})),
    (OPENAI, [ROLE, chunk({"content": "a"}), chunk({}, "stop"), USAGE_CHUNK]),
    (OPENAI, [ROLE, chunk({}, "stop")]),
    (OPENAI, [ROLE, chunk({"refusal": "no"}), chunk({}, "stop"), USAGE_CHUNK]),
    (OPENAI, [ROLE, chunk({"content": "x"}), chunk({}, "content_filter")]),
    (OPENAI, [chunk(call_piece(0, "{}", "a", "f")), chunk(call_piece(1, "{}", "b", "g")), chunk({}, "tool_calls")]),
    (GROQ, [ROLE, chunk({"reasoning": "hm"}), chunk({"content": "a"}), USAGE_WITH_FINISH]),
    (RESPONSES, RESPONSE_EVENTS),
]


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    "request_", [{}, WITH_USAGE, {"reasoning_format": "parsed", "thinking": {"display": "summarized"}}]
)
@pytest.mark.parametrize(
    ("caller", "target", "upstream"),
    [(caller, target, upstream) for caller in CALLERS for target, upstream in STREAMS if caller != target],
)
def test_case_098_every_stream_passes_strict_validation(
    caller: Any, target: Any, upstream: Any, request_: dict[str, Any], is_async: bool
) -> None:
    """Every chunk, sync and async; and what is said can be watched like a native stream."""
    frames = streamed(caller, target, upstream, request_)
    heard = heard_stream(caller, frames, is_async=is_async)
    assert len(heard) == len(frames)
    assert any(is_terminator(caller, name, data) for name, data in frames)
    bare = upstream in ([ROLE, chunk({}, "stop")], events())
    assert any(is_content(caller, name, data) for name, data in frames) is not bare
    assert json.dumps(frames)


def test_the_extra_usage_chunk_is_for_those_who_asked() -> None:
    """Others of OpenAI's callers never see it; Groq's find usage in the last chunk."""
    asked = streamed(OPENAI, ANTHROPIC, events(said("a")), WITH_USAGE)
    assert [bool(f.get("usage")) for _, f in asked] == [False] * (len(asked) - 1) + [True]
    assert all("usage" in f for _, f in asked)
    silent = streamed(OPENAI, ANTHROPIC, events(said("a")))
    assert all("usage" not in f and f["choices"] for _, f in silent)
    groq = streamed(GROQ, ANTHROPIC, events(said("a")))
    assert groq[-1][1]["x_groq"]["usage"]["total_tokens"] == 109
    assert groq[-1][1]["choices"][0]["finish_reason"] == "stop"
