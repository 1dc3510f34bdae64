"""Labelled outcomes and traffic, read from files that people write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.evaluation.outcomes import Outcome, read_outcomes
from llm_router_middleware.evaluation.traffic import Request, read_traffic
from llm_router_middleware.models.spec import Tier
from llm_router_middleware.scoring import ComplexityScore


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), "utf-8")
    return path


def test_jsonl_takes_prompts_and_request_bodies(tmp_path: Path) -> None:
    """A prompt, or whatever body was sent: the ask is what counts."""
    path = write(
        tmp_path / "own.jsonl",
        {"prompt": "a", "weak": 0, "strong": 1, "category": "x"},
        "",
        {
            "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "b"}],
            "weak": 0.5,
            "strong": True,
        },
        {"input": "c", "weak": "False", "strong": "true"},
    )
    assert read_outcomes(path) == [Outcome("a", 0, 1, "x"), Outcome("b", 0.5, 1), Outcome("c", 0, 1)]


def test_csv_takes_columns(tmp_path: Path) -> None:
    """Quoted line breaks and all."""
    path = write(tmp_path / "own.csv", "prompt,weak,strong", '"a\nb",0,1', "c,True,0.5")
    assert read_outcomes(path) == [Outcome("a\nb", 0, 1), Outcome("c", 1, 0.5)]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"prompt": "a", "weak": 0}, "own.jsonl:1: strong=None"),
        ({"prompt": "a", "weak": "bad", "strong": 1}, "weak='bad'"),
        ({"prompt": "a", "weak": [], "strong": 1}, "weak=\\[\\]"),
        ({"prompt": "a", "weak": float("nan"), "strong": 1}, "finite"),
        ({"weak": 0, "strong": 1}, "no prompt"),
        ({"prompt": "", "weak": 0, "strong": 1}, "no prompt"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "expected an object, found list"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, row: object, says: str) -> None:
    """The message says where and what."""
    with pytest.raises(ConfigurationError, match=says):
        read_outcomes(write(tmp_path / "own.jsonl", row))


@pytest.mark.parametrize("name", ["missing.jsonl", "empty.jsonl", "latin.jsonl"])
def test_a_file_that_holds_nothing_is_named(tmp_path: Path, name: str) -> None:
    """Missing, empty, or not text."""
    (tmp_path / "empty.jsonl").write_text("\n")
    (tmp_path / "latin.jsonl").write_bytes(b'{"prompt": "\xff"}\n')
    with pytest.raises(ConfigurationError, match=name):
        read_outcomes(tmp_path / name)


def length(text: str) -> ComplexityScore:
    return ComplexityScore(Tier.MID, len(text) / 100)


def test_traffic_is_read_from_prompts_bodies_and_events(tmp_path: Path) -> None:
    """Scores of our own log are taken as they are; calls that passed through unscored don't count."""
    path = write(
        tmp_path / "traffic.jsonl",
        {"prompt": "x" * 8},
        '"yyyy"',
        {"messages": [{"role": "user", "content": "z" * 40}]},
        {"event": "llm_routing_decision", "complexity_score": 0.75, "prompt_tokens_est": 12},
        {"event": "llm_routing_decision", "complexity_score": None, "prompt_tokens_est": 12},
    )
    path.write_text(path.read_text() + '{"event": "llm_routing_deci')
    assert read_traffic(path, length) == [Request(0.08, 2), Request(0.04, 1), Request(0.4, 14), Request(0.75, 12)]


def test_plain_text_is_a_prompt_per_line(tmp_path: Path) -> None:
    """A text file needs no JSON, and any bytes will do."""
    path = tmp_path / "prompts.txt"
    path.write_bytes("What is 2+2?\n\nÜber {x}\n".encode() + b"\xff\xfe\n")
    assert [request.score for request in read_traffic(path, length)] == [0.12, 0.08, 0.02]


@pytest.mark.parametrize(("row", "says"), [("nope", ":1: not JSON"), ("3", "found int"), ({"model": "x"}, "no prompt")])
def test_a_line_that_is_no_request_is_named(tmp_path: Path, row: object, says: str) -> None:
    """The message says where and what."""
    with pytest.raises(ConfigurationError, match=says):
        read_traffic(write(tmp_path / "traffic.jsonl", row), length)
    with pytest.raises(ConfigurationError, match="no prompts"):
        read_traffic(write(tmp_path / "empty.jsonl"), length)
