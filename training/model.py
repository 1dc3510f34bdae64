"""The fit: a gate that recognises the kind of task, and one ridge expert per kind for how hard it is within."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from corpus import EXAM_SOURCES, KINDS, UNMEASURED, Example
from scipy import sparse
from sklearn.linear_model import LogisticRegression, Ridge

from llm_router_middleware.scoring.reading import Reading, read

WORDS_KEPT = 9_000
SUFFIXES_KEPT = 600
LEAST_WORD_USES = 3
LEAST_EDGE_USES = 6
LEAST_SUFFIX_USES = 5
EDGE_WEIGHT = 2.0
GATE_C = 3.0
TEMPERATURE = 1.5
"""By which the gate's logits are divided: the one that, at this strength, gives hand-written prompts that weren't
trained on their kind with the highest likelihood (transfer.py). The gate is surer of itself on its own sources."""
EXPERT_ALPHA = {
    "question": 1_000.0, "exam": 300.0, "word_problem": 30.0, "math": 30.0, "code": 30.0,
    "writing": 30.0, "transform": 30.0, "explain": 100.0, "reasoning": 1_000.0, "expert": 1_000.0,
}  # fmt: skip
"""Ridge strength per kind, by leave-one-source-out on the training data: where what one benchmark teaches doesn't help
with another (exams, questions), the expert is held near zero."""
OPTIONS_BONUS = 4.0
"""Added to the exams' logit where options are listed."""
LONGEST = 1_000
"""Words beyond which a prompt counts as no longer."""
LENGTH_PRIOR = 0.06
"""Of exams: gap per standard deviation of log words; from the experiment that led to this design."""


@dataclass
class Fit:
    """Everything that the weights file holds, in floats."""

    vocabulary: list[str]
    gate: np.ndarray
    gate_bias: np.ndarray
    experts: np.ndarray
    expert_bias: np.ndarray
    length: np.ndarray
    length_mean: float
    length_sd: float
    means: np.ndarray


def is_rare_word(token: str) -> bool:
    """Of a token outside the vocabulary: whether its ending stands for it."""
    return len(token) >= 6 and token[0] not in "^>"


def suffix(word: str) -> str:
    return f"~{word[-4:]}"


def vocabulary(examples: list[Example]) -> list[str]:
    """The words used often enough, then the endings of those that aren't."""
    readings = [read(example.prompt) for example in examples]
    uses = Counter(token for reading in readings for token in reading.tokens | reading.edges)
    ours = {
        token
        for example, reading in zip(examples, readings, strict=True)
        if example.source.startswith("authored")
        for token in reading.tokens | reading.edges
    }
    often = [token for token in uses if uses[token] >= least_uses(token) or (token in ours and uses[token] >= 2)]
    words = sorted(often, key=lambda token: (-uses[token], token))[:WORDS_KEPT]
    kept = set(words)
    rare = Counter(suffix(token) for token in uses if token not in kept and is_rare_word(token))
    endings = [ending for ending in rare if rare[ending] >= LEAST_SUFFIX_USES]
    return [*words, *sorted(endings, key=lambda ending: (-rare[ending], ending))[:SUFFIXES_KEPT]]


def least_uses(token: str) -> int:
    return LEAST_EDGE_USES if token[0] in "^>" else LEAST_WORD_USES


def known(tokens: frozenset[str], index: dict[str, int]) -> list[int]:
    seen = {index[token] for token in tokens if token in index}
    endings = {suffix(token) for token in tokens if token not in index and is_rare_word(token)}
    return sorted(seen | {index[ending] for ending in endings if ending in index})


def features(
    readings: list[Reading], index: dict[str, int], tokens: Callable[[Reading], frozenset[str]]
) -> sparse.csr_matrix:
    rows, columns, values = [], [], []
    for row, reading in enumerate(readings):
        found = known(tokens(reading), index)
        rows += [row] * len(found)
        columns += found
        values += [max(len(found), 1) ** -0.5] * len(found)
    return sparse.csr_matrix((values, (rows, columns)), shape=(len(readings), len(index)))


def body(reading: Reading) -> frozenset[str]:
    return reading.tokens


def edges(reading: Reading) -> frozenset[str]:
    return reading.edges


def log_words(readings: list[Reading]) -> np.ndarray:
    return np.log1p([min(reading.words, LONGEST) for reading in readings])


