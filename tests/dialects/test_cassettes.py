"""Recorded traffic: what a native answer says to its own SDK, it says translated to another one, field by field."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from llm_router_middleware.dialects import translator
from llm_router_middleware.dialects.errors import in_band_error
from llm_router_middleware.dialects.observe import is_content, is_terminator, served_model
from llm_router_middleware.dialects.sse import SseDecoder
from llm_router_middleware.dialects.usage import StreamUsage, read_usage
from llm_router_middleware.errors import RefusedAnswerError, RuledOutError, TranslationError, TruncatedStreamError
from llm_router_middleware.routing.requirements import requirements
from tests.dialects.cassettes import Cassette, cassettes, events_of, needs_cassettes, raw_of
from tests.dialects.kit import (
    ANTHROPIC,
    CALLERS,
    CLAUDE,
    GPT4,
    GROQ,
    OPENAI,
    OSS,
    RESPONSES,
    SOL,
    USER,
    about,
    answered,
    client,
    heard,
    heard_stream,
    helped,
    spec,
)
from tests.dialects.meaning import Meaning, normal, of_chunks, of_completion, of_message, of_response

pytestmark = needs_cassettes

WHOLE, STREAMED = cassettes(stream=False), cassettes(stream=True)
ASKS_FOR_USAGE = {"stream_options": {"include_usage": True}}
BEYOND_TRANSLATION = (
    "server_tool_use",
    "mcp_tool_use",
    "web_search_call",
    "mcp_list_tools",
    "executed_tools",
    '"function_call":{',
    '"index":1',
)
"""What stands in recorded answers to requests that are not translated: hosted tools, legacy functions, choices."""

FOREIGN_ENDS = {"openai-chat_completions-058", "openai-sdk-snapshot-008"}
"""A compatible server that never gave a finish reason; a stream of several choices."""


def native(cassette: Cassette, body: bytes, *, stream: bool) -> Any:
    """A recorded answer as the SDK of its own provider gives it, not strict: old recordings are."""
    kind = "text/event-stream" if stream else "application/json"
    sdk = client(cassette.wire, body, kind).with_options(max_retries=0)  # type: ignore[arg-type]
    sdk._strict_response_validation = False
    arguments: dict[str, Any] = {"stream": True} if stream else {}
    if cassette.wire == ANTHROPIC:
        if stream:
            with sdk.messages.stream(model="m", max_tokens=5, messages=[USER]) as helper:
                return of_message(helper.get_final_message())
        return of_message(sdk.messages.create(model="m", max_tokens=5, messages=[USER]))
    if cassette.wire == RESPONSES:
        answer = sdk.responses.create(model="m", input="hello", **arguments)
        ends = [event.response for event in answer if hasattr(event, "response")] if stream else [answer]
        return of_response(ends[-1])
    answer = sdk.chat.completions.create(model="m", messages=[USER], **arguments)
    return of_chunks(answer) if stream else of_completion(answer)


def translated(cassette: Cassette, caller: Any, recorded: dict[str, Any]) -> Meaning:
    """The same answer as the strict SDK of another caller gives it."""
    if not cassette.stream:
        answer = heard(caller, answered(caller, cassette.wire, recorded["response"]["json"]))  # type: ignore[arg-type]
        return of_message(answer) if caller == ANTHROPIC else of_completion(answer)
    machine = translator(caller, cassette.wire).stream(about(ASKS_FOR_USAGE))  # type: ignore[union-attr, arg-type]
    frames: list[Any] = []
    for name, data in events_of(raw_of(recorded["response"])):
        if isinstance(data, dict):
            frames += machine.feed(name, data)
    frames += machine.end()
    chunks = heard_stream(caller, frames)
    return of_message(helped(caller, frames)) if caller == ANTHROPIC else of_chunks(chunks)


def is_beyond_translation(cassette: Cassette, recorded: dict[str, Any]) -> bool:
    """Whether the answer holds what no request that we translate can lead to, or broke off."""
    said = json.dumps(recorded["response"], separators=(",", ":")).replace('\\"', '"').replace(" ", "")
    return "stream_error" in cassette.features or any(word in said for word in BEYOND_TRANSLATION)


def expected_failure(cassette: Cassette, caller: Any, recorded: dict[str, Any]) -> tuple[Any, str] | None:
    """The error that says why this recording can't be carried; None if it must be."""
    if cassette.id in FOREIGN_ENDS:
        return TranslationError, "finish_reason|choice"
    if cassette.kind != "recorded" and cassette.stream:
        ended = any(is_terminator(cassette.wire, n, d) for n, d in events_of(raw_of(recorded["response"])))  # type: ignore[arg-type]
        if not ended and not {"midstream_error", "stream_error"} & cassette.features:
            return TruncatedStreamError, "ended without"
        if "midstream_error" in cassette.features:
            return TranslationError, "broke"
        text = recorded["response"]["sse"]
        if any(f'"type":"{kind}"' in text.replace(" ", "") for kind in ("server_tool_use", "compaction", "fallback")):
            return TranslationError, "has no counterpart"
        return None
    if caller == GROQ and "refusal" in cassette.features and not cassette.stream:
        return RefusedAnswerError, "refusal"
    return None


