"""The properties of the dialects, as functions of a room, so that mutants can be asked the same.

What a request, an answer or a stream says is read here by code of the tests' own.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from llm_router_middleware.errors import RuledOutError
from llm_router_middleware.models.capabilities import Capabilities
from llm_router_middleware.models.spec import ModelSpec, Tier
from tests.dialects.kit import about
from tests.dialects.rooms import Room

ABLE = replace(Capabilities.permissive(), reasoning="off")  # so that nothing is chosen for the caller
CLAUDE = ModelSpec("claude-x", "anthropic", Tier.MID, capabilities=ABLE, max_output_tokens=64_000)
GPT = ModelSpec("gpt-x", "openai", Tier.MID, capabilities=ABLE, max_output_tokens=64_000)
GIVE = frozenset({"stop_detail"})

# -- what may be said

words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
spoken = words.filter(str.strip)
tricky = st.text(st.sampled_from('"\\{}[a é😀\n'), max_size=6)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | tricky,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(tricky, inner, max_size=2),
    max_leaves=4,
)
arguments = st.dictionaries(tricky, json_values, max_size=3)
identifiers = st.sampled_from(["call_1", "toolu_x", "functions.f:0", "c" * 60, "é", "call_a|fc_b"])
names = st.sampled_from(["f", "g", "get_weather", "n" * 64])
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
schemas = st.sampled_from(
    [
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False},
        {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}},
        {"type": "object", "anyOf": [{}]},
    ]
)


def _calls(draw: Any) -> list[dict[str, Any]]:
    found = draw(st.lists(st.tuples(identifiers, names, arguments), max_size=3, unique_by=lambda call: call[0]))
    return [
        {
            "id": i,
            "type": "function",
            "function": {"name": n, "arguments": json.dumps(a, ensure_ascii=draw(st.booleans()))},
        }
        for i, n, a in found
    ]


chat_parts = st.lists(
    st.fixed_dictionaries({"type": st.just("text"), "text": words})
    | st.just({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}})
    | st.just({"type": "image_url", "image_url": {"url": "https://example.com/a.jpg"}}),
    min_size=1,
    max_size=3,
)


@st.composite
def chat_requests(draw: Any) -> dict[str, Any]:
    """A request of the chat dialect, as callers write them: most can be carried."""
    messages: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(0, 2))):
        role = draw(st.sampled_from(["system", "developer"]))
        messages.append(
            {"role": role, "content": draw(spoken | chat_parts.map(lambda p: [x for x in p if "text" in x]))}
        )
    messages.append({"role": "user", "content": draw(spoken | chat_parts)})
    for _ in range(draw(st.integers(0, 3))):
        calls = _calls(draw)
        said: dict[str, Any] = {"role": "assistant", "content": draw(st.none() | words if calls else spoken)}
        if calls:
            said["tool_calls"] = calls
        messages.append(said)
        for call in calls:
            content = draw(words | st.just([{"type": "text", "text": "42"}]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": content})
            if draw(st.integers(0, 4)) == 0:
                messages.append({"role": "user", "content": draw(spoken)})
        if not calls or draw(st.booleans()):
            messages.append({"role": "user", "content": draw(spoken | chat_parts)})
    body = {"model": "gpt-x", "messages": messages}
    return body | draw(chat_options)


chat_options = st.fixed_dictionaries(
    {},
    optional={
        "max_completion_tokens": st.integers(16, 64_000),
        "stop": st.lists(spoken, min_size=1, max_size=4) | spoken,
        "tools": st.lists(
            st.builds(
                lambda n, s, d: {"type": "function", "function": {"name": n, "parameters": s, **d}},
                names,
                schemas,
                st.fixed_dictionaries({}, optional={"description": spoken, "strict": st.booleans()}),
            ),
            min_size=1,
            max_size=3,
        ),
        "tool_choice": st.sampled_from(["auto", "none", "required"]),
        "parallel_tool_calls": st.booleans(),
        "reasoning_effort": st.sampled_from(["none", "low", "high", "max"]),
        "stream": st.booleans(),
        "n": st.just(1),
        "temperature": st.just(1),
        "response_format": st.just({"type": "text"}),
    },
)


claude_blocks = st.lists(
    st.fixed_dictionaries({"type": st.just("text"), "text": spoken})
    | st.just({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}})
    | st.just({"type": "image", "source": {"type": "url", "url": "https://example.com/a.jpg"}}),
    min_size=1,
    max_size=3,
)


@st.composite
def claude_requests(draw: Any) -> dict[str, Any]:
    """A request of Anthropic's dialect, as callers write them: most can be carried."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": draw(spoken | claude_blocks)}]
    for _ in range(draw(st.integers(0, 3))):
        uses = [
            {"type": "tool_use", "id": i, "name": n, "input": a}
            for i, n, a in draw(
                st.lists(st.tuples(identifiers, names, arguments), max_size=3, unique_by=lambda call: call[0])
            )
        ]
        texts = draw(st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": spoken}), max_size=2))
        thinking = draw(st.sampled_from([[], [{"type": "thinking", "thinking": "hm", "signature": "lrm1:groq"}]]))
        content = [*thinking, *texts, *uses] if texts or uses else [*thinking, {"type": "text", "text": "so"}]
        messages.append({"role": "assistant", "content": content})
        results = [
            {
                "type": "tool_result",
                "tool_use_id": use["id"],
                "content": draw(spoken),
                **draw(st.fixed_dictionaries({}, optional={"is_error": st.booleans()})),
            }
            for use in uses
        ]
        rest = draw(claude_blocks) if not uses or draw(st.booleans()) else []
        messages.append({"role": "user", "content": [*results, *rest]})
    body = {"model": "claude-x", "max_tokens": draw(st.integers(16, 64_000)), "messages": messages}
    return body | draw(claude_options)


claude_options = st.fixed_dictionaries(
    {},
    optional={
        "system": spoken | st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": spoken}), min_size=1),
        "tools": st.lists(
            st.builds(lambda n, s: {"name": n, "input_schema": s}, names, schemas.filter(lambda s: "anyOf" not in s)),
            min_size=1,
            max_size=3,
        ),
        "tool_choice": st.builds(
            lambda kind, off: {"type": kind, **({"disable_parallel_tool_use": True} if off and kind != "none" else {})},
            st.sampled_from(["auto", "any", "none"]),
            st.booleans(),
        ),
        "stop_sequences": st.lists(spoken, max_size=4),
        "stream": st.booleans(),
        "output_config": st.sampled_from([{"effort": "low"}, {"effort": "max"}]),
    },
)

# -- what was said, read by the tests' own code


def _image(url: str) -> tuple[str, str]:
    return "image", url


def chat_story(messages: Iterable[Mapping[str, Any]]) -> list[Any]:
    """What a chat conversation tells: one entry per thing said, in order; the results of a turn come first in it."""
    story: list[Any] = []
    for message in messages:
        role = {"developer": "system"}.get(message["role"], message["role"])
        content = message.get("content")
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        texts = [p["text"] for p in parts if p["type"] == "text" and p["text"].strip()]
        if role == "assistant":
            calls = [
                (_id(c["id"]), c["function"]["name"], json.loads(c["function"]["arguments"]))
                for c in message.get("tool_calls") or []
            ]
            story.append(("assistant", "".join(texts), calls))
        elif role == "tool":
            _insert(story, ("result", _id(message["tool_call_id"]), "".join(p["text"] for p in parts)))
        else:
            story += [
                (role, p["text"]) if p["type"] == "text" else (role, _image(p["image_url"]["url"]))
                for p in parts
                if p["type"] != "text" or p["text"].strip()
            ]
    return story


def claude_story(system: Any, messages: Iterable[Mapping[str, Any]]) -> list[Any]:
    """The same of a conversation in Anthropic's dialect."""
    leading = [{"type": "text", "text": system}] if isinstance(system, str) else system or []
    story: list[Any] = [("system", block["text"]) for block in leading]
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if message["role"] == "assistant":
            texts = "".join(b["text"] for b in blocks if b["type"] == "text")
            calls = [(_id(b["id"]), b["name"], b["input"]) for b in blocks if b["type"] == "tool_use"]
            story.append(("assistant", texts, calls))
            continue
        for block in blocks:
            if block["type"] == "tool_result":
                inner = block["content"]
                text = inner if isinstance(inner, str) else "".join(b["text"] for b in inner)
                mark = "[tool error] " if block.get("is_error") else ""
                _insert(story, ("result", _id(block["tool_use_id"]), mark + text))
            elif block["type"] == "image":
                source = block["source"]
                url = source.get("url") or f"data:{source['media_type']};base64,{source['data']}"
                story.append((message["role"], _image(url)))
            else:
                story.append((message["role"], block["text"]))
    return story


def _insert(story: list[Any], entry: Any) -> None:
    place = len(story)
    while place and story[place - 1][0] == "user":
        place -= 1
    story.insert(place, entry)


def _id(identifier: str) -> str:
    """An id that is legal everywhere stays; of another one only that it is always the same matters."""
    legal = identifier.isascii() and identifier.replace("-", "").replace("_", "").isalnum() and len(identifier) <= 40
    return identifier if legal and not identifier.startswith("call_") else "call"


def _shut(tool: Mapping[str, Any], key: str) -> Any:
    """A guaranteed schema is closed, said or not; that is the one thing that may be added to a schema."""
    return {"additionalProperties": False, **tool[key]} if tool.get("strict") is True else tool[key]


def chat_options_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a chat request, in one form."""
    tools = [t["function"] for t in body.get("tools") or []]
    stop = body.get("stop") or []
    choice = body.get("tool_choice") if tools else None
    off = body.get("parallel_tool_calls") is False and bool(tools) and choice != "none"
    return {
        "tools": [(t["name"], t.get("description"), _shut(t, "parameters"), t.get("strict") is True) for t in tools],
        "choice": "auto" if choice is None and off else choice,
        "parallel": not off,
        "stop": [stop] if isinstance(stop, str) else stop,
        "limit": body.get("max_completion_tokens"),
        "effort": body.get("reasoning_effort"),
        "stream": bool(body.get("stream")),
    }


def claude_options_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same of an Anthropic request."""
    tools = body.get("tools") or []
    choice = (body.get("tool_choice") or {}) if tools else {}
    words_ = {"any": "required", None: None}
    thinking, config = body.get("thinking") or {}, body.get("output_config") or {}
    return {
        "tools": [(t["name"], t.get("description"), _shut(t, "input_schema"), t.get("strict") is True) for t in tools],
        "choice": words_.get(choice.get("type"), choice.get("type")),
        "parallel": not choice.get("disable_parallel_tool_use"),
        "stop": body.get("stop_sequences") or [],
        "limit": body.get("max_tokens"),
        "effort": "none" if thinking.get("type") == "disabled" else config.get("effort"),
        "stream": bool(body.get("stream")),
    }


# -- the properties


def uncarriable(body: Mapping[str, Any]) -> set[str]:
    """What of a request can't be carried, all models being able: nothing else may be a reason to rule out."""
    found = set()
    functions = [tool.get("function", tool) for tool in body.get("tools") or []]
    schemas_ = [(f, f.get("parameters") or f.get("input_schema")) for f in functions]
    if any("anyOf" in s or (f.get("strict") and "minimum" in json.dumps(s)) for f, s in schemas_):
        found.add("tools")
    choice = body.get("tool_choice")
    if not functions and (choice.get("type") if isinstance(choice, dict) else choice) in ("required", "any"):
        found.add("tool_choice")
    for message in body["messages"]:
        content = message.get("content")
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        if message["role"] == "user" and not any(p["type"] != "text" or p["text"].strip() for p in parts):
            found.add("messages")
    return found


def ruled_out_rightly(out: RuledOutError, body: Mapping[str, Any]) -> None:
    """Notes a refusal; fails if it names what could have been carried."""
    assert out.parameter.split("[")[0].split(".")[0] in uncarriable(body), str(out)
    assume(False)


def chat_request_there_and_back(room: Room, body: dict[str, Any]) -> None:
    """A chat request says the same in Anthropic's words, and again back; or one side rules it out by name."""
    try:
        there = room.translator("openai_chat", "anthropic_messages").request(body, CLAUDE, frozenset()).body
        back = room.translator("anthropic_messages", "openai_chat").request(there, GPT, GIVE).body
    except RuledOutError as out:
        ruled_out_rightly(out, body)
        return
    assert not uncarriable(body)
    story, options = chat_story(body["messages"]), chat_options_of(body)
    options["limit"] = options["limit"] or 64_000
    assert claude_story(there.get("system"), there["messages"]) == story
    assert claude_options_of(there) == options
    assert chat_story(back["messages"]) == story
    assert chat_options_of(back) == options
    _anthropic_takes(there)


def _anthropic_takes(body: Mapping[str, Any]) -> None:
    """What Anthropic's API demands of a conversation."""
    roles = [m["role"] for m in body["messages"]]
    assert roles[0] == "user"
    assert all(a != b for a, b in itertools.pairwise(roles))
    for message in body["messages"]:
        kinds = [b["type"] for b in message["content"]]
        assert kinds
        assert kinds == sorted(kinds, key=lambda kind: kind != "tool_result") or message["role"] == "assistant"
        assert all(b["text"].strip() for b in message["content"] if b["type"] == "text")
    calls = [b["id"] for m in body["messages"] for b in m["content"] if b["type"] == "tool_use"]
    results = [b["tool_use_id"] for m in body["messages"] for b in m["content"] if b["type"] == "tool_result"]
    assert calls == results
    for message in body["messages"]:
        turn = [b["id"] for b in message["content"] if b["type"] == "tool_use"]
        assert len(turn) == len(set(turn))
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,40}", identifier) for identifier in calls)


