"""The outcomes that are never part of the project: beside it, or nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_router_middleware.evaluation.outcomes import Outcome
from llm_router_middleware.evaluation.sources import routellm_outcomes

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def table() -> Path:
    """RouteLLM's outcomes as a table."""
    path = SHARED / "routellm_outcomes.parquet"
    if not path.exists():
        pytest.skip(f"RouteLLM's outcomes aren't here: no {path.name} in ../shared/data")
    return path


@pytest.fixture(scope="session")
def routellm(table: Path) -> dict[str, list[Outcome]]:
    """RouteLLM's outcomes, hash-checked."""
    return routellm_outcomes(table)


@pytest.fixture(scope="session")
def training_table() -> Path:
    """The training prompts as a table."""
    path = SHARED / "training_prompts.parquet"
    if not path.exists():
        pytest.skip(f"the training prompts aren't here: no {path.name} in ../shared/data")
    return path
