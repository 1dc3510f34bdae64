"""How good a ranking of prompts is for routing: APGR and CPT after RouteLLM (arXiv 2406.18665), with intervals.

PGR is the performance gap recovered: 0 for the weak model alone, 1 for the strong one alone. The curve goes over all
routing points, from no call to every call to the strong model, hardest prompts first; prompts with equal scores share
their gain evenly, which is what a random order among them gives on average. A constant score is the random router.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.evaluation.numeric import numpy

if TYPE_CHECKING:
    from llm_router_middleware.evaluation.numeric import Array

__all__ = ["Interval", "Quality", "Questions", "curve", "difference", "quality"]

DRAWS = 1_000
"""Bootstrap resamples of the questions."""

SEED = 20240626

_LEVEL = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % bootstrap interval over questions."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a ranking routes some questions.

    Attributes:
        apgr: area under PGR over the share of calls to the strong model; 0.5 is random.
        cpt50: percent of calls to the strong model for PGR 0.5; 50 is random.
        cpt80: percent of calls for PGR 0.8; 80 is random.
    """

    apgr: Interval
    cpt50: Interval
    cpt80: Interval


@dataclass(frozen=True, slots=True)
class Questions:
    """What a ranking is judged on.

    Attributes:
        gaps: per question, what the strong model gains over the weak one.
        weights: how many calls each question stands for.
        strata: which part of a mixture each comes from; resamples keep the parts' sizes.

    Raises:
        ConfigurationError: the strong model gains nothing on them.
    """

    gaps: Array
    weights: Array
    strata: Array

    def __post_init__(self) -> None:
        if not float(self.weights @ self.gaps) > 0:
            raise ConfigurationError("the strong model gains nothing over the weak one: there is nothing to route")

    @classmethod
    def plain(cls, gaps: Array) -> Questions:
        """Questions of one source, each standing for one call."""
        np = numpy()
        gaps = np.asarray(gaps, dtype=float)
        return cls(gaps, np.ones(len(gaps)), np.zeros(len(gaps)))


def curve(scores: Array, questions: Questions) -> tuple[Array, Array]:
    """The share of calls to the strong model and the PGR at each routing point.

    Args:
        scores: the higher, the sooner a question goes to the strong model.
        questions: what they gain.
    """
    np = numpy()
    groups, group = np.unique(-np.asarray(scores), return_inverse=True)
    everything = np.arange(len(group))
    return _curve(everything, group, len(groups), questions)


def quality(scores: Array, questions: Questions, *, draws: int = DRAWS, seed: int = SEED) -> Quality:
    """Measures a ranking; the same seed draws the same resamples for every ranking."""
    exact = _figures(*curve(scores, questions))
    samples = _samples(scores, questions, draws, seed)
    return Quality(*(_interval(value, samples[:, column]) for column, value in enumerate(exact)))


def difference(scores: Array, others: Array, questions: Questions, *, draws: int = DRAWS, seed: int = SEED) -> Interval:
    """The APGR of one ranking minus another's, paired: both see the same resampled questions."""
    exact = [_figures(*curve(one, questions))[0] for one in (scores, others)]
    samples = [_samples(one, questions, draws, seed)[:, 0] for one in (scores, others)]
    return _interval(exact[0] - exact[1], samples[0] - samples[1])


def _interval(value: float, samples: Array) -> Interval:
    low, high = numpy().quantile(samples, _LEVEL)
    return Interval(value, float(low), float(high))


def _samples(scores: Array, questions: Questions, draws: int, seed: int) -> Array:
    """APGR, CPT50 and CPT80 (percent) on resampled questions, a row per resample."""
    np = numpy()
    rng = np.random.default_rng(seed)
    groups, group = np.unique(-np.asarray(scores), return_inverse=True)
    parts = [np.flatnonzero(questions.strata == part) for part in np.unique(questions.strata)]
    samples: Array = np.empty((draws, 3))
    filled = 0
    while filled < draws:
        drawn = np.concatenate([part[rng.integers(0, len(part), len(part))] for part in parts])
        if questions.weights[drawn] @ questions.gaps[drawn] <= 0:
            # Without a gap there is no share of it: a resample in which the strong model gains nothing isn't counted.
            continue
        samples[filled] = _figures(*_curve(drawn, group, len(groups), questions))
        filled += 1
    return samples


def _curve(drawn: Array, group: Array, groups: int, questions: Questions) -> tuple[Array, Array]:
    """The curve of the drawn questions; a step per group of equal scores."""
    np = numpy()
    weights = questions.weights[drawn]
    calls = np.bincount(group[drawn], weights=weights, minlength=groups)
    gains = np.bincount(group[drawn], weights=weights * questions.gaps[drawn], minlength=groups)
    share, gained = (np.append(0.0, np.cumsum(steps)) for steps in (calls, gains))
    return share / share[-1], gained / gained[-1]


def _figures(share: Array, pgr: Array) -> tuple[float, float, float]:
    area = float(numpy().trapezoid(pgr, share))
    return area, 100 * _first_at(share, pgr, 0.5), 100 * _first_at(share, pgr, 0.8)


def _first_at(share: Array, pgr: Array, level: float) -> float:
    """The smallest share of calls at which the curve reaches a level, interpolated."""
    place = int(numpy().argmax(pgr >= level))
    if place == 0:
        return 0.0
    step = (level - pgr[place - 1]) / (pgr[place] - pgr[place - 1])
    return float(share[place - 1] + step * (share[place] - share[place - 1]))
