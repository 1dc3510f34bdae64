"""`llm-router run`: a program that knows nothing of us, routed by its environment alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import typer

from llm_router_middleware.cli import show, world

__all__ = ["command_line", "environment", "run_command"]

_PACKAGE = Path(__file__).resolve().parents[1]


def run_command(
    context: typer.Context,
    target: str = typer.Argument(..., help="A Python file, or a command such as uvicorn; a module with -m."),
    module: bool = typer.Option(False, "-m", help="TARGET is a module, as in python -m."),
    events: Path | None = typer.Option(None, help="Also write one JSON line per call to this file."),
) -> None:
    """Runs a program with every SDK client in it routed, and in all its child processes. Its code is not changed.

    Everything behind TARGET is passed on to it. Options of this command stand before TARGET.
    """
    command = command_line(target, context.args, module=module)
    environ = environment(os.environ, events)
    # What is wrong with the configuration is said now, not in the middle of the program's first call.
    for warning in world.settings(environ).warnings:
        typer.echo(f"llm-router: {warning}", err=True)
    _become(command, environ)


def command_line(target: str, arguments: list[str], *, module: bool = False) -> list[str]:
    """What to execute.

    Args:
        target: a file, a folder with a `__main__.py`, a command, or a module's name.
        arguments: of the program.
        module: whether it is a module.

    Raises:
        typer.Exit: it is neither a file nor a command.
    """
    if module:
        return [sys.executable, "-m", target, *arguments]
    path = Path(target)
    if path.is_file() or (path / "__main__.py").is_file():
        return [sys.executable, target, *arguments]
    found = shutil.which(target)
    if found is None:
        show.fail(f"{target}: neither a file nor a command")
    return [found, *arguments]


def environment(environ: Mapping[str, str], events: Path | None = None) -> dict[str, str]:
    """The environment of a routed program: switched on, and our `sitecustomize` first on its path.

    Args:
        environ: this process's own. `LLM_ROUTER_ENABLED` stays as it is where it is set.
        events: a file for the events.
    """
    changed = dict(environ)
    changed["LLM_ROUTER_ENABLED"] = environ.get("LLM_ROUTER_ENABLED") or "1"
    if events is not None:
        changed["LLM_ROUTER_SINKS__JSONL"] = str(events.absolute())
    changed["PYTHONPATH"] = os.pathsep.join(_path(environ.get("PYTHONPATH", "")))
    return changed


def _path(theirs: str) -> list[str]:
    first = str(_PACKAGE / "auto" / "path")
    last = [] if _is_installed() else [str(_PACKAGE.parent)]
    # An empty variable is none, but an empty entry is the working directory: it stays.
    rest = [place for place in theirs.split(os.pathsep) if place != first] if theirs else []
    return [first, *rest, *last]


def _is_installed() -> bool:
    """Whether other interpreters of this environment find the package without our help."""
    try:
        metadata.distribution("llm-router-middleware")
    except metadata.PackageNotFoundError:
        return False
    return True


def _become(command: list[str], environ: Mapping[str, str]) -> None:
    """Replaces this process, so that signals, streams and the exit code are the program's own."""
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform == "win32":
        # There, exec would start a second process and let this one end before it.
        raise typer.Exit(subprocess.run(command, env=dict(environ), check=False).returncode)  # noqa: S603 - the user's own
    try:
        os.execve(command[0], command, dict(environ))  # noqa: S606 - the user's own command
    except OSError as error:
        show.fail(f"{command[0]}: {error.strerror}")
