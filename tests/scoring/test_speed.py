"""Growth, never seconds: what must not cost more when texts and histories grow."""

from __future__ import annotations

from collections.abc import Callable
from timeit import repeat
from typing import Any

import pytest

from llm_router_middleware.scoring import CachedScorer, HeuristicScorer, LearnedScorer, ask, estimate_tokens
from tests.benchmarks.bench_scoring import conversation, prompts, tutorial


def cost(work: Callable[[Any], object], *arguments: Any) -> float:
    """The fastest of many runs: what the work needs when nothing else gets in its way."""
    return min(repeat(lambda: [work(argument) for argument in arguments], number=3, repeat=25))


@pytest.mark.parametrize("scorer", [LearnedScorer(), HeuristicScorer()], ids=["learned", "heuristic"])
def test_beyond_the_cap_length_costs_nothing(scorer: Callable[[str], object]) -> None:
    """20,000 words cost about what 2,000 do."""
    assert cost(scorer, *prompts(20_000, 3)) < 1.5 * cost(scorer, *prompts(2_000, 3))


def test_the_learned_scorer_stays_near_the_tutorials() -> None:
    """At 200 words a few times the tutorial's substring search; on long prompts it is the faster of the two."""
    learned = LearnedScorer()
    assert cost(learned, *prompts(200, 5)) < 8 * cost(tutorial, *prompts(200, 5))
    assert cost(learned, *prompts(20_000, 2)) < cost(tutorial, *prompts(20_000, 2))


def test_a_history_is_not_scored_again() -> None:
    """Scoring turn 100 costs what turn 1 costs; a text that was seen costs a tenth of a new one, or less."""
    text = prompts(200, 1)[0]
    learned = LearnedScorer()
    first, hundredth = (cost(lambda body: learned(ask(body)), conversation(turns, text)) for turns in (1, 100))
    assert hundredth < 1.5 * first
    cached = CachedScorer(learned)
    assert cost(lambda body: cached(ask(body)), conversation(100, text)) < 0.1 * hundredth


def test_the_size_estimate_is_linear_in_the_history() -> None:
    """Four times the messages, at most about four times the work."""
    text = prompts(50, 1)[0]
    small, large = (cost(estimate_tokens, conversation(turns, text)) for turns in (100, 400))
    assert large < 7 * small