def kind_means(examples: list[Example]) -> np.ndarray:
    """The mean gap of each kind: the mean over its sources, a benchmark being the unit that was sampled."""
    sources: dict[str, list[float]] = {}
    for example in examples:
        sources.setdefault(example.source, []).append(example.gap)
    mean = {source: float(np.mean(gaps)) for source, gaps in sources.items()}
    by_kind: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for example in examples:
        if example.kind in UNMEASURED and example.source != f"authored_{example.kind}":
            continue
        if example.kind not in UNMEASURED and example.source.startswith("authored"):
            continue
        by_kind[example.kind].add(example.source)
    by_kind["exam"] |= EXAM_SOURCES
    by_kind["question"] -= EXAM_SOURCES
    return np.array([np.mean([mean[source] for source in sorted(by_kind[kind])]) for kind in KINDS])


def fit(examples: list[Example], means: np.ndarray | None = None) -> Fit:
    """Fits everything; the kinds' means are those of the examples if not given."""
    readings = [read(example.prompt) for example in examples]
    words = vocabulary(examples)
    index = {word: column for column, word in enumerate(words)}
    matrix = features(readings, index, body)
    seen = matrix + EDGE_WEIGHT * features(readings, index, edges)
    lengths = log_words(readings)
    mean, sd = float(lengths.mean()), float(lengths.std())
    means = kind_means(examples) if means is None else means
    gate = _gate(examples, seen)
    experts = np.zeros((len(KINDS), matrix.shape[1]))
    bias, length = np.zeros(len(KINDS)), np.zeros(len(KINDS))
    for k, kind in enumerate(KINDS):
        rows = np.array([i for i, example in enumerate(examples) if example.kind == kind])
        z = (lengths[rows] - mean) / sd
        x = sparse.hstack([matrix[rows], sparse.csr_matrix(z[:, None])]).tocsr()
        gaps, weights = _centred([examples[i] for i in rows], float(means[k]))
        ridge = Ridge(alpha=EXPERT_ALPHA[kind], solver="lsqr", tol=1e-8).fit(x, gaps, sample_weight=weights)
        experts[k], length[k], bias[k] = ridge.coef_[:-1], ridge.coef_[-1], ridge.intercept_
    length[KINDS.index("exam")] += LENGTH_PRIOR
    return Fit(words, gate.coef_ / TEMPERATURE, gate.intercept_ / TEMPERATURE, experts, bias, length, mean, sd, means)


def weigh(examples: list[Example]) -> list[float]:
    """The reference mixture: every kind weighs the same, and within a kind every source."""
    sizes = Counter(example.source for example in examples)
    sources = Counter(kind for kind, _ in {(example.kind, example.source) for example in examples})
    return [1_000 / sources[example.kind] / sizes[example.source] for example in examples]


def _gate(examples: list[Example], matrix: sparse.csr_matrix) -> LogisticRegression:
    labels = [KINDS.index(example.kind) for example in examples]
    return LogisticRegression(C=GATE_C, max_iter=2_000, tol=1e-6).fit(matrix, labels, sample_weight=weigh(examples))


def _centred(examples: list[Example], kind_mean: float) -> tuple[np.ndarray, np.ndarray]:
    """Gaps without their benchmark's mean: what differs between benchmarks is who was asked, not how hard it is.

    Prompts of our own keep their distance to the kind's mean, since their grades are the point.
    """
    totals: dict[str, list[float]] = {}
    for example in examples:
        totals.setdefault(example.source, []).append(example.gap)
    means = {
        source: kind_mean if source.startswith("authored") else float(np.mean(gaps)) for source, gaps in totals.items()
    }
    gaps = np.array([example.gap - means[example.source] for example in examples])
    return gaps, np.array([example.weight for example in examples])


def predict(model: Fit, prompts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The raw score and the probability of each kind, per prompt."""
    readings = [read(prompt) for prompt in prompts]
    index = {word: column for column, word in enumerate(model.vocabulary)}
    matrix = features(readings, index, body)
    logits = (matrix + EDGE_WEIGHT * features(readings, index, edges)) @ model.gate.T + model.gate_bias
    logits[:, KINDS.index("exam")] += OPTIONS_BONUS * np.array([reading.options for reading in readings])
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    kinds = odds / odds.sum(axis=1, keepdims=True)
    z = (log_words(readings) - model.length_mean) / model.length_sd
    gains = model.means + matrix @ model.experts.T + model.expert_bias + z[:, None] * model.length
    return (kinds * gains).sum(axis=1), kinds
