"""The command line as a user meets it: in an empty folder, without keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from llm_router_middleware.cli.app import app

Invoke = Callable[..., Result]


@pytest.fixture
def llm_router(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Runs `llm-router` with these arguments, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLM_ROUTER_SCORER", "heuristic")
    runner = CliRunner()

    def invoke(*arguments: str, stdin: str | bytes | None = None) -> Result:
        return runner.invoke(app, list(arguments), input=stdin)

    return invoke


@pytest.fixture
def as_json(llm_router: Invoke) -> Callable[..., Any]:
    """Runs `llm-router ... --json` and reads what it printed."""

    def invoke(*arguments: str, code: int = 0, stdin: str | bytes | None = None) -> Any:
        result = llm_router(*arguments, "--json", stdin=stdin)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    return invoke
