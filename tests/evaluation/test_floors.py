"""The floors that the shipped scorer must not fall below, on prompts that it has never seen."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from llm_router_middleware.evaluation.adapt import fit_correction
from llm_router_middleware.evaluation.benchmarks import Benchmark, benchmark, mixed
from llm_router_middleware.evaluation.judge import BASELINES, log_words, ranking, refuse_known
from llm_router_middleware.evaluation.manifest import Manifest
from llm_router_middleware.evaluation.metrics import Questions, curve, difference
from llm_router_middleware.evaluation.outcomes import Outcome
from llm_router_middleware.scoring import LearnedScorer
from llm_router_middleware.scoring.reading import read

FLOORS = {"mt-bench": 0.72, "mmlu": 0.56, "gsm8k": 0.56, "mixed": 0.63}


def apgr(scores: list[float], questions: Questions) -> float:
    share, pgr = curve(np.array(scores), questions)
    return float(np.trapezoid(pgr, share))


@pytest.fixture(scope="module")
def benchmarks(routellm: dict[str, list[Outcome]]) -> dict[str, Benchmark]:
    """The four streams."""
    return {**{name: benchmark(name, part) for name, part in routellm.items()}, "mixed": mixed(routellm)}


@pytest.mark.parametrize("name", FLOORS)
def test_the_shipped_scorer_stays_above_its_floor(name: str, benchmarks: dict[str, Benchmark]) -> None:
    """Zero-shot APGR, the floors of docs/routing-quality.md."""
    bench = benchmarks[name]
    assert apgr(list(bench.scores(ranking(LearnedScorer()))), bench.questions) >= FLOORS[name]


@pytest.mark.parametrize("baseline", ["heuristic", "length", "random"])
def test_it_beats_every_baseline_on_mixed_traffic(baseline: str, benchmarks: dict[str, Benchmark]) -> None:
    """The paired difference on the mixed stream lies above 0 with its whole interval."""
    bench = benchmarks["mixed"]
    scores = bench.scores(ranking(LearnedScorer()))
    assert difference(scores, bench.scores(BASELINES[baseline]), bench.questions).low > 0


def test_no_evaluation_prompt_was_trained_on(benchmarks: dict[str, Benchmark]) -> None:
    """The training manifest meets none of the 15,416 prompts."""
    refuse_known(benchmarks.values(), Manifest.shipped(), "the weights")


def test_the_harness_gives_the_known_figures(benchmarks: dict[str, Benchmark]) -> None:
    """Length has the APGR that an independent implementation of the same measure found (0.590 and 0.592 there)."""
    for name, expected in (("mmlu", 0.590), ("gsm8k", 0.592), ("mt-bench", 0.576)):
        bench = benchmarks[name]
        assert apgr(list(bench.scores(log_words)), bench.questions) == pytest.approx(expected, abs=0.012)
    assert benchmarks["mt-bench"].weak == pytest.approx(0.828, abs=0.001)
    assert benchmarks["gsm8k"].strong == pytest.approx(0.858, abs=0.001)


def test_the_weights_are_small() -> None:
    """At most 300 KB in the wheel, manifest apart."""
    assert len((resources.files("llm_router_middleware.scoring") / "data" / "learned.json.z").read_bytes()) <= 300_000


@pytest.mark.parametrize("name", ["mmlu", "gsm8k"])
def test_three_hundred_labels_lift_a_single_kind_of_task(name: str, routellm: dict[str, list[Outcome]]) -> None:
    """A correction fitted on 300 labels: APGR of at least 0.61 on all other items, mean over 6 splits."""
    weights = LearnedScorer().load()
    outcomes = routellm[name]
    readings = [read(outcome.prompt) for outcome in outcomes]
    seen = [weights.look(reading) for reading in readings]
    gaps = np.array([outcome.strong - outcome.weak for outcome in outcomes])
    reached = []
    for split in range(6):
        order = np.random.default_rng(split).permutation(len(outcomes))
        correction = fit_correction([outcomes[i] for i in order[:300]], weights)
        rest = order[300:]
        reached.append(apgr([correction(seen[i], readings[i]) for i in rest], Questions.plain(gaps[rest])))
    assert np.mean(reached) >= 0.61
