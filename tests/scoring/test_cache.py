"""Remembered scores."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor

import pytest

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models.spec import Tier
from llm_router_middleware.scoring import CachedScorer, ComplexityScore


class Counting:
    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, text: str, /) -> ComplexityScore:
        self.calls.append(len(text))
        return ComplexityScore(Tier.MID, len(text) / 1_000, (str(len(text)),))


def test_a_text_is_scored_once() -> None:
    """The second time comes from memory, with the same result."""
    scorer = CachedScorer(counting := Counting())
    assert scorer("abc") == scorer("ab" + "c"[:])
    scorer("abd")
    assert counting.calls == [3, 3]


def test_the_longest_unused_score_goes_first() -> None:
    """Least recently used, not least recently added."""
    scorer = CachedScorer(counting := Counting(), size=2)
    for text in ("a", "bb", "a", "ccc", "a", "bb"):
        scorer(text)
    assert counting.calls == [1, 2, 3, 2]
    assert len(scorer) == 2


def test_no_prompt_text_is_kept() -> None:
    """What a cache refers to contains no prompt."""
    secret = "canary-" + "x" * 40
    scorer = CachedScorer(Counting())
    scorer(secret)
    seen = [scorer._scores]
    for _ in range(5):
        seen += [item for item in gc.get_referents(*seen) if not isinstance(item, type)]
        assert not any(isinstance(item, str) and "canary" in item for item in seen)
        seen = seen[-500:]


def test_threads_share_it_without_losing_count() -> None:
    """Eight threads, one bound: never more entries than its size, never a wrong score."""
    scorer = CachedScorer(Counting(), size=16)
    texts = ["x" * (i % 40) for i in range(4_000)]
    with ThreadPoolExecutor(8) as pool:
        scores = list(pool.map(scorer, texts))
    assert [score.signals[0] for score in scores] == [str(len(text)) for text in texts]
    assert len(scorer) == 16


def test_a_size_below_one_is_refused() -> None:
    """A cache that keeps nothing is a mistake."""
    with pytest.raises(ConfigurationError, match="size=0"):
        CachedScorer(Counting(), size=0)
