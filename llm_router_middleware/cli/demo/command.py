"""The command: its options, and what may be wrong with them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import typer

from llm_router_middleware.cli import show
from llm_router_middleware.cli.demo.prompts import Prompt, PromptError, bundled, read

__all__ = ["demo_command"]


def demo_command(
    prompts: Path | None = typer.Option(
        None, help="Your own prompts: JSON lines with 'prompt' or 'messages', or text, one a line."
    ),
    limit: int | None = typer.Option(None, min=1, help="Only the first so many prompts."),
    explain: bool = typer.Option(False, help="Print every decision."),
    events: Path | None = typer.Option(None, help="Where the events go, as JSON lines; a new folder when not given."),
    live: bool = typer.Option(False, help="The real providers, with the keys in the environment. Costs money."),
    outage: bool = typer.Option(True, help="Let a provider fall over in the middle (never with --live)."),
    scorer: str | None = typer.Option(None, help="learned, heuristic, or your own as module:attribute."),
    seed: int = typer.Option(1, help="Of the scripted latencies."),
    as_json: bool = typer.Option(False, "--json", help="One JSON document, and nothing else on stdout."),
) -> None:
    """Routes real SDK clients: sync, async and streaming, through an outage. Needs no keys, and no network.

    The exit code is 1 if a call failed or was not recorded.
    """
    asked = _prompts(prompts)[:limit]
    try:
        from llm_router_middleware.cli.demo.perform import Wishes, perform
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("llm_router_middleware"):
            raise
        show.fail(f"the demo needs {missing.name}: pip install 'llm-router-middleware[demo]'")
    path = events if events is not None else Path(tempfile.mkdtemp(prefix="llm-router-")) / "events.jsonl"
    result = perform(asked, Wishes(path, live=live, outage=outage, scorer=scorer, seed=seed, quiet=as_json))
    if as_json:
        show.print_json(result.to_dict(explain=explain))
    else:
        result.print(explain=explain)
    raise typer.Exit(0 if result.is_good else 1)


def _prompts(path: Path | None) -> list[Prompt]:
    try:
        return bundled() if path is None else read(path)
    except PromptError as error:
        show.fail(str(error))
    except OSError as error:
        show.fail(f"{path}: {error.strerror or type(error).__name__}")
