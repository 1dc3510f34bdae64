"""What is missing says how to get it; and calibrating needs nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llm_router_middleware.cli.app import app
from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.evaluation.numeric import numpy
from llm_router_middleware.evaluation.plot import plot
from llm_router_middleware.evaluation.sources import routellm_outcomes


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without numpy, pyarrow and matplotlib."""
    for name in ("numpy", "pyarrow", "pyarrow.parquet", "matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("bare")
def test_a_missing_extra_is_named(tmp_path: Path) -> None:
    """The message holds the line that installs it."""
    with pytest.raises(ConfigurationError, match=r"pip install 'llm-router-middleware\[evaluation\]'"):
        numpy()
    with pytest.raises(ConfigurationError, match=r"pip install 'llm-router-middleware\[plot\]'"):
        plot({"own": {}}, tmp_path / "x.png")
    with pytest.raises(ConfigurationError, match="pip install pyarrow"):
        routellm_outcomes(tmp_path / "x.parquet")


@pytest.mark.usefixtures("bare")
def test_calibrating_needs_no_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thresholds are plain Python; eval and adapt end with the line that helps."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "traffic.txt").write_text("Say hi.\nProve that it converges.\nWhat is a fox?\n" * 20)
    runner = CliRunner()
    assert runner.invoke(app, ["calibrate", "--prompts", "traffic.txt", "--target-premium", "0.3"]).exit_code == 0
    (tmp_path / "own.jsonl").write_text('{"prompt": "a", "weak": 0, "strong": 1}\n' * 120)
    for command in ("eval", "adapt"):
        result = runner.invoke(app, [command, "--outcomes", "own.jsonl"])
        assert result.exit_code == 2
        assert "llm-router-middleware[evaluation]" in result.stderr
