"""How good a ranking of prompts is for routing: APGR and CPT after RouteLLM (arXiv 2406.18665), with intervals.

PGR is the performance gap recovered: 0 for the weak model alone, 1 for the strong one alone. The curve goes over all
n + 1 routing points, from no call to every call to the strong model, hardest prompts first; prompts with equal scores
share their gain evenly, which is what a random order among them gives on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_router_middleware.evaluation.numeric import numpy

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

__all__ = ["Interval", "Quality", "apgr_samples", "curve", "difference", "quality"]

DRAWS = 1_000
"""Bootstrap resamples of the questions."""

SEED = 20240626


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % bootstrap interval over questions."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a scorer routes one benchmark.

    Attributes:
        apgr: area under PGR over the share of calls to the strong model; 0.5 is random.
        cpt50: percent of calls to the strong model for PGR 0.5; 50 is random.
        cpt80: percent of calls for PGR 0.8; 80 is random.
    """

    apgr: Interval
    cpt50: float
    cpt80: float


def curve(scores: Array, gaps: Array) -> tuple[Array, Array]:
    """The share of calls to the strong model and the PGR at each routing point.

    Args:
        scores: the higher, the sooner a prompt goes to the strong model.
        gaps: per prompt, what the strong model gains over the weak one. Their sum must not be 0.
    """
    np = numpy()
    order, shared = _ranked(scores, gaps)
    gains = np.concatenate([[0.0], np.cumsum(shared)])
    return np.linspace(0, 1, len(order) + 1), gains / gains[-1]


def quality(scores: Array, gaps: Array, *, draws: int = DRAWS, seed: int = SEED) -> Quality:
    """Measures a scorer on one benchmark."""
    np = numpy()
    share, pgr = curve(scores, gaps)
    samples = apgr_samples(scores, gaps, draws=draws, seed=seed)
    low, high = np.quantile(samples, (0.025, 0.975))
    return Quality(
        Interval(float(np.trapezoid(pgr, share)), float(low), float(high)),
        100 * _first_at(share, pgr, 0.5),
        100 * _first_at(share, pgr, 0.8),
    )


def difference(scores: Array, others: Array, gaps: Array, *, draws: int = DRAWS, seed: int = SEED) -> Interval:
    """The APGR of one scorer minus another's, paired: both see the same resampled questions."""
    np = numpy()
    samples = [apgr_samples(one, gaps, draws=draws, seed=seed) for one in (scores, others)]
    exact = [float(np.trapezoid(*reversed(curve(one, gaps)))) for one in (scores, others)]
    low, high = np.quantile(samples[0] - samples[1], (0.025, 0.975))
    return Interval(exact[0] - exact[1], float(low), float(high))


def apgr_samples(scores: Array, gaps: Array, *, draws: int, seed: int) -> Array:
    """The APGR on resampled questions; the same seed gives the same resamples for every scorer."""
    np = numpy()
    rng = np.random.default_rng(seed)
    count = len(scores)
    groups, group = np.unique(-scores, return_inverse=True)
    samples: Array = np.empty(draws)
    for draw in range(draws):
        drawn = rng.integers(0, count, count)
        share = np.cumsum(np.bincount(group[drawn], minlength=len(groups))) / count
        gains = np.cumsum(np.bincount(group[drawn], weights=gaps[drawn], minlength=len(groups)))
        samples[draw] = np.trapezoid(np.append(0.0, gains), np.append(0.0, share)) / gains[-1]
    return samples


def _ranked(scores: Array, gaps: Array) -> tuple[Array, Array]:
    """The order from hardest to easiest, and the gaps in it, evened out among equal scores."""
    np = numpy()
    order = np.argsort(-scores, kind="stable")
    _, group, sizes = np.unique(-scores[order], return_inverse=True, return_counts=True)
    means = np.bincount(group, weights=gaps[order]) / sizes
    return order, means[group]


def _first_at(share: Array, pgr: Array, level: float) -> float:
    """The smallest share of calls at which the curve reaches a level, interpolated."""
    np = numpy()
    place = int(np.argmax(pgr >= level))
    if place == 0:
        return 0.0
    step = (level - pgr[place - 1]) / (pgr[place] - pgr[place - 1])
    return float(share[place - 1] + step * (share[place] - share[place - 1]))
