"""The learned scorer's weights: one JSON document, compressed, checked, packed into integers for speed.

The document (docs/scoring.md describes every field) holds a vocabulary and one row of bytes per word: how much the word
speaks for each kind of task (the gate), and how much harder it makes a task of that kind (the experts). A row is packed
into one Python integer, a 32-bit lane per byte, so that all heads of all words of a prompt are added by one `sum`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from math import exp, log1p
from operator import mul
from pathlib import Path
from typing import Any, NamedTuple

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.scoring.fitted import WEIGHTS_SHA256
from llm_router_middleware.scoring.reading import Reading

__all__ = ["Curve", "Sight", "Weights"]

FORMAT = 1

_OFFSET = 128
"""Added to a weight from -127 to 127, so that a lane never goes below zero."""

_DEMANDING = 0.15
"""Mean gain from which a kind of task is demanding: a doubt that concerns no such kind needs no step up."""

_LARGEST = 32_000_000
"""Bytes: a weights document beyond this isn't one."""

_RARE = 6
"""Letters of a word outside the vocabulary from which its ending stands for it."""


class Sight(NamedTuple):
    """What the weights see in a text.

    Attributes:
        raw: the expected gain of a strong model over a weak one, uncalibrated.
        kinds: the probability of each kind of task, in the weights' order.
        known: the words of the vocabulary that occur in the text.
        coverage: the share of the text's words that are in the vocabulary, 0 to 1.
        log_words: the logarithm of one plus the number of words, capped.
    """

    raw: float
    kinds: tuple[float, ...]
    known: frozenset[str]
    coverage: float
    log_words: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A rising line through points; beyond its ends it goes on towards, but never reaches, 0 and 1.

    Attributes:
        x: where the points are, rising.
        y: their heights, rising, inside (0, 1).
    """

    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in pairwise(self.x)) and all(a < b for a, b in pairwise(self.y))
        if len(self.x) != len(self.y) or len(self.x) < 2 or not rising or not (self.y[0] > 0 and self.y[-1] < 1):
            raise ConfigurationError("calibration: expected two or more rising points inside (0, 1)")

    def __call__(self, x: float) -> float:
        """The height at x, in (0, 1); strictly rising, so that no two scores are made equal."""
        xs, ys = self.x, self.y
        if x < xs[0]:
            return ys[0] / (1 + (xs[0] - x) / (xs[1] - xs[0]))
        if x >= xs[-1]:
            return 1 - (1 - ys[-1]) / (1 + (x - xs[-1]) / (xs[-1] - xs[-2]))
        return _between(xs, ys, x)


def _between(xs: Sequence[float], ys: Sequence[float], x: float) -> float:
    place = bisect_right(xs, x)
    share = (x - xs[place - 1]) / (xs[place] - xs[place - 1])
    return ys[place - 1] + share * (ys[place] - ys[place - 1])


class Weights:
    """Weights, ready to look at texts.

    Args:
        document: the decoded JSON document.

    Raises:
        ConfigurationError: not a weights document of this format.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        if document.get("format") != FORMAT:
            raise ConfigurationError(f"weights: format={document.get('format')!r}, expected {FORMAT}")
        try:
            self._read(document)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise ConfigurationError(f"weights: malformed document: {error!r}") from error

    def _read(self, document: dict[str, Any]) -> None:
        self.kinds: tuple[str, ...] = tuple(document["kinds"])
        words: list[str] = document["words"].split(" ")
        lanes = 2 * len(self.kinds)
        self.table = _packed(words, base64.b85decode(document["table"]), lanes)
        self._lanes = lanes
        self._scales = [float(scale) for scale in document["scales"]]
        self._gate_scales = self._scales[: len(self.kinds)]
        self._gate_bias = [float(value) for value in document["gate_bias"]]
        self._base_gain = [float(value) for value in document["gains"]]
        self.demanding = [place for place, gain in enumerate(self._base_gain) if gain >= _DEMANDING]
        self._length_gain = [float(value) for value in document["length_gains"]]
        self._length_mean, self._length_sd = (float(value) for value in document["length"])
        self._longest = int(document["longest"])
        self._edge_weight = float(document["edge_weight"])
        self._options = self.kinds.index(document["options_kind"])
        self._options_bonus = float(document["options_bonus"])
        self.score = Curve(tuple(document["score_curve"][0]), tuple(document["score_curve"][1]))
        self.length_score = Curve(tuple(document["length_curve"][0]), tuple(document["length_curve"][1]))
        self._gains: tuple[list[float], list[float]] = (document["gain_curve"][0], document["gain_curve"][1])
        self.thresholds: tuple[float, float] = (float(document["thresholds"][0]), float(document["thresholds"][1]))
        self.least_coverage = float(document["least_coverage"])
        self.least_kind = float(document["least_kind"])
        self.lean: dict[str, int] = {words[place]: rank for rank, place in enumerate(document["against"], -100_000)}
        self.lean |= {words[place]: -rank for rank, place in enumerate(document["for"], -100_000)}

    @classmethod
    def load(cls, path: str | Path | None = None) -> Weights:
        """Reads a weights file.

        Args:
            path: a file of your own; None for the one that comes with the package, whose hash is checked.

        Raises:
            ConfigurationError: the file is missing, damaged, or not a weights document.
        """
        own = resources.files("llm_router_middleware.scoring") / "data" / "learned.json.z"
        source = own if path is None else Path(path)
        try:
            text = zlib.decompressobj().decompress(source.read_bytes(), _LARGEST)
        except (OSError, zlib.error) as error:
            raise ConfigurationError(f"weights={str(source)!r}: can't be read: {error}") from error
        if path is None and hashlib.sha256(text).hexdigest() != WEIGHTS_SHA256:
            raise ConfigurationError(f"weights={str(source)!r}: the file is damaged, its hash is not the released one")
        try:
            document = json.loads(text)
        except ValueError as error:
            raise ConfigurationError(f"weights={str(source)!r}: not JSON: {error}") from error
        return cls(document if isinstance(document, dict) else {})

    def look(self, reading: Reading) -> Sight:
        """Looks at a text that was read."""
        known = reading.tokens & self.table.keys()
        body = self._heads(known, reading.tokens - known, self._scales, 1.0)
        edge = self._heads(reading.edges & self.table.keys(), (), self._gate_scales, self._edge_weight)
        logits = [bias + about + asked for bias, about, asked in zip(self._gate_bias, body, edge, strict=False)]
        if reading.options:
            logits[self._options] += self._options_bonus
        highest = max(logits)
        odds = [exp(logit - highest) for logit in logits]
        total = sum(odds)
        log_words = log1p(min(reading.words, self._longest))
        z = (log_words - self._length_mean) / self._length_sd
        experts = zip(self._base_gain, self._length_gain, body[len(odds) :], strict=True)
        gains = [base + z * length + expert for base, length, expert in experts]
        coverage = len(known) / len(reading.tokens) if reading.tokens else 0.0
        kinds = tuple([odd / total for odd in odds])
        return Sight(sum(map(mul, kinds, gains)), kinds, known, coverage, log_words)

    def gain(self, raw: float) -> float:
        """How much more often a strong model did such prompts well in the training outcomes, -1 to 1."""
        xs, ys = self._gains
        return _between(xs, ys, min(max(raw, xs[0]), xs[-1] - 1e-9))

    def _heads(self, known: Set[str], unknown: Iterable[str], scales: list[float], weight: float) -> list[float]:
        """Every head's sum over the known words, and over the endings of the unknown ones."""
        found: Set[str] = known
        if unknown:
            found = known | ({f"~{word[-4:]}" for word in unknown if len(word) >= _RARE} & self.table.keys())
        count = len(found)
        if not count:
            return [0.0] * len(scales)
        total = sum(map(self.table.__getitem__, found))
        sums = memoryview(total.to_bytes(4 * self._lanes, "little")).cast("I").tolist()
        share, zero = weight * count**-0.5, _OFFSET * count
        return [(value - zero) * scale * share for value, scale in zip(sums, scales, strict=False)]


def _packed(words: Sequence[str], rows: bytes, lanes: int) -> dict[str, int]:
    if len(rows) != len(words) * lanes:
        raise ValueError(f"table of {len(rows)} bytes, expected {len(words)} words of {lanes}")
    spaced = bytearray(4 * len(rows))
    spaced[::4] = rows
    size = 4 * lanes
    from_bytes = int.from_bytes
    return {word: from_bytes(spaced[place * size : place * size + size], "little") for place, word in enumerate(words)}
