"""What is read of a text: the words of its head and its tail, in one pass that hardly depends on spacing or case."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Reading", "read"]

_HEAD, _TAIL = 2_400, 1_200
"""Characters that are looked at; a longer text costs no more."""

_HEAD_WORDS, _TAIL_WORDS = 200, 120
"""Words of those that become features. Counted in words, so that blank space changes nothing."""

_LETTERS = 4
"""Characters of a word, for scripts without spaces."""

_LETTERS_SEEN = 500
"""Characters by which the script is told."""

_EDGE, _EDGE_WORDS = 160, 12
"""Characters and words of the first and the last sentence: what is asked stands there, the rest is what it is about."""

_PUNCTUATION = "$\\{}[]()<>=+*/^_|~#@%&;:!?`\"'→≤≥≠≈∑∫√π∞∀∃∈∂"

# A table for str.translate: letters become lower case, digits a shape, everything else a space.
_PLAIN = "".join(
    "0" if chr(code).isdigit() else chr(code).lower() if chr(code).isalpha() else " " for code in range(128)
)

_TYPOGRAPHY = re.compile("[\u00a0\u2000-\u206f\u3000-\u303f]")

_STOP = re.compile(r"[.?!:\n]")

_OPTION = re.compile(r"(?<![a-z0-9])([a-j])(?:[.):\]]|\"[ \t]{0,4}:)")
"""The marker of one option of a multiple choice question: "B.", "(b)", "b:", '"B":'."""

_LETTERED = frozenset("abc")
"""Words of every text that lists three options or more: looked for first, since it costs next to nothing."""


class Reading(NamedTuple):
    """What is read of a text.

    Attributes:
        tokens: the distinct words, shapes of numbers and punctuation marks.
        edges: the distinct words of the first and the last sentence as ">word", and the very first one as "^word".
        words: the estimated number of words of the whole text, in any script; 0 where there isn't a letter or digit.
        foreign: the share of letters outside ASCII, 0 to 1.
        options: whether it lists the options of a multiple choice question.
    """

    tokens: frozenset[str]
    edges: frozenset[str]
    words: int
    foreign: float
    options: bool


_NOTHING = Reading(frozenset(), frozenset(), 0, 0.0, False)


def read(text: str) -> Reading:
    """Reads a text. Never raises; constant cost beyond 3,600 characters, linear time below."""
    if not isinstance(text, str) or not text:
        return _NOTHING
    text = text.strip()
    sample = text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]} {text[-_TAIL:]}"
    plain = sample if sample.isascii() else _ascii(sample)
    words = plain.translate(_PLAIN).split()
    foreign = 0.0 if plain is sample else _foreign(sample)
    seen = max(len(words), int(foreign * max(len(sample.split()), len(sample) / _LETTERS)))
    counted = int(seen * len(text) / len(sample)) if sample else 0
    if len(words) > _HEAD_WORDS + _TAIL_WORDS:
        words = words[:_HEAD_WORDS] + words[-_TAIL_WORDS:]
    marks = [mark for mark in _PUNCTUATION if mark in sample]
    edges = [f">{word}" for word in _edges(plain)]
    edges += [f"^{word}" for word in words[:1]]
    tokens = frozenset(words).union(marks)
    return Reading(tokens, frozenset(edges), counted, foreign, tokens >= _LETTERED and _has_options(plain))


def _ascii(sample: str) -> str:
    """Without the letters of other scripts; a typographic space, quote or dash parts words as a plain one does."""
    return _TYPOGRAPHY.sub(" ", sample).encode("ascii", "ignore").decode()


def _foreign(sample: str) -> float:
    letters = [letter.isascii() for letter in sample[:_LETTERS_SEEN] if letter.isalpha()]
    return 1 - sum(letters) / len(letters) if letters else 0.0


def _edges(plain: str) -> list[str]:
    first, last = plain[:_EDGE].lstrip(), plain[-_EDGE:].rstrip(" \n.?!:")
    stop = _STOP.search(first, 8)
    start = max(last.rfind(mark) for mark in ".?!:\n")
    head = first[: stop.start()] if stop else first
    return [
        *head.translate(_PLAIN).split()[:_EDGE_WORDS],
        *last[start + 1 :].translate(_PLAIN).split()[-_EDGE_WORDS:],
    ]


def _has_options(plain: str) -> bool:
    """Whether markers of options a, b and c follow each other."""
    return "abc" in "".join(_OPTION.findall(plain.lower()))
