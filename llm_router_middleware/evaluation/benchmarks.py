"""What scorers are judged on: benchmarks of outcomes, and mixtures of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.evaluation.metrics import Questions
from llm_router_middleware.evaluation.numeric import numpy
from llm_router_middleware.evaluation.outcomes import Outcome

if TYPE_CHECKING:
    from llm_router_middleware.evaluation.numeric import Array

__all__ = ["Benchmark", "benchmark", "mixed"]

MT_BENCH_TIMES, MMLU_DRAWN, SEED = 18, 1_300, 0
"""Of the mixed stream: each part stands for about 1,300 calls."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Questions under a name.

    Attributes:
        name: of the benchmark.
        prompts: what is scored, in the order of the questions.
        questions: what each prompt gains from the strong model.
        weak: the weak model's mean score.
        strong: the strong model's.
    """

    name: str
    prompts: tuple[str, ...]
    questions: Questions
    weak: float
    strong: float

    def scores(self, ranking: Callable[[str], float]) -> Array:
        """The scores that a ranking gives to the prompts."""
        scores: Array = numpy().array([ranking(prompt) for prompt in self.prompts], dtype=float)
        return scores


def benchmark(name: str, outcomes: Sequence[Outcome]) -> Benchmark:
    """A benchmark of outcomes, each standing for one call.

    Raises:
        ConfigurationError: too few outcomes, or no gain from the strong model: there is nothing to route.
    """
    np = numpy()
    weak = np.array([outcome.weak for outcome in outcomes])
    strong = np.array([outcome.strong for outcome in outcomes])
    if len(outcomes) < 2:
        raise ConfigurationError(f"{name}: {len(outcomes)} outcomes: expected at least 2")
    prompts = tuple(outcome.prompt for outcome in outcomes)
    try:
        questions = Questions.plain(strong - weak)
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}: {error}") from None
    return Benchmark(name, prompts, questions, float(weak.mean()), float(strong.mean()))


def mixed(parts: Mapping[str, Sequence[Outcome]]) -> Benchmark:
    """The mixed stream: MT-Bench, each question 18 times over, GSM8K, and 1,300 questions of MMLU, seed fixed.

    A question that stands for 18 calls is still one question: intervals resample questions, part by part.

    Args:
        parts: outcomes of "mt-bench" (on a scale of 0 to 1), "gsm8k" and "mmlu".
    """
    np = numpy()
    mmlu = random.Random(SEED).sample(list(parts["mmlu"]), MMLU_DRAWN)
    strata = [(parts["mt-bench"], MT_BENCH_TIMES), (parts["gsm8k"], 1), (mmlu, 1)]
    outcomes = [outcome for part, _ in strata for outcome in part]
    whole = benchmark("mixed", outcomes)
    weights = np.concatenate([np.full(len(part), float(times)) for part, times in strata])
    places = np.concatenate([np.full(len(part), float(place)) for place, (part, _) in enumerate(strata)])
    means = [float(np.average([getattr(o, name) for o in outcomes], weights=weights)) for name in ("weak", "strong")]
    return Benchmark("mixed", whole.prompts, Questions(whole.questions.gaps, weights, places), *means)
