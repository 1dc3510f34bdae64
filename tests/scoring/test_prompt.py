"""What text counts, for every shape of every dialect."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_router_middleware.scoring import ask, estimate_tokens

HARD = "Prove that every bounded monotone sequence of reals converges."


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def said(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


SHAPES = {
    "openai chat": {"messages": [{"role": "system", "content": "You are a poet."}, user(HARD)]},
    "developer role": {"messages": [{"role": "developer", "content": "Be brief."}, user(HARD)]},
    "openai parts": {
        "messages": [
            user(
                [
                    {"type": "text", "text": HARD},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
                ]
            )
        ]
    },
    "responses string": {"input": HARD, "instructions": "You are a poet."},
    "responses items": {
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": HARD}]}],
        "instructions": "You are a poet.",
    },
    "responses easy items": {"input": [{"role": "developer", "content": "x"}, user(HARD)]},
    "anthropic": {"system": "You are a poet.", "messages": [user(HARD)]},
    "anthropic blocks": {
        "system": [{"type": "text", "text": "You are a poet."}],
        "messages": [user([{"type": "text", "text": HARD, "cache_control": {"type": "ephemeral"}}])],
    },
    "anthropic prefill": {"messages": [user(HARD), said("{")]},
    "anthropic document": {
        "messages": [
            user([{"type": "document", "source": {"type": "text", "data": "tax form"}}, {"type": "text", "text": HARD}])
        ]
    },
    "harness": {"messages": [user(f"<system-reminder>The date is today.</system-reminder>\n{HARD}")]},
    "harness part": {
        "messages": [
            user(
                [
                    {"type": "text", "text": "<system-reminder>\nTodo list: empty\n</system-reminder>"},
                    {"type": "text", "text": HARD},
                ]
            )
        ]
    },
    "objects": {"messages": [SimpleNamespace(role="user", content=[SimpleNamespace(type="text", text=HARD)])]},
    "tuple": {"messages": (user(HARD),)},
    "a broken part beside a good one": {
        "messages": [user([{"type": "text", "text": {"a": 1}}, {"type": "text", "text": HARD}, None, 7])]
    },
    "chat tool loop": {
        "messages": [
            user("Hello"),
            said("Hi!"),
            user(HARD),
            {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "f"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "a pasted tool result"},
            {"role": "assistant", "content": "", "tool_calls": [{"id": "2", "function": {"name": "f"}}]},
            {"role": "tool", "tool_call_id": "2", "content": "another"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "description": "analyze"}}],
    },
    "anthropic tool loop": {
        "messages": [
            user(HARD),
            said([{"type": "tool_use", "id": "1", "name": "f", "input": {}}]),
            user([{"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "42"}]}]),
        ]
    },
    "anthropic tool loop, reminder beside the result": {
        "messages": [
            user(HARD),
            said([{"type": "tool_use", "id": "1", "name": "f", "input": {}}]),
            user(
                [
                    {"type": "tool_result", "tool_use_id": "1", "content": "42"},
                    {"type": "text", "text": "<system-reminder>Be concise.</system-reminder>"},
                ]
            ),
        ]
    },
    "responses tool loop": {
        "input": [
            user(HARD),
            {"type": "reasoning", "summary": []},
            {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "1", "output": "42"},
        ]
    },
}


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES.keys())
def test_only_the_users_own_ask_counts_in_every_shape(body: dict[str, Any]) -> None:
    """Whatever surrounds it, the ask is the user's own last words and nothing else."""
    assert ask(body) == HARD


@pytest.mark.parametrize(
    "reply",
    ["yes", "Yes, do it", "ok go ahead", "OK!", "y", "sure, please proceed", "continue", "go on then", "👍",
     "好的", "lgtm", "sounds good, do it", "Yes please.", "keep going", "да", "oui, vas"],
)  # fmt: skip
def test_an_approval_inherits_the_ask_that_it_approves(reply: str) -> None:
    """Saying yes to a hard plan is as hard as the plan."""
    assert ask({"messages": [user(HARD), said("Shall I?"), user(reply)]}) == HARD


@pytest.mark.parametrize(
    "reply", ["make it faster", "why?", "and in Rust?", "the second one", "2", "try again", "explain that"]
)
def test_a_follow_up_is_read_with_the_ask_that_it_leans_on(reply: str) -> None:
    """A few words that point back are scored together with what they point at."""
    assert ask({"messages": [user(HARD), said("Done."), user(reply)]}) == f"{HARD}\n{reply}"


@pytest.mark.parametrize(
    "question",
    ["What time is it in Madrid?", "Thanks!", "Is it raining in Oslo?",
     "OK, what is the capital of Peru?", "What is the first law of thermodynamics?",
     "Why do cats purr when they sleep in the sun all day?", "List three primes."],
)  # fmt: skip
def test_a_question_that_stands_alone_does_not_inherit(question: str) -> None:
    """No session momentum: an easy question after a hard one is easy."""
    assert ask({"messages": [user(HARD), said("Done."), user(question)]}) == question


