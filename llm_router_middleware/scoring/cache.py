"""Scores by text, kept without the text: a history that grows by one turn is not scored again."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.scoring.base import ComplexityScore, Scorer

__all__ = ["CachedScorer"]


class CachedScorer:
    """A scorer that remembers its latest scores.

    The key is the text's hash and length, never the text: a str keeps its own hash, no prompt is retained, and a
    collision (2^-64) could only cost a wrong tier. Safe for threads; the lock is never held while scoring.

    Args:
        scorer: who scores a text that was not seen lately.
        size: how many scores are kept.

    Raises:
        ConfigurationError: a size below 1.
    """

    def __init__(self, scorer: Scorer, size: int = 1024) -> None:
        if size < 1:
            raise ConfigurationError(f"size={size!r}: expected at least 1")
        self.scorer = scorer
        self._size = size
        self._scores: OrderedDict[tuple[int, int], ComplexityScore] = OrderedDict()
        self._lock = Lock()

    def __call__(self, text: str, /) -> ComplexityScore:
        """The score of a text, from memory where it is there."""
        key = (hash(text), len(text))
        with self._lock:
            if (score := self._scores.get(key)) is not None:
                self._scores.move_to_end(key)
                return score
        score = self.scorer(text)
        with self._lock:
            self._scores[key] = score
            self._scores.move_to_end(key)
            if len(self._scores) > self._size:
                self._scores.popitem(last=False)
        return score

    def __len__(self) -> int:
        return len(self._scores)
