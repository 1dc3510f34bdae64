"""What the training script promises: a score with a meaning, and the same file every time."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llm_router_middleware.scoring import LearnedScorer, fitted

TRAINING = Path(__file__).parents[2] / "training"


@pytest.fixture(scope="module")
def mixture(training_table: Path) -> tuple[Any, Any, Any]:
    """Scores, gaps and weights of the reference mixture: every kind of task the same, within it every source."""
    sys.path.insert(0, str(TRAINING))
    try:
        import corpus
    finally:
        sys.path.remove(str(TRAINING))
    examples = corpus.load(training_table, TRAINING)
    sizes = Counter(example.source for example in examples)
    sources = Counter(kind for kind, _ in {(example.kind, example.source) for example in examples})
    weights = np.array([1 / sources[example.kind] / sizes[example.source] for example in examples])
    scorer = LearnedScorer()
    scores = np.array([scorer(example.prompt).score for example in examples])
    return scores, np.array([example.gap for example in examples]), weights / weights.sum()


@pytest.mark.parametrize("score", [0.1, 0.3, 0.5, 0.8, 0.95])
def test_a_score_is_the_share_of_the_reference_mixture_below_it(score: float, mixture: tuple[Any, Any, Any]) -> None:
    """0.8 means harder than 80 % of it: within 6 points."""
    scores, _, weights = mixture
    assert abs(weights[scores < score].sum() - score) < 0.06


def test_a_higher_score_goes_with_a_higher_gain(mixture: tuple[Any, Any, Any]) -> None:
    """Fifth by fifth of the mixture the strong model's gain rises."""
    scores, gaps, weights = mixture
    fifths = np.digitize(scores, [0.2, 0.4, 0.6, 0.8])
    gains = [np.average(gaps[fifths == at], weights=weights[fifths == at]) for at in range(5)]
    assert gains == sorted(gains)
    assert gains[-1] > gains[0] + 0.2


def test_every_training_source_is_decided_on(training_table: Path) -> None:
    """A source is used with a kind, or left out by name: mixtures and single rows."""
    import pyarrow.parquet

    sources = set(pyarrow.parquet.read_table(training_table, columns=["source"])["source"].to_pylist())
    text = (TRAINING / "corpus.py").read_text("utf-8")
    assert {source for source in sources if f'"{source}"' not in text} == {"lr_?", "mmlupro_mmlu"}


@pytest.mark.nightly
def test_the_script_writes_the_shipped_files(training_table: Path, table: Path, tmp_path: Path) -> None:
    """A second run gives the same weights and the same manifest, byte for byte."""
    pytest.importorskip("sklearn", reason="fitting needs the dependency group `training`")
    command = [sys.executable, TRAINING / "fit.py", "--outcomes", training_table, "--keep-out", table, "--to", tmp_path]
    subprocess.run(list(map(str, command)), check=True, cwd=TRAINING.parent)
    written = (tmp_path / "fitted.py").read_text("utf-8")
    assert re.findall(r'= "(\w+)"', written) == [fitted.WEIGHTS_SHA256, fitted.MANIFEST_SHA256]
