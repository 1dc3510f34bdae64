"""The command as such: its table, its version, and what it says when something is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import llm_router_middleware
from llm_router_middleware.cli import app as table
from tests.cli.conftest import Invoke

COMMANDS = ["demo", "run", "explain", "models", "report", "simulate", "doctor", "eval", "calibrate", "adapt"]


def python(code: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, **environ},
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_help_lists_every_command(llm_router: Invoke) -> None:
    """Ten commands, each with a sentence."""
    result = llm_router("--help")
    assert result.exit_code == 0
    for command in COMMANDS:
        assert f" {command} " in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(llm_router: Invoke, command: str) -> None:
    """`--help` of each works without anything that the command itself needs."""
    assert llm_router(command, "--help").exit_code == 0


def test_the_documentation_names_every_command() -> None:
    """docs/cli.md has a section per command."""
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    headings = " ".join(line for line in page.splitlines() if line.startswith("## "))
    assert [command for command in COMMANDS if f"`{command}`" not in headings] == []


def test_version(llm_router: Invoke) -> None:
    """`--version` prints the package's."""
    assert llm_router("--version").stdout == f"{llm_router_middleware.__version__}\n"


def test_a_command_that_cannot_be_loaded_breaks_no_other(llm_router: Invoke) -> None:
    """In its place stands one that says what is missing."""
    stub = table._missing("eval", "No module named 'numpy'")
    table.app.command("broken")(stub)
    result = llm_router("broken")
    table.app.registered_commands.pop()
    assert result.exit_code == 2
    assert result.stderr == "llm-router eval is not available here: No module named 'numpy'\n"


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra_one_line_says_what_to_install(tmp_path: Path, missing: str) -> None:
    """No traceback: the name of what is missing, and the command that brings it."""
    code = f"import sys; sys.modules[{missing!r}] = None; from llm_router_middleware.cli import main; main()"
    done = python(code, tmp_path)
    assert done.returncode == 1
    assert done.stderr.decode().strip() == f"llm-router needs {missing}: pip install 'llm-router-middleware[cli]'"


def test_a_terminal_without_unicode_is_no_reason_to_fail(tmp_path: Path) -> None:
    """Prompts in other scripts are shown as well as the terminal can."""
    call = "from llm_router_middleware.cli import main; main()"
    code = f"import sys; sys.argv[1:] = ['explain', 'Как дела?', '--model', 'Модель']; {call}"
    done = python(code, tmp_path, PYTHONIOENCODING="ascii", LLM_ROUTER_SCORER="heuristic")
    assert done.returncode == 0, done.stderr


def test_the_table_of_commands_imports_no_sdk_and_no_router(tmp_path: Path) -> None:
    """Help is quick: what a command needs is imported when it runs."""
    code = (
        "import sys; import llm_router_middleware.cli.app; "
        "print([n for n in sys.modules if n in ('openai', 'anthropic', 'groq', 'genai_prices', 'pydantic_settings', "
        "'llm_router_middleware.router')])"
    )
    assert python(code, tmp_path).stdout.decode().strip() == "[]"