@pytest.mark.parametrize(
    ("cassette", "caller"),
    [(c, caller) for c in (*WHOLE, *STREAMED) for caller in CALLERS if caller != c.wire],
    ids=str,
)
def test_a_recorded_answer_says_the_same_to_every_caller(cassette: Cassette, caller: Any) -> None:
    """Text, calls, stop reason and tokens, each as the native SDK reads them; or it is refused for a reason."""
    recorded = cassette.load()
    expected = expected_failure(cassette, caller, recorded)
    if expected is not None:
        with pytest.raises(expected[0], match=expected[1]):
            translated(cassette, caller, recorded)
        return
    try:
        got = translated(cassette, caller, recorded)
    except TranslationError:
        if not is_beyond_translation(cassette, recorded):
            raise
        return
    body = json.dumps(recorded["response"]["json"]).encode() if not cassette.stream else _ended(recorded)
    try:
        meant = native(cassette, body, stream=cassette.stream)
    except ValueError:  # arguments that even the native SDK can't read are handed on as they are
        assert got.calls[-1][1] is None or caller == ANTHROPIC
        return
    if caller == GROQ and cassette.wire == ANTHROPIC:  # there is no field for what is said about a refusal
        meant.refusal = ""
    if any(arguments is None for _, arguments in (*got.calls, *meant.calls)):
        got.calls, meant.calls = [(name, None) for name, _ in got.calls], [(name, None) for name, _ in meant.calls]
    assert normal(got) == normal(meant)


def _ended(recorded: dict[str, Any]) -> bytes:
    """The stream with its last blank line, which the SDKs need."""
    return raw_of(recorded["response"]) + b"\n\n"


def test_most_of_the_recordings_are_carried() -> None:
    """The test above is not passed by refusing."""
    carried = refused = 0
    for cassette in (*WHOLE, *STREAMED):
        recorded = cassette.load()
        for caller in CALLERS:
            if caller == cassette.wire:
                continue
            try:
                translated(cassette, caller, recorded)
                carried += 1
            except TranslationError:
                refused += 1
    assert carried > 350
    assert refused < 110


@pytest.mark.parametrize("cassette", [c for c in WHOLE if c.wire != RESPONSES], ids=str)
def test_a_recorded_answer_comes_back_the_same(cassette: Cassette) -> None:
    """To another dialect and back again: what the caller of its own provider reads is what it said at first."""
    payload = cassette.load()["response"]["json"]
    other: Any = OPENAI if cassette.wire == ANTHROPIC else ANTHROPIC
    try:
        there = answered(other, cassette.wire, payload)  # type: ignore[arg-type]
        back = answered(cassette.wire, other, there)  # type: ignore[arg-type]
    except TranslationError:
        assert is_beyond_translation(cassette, cassette.load())
        return
    got = heard(cassette.wire, back)  # type: ignore[arg-type]
    read = of_message if cassette.wire == ANTHROPIC else of_completion
    meant = native(cassette, json.dumps(payload).encode(), stream=False)
    assert normal(read(got)) == normal(meant)
    assert got.id.endswith(str(payload["id"]).removeprefix("chatcmpl-").removeprefix("msg_"))
    assert got.model == payload["model"]


@pytest.mark.parametrize("cassette", [c for c in STREAMED if c.kind == "recorded"], ids=str)
def test_a_recorded_stream_is_observed_to_its_end(cassette: Cassette) -> None:
    """Content, terminator, usage and model are found where this provider puts them, in any cut."""
    wire: Any = cassette.wire
    raw = raw_of(cassette.load()["response"])
    decoder = SseDecoder()
    cut = [event for i in range(0, len(raw), 7) for event in decoder.feed(raw[i : i + 7])]
    assert cut == SseDecoder().feed(raw)
    usage, content, ends, model = StreamUsage(wire), 0, 0, None
    for name, data in events_of(raw):
        ends += is_terminator(wire, name, data)
        if isinstance(data, dict):
            usage.feed(data)
            content += is_content(wire, name, data)
            model = model or served_model(wire, data)
            if in_band_error(wire, name, data) is not None:
                assert {"stream_error", "error_body"} & cassette.features
    assert ends or "stream_error" in cassette.features
    assert content
    assert model
    asked = cassette.load()["request"].get("json") or {}
    if wire in (ANTHROPIC, RESPONSES) or (asked.get("stream_options") or {}).get("include_usage"):
        assert usage.counts is not None or "stream_error" in cassette.features
        assert "stream_error" in cassette.features or (usage.counts and usage.counts["output_tokens"])


@pytest.mark.parametrize("cassette", WHOLE, ids=str)
def test_recorded_usage_is_read(cassette: Cassette) -> None:
    """The whole prompt includes its cached part; reasoning is part of the answer."""
    counts = read_usage(cassette.wire, cassette.load()["response"]["json"])  # type: ignore[arg-type]
    if counts is not None:
        assert (counts["input_tokens"] or 0) >= (counts["cached_input_tokens"] or 0)
        assert (counts["output_tokens"] or 0) >= (counts["reasoning_tokens"] or 0)


TARGETS = [(OPENAI, GPT4), (ANTHROPIC, CLAUDE), (GROQ, OSS), (RESPONSES, SOL)]


@pytest.mark.parametrize("cassette", [c for c in cassettes() if c.wire != RESPONSES], ids=str)
def test_a_recorded_request_is_carried_or_ruled_out_by_name(cassette: Cassette) -> None:
    """Real requests, to every other wire; what is carried there and back is carried the same again."""
    body = cassette.load()["request"].get("json")
    if not isinstance(body, dict):
        return
    before = copy.deepcopy(body)
    for target, model in TARGETS:
        if target == cassette.wire:
            continue
        pair = translator(cassette.wire, target)  # type: ignore[arg-type]
        assert pair is not None
        try:
            sent = pair.request(body, spec(target, model), frozenset()).body  # type: ignore[arg-type]
            reason = None
        except RuledOutError as out:
            reason = str(out)
        found = requirements(body, cassette.wire, prompt_tokens=1).unmet_by(spec(target, model), target)  # type: ignore[arg-type]
        assert found == reason or "don't fit" in str(found)
        assert body == before
        if reason is None:
            assert sent["model"] == model
            assert json.dumps(sent)
