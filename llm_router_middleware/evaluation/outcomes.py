"""Prompts with what came of them: what a weak and a strong model scored on each."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.scoring.prompt import ask

__all__ = ["Outcome", "prompt_of", "read_outcomes"]

_LONGEST = 10_000_000
"""Characters of one CSV field."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A prompt, and how well a weak and a strong model did it.

    Attributes:
        prompt: the text that is scored.
        weak: the weak model's score: 0 or 1 for right or wrong, or any scale that is the same throughout.
        strong: the strong model's, on the same scale.
        category: what it belongs to, for people.
    """

    prompt: str
    weak: float
    strong: float
    category: str = ""


def read_outcomes(path: Path) -> list[Outcome]:
    """Reads labelled outcomes.

    Args:
        path: JSONL, each line an object with `weak`, `strong` and a prompt (`prompt`, or a request body with `messages`
            or `input`); or CSV with the columns `prompt`, `weak`, `strong`. `category` is optional in both.

    Raises:
        ConfigurationError: the file can't be read, or a row isn't an outcome; the message names the line.
    """
    rows = _csv(path) if path.suffix.lower() == ".csv" else _jsonl(path)
    try:
        outcomes = [_outcome(path, line, row) for line, row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"{path}: can't be read: {error}") from error
    if not outcomes:
        raise ConfigurationError(f"{path}: no outcomes in it")
    return outcomes


def prompt_of(row: Mapping[str, Any]) -> str:
    """The text to score in a row: its `prompt`, or what its request body asks. "" where there is none."""
    prompt = row.get("prompt")
    return prompt if isinstance(prompt, str) else ask(row)


def _jsonl(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ConfigurationError(f"{path}:{number}: not JSON: {error}") from error
            if not isinstance(row, dict):
                raise ConfigurationError(f"{path}:{number}: expected an object, found {type(row).__name__}")
            yield number, row


def _csv(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    csv.field_size_limit(_LONGEST)
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        for row in reader:
            yield reader.line_num, row


def _outcome(path: Path, line: int, row: Mapping[str, Any]) -> Outcome:
    prompt = prompt_of(row)
    if not prompt:
        raise ConfigurationError(f"{path}:{line}: no prompt: expected 'prompt', 'messages' or 'input'")
    weak, strong = (_number(path, line, row, name) for name in ("weak", "strong"))
    return Outcome(prompt, weak, strong, str(row.get("category") or ""))


_TRUTHS = {"true": 1.0, "false": 0.0}


def _number(path: Path, line: int, row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    if isinstance(value, str):
        value = _TRUTHS.get(value.strip().lower(), value)
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever it is: what float() can't take is refused below
    except (TypeError, ValueError):
        raise ConfigurationError(f"{path}:{line}: {name}={value!r}: expected a number") from None
    if not abs(number) < float("inf"):
        raise ConfigurationError(f"{path}:{line}: {name}={value!r}: expected a finite number")
    return number
