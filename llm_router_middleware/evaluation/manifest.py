"""Has the scorer been trained on these prompts? The manifest of its training prompts, as hashes of word shingles.

A prompt's shingles are its runs of ten words (the whole prompt where it is shorter); case, spacing and punctuation
don't count.
The manifest keeps, of every training prompt, its two smallest 40-bit shingle hashes: any copy of a training prompt, and
any text that contains one, is found for certain; a text that shares half of its shingles, three times out of four.
`training/fit.py` itself compares all shingles, and drops what it finds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from importlib import resources

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.scoring.fitted import MANIFEST_SHA256

__all__ = ["Manifest", "shingles"]

WORDS = 10
KEPT = 2
_BYTES = 5

_WORD = re.compile(r"[a-z0-9]+")


def shingles(prompt: str) -> frozenset[int]:
    """The hashes of a prompt's runs of ten words; of the whole prompt where it has fewer. Empty for no words."""
    words = _WORD.findall(prompt.lower())
    runs = max(len(words) - WORDS + 1, 1 if words else 0)
    return frozenset(_hash(" ".join(words[start : start + WORDS])) for start in range(runs))


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=_BYTES).digest(), "big")


class Manifest:
    """The training prompts of a weights file, as hashes.

    Args:
        hashes: of every training prompt, its smallest shingle hashes.
    """

    def __init__(self, hashes: Iterable[int]) -> None:
        self._hashes = frozenset(hashes)

    @classmethod
    def of(cls, prompts: Iterable[str]) -> Manifest:
        """The manifest of some prompts."""
        return cls(value for prompt in prompts for value in sorted(shingles(prompt))[:KEPT])

    @classmethod
    def shipped(cls) -> Manifest:
        """The manifest of the weights that come with the package.

        Raises:
            ConfigurationError: the file is missing or damaged.
        """
        source = resources.files("llm_router_middleware.scoring") / "data" / "manifest.bin"
        try:
            content = source.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"training manifest: can't be read: {error}") from error
        if hashlib.sha256(content).hexdigest() != MANIFEST_SHA256:
            raise ConfigurationError("training manifest: the file is damaged, its hash is not the released one")
        return cls(int.from_bytes(content[at : at + _BYTES], "big") for at in range(0, len(content), _BYTES))

    def hashes(self) -> list[int]:
        """What it holds, sorted."""
        return sorted(self._hashes)

    def encoded(self) -> bytes:
        """The file's bytes: sorted 40-bit numbers."""
        return b"".join(value.to_bytes(_BYTES, "big") for value in self.hashes())

    def overlap(self, prompts: Iterable[str]) -> list[str]:
        """Those of the prompts that meet a training prompt."""
        return [prompt for prompt in prompts if not self._hashes.isdisjoint(shingles(prompt))]
