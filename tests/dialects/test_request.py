"""A request is read once for all its candidates, and each hears what it would hear if asked alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_router_middleware.dialects import translator
from llm_router_middleware.dialects.parameters import OPT_INS, Losses
from llm_router_middleware.dialects.request import Request
from llm_router_middleware.errors import RuledOutError
from llm_router_middleware.models.spec import ModelSpec, Tier
from llm_router_middleware.routing.requirements import requirements
from tests.dialects.kit import (
    ANTHROPIC,
    CHAT,
    CLAUDE,
    GPT4,
    GROQ,
    LUNA,
    NOTHING,
    OPENAI,
    OPUS,
    OSS,
    QWEN,
    RESPONSES,
    SOL,
    USER,
    spec,
)
from tests.dialects.properties import chat_requests, claude_requests

MYSTERY = ModelSpec("mystery", "mine", Tier.MID, max_output_tokens=9000)
CANDIDATES: list[tuple[Any, ModelSpec]] = [
    (ANTHROPIC, spec(ANTHROPIC, CLAUDE)),
    (ANTHROPIC, spec(ANTHROPIC, OPUS)),
    (ANTHROPIC, MYSTERY),
    (OPENAI, spec(OPENAI, GPT4)),
    (OPENAI, spec(OPENAI, LUNA)),
    (OPENAI, MYSTERY),
    (GROQ, spec(GROQ, OSS)),
    (GROQ, spec(GROQ, QWEN)),
    (RESPONSES, spec(RESPONSES, SOL)),
]


@pytest.mark.parametrize(
    ("caller", "requests"), [(OPENAI, chat_requests()), (GROQ, chat_requests()), (ANTHROPIC, claude_requests())]
)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_was_worked_out_for_one_candidate_does_not_change_what_another_hears(
    caller: Any, requests: Any, data: st.DataObject
) -> None:
    """In any order, with any losses allowed, of models described or not: it is what a fresh reading would give."""
    body = data.draw(requests)
    if data.draw(st.booleans()):
        body["messages"] = [*body["messages"], {**USER, "name": "jo"}] if caller != ANTHROPIC else body["messages"]
    shared = Request(caller, body)
    needs = requirements(body, caller, prompt_tokens=1)
    order = data.draw(st.lists(st.tuples(st.sampled_from(CANDIDATES), st.sampled_from([NOTHING, OPT_INS])), max_size=8))
    for (wire, model), lossy in order:
        pair = translator(caller, wire)
        assert pair is not None
        assert said(lambda: pair.worded(shared, model, lossy)) == said(lambda: pair.request(body, model, lossy))  # noqa: B023
        fresh = requirements(body, caller, prompt_tokens=1).unmet_by(model, wire, lossy)
        assert needs.unmet_by(model, wire, lossy) == fresh


def said(word: Any) -> Any:
    try:
        return word()
    except RuledOutError as out:
        return str(out)


def test_a_draft_is_made_once_and_its_losses_are_noted_each_time() -> None:
    """Failures are remembered, too."""
    made: list[str] = []

    def make(losses: Losses) -> int:
        made.append("x")
        losses.take("sampling", "temperature", "because")
        return 42

    request = Request(OPENAI, CHAT)
    for _ in range(2):
        losses = Losses(frozenset({"sampling"}))
        assert request.draft("key", losses, make) == 42
        assert losses.dropped == ("temperature",)
    assert len(made) == 1
    for _ in range(2):
        with pytest.raises(RuledOutError, match="because"):
            request.draft("key", Losses(NOTHING), make)
    assert len(made) == 2