def claude_request_there_and_back(room: Room, body: dict[str, Any]) -> None:
    """The same of Anthropic's requests in the chat dialect."""
    try:
        there = room.translator("anthropic_messages", "openai_chat").request(body, GPT, GIVE).body
        back = room.translator("openai_chat", "anthropic_messages").request(there, CLAUDE, frozenset()).body
    except RuledOutError as out:
        ruled_out_rightly(out, body)
        return
    assert not uncarriable(body)
    story, options = claude_story(body.get("system"), body["messages"]), claude_options_of(body)
    assert chat_story(there["messages"]) == story
    assert chat_options_of(there) == options
    assert claude_story(back.get("system"), back["messages"]) == story
    assert claude_options_of(back) == options


@st.composite
def cut_streams(draw: Any) -> tuple[bytes, list[int]]:
    """A stream of events in any line ends, and where it is cut."""
    lines = st.sampled_from(
        ["data: a", 'data: {"é":"😀"}', "data:", "event: ping", ": note", "id: 1", "data", "data: \u2028x", "data:  b"]
    )
    events = draw(st.lists(st.lists(lines, max_size=3), max_size=6))
    ends = st.sampled_from(["\n", "\r\n", "\r"])
    stream = "".join(line + draw(ends) for event in events for line in (*event, "")).encode()
    return stream, sorted(draw(st.lists(st.integers(0, len(stream)), max_size=9)))