def test_approvals_and_follow_ups_are_followed_back_over_many_turns() -> None:
    """yes -> make it faster -> ok -> the ask."""
    turns = [user(HARD), said("."), user("ok"), said("."), user("make it shorter"), said("."), user("yes")]
    assert ask({"messages": turns}) == f"{HARD}\nmake it shorter"


def test_a_yes_to_nothing_but_a_plan_is_the_plan() -> None:
    """With no earlier ask, what the assistant proposed is what was approved."""
    assert ask({"messages": [said("I'll refactor the scheduler."), user("yes")]}) == "I'll refactor the scheduler."
    assert ask({"messages": [user("yes")]}) == "yes"


def test_prose_about_a_harness_tag_is_kept() -> None:
    """Only closed blocks are cut out; a mention isn't one."""
    text = "What does <system-reminder> mean?"
    assert ask({"messages": [user(text)]}) == text


def cyclic() -> dict[str, Any]:
    body: dict[str, Any] = {"messages": []}
    body["messages"].append({"role": "user", "content": body["messages"]})
    body["messages"] += [body["messages"], body]
    return body


def wide_cycle() -> dict[str, Any]:
    parts: list[Any] = []
    parts.extend([parts] * 10_000)
    return {"messages": [user(parts)], "tools": parts}


def deep(depth: int = 10_000) -> dict[str, Any]:
    node: Any = "x"
    for _ in range(depth):
        node = {"role": "user", "content": [node]}
    return {"messages": [node], "tools": [node]}


class Hostile:
    @property
    def role(self) -> str:
        raise RuntimeError("no")

    def __getattr__(self, name: str) -> Any:
        raise ValueError(name)


EMPTY: dict[str, Any] = {
    "None": None,
    "bytes": b"messages",
    "a list": [],
    "no messages": {},
    "messages None": {"messages": None},
    "empty": {"messages": []},
    "bytes content": {"messages": [user(b"abc")]},
    "bytes messages": {"messages": b"abc"},
    "number content": {"messages": [user(7)]},
    "None content": {"messages": [user(None)]},
    "images only": {"messages": [user([{"type": "image_url", "image_url": {"url": "https://x"}}])]},
    "unknown role": {"messages": [{"role": "wizard", "content": HARD}]},
    "no role": {"messages": [{"content": HARD}]},
    "strings": {"messages": ["a", 1, None, ["b"]]},
    "text is no string": {"messages": [user([{"type": "text", "text": {"a": 1}}])]},
    "unhashable type": {"messages": [user([{"type": ["text"], "text": "x"}])]},
    "only a harness": {"messages": [user("<system-reminder>x</system-reminder>")]},
    "cyclic": cyclic(),
    "wide cycle": wide_cycle(),
    "hostile object": {"messages": [Hostile()]},
}


@pytest.mark.parametrize("body", EMPTY.values(), ids=EMPTY.keys())
def test_a_body_without_an_ask_gives_an_empty_text(body: Any) -> None:
    """Nothing that can be sent makes it raise; nothing to score is an empty text."""
    assert ask(body) == ""
    assert estimate_tokens(body) >= 0


def test_deep_bodies_are_read_without_recursion() -> None:
    """Depth costs nothing: only the top layer is a message."""
    assert ask(deep()) == ""
    assert 0 < estimate_tokens(deep()) < 200_000


def test_lone_surrogates_pass() -> None:
    """A text that can't be encoded can still be scored and sized."""
    body = {"messages": [user("a \ud800 b")]}
    assert ask(body) == "a \ud800 b"
    assert estimate_tokens(body) > 0


def test_huge_texts_are_cut_to_head_and_tail() -> None:
    """10 MB of text leave at most about 64,000 characters, with both ends."""
    text = ask({"messages": [user("HEAD " + "x" * 10_000_000 + " TAIL")]})
    assert len(text) < 65_000
    assert text.startswith("HEAD")
    assert text.endswith("TAIL")


def test_hostile_tags_cost_linear_time() -> None:
    """A million unclosed tags end the search at the first: doubling the text must not quadruple the work."""
    opening = "<system-reminder>"
    assert ask({"messages": [user(opening * 600_000)]}).startswith(opening)
    many = f"{opening}x</system-reminder>" * 1_000
    assert ask({"messages": [user(many + HARD)]}) == HARD


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["role", "content", "messages", "input", "type", "text", "tools", "user", "tool_calls"]),
            inner | st.sampled_from(["user", "assistant", "text", "tool_result", "yes", "<system-reminder>"]),
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(json_like)
def test_any_shape_gives_text_and_a_size(body: Any) -> None:
    """For every value there is a text and a size, and never an exception."""
    assert isinstance(ask(body), str)
    assert estimate_tokens(body) >= 0
