"""The estimate of a whole prompt's size."""

from __future__ import annotations

from typing import Any

from llm_router_middleware.scoring import estimate_tokens

WORDS = "The quick brown fox jumps over the lazy dog. " * 20


def chat(*contents: Any, **rest: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content} for content in contents], **rest}


def test_everything_that_is_billed_counts() -> None:
    """System prompt, tools and history make a prompt bigger, each by about its length over four."""
    plain = estimate_tokens(chat(WORDS))
    assert abs(plain - len(WORDS) / 4) < 10
    assert estimate_tokens(chat(WORDS, WORDS)) - plain >= len(WORDS) // 4
    assert estimate_tokens(chat(WORDS, system=WORDS)) - plain >= len(WORDS) // 4
    assert estimate_tokens(chat(WORDS, tools=[{"name": "f", "description": WORDS}])) - plain >= len(WORDS) // 4
    assert estimate_tokens({"input": WORDS, "instructions": WORDS}) >= len(WORDS) // 2


def test_tool_calls_and_results_count() -> None:
    """A tool loop is part of the prompt."""
    loop = [
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": WORDS}}]},
        {"role": "tool", "content": WORDS},
        {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": WORDS}]}]},
    ]
    assert estimate_tokens({"messages": loop}) >= 3 * len(WORDS) // 4


def test_images_are_flat() -> None:
    """A megabyte of base64 is one image, not 250,000 tokens."""
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1_000_000}}
    block = {"type": "image", "source": {"type": "base64", "data": "A" * 1_000_000}}
    assert estimate_tokens(chat([part, block])) < 3_000


def test_other_scripts_weigh_more_per_character() -> None:
    """A Chinese character is nearer to a token than a Latin letter is."""
    assert 2 * estimate_tokens(chat("a" * 1_000)) < estimate_tokens(chat("汉" * 1_000)) < 900


def test_a_history_of_parts_and_of_strings_is_sized_alike() -> None:
    """The shape of a message changes its size only by its punctuation."""
    strings = estimate_tokens(chat(*[WORDS] * 50))
    parts = estimate_tokens(chat(*[[{"type": "text", "text": WORDS}]] * 50))
    assert abs(parts - strings) < 0.1 * strings
