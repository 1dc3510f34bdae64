"""`llm-router adapt`: the scorer fitted to a user's own outcomes, if there is evidence that it gains."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llm_router_middleware.cli import show
from llm_router_middleware.errors import ConfigurationError

if TYPE_CHECKING:
    from llm_router_middleware.evaluation.adapt import Adaptation

__all__ = ["adapt_command"]


def adapt_command(
    outcomes: Annotated[
        Path, typer.Option(help="Your labelled outcomes: JSONL or CSV with prompt (or a body), weak and strong.")
    ],
    to: Annotated[Path, typer.Option(help="The correction file.")] = Path("scorer_correction.json"),
    config: Annotated[Path, typer.Option(help="The configuration file that shall use it.")] = Path("llm_router.toml"),
    write: Annotated[
        bool, typer.Option("--write", help="Also set scorer_correction in the configuration file.")
    ] = False,
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="How sure the gain must be, as a bootstrap probability.")
    ] = 0.8,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of prose.")] = False,
) -> None:
    """Fits a correction of the learned score on your outcomes. Writes it only if cross-validation shows a gain."""
    from llm_router_middleware.evaluation.adapt import adapt
    from llm_router_middleware.evaluation.outcomes import read_outcomes
    from llm_router_middleware.evaluation.toml_edit import diff, with_values
    from llm_router_middleware.scoring import LearnedScorer

    try:
        found = adapt(read_outcomes(outcomes), LearnedScorer().load(), confidence=confidence)
        before = config.read_text("utf-8") if config.exists() else ""
        after = with_values(before, {"scorer_correction": str(to)}) if found.correction else before
        if found.correction is not None:
            to.write_text(json.dumps(found.correction.document(), separators=(",", ":")), "utf-8")
            if write:
                config.write_text(after, "utf-8")
    except ConfigurationError as error:
        show.fail(str(error))
    except OSError as error:
        show.fail(f"{error.filename or to}: {error.strerror or type(error).__name__}")
    if as_json:
        show.print_json(_document(found, to))
    else:
        _print(found, to, diff(before, after, config.name), config if write else None)
    if found.correction is None:
        raise typer.Exit(1)


def _document(found: Adaptation, to: Path) -> dict[str, Any]:
    return {
        "labels": found.labels,
        "apgr_shipped": found.shipped,
        "apgr_adapted": found.adapted,
        "gain": asdict(found.gain),
        "confidence": found.confidence,
        "enough_evidence": found.correction is not None,
        "written": None if found.correction is None else str(to),
    }


def _print(found: Adaptation, to: Path, change: str, written: Path | None) -> None:
    typer.echo(f"{found.labels} labelled outcomes; APGR by cross-validation, every label judged by a fit without it")
    typer.echo(f"  shipped score  {found.shipped:.3f}")
    typer.echo(f"  corrected      {found.adapted:.3f}")
    gain = found.gain
    typer.echo(f"  gain           {gain.value:+.3f}, 80 % interval [{gain.low:+.3f}, {gain.high:+.3f}]")
    typer.echo(f"  above 0 in     {show.share(found.confidence)} of the resamples")
    if found.correction is None:
        typer.echo(
            "not enough evidence: nothing is written. More labels, or a stronger pattern in them, would show it."
        )
        return
    typer.echo(f"the correction is in {to}; it holds words of your prompts, so keep it as you keep them\n")
    typer.echo(change or "the configuration file uses it already")
    if change:
        typer.echo(f"written to {written}" if written else "not written: --write makes the change")
    typer.echo("thresholds from before don't fit the corrected score: run llm-router calibrate again")
