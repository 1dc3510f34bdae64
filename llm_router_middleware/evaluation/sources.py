"""Where RouteLLM's outcomes come from: the public repository, or a path that the user names."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.evaluation.outcomes import Outcome
from llm_router_middleware.evaluation.routellm import download, from_archive, from_folder, verified

__all__ = ["routellm_outcomes"]

_TEN_POINT = frozenset({"mt-bench"})
"""Benchmarks that a table holds on their judge's scale of 10."""


def routellm_outcomes(path: Path | None = None) -> dict[str, list[Outcome]]:
    """RouteLLM's three benchmarks, hash-checked.

    Args:
        path: a checkout of lm-sys/RouteLLM, its .tar.gz archive, or a parquet table with the columns benchmark,
            category, prompt, weak, strong; None to download the archive.

    Raises:
        ConfigurationError: they can't be read, or aren't what the published figures are about.
    """
    if path is None:
        return download()
    if path.is_dir():
        return from_folder(path)
    if path.suffix == ".parquet":
        return _from_table(path)
    try:
        return from_archive(path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error}") from error


def _from_table(path: Path) -> dict[str, list[Outcome]]:
    try:
        arrow = import_module("pyarrow")
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        raise ConfigurationError(f"{path}: reading parquet needs pyarrow: pip install pyarrow") from None
    try:
        rows = parquet.read_table(path).to_pylist()
    except (OSError, arrow.ArrowException) as error:
        raise ConfigurationError(f"{path}: can't be read: {error}") from error
    outcomes: dict[str, list[Outcome]] = {}
    for row in rows:
        scale = 10 if row["benchmark"] in _TEN_POINT else 1
        outcome = Outcome(row["prompt"], row["weak"] / scale, row["strong"] / scale, row["category"])
        outcomes.setdefault(row["benchmark"], []).append(outcome)
    return verified(outcomes, str(path))
