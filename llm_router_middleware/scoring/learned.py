"""The default scorer: learned from outcomes of weak and strong models, run offline in microseconds."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from llm_router_middleware.models.spec import Tier
from llm_router_middleware.scoring.base import ComplexityScore
from llm_router_middleware.scoring.correction import Correction
from llm_router_middleware.scoring.reading import Reading, read
from llm_router_middleware.scoring.thresholds import Thresholds
from llm_router_middleware.scoring.weights import Sight, Weights

__all__ = ["LearnedScorer"]

_FOREIGN = 0.3
"""Share of letters outside ASCII from which a text is taken to be in another script."""

_ENGLISH = frozenset(
    {"the", "of", "and", "to", "what", "which", "how", "why", "with", "this", "that", "are", "from", "my", "your", "it",
     "be", "by", "not", "write", "explain", "give", "does", "between", "should", "can", "you", "thanks"}
)  # fmt: skip
"""Words that hardly any other language has: a text that holds one is English, however little else is known of it."""

_POSSIBLE = 0.25
"""Probability of the demanding kinds from which a doubt steps up."""

_NEUTRAL = 0.5
"""The score of a text of which nothing is known."""

_SHOWN = 3


class LearnedScorer:
    """Scores by what weak and strong models could and couldn't do with prompts like this one.

    A gate recognises the kind of task from the prompt's words; an expert per kind says how hard it is within its kind.
    **What the score means**: 0.8 means that the expected gain of a strong model is higher than for 80 % of a reference
    mixture in which every kind of task weighs the same. Signals, for people and for logs:

    | signal | says |
    |---|---|
    | `kind=code` | the most likely kind of task |
    | `gain=+0.27` | how much more often a strong model is expected to do it well (from the training outcomes) |
    | `for=deadlock,thread` | the words that raised the score most, from the vocabulary, never others |
    | `against=translate` | the words that lowered it most |
    | `words=1200` | the length |
    | `unsure=language` | another language or script: scored by length alone, at least the mid tier |
    | `unsure=vocabulary` | English, but mostly words that the weights don't know: at least the mid tier |
    | `unsure=kind` | no kind of task stands out, and it may be a demanding one: at least the mid tier |
    | `unsure=no_text` | nothing to score: the mid tier |
    | `corrected` | a correction fitted on your own outcomes was applied |

    Deterministic, whatever PYTHONHASHSEED is. The weights are loaded at the first score.

    Args:
        mid_threshold: the lowest score of the mid tier; None for the weights' own, 0.4.
        premium_threshold: the lowest score of the premium tier; None for the weights' own, 0.8.
        correction: what `llm-router adapt` wrote, or the path of it.
        weights: a weights file of your own; None for the one that comes with the package.

    Raises:
        ConfigurationError: thresholds out of range or order, or a correction that can't be read.
    """

    def __init__(
        self,
        mid_threshold: float | None = None,
        premium_threshold: float | None = None,
        correction: Correction | str | Path | None = None,
        *,
        weights: str | Path | None = None,
    ) -> None:
        self._given = (mid_threshold, premium_threshold)
        self._thresholds = self._checked(0.4, 0.8)
        self._correction = correction if isinstance(correction, Correction) else Correction.load(correction)
        self._path = weights
        self._weights: Weights | None = None
        self._loading = Lock()

    def __call__(self, text: str, /) -> ComplexityScore:
        """Scores a text. Never raises for a text; constant cost beyond 3,600 characters."""
        weights = self._weights or self._load()
        reading = read(text)
        if not reading.words:
            return self._unsure(_NEUTRAL, ("unsure=no_text",))
        sight = weights.look(reading)
        words = f"words={reading.words}"
        unknown = sight.coverage < weights.least_coverage
        if reading.foreign > _FOREIGN or (unknown and _ENGLISH.isdisjoint(reading.tokens)):
            return self._unsure(weights.length_score(sight.log_words), ("unsure=language", words))
        return self._judged(weights, reading, sight, unknown)

    def load(self) -> Weights:
        """Loads the weights now rather than at the first score, and returns them.

        Raises:
            ConfigurationError: the weights can't be read, or are damaged.
        """
        return self._weights or self._load()

    def _load(self) -> Weights:
        with self._loading:
            if self._weights is None:
                weights = Weights.load(self._path)
                self._thresholds = self._checked(*weights.thresholds)
                self._weights = weights
            return self._weights

    def _checked(self, mid: float, premium: float) -> Thresholds:
        """The thresholds: the caller's where given; a default gives way where it would contradict a given one."""
        given_mid, given_premium = self._given
        if given_mid is None:
            mid = mid if given_premium is None else min(mid, given_premium)
        if given_premium is None:
            premium = premium if given_mid is None else max(premium, given_mid)
        return Thresholds(mid if given_mid is None else given_mid, premium if given_premium is None else given_premium)

    def _judged(self, weights: Weights, reading: Reading, sight: Sight, unknown: bool) -> ComplexityScore:
        likely = sight.kinds.index(max(sight.kinds))
        signals = [f"kind={weights.kinds[likely]}", f"gain={weights.gain(sight.raw):+.2f}"]
        signals += _leaning(weights, sight.known)
        signals.append(f"words={reading.words}")
        if self._correction is not None:
            score = self._correction(sight, reading)
            signals.append("corrected")
        else:
            score = weights.score(sight.raw)
        if unknown or (sight.kinds[likely] < weights.least_kind and _may_demand(weights, sight)):
            return self._unsure(score, (*signals, "unsure=vocabulary" if unknown else "unsure=kind"))
        score = round(score, 6)
        return ComplexityScore(self._thresholds.tier(score), score, tuple(signals))

    def _unsure(self, score: float, signals: tuple[str, ...]) -> ComplexityScore:
        """Steps up: the score stays what it is, the tier is at least mid."""
        score = round(score, 6)
        tier = self._thresholds.tier(score)
        return ComplexityScore(Tier.MID if tier is Tier.BUDGET else tier, score, signals)


def _may_demand(weights: Weights, sight: Sight) -> bool:
    """Whether a demanding kind of task is more than a remote possibility."""
    return sum([sight.kinds[place] for place in weights.demanding]) > _POSSIBLE


def _leaning(weights: Weights, known: frozenset[str]) -> list[str]:
    lean = weights.lean
    ranked = sorted(known & lean.keys(), key=lean.__getitem__)
    against = [word for word in ranked[:_SHOWN] if lean[word] < 0]
    raised = [word for word in reversed(ranked[-_SHOWN:]) if lean[word] > 0]
    return [f"{name}={','.join(words)}" for name, words in (("for", raised), ("against", against)) if words]
