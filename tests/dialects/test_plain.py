"""The short reading of a plain conversation is the full one."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llm_router_middleware.dialects.features import chat, messages
from llm_router_middleware.dialects.features.plain import plain

content = st.sampled_from(["", "hi", "a longer text"]) | st.none() | st.just([{"type": "text", "text": "hi"}])
turns = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system", "developer", "tool", "oracle"]), "content": content},
        optional={"name": st.just("bob")},
    ),
    max_size=6,
)
bodies = st.fixed_dictionaries(
    {"model": st.sampled_from(["m", "n", "", None]), "messages": turns},
    optional={
        "stream": st.booleans(),
        "max_tokens": st.integers(0, 9) | st.none() | st.just(1.5) | st.just(True),
        "max_completion_tokens": st.integers(0, 9) | st.none(),
        "temperature": st.just(0.5),
    },
)


@given(bodies)
def test_what_is_plain_reads_the_same(body: dict[str, Any]) -> None:
    """For every body that the short reading takes on, it finds what the full reading finds."""
    for wire, read in (("openai_chat", chat.read), ("groq_chat", chat.read), ("anthropic_messages", messages.read)):
        short = plain(wire, body)  # type: ignore[arg-type]
        assert short is None or short == read(body)


def test_a_plain_conversation_is_taken_on() -> None:
    """The commonest requests are among them."""
    turn = {"role": "user", "content": "hi"}
    assert plain("openai_chat", {"model": "m", "messages": [{"role": "system", "content": "s"}, turn]}) is not None
    assert plain("anthropic_messages", {"model": "m", "messages": [turn], "max_tokens": 9}) is not None
    assert plain("openai_chat", {"model": "m", "messages": [turn], "temperature": 0.2}) is None
