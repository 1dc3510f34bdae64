"""The transparent scorer: keywords, length, code, questions. Rules that can be read; each that fired is named."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.scoring.base import ComplexityScore
from llm_router_middleware.scoring.thresholds import Thresholds

__all__ = ["COMPLEX_KEYWORDS", "SIMPLE_KEYWORDS", "HeuristicScorer", "score_complexity"]

COMPLEX_KEYWORDS = (
    "analyze", "analyse", "compare", "explain why", "pros and cons", "tradeoffs", "trade offs", "step by step", "debug",
    "refactor", "write a function", "evaluate", "summarize", "summarise", "synthesize", "synthesise", "argue",
    "critique", "prove", "derive", "diagnose", "optimize", "optimise", "architect",
)  # fmt: skip
"""Words and phrases that raise the score by 0.4."""

SIMPLE_KEYWORDS = (
    "translate", "spell check", "convert", "list", "what is", "define", "extract", "yes or no", "true or false",
)  # fmt: skip
"""Words and phrases that lower the score by 0.2."""

_HEAD, _TAIL = 4_000, 2_000
"""Characters that are looked at; a longer text costs no more."""

_LONG, _SHORT = 500, 50
"""Words."""

_WORD = re.compile(r"\w+")

# A table for str.translate: ASCII letters and digits stay (lower case), everything else becomes a space.
_PLAIN = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128))

# Bounded repeats only, and none next to another: linear on any text.
_CODE = re.compile(
    r"^[ \t]{0,40}(?:(?:async )?def \w{1,80}\(|class \w{1,80}[:({]|(?:export )?(?:async )?function \w{1,80}\(|"
    r"fn \w{1,80}[(<]|func \w{1,80}\(|#include\b|public (?:static |class )\w)",
    re.MULTILINE,
)


class HeuristicScorer:
    """Scores by rules that a person can check.

    | signal | when | adds |
    |---|---|---|
    | `complex_keyword` | a complex keyword occurs as whole words | +0.4 |
    | `simple_keyword` | a simple keyword occurs as whole words | -0.2 |
    | `long_prompt` | more than 500 words | +0.3 |
    | `short_prompt` | fewer than 50 words | -0.1 |
    | `code_block` | a fence, or a definition at the start of a line | +0.2 |
    | `multi_question` | more than two question marks | +0.1 |
    | `no_text` | nothing to score: the mid tier, since nothing is known | |

    Args:
        mid_threshold: the lowest score of the mid tier.
        premium_threshold: the lowest score of the premium tier.
        complex_keywords: words and phrases; case, punctuation and hyphens don't matter.
        simple_keywords: likewise.

    Raises:
        ConfigurationError: thresholds out of range or order, or a keyword without a letter or digit.
    """

    def __init__(
        self,
        mid_threshold: float = 0.3,
        premium_threshold: float = 0.6,
        *,
        complex_keywords: Iterable[str] = COMPLEX_KEYWORDS,
        simple_keywords: Iterable[str] = SIMPLE_KEYWORDS,
    ) -> None:
        self.thresholds = Thresholds(mid_threshold, premium_threshold)
        self._complex = _Lexicon.of("complex_keywords", complex_keywords)
        self._simple = _Lexicon.of("simple_keywords", simple_keywords)

    def __call__(self, text: str, /) -> ComplexityScore:
        """Scores a text. Never raises; text beyond 6,000 characters (head and tail) costs nothing."""
        if not isinstance(text, str) or not text or text.isspace():
            return ComplexityScore(self.thresholds.tier(self.thresholds.mid), self.thresholds.mid, ("no_text",))
        fired = self._fired(text)
        score = round(max(0.0, min(1.0, sum(fired.values()))), 3)
        return ComplexityScore(self.thresholds.tier(score), score, tuple(fired))

    def total(self, text: str) -> float:
        """The sum of the rules that fired, not cut to [0, 1]: a finer order than the score's, for comparisons."""
        return round(sum(self._fired(text).values()), 3) if text else 0.0

    def _fired(self, text: str) -> dict[str, float]:
        sample = text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]}\n{text[-_TAIL:]}"
        words = _words(sample)
        length = len(words) * len(text) / len(sample)
        rules = (
            ("complex_keyword", 0.4, self._complex.occurs_in(words)),
            ("simple_keyword", -0.2, self._simple.occurs_in(words)),
            ("long_prompt", 0.3, length > _LONG),
            ("short_prompt", -0.1, length < _SHORT),
            ("code_block", 0.2, "```" in sample or _CODE.search(sample) is not None),
            ("multi_question", 0.1, sample.count("?") + sample.count("？") > 2),
        )
        return {name: weight for name, weight, fires in rules if fires}


def score_complexity(prompt: str) -> ComplexityScore:
    """Scores a prompt with the default `HeuristicScorer`."""
    return HeuristicScorer()(prompt)


@dataclass(frozen=True, slots=True)
class _Lexicon:
    """Keywords, ready to be looked up: single words by set, phrases only where their first word occurs."""

    words: frozenset[str]
    phrases: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, name: str, keywords: Iterable[str]) -> _Lexicon:
        entries = [(keyword, _words(keyword)) for keyword in keywords]
        if empty := [keyword for keyword, words in entries if not words]:
            raise ConfigurationError(f"{name}: {empty[0]!r} has no letter or digit")
        return cls(
            frozenset(words[0] for _, words in entries if len(words) == 1),
            tuple((words[0], f" {' '.join(words)} ") for _, words in entries if len(words) > 1),
        )

    def occurs_in(self, words: list[str]) -> bool:
        seen = frozenset(words)
        if not self.words.isdisjoint(seen):
            return True
        phrases = [phrase for first, phrase in self.phrases if first in seen]
        return bool(phrases) and any(phrase in f" {' '.join(words)} " for phrase in phrases)


def _words(text: str) -> list[str]:
    if text.isascii():
        return text.translate(_PLAIN).split()
    return _WORD.findall(text.lower())
