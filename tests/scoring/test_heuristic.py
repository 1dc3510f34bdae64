"""The transparent scorer: its rules, its limits, its bad input."""

from __future__ import annotations

from timeit import repeat

import pytest

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models.spec import Tier
from llm_router_middleware.scoring import ComplexityScore, HeuristicScorer, Scorer, score_complexity

LONG = "word " * 600


@pytest.mark.parametrize(
    ("text", "score", "signals"),
    [
        ("analyze this", 0.3, ("complex_keyword", "short_prompt")),
        ("Explain why, please.", 0.3, ("complex_keyword", "short_prompt")),
        ("Think step-by-step about it", 0.3, ("complex_keyword", "short_prompt")),
        ("translate this", 0.0, ("simple_keyword", "short_prompt")),
        (LONG, 0.3, ("long_prompt",)),
        ("counterclockwise " * 2_000, 0.3, ("long_prompt",)),
        (LONG + "compare", 0.7, ("complex_keyword", "long_prompt")),
        ("debug\n```\nx\n```", 0.5, ("complex_keyword", "short_prompt", "code_block")),
        ("debug\ndef f(x):\n  return x", 0.5, ("complex_keyword", "short_prompt", "code_block")),
        ("debug: why? when? where?", 0.4, ("complex_keyword", "short_prompt", "multi_question")),
        ("“Analyze” l’œuvre", 0.3, ("complex_keyword", "short_prompt")),
    ],
)
def test_every_rule_adds_its_weight_and_is_named(text: str, score: float, signals: tuple[str, ...]) -> None:
    """The score is the sum of the rules that fired, and they are all named."""
    assert score_complexity(text).score == score
    assert score_complexity(text).signals == signals


@pytest.mark.parametrize(
    "text", ["Listen to the specialist", "the convertible", "predefined", "reanalyzed", "class reunion"]
)
def test_keywords_are_whole_words(text: str) -> None:
    """ "list" doesn't fire inside "listen"; "class" in prose isn't code."""
    assert score_complexity(text).signals == ("short_prompt",)


def test_thresholds_and_words_are_the_callers() -> None:
    """Both thresholds and both lists can be set."""
    scorer = HeuristicScorer(0.1, 0.3, complex_keywords=["Quantum Leap"], simple_keywords=["ping"])
    assert scorer("a quantum-leap here").tier is Tier.PREMIUM
    assert scorer("analyze").tier is Tier.BUDGET
    assert scorer("ping, quantum leap").tier is Tier.MID


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ((0.7, 0.6), "mid_threshold=0.7"),
        ((-0.1, 0.6), "mid_threshold=-0.1"),
        ((0.1, 1.5), "premium_threshold=1.5"),
        (("x", 0.6), "mid_threshold='x'"),
        ((True, 1), "mid_threshold=True"),
        ((float("nan"), 1), "mid_threshold=nan"),
    ],
)
def test_bad_thresholds_are_refused_at_construction(arguments: tuple[float, float], names: str) -> None:
    """The error names the key and the value."""
    with pytest.raises(ConfigurationError, match=names):
        HeuristicScorer(*arguments)


def test_a_keyword_without_a_word_is_refused() -> None:
    """A keyword that could match nothing, or everything, is an error."""
    with pytest.raises(ConfigurationError, match="complex_keywords"):
        HeuristicScorer(complex_keywords=["analyze", " - "])


@pytest.mark.parametrize("text", ["", "  \n", None, b"x"])
def test_nothing_to_score_is_neutral(text: str) -> None:
    """Of an empty text nothing is known: the mid tier, and the signal says why."""
    assert score_complexity(text) == ComplexityScore(Tier.MID, 0.3, ("no_text",))


def test_a_function_is_a_scorer() -> None:
    """The Protocol asks for a callable and nothing else."""
    assert isinstance(score_complexity, Scorer)
    assert isinstance(HeuristicScorer(), Scorer)


HOSTILE = [
    "\n" * 100_000, " " * 100_000, "\t" * 50_000 + "x", "def " * 25_000, "class a" * 20_000, "async " * 20_000,
    "a" * 100_000, "?" * 100_000, "`" * 100_000, "\ud800" * 100_000, "ß" * 100_000, "step by " * 20_000,
    "public " * 20_000, "export async function " * 5_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=[repr(text[:8]) for text in HOSTILE])
def test_hostile_text_costs_no_more_than_prose(text: str) -> None:
    """Constant beyond the cap: 100,000 hostile characters take no longer than a small multiple of capped prose."""
    prose = "Some plain words, one after another, as people write them. " * 200
    cost = min(repeat(lambda: score_complexity(text), number=1, repeat=5))
    usual = min(repeat(lambda: score_complexity(prose), number=1, repeat=5))
    assert cost < 15 * usual


def test_the_middle_of_a_long_text_is_not_read_but_counted() -> None:
    """Head and tail decide; the length of the whole still counts."""
    long = "word " * 5_000
    assert score_complexity(long + "analyze " + long).signals == ("long_prompt",)
    assert score_complexity("analyze " + long).signals == score_complexity(long + "analyze").signals
