"""The command `llm-router`: a file per command, each imported when the program starts, heavy things when it runs."""

from __future__ import annotations

import io
import sys

__all__ = ["main"]


def main() -> None:
    """Runs the command line.

    Raises:
        SystemExit: always; with the command's exit code.
    """
    try:
        from llm_router_middleware.cli.app import app
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in {"typer", "rich"}:
            raise
        sys.exit(f"llm-router needs {missing.name}: pip install 'llm-router-middleware[cli]'")
    for stream in (sys.stdout, sys.stderr):
        # Prompts are in every script of the world; a terminal that can't show one shall show a question mark.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app(prog_name="llm-router")
