"""A user's own traffic: prompts, request bodies, or the event log of a router; what is kept of each is two numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.evaluation.outcomes import prompt_of
from llm_router_middleware.scoring.base import Scorer
from llm_router_middleware.scoring.size import estimate_tokens

__all__ = ["Request", "read_traffic"]

_BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as far as thresholds are concerned.

    Attributes:
        score: its complexity score.
        tokens: the estimated size of its prompt.
    """

    score: float
    tokens: int


def read_traffic(path: Path, scorer: Scorer) -> list[Request]:
    """Reads traffic.

    Args:
        path: one request per line: a JSON object with `prompt`, a request body (`messages` or `input`), an event of our
            own log (its score is taken as it is), or a JSON string; or plain text, if the name doesn't end in .jsonl.
        scorer: scores what isn't scored yet.

    Raises:
        ConfigurationError: the file can't be read, a line isn't a request, or there are none.
    """
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as lines:
            found = (_request(path, number, line, scorer) for number, line in _whole(lines))
            requests = [request for request in found if request is not None]
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error}") from error
    if not requests:
        raise ConfigurationError(f"{path}: no prompts in it")
    return requests


def _whole(lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    """The lines that hold something, but for a last one that a router is still writing."""
    for number, line in enumerate(lines, 1):
        if line.strip() and (line.endswith("\n") or not line.lstrip().startswith("{") or line.rstrip().endswith("}")):
            yield number, line


def _request(path: Path, number: int, line: str, scorer: Scorer) -> Request | None:
    if path.suffix != ".jsonl" and not line.lstrip().startswith(("{", '"')):
        return _scored(line.strip(), scorer)
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}:{number}: not JSON: {error}") from error
    if isinstance(row, str):
        return _scored(row, scorer)
    if not isinstance(row, dict):
        raise ConfigurationError(f"{path}:{number}: expected an object or a string, found {type(row).__name__}")
    if "complexity_score" in row:
        return _logged(row)
    text = prompt_of(row)
    if not text:
        raise ConfigurationError(f"{path}:{number}: no prompt: expected 'prompt', 'messages', 'input' or an event")
    return Request(scorer(text).score, estimate_tokens(row) or len(text) // _BYTES_PER_TOKEN)


def _scored(text: str, scorer: Scorer) -> Request:
    return Request(scorer(text).score, len(text) // _BYTES_PER_TOKEN)


def _logged(event: Mapping[str, Any]) -> Request | None:
    """An event of a call that was scored; None for one that passed through."""
    score, tokens = event["complexity_score"], event.get("prompt_tokens_est")
    if not isinstance(score, int | float):
        return None
    return Request(float(score), tokens if isinstance(tokens, int) else 0)
