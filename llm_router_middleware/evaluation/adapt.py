"""A correction of the learned score, from a user's own outcomes: kept only if cross-validation shows its gain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.evaluation.manifest import Manifest
from llm_router_middleware.evaluation.metrics import Interval
from llm_router_middleware.evaluation.numeric import numpy
from llm_router_middleware.evaluation.outcomes import Outcome
from llm_router_middleware.scoring.correction import Correction
from llm_router_middleware.scoring.reading import Reading, read
from llm_router_middleware.scoring.weights import Curve, Sight, Weights

if TYPE_CHECKING:
    from llm_router_middleware.evaluation.numeric import Array

__all__ = ["Adaptation", "adapt", "fit_correction"]

LEAST_LABELS = 100
"""Below it a correction does more harm than good, and nothing could show otherwise."""

CONFIDENCE = 0.8
"""How sure the gain must be: its one-sided bootstrap probability of being above 0."""

FOLDS, REPEATS, DRAWS, SEED = 10, 3, 2_000, 0

# What is fitted is the rest that the shipped score leaves: without evidence the correction is nothing. How far each
# part may move it, as the scale of its features under one ridge penalty: the shipped score and the length, the kinds
# of task hardly (own traffic is often of one kind), words by how rare they are.
_RAW, _LENGTH, _KIND, _WORD, _RIDGE = 0.3, 0.3, 0.1, 2.0, 60.0
_LEAST_USES = 2
_KNOTS = 21


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What the labels showed.

    Attributes:
        labels: how many there were.
        shipped: APGR of the shipped score on them.
        adapted: cross-validated APGR with the correction: each label judged by a fit that hasn't seen it.
        gain: the difference, with its interval (10th and 90th percentile).
        confidence: the bootstrap probability that the gain is above 0.
        correction: fitted on all labels; None without enough evidence.
    """

    labels: int
    shipped: float
    adapted: float
    gain: Interval
    confidence: float
    correction: Correction | None


@dataclass(frozen=True, slots=True)
class _Labels:
    readings: Sequence[Reading]
    sights: Sequence[Sight]
    gaps: Array

    def part(self, rows: Array) -> _Labels:
        return _Labels([self.readings[row] for row in rows], [self.sights[row] for row in rows], self.gaps[rows])


def adapt(outcomes: Sequence[Outcome], weights: Weights, *, confidence: float = CONFIDENCE) -> Adaptation:
    """Fits a correction and judges it by cross-validation.

    Args:
        outcomes: the user's own; a premium and a budget model's result on each prompt.
        weights: of the scorer that is to be corrected.
        confidence: how sure the gain must be for the correction to be kept, 0 to 1.

    Raises:
        ConfigurationError: too few labels, or the strong model gains nothing on them.
    """
    labels = _labelled(outcomes, weights)
    shipped, fitted = _ranks(_shipped(labels)), _ranks(_cross_validated(labels))
    total = float(labels.gaps.sum())
    gained = labels.gaps * (fitted - shipped)
    gain, sure = _gain(gained, total)
    kept = None
    if sure >= confidence and gain.value > 0:
        evidence = {
            "labels": len(outcomes),
            "apgr_gain": [round(value, 4) for value in (gain.value, gain.low, gain.high)],
            "confidence": round(sure, 3),
        }
        kept = fit_correction(outcomes, weights, evidence)
    return Adaptation(
        len(outcomes),
        float(labels.gaps @ shipped) / total,
        float(labels.gaps @ fitted) / total,
        gain,
        sure,
        kept,
    )


def fit_correction(
    outcomes: Sequence[Outcome], weights: Weights, evidence: dict[str, object] | None = None
) -> Correction:
    """Fits a correction on all outcomes, whatever it is worth: `adapt` is what judges it.

    Raises:
        ConfigurationError: too few labels, or the strong model gains nothing on them.
    """
    labels = _labelled(outcomes, weights)
    manifest = Manifest.of(outcome.prompt for outcome in outcomes).hashes()
    return _fit(labels).correction(labels, {**(evidence or {}), "manifest": manifest})


def _labelled(outcomes: Sequence[Outcome], weights: Weights) -> _Labels:
    if len(outcomes) < LEAST_LABELS:
        raise ConfigurationError(f"{len(outcomes)} labelled outcomes: expected at least {LEAST_LABELS}")
    readings = [read(outcome.prompt) for outcome in outcomes]
    gaps = numpy().array([outcome.strong - outcome.weak for outcome in outcomes], dtype=float)
    if float(gaps.sum()) <= 0:
        raise ConfigurationError("the strong model gains nothing over the weak one on these outcomes: nothing to route")
    return _Labels(readings, [weights.look(reading) for reading in readings], gaps)


