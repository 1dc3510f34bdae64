"""`llm-router explain`: the decision that the router would make, and nobody called."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llm_router_middleware import Router
from tests.cli.conftest import Invoke

HARD = "Prove step by step that this is right, and compare both approaches. ```def f(): pass```"


def test_agrees_with_the_router(as_json: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Score, signals, candidates and reasons are those of `Router.explain`."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    request = {"model": "gpt-6.1-sol", "messages": [{"role": "user", "content": HARD}]}
    found = as_json("explain", json.dumps(request))
    decision = Router(scorer="heuristic").explain(request)
    assert found["score"] == decision.score
    assert found["signals"] == list(decision.signals)
    assert found["candidates"] == [model.key for model in decision.candidates]
    assert len(found["ruled_out"]) == len(decision.ruled_out) > 0
    assert found["sentence"].startswith(decision.candidates[0].key)


def test_text_names_everything(llm_router: Invoke) -> None:
    """For people: a sentence, score, signals, the order, and who was ruled out and why."""
    result = llm_router("explain", "What day is it?", "--model", "gpt-6.1-sol")
    assert result.exit_code == 0
    for part in (
        "openai/gpt-6-luna (budget) instead of openai/gpt-6.1-sol",
        "score    0.000",
        "short_prompt",
        "In this order",
        "anthropic/claude-opus-5-5",
        "no API key for anthropic",
    ):
        assert part in result.stdout


@pytest.mark.parametrize("way", ["argument", "stdin", "file"])
def test_three_ways_in(as_json: Callable[..., Any], tmp_path: Path, way: str) -> None:
    """An argument, standard input and a file say the same, and get the same answer."""
    (tmp_path / "prompt.txt").write_text(HARD, encoding="utf-8")
    found = {
        "argument": lambda: as_json("explain", HARD),
        "stdin": lambda: as_json("explain", "-", stdin=HARD),
        "file": lambda: as_json("explain", "--file", "prompt.txt"),
    }[way]()
    assert found["complexity_tier"] == "mid"
    assert found["requested"] is None


def test_the_ceiling_is_named(as_json: Callable[..., Any]) -> None:
    """A hard prompt stays within the model that the caller names, and the sentence says so."""
    found = as_json("explain", HARD, "--model", "gpt-6-luna")
    assert (found["tier"], found["reason"]) == ("budget", "ceiling")
    assert "ceiling" in found["sentence"]


def test_an_unknown_model_is_passed_through(as_json: Callable[..., Any]) -> None:
    """A fine-tune is nobody's business: no candidates, and the sentence says why."""
    found = as_json("explain", "hello", "--model", "ft:gpt-4o:acme")
    assert (found["reason"], found["candidates"]) == ("passthrough", [])
    assert "doesn't know" in found["sentence"]


def test_a_prompt_that_looks_like_json_is_a_prompt(as_json: Callable[..., Any]) -> None:
    """Only an object with messages or input is a request."""
    assert as_json("explain", '{"name": "Ada"}')["candidates"]
    assert as_json("explain", "[1, 2]")["candidates"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (["explain", "   "], None, "nothing to explain"),
        (["explain", "--file", "none.json"], None, "none.json: No such file"),
        (["explain", "x", "--provider", "acme"], None, "--provider=acme: expected one of"),
        (["explain"], b"\xff\xfe", "not a text in UTF-8"),
    ],
)
def test_errors_are_for_people(llm_router: Invoke, arguments: list[str], stdin: bytes | None, said: str) -> None:
    """One line on stderr, code 2."""
    result = llm_router(*arguments, stdin=stdin)
    assert result.exit_code == 2, result.output
    assert said in result.stderr


def test_hostile_requests_are_answered(as_json: Callable[..., Any]) -> None:
    """Lone surrogates, wrong types and deep nesting are explained or passed through, never a traceback."""
    for request in (
        '{"messages": [{"role": "user", "content": "\\ud800"}]}',
        '{"messages": 7}',
        '{"messages": [{"role": null, "content": [[[1]]]}]}',
        '{"input": {"a": 1}, "model": 3}',
    ):
        as_json("explain", request)
