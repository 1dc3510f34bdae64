"""Text and its tokens: one way to split, so that usage, streams and whole answers agree."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

__all__ = ["compose", "count", "count_in", "digest", "dump", "group", "pieces"]

_PIECE = re.compile(r"\s*\S{1,5}|\s+")
_MEDIA_TOKENS = 765  # what an image of 1024 x 1024 costs at OpenAI
_SENTENCES = (
    "This text was written by the sandbox; no model was asked.",
    "It depends on the model's name and on the prompt, and on nothing else.",
    "Ask the same question again and the same words come back.",
    "A short answer is enough here.",
    "First look at what is given, then at what is wanted, then close the gap between the two.",
    "There are three parts to it: the facts, the reasons, and the doubt that remains.",
    "One might object that the opposite holds as well; the evidence is thin on both sides.",
    "In short: yes, with the usual exceptions.",
    "Numbers would settle it, and none were given.",
    "Naïve readers – and cafés – need more than ASCII: ☕, 東京, Ω.",
)


def pieces(text: str) -> list[str]:
    """Splits a text into its tokens; joined they are the text again."""
    return _PIECE.findall(text)


def count(text: str) -> int:
    """How many tokens a text has."""
    return len(pieces(text))


def count_in(value: Any) -> int:
    """How many tokens the strings within a JSON value have; media count a flat amount each."""
    total, todo = 0, [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            total += _MEDIA_TOKENS if len(item) > 4096 and " " not in item[:4096] else count(item)
        elif isinstance(item, dict):
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
    return total


def group(tokens: Sequence[str], chunks: int | None) -> list[str]:
    """Joins tokens into so many chunks, as even as can be; None leaves one token per chunk."""
    if chunks is None or chunks >= len(tokens):
        return list(tokens)
    edges = [round(i * len(tokens) / max(chunks, 1)) for i in range(max(chunks, 1) + 1)]
    return ["".join(tokens[a:b]) for a, b in pairwise(edges)]


def digest(*parts: object) -> int:
    """A number that depends on the parts alone, the same in every process."""
    raw = "\x1f".join(map(str, parts)).encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(raw, digest_size=16).digest(), "big")


def compose(model: str, prompt: str, results: Iterable[str] = (), index: int = 0) -> str:
    """The sandbox's own answer: it names the model, quotes the prompt and the tools' results."""
    seed = digest(model, prompt, index)
    quoted = " ".join(prompt.encode("utf-8", "replace").decode().split())[:80]
    told = [f"The tools said: {' '.join(result.split())[:80]}." for result in results]
    first = seed % len(_SENTENCES)
    said = [_SENTENCES[(first + 3 * i) % len(_SENTENCES)] for i in range(1 + seed // 16 % 5)]
    return " ".join([f"{model} answers “{quoted}”.", *told, *said])


def dump(value: Any) -> bytes:
    """Compact JSON in UTF-8; lone surrogates are escaped."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()
