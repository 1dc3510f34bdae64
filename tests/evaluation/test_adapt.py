"""Corrections from own outcomes: kept on evidence, and on nothing else."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.evaluation.adapt import adapt, fit_correction
from llm_router_middleware.evaluation.metrics import Questions, curve
from llm_router_middleware.evaluation.outcomes import Outcome
from llm_router_middleware.scoring import LearnedScorer
from llm_router_middleware.scoring.correction import Correction
from llm_router_middleware.scoring.weights import Weights

TOPICS = ["ledger", "invoice", "voyage", "harbour", "garden", "tractor", "violin", "museum"]
PLACES = ["Lima", "Oslo", "Cairo", "Quito", "Delhi", "Accra"]
NUMBERS = ["one", "two", "three", "four", "five", "six"]


def outcomes(count: int, seed: int, hard: frozenset[str]) -> list[Outcome]:
    """Traffic of one firm: what is about `hard` topics gains from the strong model, the rest hardly does."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        topic = rng.choice(TOPICS)
        who = f"{rng.choice(NUMBERS)} clerks in {rng.choice(PLACES)}"
        prompt = f"Tell {who} about the {topic} of {rng.choice(NUMBERS)} partners."
        gains = rng.random() < (0.6 if topic in hard else 0.1)
        made.append(Outcome(prompt, 0.0 if gains else 1.0, 1.0))
    return made


@pytest.fixture(scope="module")
def weights() -> Weights:
    """The shipped ones."""
    return LearnedScorer().load()


HARD = frozenset({"ledger", "invoice", "violin"})


def apgr(scorer: LearnedScorer, judged: list[Outcome]) -> float:
    share, pgr = curve(
        np.array([scorer(outcome.prompt).score for outcome in judged]),
        Questions.plain([outcome.strong - outcome.weak for outcome in judged]),
    )
    return float(np.trapezoid(pgr, share))


def test_a_pattern_in_own_traffic_is_found_and_holds_on_new_traffic(weights: Weights, tmp_path: Path) -> None:
    """Accepted on evidence, written, read again by the scorer, and better on outcomes that it hasn't seen."""
    found = adapt(outcomes(300, 1, HARD), weights)
    assert found.correction is not None
    assert found.gain.low > 0
    path = tmp_path / "correction.json"
    path.write_text(json.dumps(found.correction.document()))
    fresh = outcomes(1_000, 2, HARD)
    assert apgr(LearnedScorer(correction=path), fresh) > apgr(LearnedScorer(), fresh) + 0.1
    assert Correction.load(path) == found.correction
    assert "corrected" in LearnedScorer(correction=path)(fresh[0].prompt).signals


def test_noise_is_no_evidence(weights: Weights) -> None:
    """Labels without a pattern are mostly rejected, by chance one in five passes; their cross-validated figure is near
    random, though a fit knows every label that it was fitted on."""
    found = [adapt(outcomes(120, seed, frozenset()), weights) for seed in range(6)]
    assert sum(one.correction is not None for one in found) <= 2
    assert abs(float(np.mean([one.adapted for one in found])) - 0.5) < 0.1


def test_without_evidence_the_correction_is_next_to_nothing(weights: Weights) -> None:
    """A fit on labels that agree with the shipped score keeps its order of the prompts."""
    rng = random.Random(3)
    texts = [
        "Translate this.",
        "Prove that the sum converges.",
        "Write a parser in Rust.",
        "What is the capital of Peru?",
    ]
    scorer = LearnedScorer()
    labels = [Outcome(text, 0.0, scorer(text).score) for text in rng.choices(texts, k=200)]
    corrected = LearnedScorer(correction=fit_correction(labels, weights))
    assert sorted(texts, key=lambda t: corrected(t).score) == sorted(texts, key=lambda t: scorer(t).score)


def test_too_few_or_gainless_labels_are_refused(weights: Weights) -> None:
    """Nothing can be shown with 99 labels, or where the strong model gains nothing."""
    with pytest.raises(ConfigurationError, match="99 labelled outcomes"):
        adapt(outcomes(99, 1, HARD), weights)
    with pytest.raises(ConfigurationError, match="gains nothing"):
        adapt([Outcome(f"prompt {i}", 1.0, 1.0) for i in range(200)], weights)


@pytest.mark.parametrize(
    "document",
    ["", "[]", "{}", '{"format": 2}', '{"format": 1, "bias": "x"}', None],
)
def test_a_broken_correction_is_refused_at_construction(document: str | None, tmp_path: Path) -> None:
    """Missing, not JSON, of another format: the setting and the path are named."""
    path = tmp_path / "correction.json"
    if document is not None:
        path.write_text(document)
    with pytest.raises(ConfigurationError, match=r"scorer_correction=.*correction\.json"):
        LearnedScorer(correction=path)


def test_a_corrected_score_is_a_share_of_the_own_traffic(weights: Weights) -> None:
    """Half of the labels score below about 0.5: the score keeps its meaning, on the own traffic."""
    labels = outcomes(200, 5, HARD)
    correction = fit_correction(labels, weights)
    scores = sorted(LearnedScorer(correction=correction)(outcome.prompt).score for outcome in labels)
    middle = scores[len(scores) // 2]
    assert 0.3 < middle < 0.7
