"""What the demo shows: progress while it plays, and the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from llm_router_middleware.cli import show, words
from llm_router_middleware.cli.demo.play import Turn
from llm_router_middleware.cli.demo.stage import FALLS, MEDIANS_S, Stage
from llm_router_middleware.cli.demo.timeline import Change
from llm_router_middleware.cli.figures import FAILED_OVER, Figures, figures, usage_of
from llm_router_middleware.cli.tables import print_figures
from llm_router_middleware.models.prices import cost_usd
from llm_router_middleware.models.spec import Tier

__all__ = ["Result", "Screen"]


class Screen:
    """The progress bar.

    Args:
        stage: where it plays.
        order: all calls.
        down: the numbers of the calls that meet the outage.
        quiet: show nothing.
    """

    def __init__(self, stage: Stage, order: Sequence[Turn], down: range, *, quiet: bool) -> None:
        self._stage = stage
        self._down = down
        self._counts: Counter[str] = Counter()
        self._saved = 0.0
        self._out = show.console()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[tally]}"),
            console=self._out,
            disable=quiet,
        )
        if not quiet:
            self._introduce(order)
        self._task = self._bar.add_task("calls", total=len(order), tally="")

    def __enter__(self) -> Screen:
        self._bar.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._bar.stop()

    def done(self, turn: Turn) -> None:
        """One more call is over."""
        if turn.event is not None:
            spec = self._stage.router.registry.find(turn.event.selected_provider, turn.event.selected_model)
            self._counts[str(spec.tier) if spec is not None else "other"] += 1
            self._counts["failovers"] += turn.event.selection_reason in FAILED_OVER
            self._saved += turn.event.savings_usd or 0.0
        self._counts["failed"] += turn.error is not None
        where = f"[red]{FALLS} is down[/]" if turn.number in self._down else "calls"
        tally = "  ".join(f"{name} {self._counts[name]}" for name in (*map(str, Tier), "failovers", "failed"))
        self._bar.update(self._task, advance=1, description=where, tally=f"{tally}  saved {show.usd(self._saved)}")

    def _introduce(self, order: Sequence[Turn]) -> None:
        prompts = len({id(turn.prompt) for turn in order})
        sdks = ", ".join(self._stage.sdks)
        self._out.print(f"{prompts} prompts, {len(order)} calls through {sdks}: sync, async, whole and streaming.")
        if self._stage.sandbox is None:
            self._out.print("Live: real providers, real money.")
            return
        medians = ", ".join(f"{tier} {1000 * median:.0f} ms" for tier, median in MEDIANS_S.items())
        self._out.print(
            f"The providers are a sandbox on this machine; their latencies are scripted (median {medians})."
        )
        if self._down:
            self._out.print(f"{FALLS} answers 503 to everything from call {self._down.start} to {self._down.stop - 1}.")


class Result:
    """What came of it.

    Args:
        stage: where it played.
        order: all calls, made.
        down: the numbers of the calls that met the outage.
        changes: what the circuit breakers did.
        took_s: seconds for all of it.
        path: the file of events.
    """

    def __init__(
        self, stage: Stage, order: Sequence[Turn], down: range, changes: Sequence[Change], took_s: float, path: Path
    ) -> None:
        self._stage = stage
        self._order = order
        self._down = down
        self._changes = changes
        self._took_s = took_s
        self._path = path
        self.failed = sum(turn.error is not None for turn in order)
        self.unrecorded = sum(not turn.recorded for turn in order) or abs(len(order) - len(stage.events))
        self.figures: Figures = figures([e.to_dict() for e in stage.events], self._tier_of, self._premium_usd)

    @property
    def is_good(self) -> bool:
        """Whether every call was answered and recorded."""
        return not self.failed and not self.unrecorded

    def to_dict(self, *, explain: bool) -> dict[str, Any]:
        """As plain JSON types."""
        plain: dict[str, Any] = {
            "live": self._stage.sandbox is None,
            "latencies_scripted": self._stage.sandbox is not None,
            "outage": {"provider": FALLS, "calls": [self._down.start, self._down.stop - 1]} if self._down else None,
            "calls": len(self._order),
            "failed": self.failed,
            "unrecorded": self.unrecorded,
            "seconds": self._took_s,
            "forms": dict(Counter(f"{turn.sdk} {turn.form}" for turn in self._order)),
            "figures": self.figures.to_dict(),
            "breakers": [asdict(change) for change in self._changes],
            "events": str(self._path),
        }
        if explain:
            plain["decisions"] = [_decision(turn) for turn in self._order]
        return plain

    def print(self, *, explain: bool) -> None:
        """As tables."""
        out = show.console()
        if explain:
            for turn in self._order:
                out.print("\n".join(_told(turn)), markup=False)
        out.print()
        print_figures(out, self.figures)
        if self._changes:
            rows = [(f"{c.at_s:.2f} s", c.circuit, f"{c.before} -> {c.after}", c.reason) for c in self._changes]
            out.print(show.table("Circuit breakers", ("at", "circuit", "state", "why"), rows, left=4))
        for line in self._summary():
            out.print(line)
        for turn in self._order:
            if turn.error is not None:
                out.print(f"call {turn.number} failed: {type(turn.error).__name__}", markup=False)
        out.print(
            f"{len(self._order)} calls in {self._took_s:.1f} s, {self.failed} failed, {self.unrecorded} unrecorded."
        )
        out.print(f"events: {self._path}   (llm-router report {self._path})", markup=False, soft_wrap=True)

    def _summary(self) -> list[str]:
        total, first = self.figures.total, self._stage.router.registry.tier(Tier.PREMIUM)[0].key
        lines = [
            f"saved {show.usd(total.savings_usd)} of {show.usd(total.baseline_usd)} ({show.share(total.saved)}) "
            "against the models that were asked for"
        ]
        if total.premium_usd and total.cost_usd is not None:
            lines.append(
                f"{show.usd(total.cost_usd)} instead of {show.usd(total.premium_usd)} "
                f"({show.share(1 - total.cost_usd / total.premium_usd)} less) against all-premium: the same tokens on "
                f"the premium model that was asked for, else on {first}"
            )
        lines.append(
            f"{self.figures.failovers} calls were served by another model because the first choice was failing"
        )
        return lines

    def _tier_of(self, provider: str, model: str) -> str | None:
        spec = self._stage.router.registry.find(provider, model)
        return None if spec is None else str(spec.tier)

    def _premium_usd(self, event: Mapping[str, Any]) -> float | None:
        """The event's own tokens on the premium model that was asked for, or on the first of the registry."""
        registry = self._stage.router.registry
        for spec in registry.known:
            if spec.name == event["requested_model"] and spec.tier is Tier.PREMIUM:
                return cost_usd(spec, usage_of(event))
        return cost_usd(registry.tier(Tier.PREMIUM)[0], usage_of(event))


def _told(turn: Turn) -> list[str]:
    ask = " ".join(turn.prompt.ask.split())
    head = f"{turn.number:>4} {turn.sdk} {turn.form}, {turn.prompt.kind}: {ask[:70]}{'...' if ask[70:] else ''}"
    if turn.event is None:
        return [head, "     not recorded"]
    signals = ", ".join(turn.event.complexity_signals) or "none"
    refused = [f"{provider}/{model}: {why}" for model, provider, why in turn.event.ruled_out]
    lines = [head, f"     {words.of_event(turn.event)}", f"     signals: {signals}"]
    return lines + ([f"     ruled out: {'; '.join(refused)}"] if refused else [])


def _decision(turn: Turn) -> dict[str, Any]:
    return {
        "call": turn.number,
        "sdk": turn.sdk,
        "form": str(turn.form),
        "kind": turn.prompt.kind,
        "event": None if turn.event is None else turn.event.to_dict(),
    }
