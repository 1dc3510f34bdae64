"""Scorers against benchmarks: every figure with its interval, every difference paired."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import log1p
from typing import TYPE_CHECKING, Any

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.evaluation.benchmarks import Benchmark
from llm_router_middleware.evaluation.manifest import Manifest
from llm_router_middleware.evaluation.metrics import DRAWS, Interval, Quality, curve, difference, quality
from llm_router_middleware.scoring.base import Scorer
from llm_router_middleware.scoring.heuristic import HeuristicScorer

if TYPE_CHECKING:
    from llm_router_middleware.evaluation.numeric import Array

__all__ = ["BASELINES", "Ranking", "Row", "judge", "log_words", "ranking", "refuse_known"]

Ranking = Callable[[str], float]
"""The higher, the sooner a prompt goes to the strong model."""


def log_words(text: str) -> float:
    """The length rule, the baseline that is hard to beat: the logarithm of the number of words."""
    return log1p(len(text.split()))


def _random(_text: str) -> float:
    return 0.0


BASELINES: Mapping[str, Ranking] = {"random": _random, "length": log_words, "heuristic": HeuristicScorer().total}
"""What a scorer has to beat. Random is a constant: equal scores share their gain as a random order would on average.
The heuristic is taken before its score is cut to [0, 1], which would make most prompts equal."""


def ranking(scorer: Scorer) -> Ranking:
    """A scorer's score, as a ranking."""
    return lambda text: scorer(text).score


@dataclass(frozen=True, slots=True)
class Row:
    """One scorer on one benchmark.

    Attributes:
        benchmark: its name.
        scorer: its name.
        quality: the figures.
        over: per baseline, the paired difference in APGR.
    """

    benchmark: str
    scorer: str
    quality: Quality
    over: Mapping[str, Interval]

    def document(self) -> dict[str, Any]:
        """The row as plain JSON types."""
        return {
            "benchmark": self.benchmark,
            "scorer": self.scorer,
            **asdict(self.quality),
            "apgr_over": {name: asdict(interval) for name, interval in self.over.items()},
        }


def judge(
    benchmarks: Sequence[Benchmark], scorers: Mapping[str, Ranking], *, draws: int = DRAWS
) -> tuple[list[Row], dict[str, dict[str, tuple[Array, Array]]]]:
    """Judges scorers and baselines.

    Returns:
        the rows, and per benchmark and scorer the curve (share of calls to the strong model, PGR).
    """
    rows: list[Row] = []
    curves: dict[str, dict[str, tuple[Array, Array]]] = {}
    for bench in benchmarks:
        scores = {name: bench.scores(rank) for name, rank in {**scorers, **BASELINES}.items()}
        curves[bench.name] = {name: curve(values, bench.questions) for name, values in scores.items()}
        for name, values in scores.items():
            against = BASELINES if name in scorers else ()
            over = {
                other: difference(values, scores[other], bench.questions, draws=draws)
                for other in against
                if other != name
            }
            rows.append(Row(bench.name, name, quality(values, bench.questions, draws=draws), over))
    return rows, curves


def refuse_known(benchmarks: Iterable[Benchmark], manifest: Manifest, trained: str) -> None:
    """Refuses to judge a scorer on what it was trained on.

    Args:
        benchmarks: what it is about to be judged on.
        manifest: the scorer's training prompts.
        trained: what was trained, for the message.

    Raises:
        ConfigurationError: an evaluation prompt meets a training prompt.
    """
    for bench in benchmarks:
        if known := manifest.overlap(bench.prompts):
            share = len(known) / len(bench.prompts)
            raise ConfigurationError(
                f"{bench.name}: {len(known)} of {len(bench.prompts)} prompts ({share:.1%}) are known to {trained}: "
                f"figures on them would mean nothing. The first begins {known[0][:60]!r}"
            )
