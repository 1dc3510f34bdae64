"""Curves as a picture: quality recovered over the share of calls to the strong model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.evaluation.routellm import PUBLISHED

if TYPE_CHECKING:
    from llm_router_middleware.evaluation.numeric import Array

__all__ = ["plot"]

_MARKS = "osD^vP"


def plot(curves: Mapping[str, Mapping[str, tuple[Array, Array]]], path: Path) -> None:
    """Draws a panel per benchmark; published routers are points at PGR 0.5 and 0.8.

    Args:
        curves: per benchmark and scorer, the share of calls and the PGR.
        path: where to write; its ending says PNG or SVG.

    Raises:
        ConfigurationError: matplotlib isn't installed, or the path can't be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigurationError("plots need matplotlib: pip install 'llm-router-middleware[plot]'") from None
    figure = Figure(figsize=(5 * len(curves), 4.2), layout="constrained")
    for axes, (name, lines) in zip(figure.subplots(1, len(curves), squeeze=False)[0], curves.items(), strict=True):
        _panel(axes, name, lines)
    try:
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path}: can't be written: {error}") from error


def _panel(axes: Any, name: str, lines: Mapping[str, tuple[Array, Array]]) -> None:
    for scorer, (share, pgr) in lines.items():
        axes.plot(100 * share, pgr, label=scorer, linewidth=1 if scorer == "random" else 1.8)
    for mark, (router, cpt50, cpt80, apgr) in zip(_MARKS, PUBLISHED.get(name, ()), strict=False):
        axes.plot([cpt50, cpt80], [0.5, 0.8], mark, color="grey", markersize=5, label=f"{router} ({apgr}, published)")
    axes.set(title=name, xlabel="calls to the strong model, %", ylabel="performance gap recovered", xlim=(0, 100))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, loc="lower right")
