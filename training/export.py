"""From floats to the weights file: out-of-fold calibration, leaning words, eight-bit rows."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections import Counter
from typing import Any

import numpy as np
from corpus import KINDS, Example
from model import EDGE_WEIGHT, LONGEST, OPTIONS_BONUS, Fit, body, features, fit, log_words, predict, weigh
from scipy import sparse
from sklearn.isotonic import IsotonicRegression

from llm_router_middleware.scoring.reading import read
from llm_router_middleware.scoring.weights import FORMAT


def _words(text: str) -> list[str]:
    return text.split()


FOLDS = 4
KNOTS = 33
LEANING = 1_200
LEAST_LEANING_USES = 8
PLAIN = frozenset(
    _words(
        """about after all also and any are been before between but can could did does each for from had has
        have her his how into its many may more most not one only other our out over should some such than
        that the their them then there these they this those two under very was were what when where which
        who why will with would you your"""
    )
)
"""Words that say nothing to a person, whatever their weight."""
PREMIUM_SHARE = 0.2
"""Of the reference mixture: its hardest fifth is premium."""
MID_GAIN = 0.125
"""Mid begins where a strong model is expected to do one in eight such prompts better."""
LEAST_COVERAGE = 0.55
LEAST_KIND = 0.4


def out_of_fold(examples: list[Example]) -> tuple[np.ndarray, np.ndarray]:
    """Each prompt's raw score and kinds by a fit that hasn't seen it."""
    fold = np.array([hashlib.sha256(example.prompt.encode()).digest()[0] % FOLDS for example in examples])
    raw, kinds = np.zeros(len(examples)), np.zeros((len(examples), len(KINDS)))
    for held in range(FOLDS):
        model = fit([example for example, place in zip(examples, fold, strict=True) if place != held])
        rows = np.flatnonzero(fold == held)
        raw[rows], kinds[rows] = predict(model, [examples[row].prompt for row in rows])
    return raw, kinds


def percentile_curve(values: np.ndarray, weights: np.ndarray) -> list[list[float]]:
    """Points (value, share of the reference mixture below it), strictly rising."""
    order = np.argsort(values, kind="stable")
    shares = (np.cumsum(weights[order]) - weights[order] / 2) / weights.sum()
    heights = np.concatenate([[0.005], np.linspace(0, 1, KNOTS)[1:-1], [0.995]])
    points = np.interp(heights, shares, values[order])
    rising = np.concatenate([[True], np.diff(points) > 1e-6])
    return [_rounded(points[rising]), _rounded(heights[rising])]


def gain_curve(raw: np.ndarray, gaps: np.ndarray, weights: np.ndarray) -> list[list[float]]:
    """Points (raw score, mean gap there), by isotonic regression."""
    model = IsotonicRegression().fit(raw, gaps, sample_weight=weights)
    points = np.quantile(raw, np.linspace(0.01, 0.99, KNOTS))
    return [_rounded(points), _rounded(model.predict(points))]


def thresholds(scores: list[list[float]], gains: list[list[float]]) -> list[float]:
    """Where mid and premium begin, to two digits."""
    raw = float(np.interp(MID_GAIN, gains[1], gains[0]))
    return [round(float(np.interp(raw, *scores)), 2), round(1 - PREMIUM_SHARE, 2)]


def leaning(examples: list[Example], model: Fit) -> tuple[list[int], list[int]]:
    """The words that raise and that lower the score most, on average over the prompts that hold them.

    First-order effect: through the experts, and through the gate's choice between them. Names are left out.
    """
    prompts = [example.prompt for example in examples]
    readings = [read(prompt) for prompt in prompts]
    index = {word: column for column, word in enumerate(model.vocabulary)}
    matrix = features(readings, index, body)
    _, kinds = predict(model, prompts)
    z = (log_words(readings) - model.length_mean) / model.length_sd
    gains = model.means + matrix @ model.experts.T + model.expert_bias + z[:, None] * model.length
    raw = (kinds * gains).sum(axis=1, keepdims=True)
    held = (matrix > 0).astype(float)
    held = sparse.diags(np.array(weigh(examples))) @ held
    uses = np.asarray(held.sum(axis=0)).ravel() + 1e-12
    through_experts = ((held.T @ kinds) * model.experts.T).sum(axis=1) / uses
    through_gate = ((held.T @ (kinds * (gains - raw))) * model.gate.T).sum(axis=1) / uses
    effect = through_experts + through_gate
    shown = _shown(prompts, examples, model.vocabulary)
    order = sorted((round(float(effect[place]), 4), place) for place in shown)
    against = [place for value, place in order[:LEANING] if value < 0]
    raising = [place for value, place in reversed(order[-LEANING:]) if value > 0]
    return raising, against


def _shown(prompts: list[str], examples: list[Example], vocabulary: list[str]) -> list[int]:
    """Plain words that are used often, and aren't names: not mostly capitalised in the middle of a sentence."""
    capital = Counter(word.lower() for prompt in prompts for word in re.findall(r"(?<=[a-z,;] )[A-Z][a-z]+", prompt))
    small = Counter(word for prompt in prompts for word in re.findall(r"(?<![A-Za-z])[a-z]+", prompt))
    uses = Counter(token for prompt in prompts for token in read(prompt).tokens)
    ours = {
        token for example in examples if example.source.startswith("authored") for token in read(example.prompt).tokens
    }
    return [
        place
        for place, word in enumerate(vocabulary)
        if word.isalpha()
        and word not in PLAIN
        and len(word) > 2
        and (uses[word] >= LEAST_LEANING_USES or word in ours)
        and (capital[word] <= small[word] or word in ours)
    ]


def document(examples: list[Example], model: Fit) -> dict[str, Any]:
    weights = np.array(weigh(examples))
    raw, _ = out_of_fold(examples)
    heads = np.vstack([model.gate, model.experts])
    scales = np.abs(heads).max(axis=1) / 127
    rows = np.clip(np.rint(heads / scales[:, None]), -127, 127).astype(int).T + 128
    raising, against = leaning(examples, model)
    readings = [read(example.prompt) for example in examples]
    scores = percentile_curve(raw, weights)
    gains = gain_curve(raw, np.array([example.gap for example in examples]), weights)
    return {
        "format": FORMAT,
        "kinds": list(KINDS),
        "words": " ".join(model.vocabulary),
        "table": base64.b85encode(rows.astype(np.uint8).tobytes()).decode(),
        "scales": _rounded(scales, 9),
        "gate_bias": _rounded(model.gate_bias),
        "gains": _rounded(model.means + model.expert_bias),
        "length_gains": _rounded(model.length),
        "length": [round(model.length_mean, 6), round(model.length_sd, 6)],
        "longest": LONGEST,
        "edge_weight": EDGE_WEIGHT,
        "options_kind": "exam",
        "options_bonus": OPTIONS_BONUS,
        "score_curve": scores,
        "length_curve": percentile_curve(log_words(readings), weights),
        "gain_curve": gains,
        "thresholds": thresholds(scores, gains),
        "least_coverage": LEAST_COVERAGE,
        "least_kind": LEAST_KIND,
        "for": raising,
        "against": against,
    }


def encoded(content: dict[str, Any]) -> tuple[bytes, str]:
    """The file's bytes, and the hash of what is in it."""
    text = json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
    return zlib.compress(text, 9), hashlib.sha256(text).hexdigest()


def _rounded(values: np.ndarray, digits: int = 6) -> list[float]:
    return [round(float(value), digits) for value in values]