def _shipped(labels: _Labels) -> Array:
    raw: Array = numpy().array([sight.raw for sight in labels.sights])
    return raw


def _cross_validated(labels: _Labels) -> Array:
    """Each label's value by fits that haven't seen it, averaged over repeated splits."""
    np = numpy()
    values: Array = np.zeros(len(labels.gaps))
    for repeat in range(REPEATS):
        fold = np.random.default_rng(SEED + repeat).permutation(len(values)) % FOLDS
        for held in range(FOLDS):
            rows = np.flatnonzero(fold == held)
            values[rows] += _fit(labels.part(np.flatnonzero(fold != held))).values(labels.part(rows))
    return values


def _ranks(values: Array) -> Array:
    """Mid-ranks from 0 to 1: a question's rank is the share of all routing points at which it goes to the strong model.

    So the sum of gap times rank, over the sum of gaps, is the APGR.
    """
    np = numpy()
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    middles = np.cumsum(sizes) - sizes / 2
    ranks: Array = middles[group] / len(values)
    return ranks


def _gain(gained: Array, total: float) -> tuple[Interval, float]:
    np = numpy()
    rng = np.random.default_rng(SEED)
    count = len(gained)
    samples = np.array([gained[rng.integers(0, count, count)].sum() for _ in range(DRAWS)]) / total
    low, high = np.quantile(samples, (0.1, 0.9))
    return Interval(float(gained.sum()) / total, float(low), float(high)), float((samples > 0).mean())


@dataclass(frozen=True, slots=True)
class _Model:
    """The shipped score, and a ridge regression of what it leaves on itself, the length, the kinds and the words."""

    words: dict[str, int]
    rarity: Array
    centre: Array
    scale: Array
    coefficients: Array
    mean: float

    def values(self, labels: _Labels) -> Array:
        values: Array = _shipped(labels) + _design(labels, self) @ self.coefficients + self.mean
        return values

    def correction(self, labels: _Labels, evidence: dict[str, object]) -> Correction:
        np = numpy()
        dense = self.coefficients[: len(self.centre)] * self.scale
        weights = self.coefficients[len(self.centre) :] * self.rarity * _WORD
        values = np.sort(self.values(labels))
        return Correction(
            round(self.mean - float(dense @ self.centre), 6),
            round(1 + float(dense[0]), 6),
            round(float(dense[1]), 6),
            tuple(round(float(value), 6) for value in dense[2:]),
            {w: (round(float(weights[at]), 6), round(float(self.rarity[at]), 6)) for w, at in self.words.items()},
            _curve(values),
            evidence,
        )


def _fit(labels: _Labels) -> _Model:
    np = numpy()
    uses = Counter(token for reading in labels.readings for token in reading.tokens)
    words = {word: place for place, word in enumerate(sorted(w for w, count in uses.items() if count >= _LEAST_USES))}
    seen = len(labels.gaps)
    rarity = np.sqrt([np.log((seen + 1) / uses[word]) for word in words])
    dense = _dense(labels)
    spread = np.array([_RAW, _LENGTH, *[_KIND] * (dense.shape[1] - 2)]) / (dense.std(axis=0) + 1e-3)
    rest = labels.gaps - _shipped(labels)
    model = _Model(words, rarity, dense.mean(axis=0), spread, np.zeros(0), float(rest.mean()))
    x = _design(labels, model)
    dual = np.linalg.solve(x @ x.T + _RIDGE * np.eye(seen), rest - model.mean)
    return _Model(words, rarity, model.centre, spread, x.T @ dual, model.mean)


def _dense(labels: _Labels) -> Array:
    rows: Array = numpy().array([[sight.raw, sight.log_words, *sight.kinds] for sight in labels.sights])
    return rows


def _design(labels: _Labels, model: _Model) -> Array:
    np = numpy()
    words = np.zeros((len(labels.readings), len(model.words)))
    for row, reading in enumerate(labels.readings):
        found = [model.words[word] for word in reading.tokens if word in model.words]
        if found:
            words[row, found] = model.rarity[found] / np.linalg.norm(model.rarity[found])
    design: Array = np.hstack([(_dense(labels) - model.centre) * model.scale, _WORD * words])
    return design


def _curve(values: Array) -> Curve:
    """From the correction's value to the share of the labels below it."""
    np = numpy()
    heights = np.concatenate([[0.01], np.linspace(0, 1, _KNOTS)[1:-1], [0.99]])
    points = np.quantile(values, heights)
    rising = np.concatenate([[True], np.diff(points) > 1e-6])
    return Curve(
        tuple(round(float(point), 7) for point in points[rising]),
        tuple(round(float(height), 4) for height in heights[rising]),
    )
