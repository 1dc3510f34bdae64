"""A score in words."""

from __future__ import annotations

import pytest

from llm_router_middleware.models.spec import Tier
from llm_router_middleware.scoring import ComplexityScore, HeuristicScorer, LearnedScorer, describe


@pytest.mark.parametrize(
    ("signals", "says"),
    [
        (
            ("kind=code", "gain=+0.28", "for=rust,async", "against=write", "words=5"),
            "Looks like code, 5 words; a strong model is expected to do 28 in 100 such prompts better. "
            "Raised by rust, async; lowered by write. Score 0.84: premium.",
        ),
        (
            ("kind=exam", "gain=-0.02", "words=1"),
            "Looks like an exam question, 1 word; a strong model is expected to do such prompts no better. "
            "Score 0.84: premium.",
        ),
        (("unsure=no_text",), "Unsure, so a step up: there is no text to score. Score 0.84: premium."),
        (("complex_keyword", "long_prompt"), "Seen: complex keyword, long prompt. Score 0.84: premium."),
        ((), "Score 0.84: premium."),
    ],
)
def test_every_signal_has_its_words(signals: tuple[str, ...], says: str) -> None:
    """Whatever was seen is said, and nothing else."""
    assert describe(ComplexityScore(Tier.PREMIUM, 0.84, signals)) == says


def test_every_score_can_be_described() -> None:
    """Of any text, by any scorer, and every kind of task has a name for people."""
    learned = LearnedScorer()
    for text in ("", "hola, qué tal estás hoy amigo", "Prove it.", "Say hi", "def f(): pass", "x" * 10_000):
        assert describe(learned(text)).endswith(".")
        assert describe(HeuristicScorer()(text)).endswith(".")
    for kind in learned.load().kinds:
        assert (
            f"Looks like {kind}," not in describe(ComplexityScore(Tier.MID, 0.5, (f"kind={kind}",))) or kind == "code"
        )
