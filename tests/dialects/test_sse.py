"""Server-sent events: the same events however the bytes are cut, in linear time; each wire in its own framing."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_router_middleware.dialects.sse import SseDecoder, encode, terminator
from tests.dialects.kit import ANTHROPIC, GROQ, OPENAI, RESPONSES


def decode(*chunks: bytes) -> list[tuple[str | None, str]]:
    decoder = SseDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: a\n\n", [(None, "a")]),
        (b"data: a\r\n\r\n", [(None, "a")]),
        (b"data: a\r\r", [(None, "a")]),
        (b"data:a\n\ndata:  a\n\n", [(None, "a"), (None, " a")]),
        (b"event: e\ndata: a\n\ndata: b\n\n", [("e", "a"), (None, "b")]),
        (b"data: a\ndata: b\n\n", [(None, "a\nb")]),
        (b": comment\n\ndata: a\n\n", [(None, "a")]),
        (b"event: e\n\ndata: a\n\n", [(None, "a")]),
        (b"data\n\n", [(None, "")]),
        (b"id: 1\nretry: 5\nother: x\ndata: a\n\n", [(None, "a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [(None, "a")]),
        (b"data: a\n\n\n\ndata: b\n\n", [(None, "a"), (None, "b")]),
        (b"data: a", []),
        (b"data: a\n", []),
        (b"data: a\x0b\x0c\x1c\xc2\x85\xe2\x80\xa8b\n\n", [(None, "a\x0b\x0c\x1c\x85\u2028b")]),
        ("data: é😀\n\n".encode(), [(None, "é😀")]),
        (b"data: \xff\n\n", [(None, "\ufffd")]),
        (b"", []),
    ],
)
def test_events_are_read_by_the_standard(stream: bytes, expected: list[tuple[str | None, str]]) -> None:
    """CR, LF and CRLF end lines and nothing else does; what the end cuts off is no event. Whole or byte by byte."""
    assert decode(stream) == expected
    assert decode(*(stream[i : i + 1] for i in range(len(stream)))) == expected


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: a", [(None, "a")]),
        (b"data: a\n", [(None, "a")]),
        (b"data: a\r", [(None, "a")]),
        (b"event: e\ndata: a\r\n", [("e", "a")]),
        (b"data: a\n\n", []),
        (b"", []),
    ],
)
def test_the_end_gives_the_event_that_lacks_its_blank_line(stream: bytes, expected: Any) -> None:
    """Some servers leave it out."""
    decoder = SseDecoder()
    decoder.feed(stream)
    assert decoder.end() == expected


lines = st.sampled_from(
    [b"data: ", b"data:", b"event: ping", b'data: {"a": "\xc3\xa9\xf0\x9f\x98\x80"}', b": note", b"", b"id: 1", b"data"]
)
streams = st.lists(st.tuples(lines, st.sampled_from([b"\n", b"\r\n", b"\r"])), max_size=12).map(
    lambda parts: b"".join(line + end for line, end in parts)
)


@given(stream=streams, cuts=st.lists(st.integers(0, 200), max_size=8))
def test_every_cut_gives_the_same_events(stream: bytes, cuts: list[int]) -> None:
    """Also between CR and LF, inside a character, and with empty reads."""
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    chunks = [stream[a:b] for a, b in itertools.pairwise(places)]
    assert decode(*chunks) == decode(stream)


@given(data=st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3), size=st.integers(1, 7))
def test_what_is_encoded_is_decoded(data: dict[str, str], size: int) -> None:
    """In every wire's framing, with every character."""
    for wire in (OPENAI, GROQ, ANTHROPIC, RESPONSES):
        stream = encode(wire, ("e", data)) + terminator(wire)  # type: ignore[arg-type]
        events = decode(*(stream[i : i + size] for i in range(0, len(stream), size)))
        name = "e" if wire in (ANTHROPIC, RESPONSES) else None
        assert (events[0][0], json.loads(events[0][1])) == (name, data)
        assert events[1:] == ([] if name else [(None, "[DONE]")])


def test_half_a_surrogate_pair_still_encodes() -> None:
    """Some server will send one."""
    assert decode(encode(OPENAI, (None, {"a": "\ud83d"})))[0][1] == '{"a":"\\ud83d"}'


def cost(size: int, cut: int) -> float:
    stream = b"data: " + b"x" * size + b"\n\n"
    chunks = [stream[i : i + cut] for i in range(0, len(stream), cut)]
    best = float("inf")
    for _ in range(3):
        decoder, began = SseDecoder(), time.thread_time()
        for chunk in chunks:
            decoder.feed(chunk)
        best = min(best, time.thread_time() - began)
    return best


@pytest.mark.parametrize("cut", [16, 1024])
def test_time_is_linear_in_the_bytes(cut: int) -> None:
    """Eight times the line takes far less than the 64 times that joining it anew each time would."""
    assert cost(8 * 60_000, cut) < 40 * cost(60_000, cut)


@pytest.mark.parametrize("wire", [ANTHROPIC, RESPONSES])
def test_the_name_of_an_event_is_its_type_if_nobody_says_it(wire: Any) -> None:
    """Nameless events would be dropped."""
    assert encode(wire, (None, {"type": "ping"})) == b'event: ping\ndata: {"type":"ping"}\n\n'
