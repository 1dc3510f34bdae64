"""How things look on the terminal: one console, one style of table, one way to write money, shares and seconds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["console", "fail", "per_mtok", "print_json", "seconds", "share", "table", "usd"]


def console(*, stderr: bool = False) -> Console:
    """Where to write; made when it is needed, so that it writes to the streams of that moment."""
    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal:
        # A file or a pipe has no width of its own; 80 columns would only break names in two.
        made.width = max(made.width, 110)
    return made


def fail(message: str) -> NoReturn:
    """Ends the command with a message for people and exit code 2.

    Raises:
        typer.Exit: always.
    """
    typer.echo(f"llm-router: {message}", err=True)
    raise typer.Exit(2)


def print_json(value: Any) -> None:
    """One JSON document on stdout, and nothing else."""
    typer.echo(json.dumps(value, indent=2, allow_nan=False, default=str))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> Table:
    """A table with its first `left` columns of text and numbers in the others. Cells are text, not markup."""
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        made.add_column(column, justify="left" if index < left else "right", no_wrap=index >= left, overflow="fold")
    for row in rows:
        made.add_row(*(escape(cell) for cell in row))
    return made


def usd(value: float | None) -> str:
    """Money, to four significant digits below a dollar; a dash for unknown."""
    if value is None:
        return "-"
    sign, size = ("-" if value < 0 else ""), abs(value)
    if size >= 1 or size == 0:
        return f"{sign}${size:,.2f}"
    return f"{sign}${size:.6f}" if size < 0.01 else f"{sign}${size:.4f}"


def per_mtok(value: float | None) -> str:
    """A price in USD per million tokens; a dash for unknown."""
    return "-" if value is None else f"{value:,.4g}"


def share(value: float | None) -> str:
    """A share, in percent."""
    return "-" if value is None else f"{100 * value:.1f} %"


def seconds(value: float | None) -> str:
    """Seconds, or milliseconds below one."""
    if value is None:
        return "-"
    return f"{value:.2f} s" if value >= 1 else f"{1000 * value:.0f} ms"