def chunkings_give_the_same_events(room: Room, cut: tuple[bytes, list[int]]) -> None:
    """However a stream of bytes is cut, its events are those of the standard's own wording, line by line."""
    stream, places = cut
    edges = [0, *places, len(stream)]
    decoder = room.decoder()
    events = [event for a, b in itertools.pairwise(edges) for event in decoder.feed(stream[a:b])]
    assert events == _by_the_standard(stream.decode())


def _by_the_standard(text: str) -> list[tuple[str | None, str]]:
    """WHATWG's algorithm, in its own words: the data buffer ends each line with a line feed, the last is removed."""
    events: list[tuple[str | None, str]] = []
    data, name = "", ""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]
    for line in lines:
        if line == "":
            if data:
                events.append((name or None, data.removesuffix("\n")))
            data, name = "", ""
        elif not line.startswith(":"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                data += value + "\n"
            elif field == "event":
                name = value
    return events


@st.composite
def interleaved_calls(draw: Any) -> tuple[str, list[tuple[str, str, dict[str, Any]]], list[dict[str, Any]]]:
    """Text, calls, and a stream of chat deltas in which the pieces of the calls come in any order among each other."""
    text = draw(words)
    calls = draw(
        st.lists(st.tuples(identifiers, names, arguments), min_size=1, max_size=4, unique_by=lambda call: call[0])
    )
    queues: list[list[dict[str, Any]]] = []
    for index, (identifier, name, value) in enumerate(calls):
        whole = json.dumps(value, ensure_ascii=False)
        whole = "" if not value and draw(st.booleans()) else whole
        edges = [0, *sorted(draw(st.lists(st.integers(0, len(whole)), max_size=4))), len(whole)]
        pieces: list[dict[str, Any]] = [
            {"index": index, "function": {"arguments": whole[a:b]}} for a, b in itertools.pairwise(edges)
        ]
        late = draw(st.booleans()) and len(pieces) > 1
        pieces[0]["id"] = identifier
        pieces[int(late)]["function"]["name"] = name
        if draw(st.booleans()):
            pieces[-1]["id"] = identifier
        queues.append(pieces)
    deltas: list[dict[str, Any]] = [{"content": piece} for piece in (text[:3], text[3:]) if piece]
    deltas.append({"tool_calls": [queues[0].pop(0)]})
    # Calls begin in their order; their pieces come in any.
    started = 1
    while any(queues):
        open_ones = [q for q in queues[:started] if q]
        ready = [*open_ones, *([queues[started]] if started < len(queues) else [])]
        chosen = draw(st.sampled_from(ready))
        started += started < len(queues) and chosen is queues[started]
        deltas.append({"content": draw(st.sampled_from([None, ""])), "tool_calls": [chosen.pop(0)]})
    return text, calls, deltas


def interleaved_calls_stay_intact(room: Room, said: tuple[str, list[Any], list[dict[str, Any]]]) -> None:
    """On Anthropic's wire blocks are serial: each call arrives whole, once, in order; and back on the chat wire too."""
    text, calls, deltas = said
    machine = room.translator("anthropic_messages", "openai_chat").stream(about())
    frames: list[Any] = []
    for delta in deltas:
        frames += machine.feed(None, {"id": "x", "model": "m", "choices": [{"index": 0, "delta": delta}]})
    frames += machine.feed(None, {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    frames += machine.end()
    blocks = serial_blocks([data for _, data in frames])
    expected = [("text", text)] if text else []
    assert blocks == expected + [("tool_use", _id(i), n, a) for i, n, a in calls]
    reverse = room.translator("openai_chat", "anthropic_messages").stream(about())
    chunks = [c for name, data in frames for _, c in reverse.feed(name, data)] + [c for _, c in reverse.end()]
    assert gathered(chunks) == (text, [(_id(i), n, a) for i, n, a in calls])


def serial_blocks(events: Iterable[Mapping[str, Any]]) -> list[Any]:
    """The content blocks of an Anthropic stream; fails where one begins before another has ended."""
    blocks: list[Any] = []
    current: Any = None
    pieces: list[str] = []
    for event in events:
        if event["type"] == "content_block_start":
            assert current is None
            assert event["index"] == len(blocks)
            current, pieces = event["content_block"], []
        elif event["type"] == "content_block_delta":
            assert current is not None
            assert event["index"] == len(blocks)
            pieces.append(event["delta"].get("text") or event["delta"].get("partial_json") or "")
        elif event["type"] == "content_block_stop":
            whole = "".join(pieces)
            if current["type"] == "tool_use":
                blocks.append(("tool_use", _id(current["id"]), current["name"], json.loads(whole or "{}")))
            else:
                blocks.append((current["type"], whole))
            current = None
    assert current is None
    return blocks


def gathered(chunks: Iterable[Mapping[str, Any]]) -> tuple[str, list[Any]]:
    """Text and calls of chat chunks; fails where a call's id or name comes twice."""
    text, calls = "", {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            text += choice["delta"].get("content") or ""
            for piece in choice["delta"].get("tool_calls") or []:
                if "id" in piece:
                    assert piece["index"] == len(calls)
                    calls[piece["index"]] = [_id(piece["id"]), piece["function"]["name"], ""]
                calls[piece["index"]][2] += piece["function"]["arguments"]
    return text, [(i, n, json.loads(a)) for i, n, a in calls.values()]


@st.composite
def cut_objects(draw: Any) -> tuple[str, list[int]]:
    """The text of an object, and where it is cut."""
    text = json.dumps({"k": draw(arguments)}, ensure_ascii=draw(st.booleans()))
    return text, sorted(draw(st.lists(st.integers(0, len(text) - 1), max_size=9)))


def the_end_of_an_object_is_found(room: Room, cut: tuple[str, list[int]]) -> None:
    """At its last brace and not before, however it is cut."""
    text, places = cut
    edges = [0, *places, len(text)]
    end = room.braces()
    for first, last in itertools.pairwise(edges):
        assert not end.reached
        end.feed(text[first:last])
    assert end.reached


answers = st.tuples(
    words,
    st.lists(st.tuples(identifiers, names, arguments), max_size=3, unique_by=lambda call: call[0]),
    st.tuples(*[st.integers(0, 500)] * 3),
    st.sampled_from(["end_turn", "max_tokens", "refusal"]),
)


def answer_there_and_back(room: Room, said: tuple[str, list[Any], tuple[int, int, int], str]) -> None:
    """An answer of Anthropic's says the same as a chat answer, and again back, tokens included."""
    text, calls, (fresh, read, written), stop = said
    stop = "tool_use" if calls and stop == "end_turn" else stop
    content: list[Any] = [{"type": "text", "text": text}] if text else []
    content += [{"type": "tool_use", "id": i, "name": n, "input": a} for i, n, a in calls]
    usage = {
        "input_tokens": fresh,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "output_tokens": 7,
    }
    payload = {"id": "msg_1", "model": "m", "content": content, "stop_reason": stop, "usage": usage}
    there = room.translator("openai_chat", "anthropic_messages").answer(payload, about())
    assert there["usage"]["prompt_tokens"] == fresh + read + written
    assert there["usage"]["total_tokens"] == fresh + read + written + 7
    back = room.translator("anthropic_messages", "openai_chat").answer(there, about())
    assert claude_story(None, [{"role": "assistant", "content": back["content"]}]) == claude_story(
        None, [{"role": "assistant", "content": content}]
    )
    assert back["stop_reason"] == stop
    assert {name: back["usage"][name] for name in usage} == usage


Property = Callable[[Room, Any], None]
PROPERTIES: dict[str, tuple[Property, st.SearchStrategy[Any]]] = {
    "chat_request": (chat_request_there_and_back, chat_requests()),
    "claude_request": (claude_request_there_and_back, claude_requests()),
    "chunkings": (chunkings_give_the_same_events, cut_streams()),
    "interleaved": (interleaved_calls_stay_intact, interleaved_calls()),
    "object_end": (the_end_of_an_object_is_found, cut_objects()),
    "answer": (answer_there_and_back, answers),
}


def hold(name: str, room: Room, examples: int, *, shrink: bool = True) -> None:
    """Asks a room for a property, with as many examples as are wanted, always the same ones.

    Raises:
        AssertionError: it does not hold.
    """
    prove, strategy = PROPERTIES[name]
    phases = (Phase.explicit, Phase.generate, Phase.shrink) if shrink else (Phase.generate,)

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=phases,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(strategy)
    def check(said: Any) -> None:
        prove(room, said)

    check()
