"""`llm-router eval`: scorers against benchmarks, with intervals, beside the published rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llm_router_middleware.cli import show, world
from llm_router_middleware.errors import ConfigurationError

if TYPE_CHECKING:
    from llm_router_middleware.evaluation.benchmarks import Benchmark
    from llm_router_middleware.evaluation.judge import Ranking, Row
    from llm_router_middleware.evaluation.metrics import Interval
    from llm_router_middleware.settings import RouterSettings

__all__ = ["eval_command"]


def eval_command(
    data: Annotated[
        Path | None,
        typer.Option(help="A checkout, archive or table of lm-sys/RouteLLM's outcomes; downloaded when not given."),
    ] = None,
    outcomes: Annotated[
        Path | None, typer.Option(help="Your own labelled outcomes instead: JSONL or CSV with prompt, weak, strong.")
    ] = None,
    scorer: Annotated[
        list[str] | None, typer.Option(help="learned, heuristic or module:attribute; may be given several times.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the curves into this PNG or SVG file.")] = None,
    draws: Annotated[int, typer.Option(min=100, help="Bootstrap resamples.")] = 1_000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")] = False,
) -> None:
    """How well scorers route: APGR and CPT on RouteLLM's benchmarks or your own outcomes, with 95 % intervals."""
    from llm_router_middleware.evaluation.judge import judge

    try:
        settings = world.settings()
        names = scorer or [settings.scorer]
        benchmarks = _benchmarks(data, outcomes)
        _refuse_known(benchmarks, names, settings)
        rows, curves = judge(benchmarks, _rankings(names, settings), draws=draws)
        if plot is not None:
            from llm_router_middleware.evaluation.plot import plot as draw

            draw(curves, plot)
    except ConfigurationError as error:
        show.fail(str(error))
    if as_json:
        show.print_json(_document(benchmarks, rows))
    else:
        _print(benchmarks, rows)


def _benchmarks(data: Path | None, outcomes: Path | None) -> list[Benchmark]:
    from llm_router_middleware.evaluation.benchmarks import benchmark, mixed
    from llm_router_middleware.evaluation.outcomes import read_outcomes
    from llm_router_middleware.evaluation.sources import routellm_outcomes

    if outcomes is not None:
        return [benchmark(outcomes.stem, read_outcomes(outcomes))]
    if data is None:
        typer.echo("fetching the outcomes from github.com/lm-sys/RouteLLM; --data PATH uses a copy", err=True)
    parts = routellm_outcomes(data)
    return [*(benchmark(name, part) for name, part in parts.items()), mixed(parts)]


def _rankings(names: Sequence[str], settings: RouterSettings) -> dict[str, Ranking]:
    from llm_router_middleware.evaluation.judge import BASELINES, ranking
    from llm_router_middleware.parts import scorer_of

    return {name: ranking(scorer_of(name, settings)) for name in names if name not in BASELINES}


def _refuse_known(benchmarks: Sequence[Benchmark], names: Sequence[str], settings: RouterSettings) -> None:
    """Neither the weights nor a correction are judged on what they were fitted on."""
    from llm_router_middleware.evaluation.judge import refuse_known
    from llm_router_middleware.evaluation.manifest import Manifest
    from llm_router_middleware.scoring.correction import Correction

    if "learned" not in names:
        return
    refuse_known(benchmarks, Manifest.shipped(), "the learned scorer's weights")
    correction = Correction.load(settings.scorer_correction)
    if correction is not None:
        manifest = Manifest(correction.evidence.get("manifest", ()))
        refuse_known(benchmarks, manifest, f"the correction {settings.scorer_correction}")


def _document(benchmarks: Sequence[Benchmark], rows: Sequence[Row]) -> dict[str, Any]:
    from llm_router_middleware.evaluation.routellm import PUBLISHED

    columns = ("router", "cpt50", "cpt80", "apgr")
    names = {bench.name for bench in benchmarks}
    published = {
        name: [dict(zip(columns, row, strict=True)) for row in PUBLISHED[name]] for name in names & PUBLISHED.keys()
    }
    sizes = {b.name: {"questions": len(b.prompts), "weak": b.weak, "strong": b.strong} for b in benchmarks}
    return {"benchmarks": sizes, "rows": [row.document() for row in rows], "published": published}


def _print(benchmarks: Sequence[Benchmark], rows: Sequence[Row]) -> None:
    from llm_router_middleware.evaluation.routellm import PUBLISHED

    screen = show.console()
    for bench in benchmarks:
        mine = [row for row in rows if row.benchmark == bench.name]
        cells = [_cells(row) for row in mine]
        cells += [
            (f"{router} (published)", f"{apgr:.3f}", f"{cpt50:.1f}", f"{cpt80:.1f}")
            for router, cpt50, cpt80, apgr in PUBLISHED.get(bench.name, ())
        ]
        title = f"{bench.name}: {len(bench.prompts)} questions, weak {bench.weak:.3f}, strong {bench.strong:.3f}"
        screen.print(show.table(title, ("scorer", "APGR", "CPT50", "CPT80"), cells))
        for row in mine:
            for other, interval in row.over.items():
                screen.print(f"{row.scorer} over {other}: APGR {_interval(interval, '+.3f')}")
        screen.print()
    screen.print("APGR: higher is better, 0.5 is random. CPT: lower is better, 50 and 80 are random.")
    screen.print("In brackets 95 % bootstrap intervals over questions; differences are paired.")
    screen.print(
        "Published rows (arXiv 2406.18665) call an embedding or language model per request, and each benchmark's"
    )
    screen.print("best is another router with another training set.")


def _cells(row: Row) -> tuple[str, ...]:
    cpts = (f"{cpt.value:.1f}" for cpt in (row.quality.cpt50, row.quality.cpt80))
    return (row.scorer, _interval(row.quality.apgr, ".3f"), *cpts)


def _interval(interval: Interval, form: str) -> str:
    return f"{interval.value:{form}} [{interval.low:{form}}, {interval.high:{form}}]"
