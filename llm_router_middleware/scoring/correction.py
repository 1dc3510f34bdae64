"""A correction of the learned score, fitted on a user's own labelled outcomes by `llm-router adapt`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import hypot
from pathlib import Path
from typing import Any

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.scoring.reading import Reading
from llm_router_middleware.scoring.weights import Curve, Sight

__all__ = ["Correction"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Correction:
    """A linear model of the gain on the user's own traffic, and what its values mean there.

    Attributes:
        bias: added to everything.
        raw: the weight of the shipped score's raw value.
        log_words: the weight of the length.
        kinds: the weight of each kind's probability.
        tokens: the weight of each word and its rarity; a text's weights are divided by the norm of its rarities.
        curve: from the model's value to the share of the labelled outcomes below it.
        evidence: where it comes from: labels, cross-validated gain and its interval.
    """

    bias: float
    raw: float
    log_words: float
    kinds: tuple[float, ...]
    tokens: Mapping[str, tuple[float, float]]
    curve: Curve
    evidence: Mapping[str, Any]

    def value(self, sight: Sight, reading: Reading) -> float:
        """The expected gain of a strong model, as the user's outcomes have it."""
        value = self.bias + self.raw * sight.raw + self.log_words * sight.log_words
        value += sum(weight * share for weight, share in zip(self.kinds, sight.kinds, strict=False))
        found = sorted(reading.tokens & self.tokens.keys())
        if found:
            weights, rarities = zip(*map(self.tokens.__getitem__, found), strict=True)
            value += sum(weights) / hypot(*rarities)
        return value

    def __call__(self, sight: Sight, reading: Reading) -> float:
        """The corrected score, in (0, 1)."""
        return self.curve(self.value(sight, reading))

    def document(self) -> dict[str, Any]:
        """What `load` reads."""
        return {
            "format": FORMAT,
            "bias": self.bias,
            "raw": self.raw,
            "log_words": self.log_words,
            "kinds": list(self.kinds),
            "tokens": {token: list(pair) for token, pair in self.tokens.items()},
            "curve": [list(self.curve.x), list(self.curve.y)],
            "evidence": dict(self.evidence),
        }

    @classmethod
    def load(cls, path: str | Path | None) -> Correction | None:
        """Reads a correction file; None for None.

        Raises:
            ConfigurationError: the file is missing, or not a correction of this format.
        """
        if path is None:
            return None
        try:
            document = json.loads(Path(path).read_text("utf-8"))
            if document["format"] != FORMAT:
                raise ValueError(f"format {document['format']!r}, expected {FORMAT}")
            return cls(
                float(document["bias"]),
                float(document["raw"]),
                float(document["log_words"]),
                tuple(map(float, document["kinds"])),
                {str(token): _pair(pair) for token, pair in document["tokens"].items()},
                Curve(tuple(map(float, document["curve"][0])), tuple(map(float, document["curve"][1]))),
                dict(document["evidence"]),
            )
        except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise ConfigurationError(f"scorer_correction={str(path)!r}: can't be read: {error!r}") from error


def _pair(value: Any) -> tuple[float, float]:
    weight, rarity = map(float, value)
    if not rarity > 0:
        raise ValueError(f"a rarity of {rarity}, expected one above 0")
    return weight, rarity
