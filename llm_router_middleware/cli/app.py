"""The table of commands."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer

from llm_router_middleware.cli.demo import demo_command
from llm_router_middleware.cli.doctor import doctor_command
from llm_router_middleware.cli.explain import explain_command
from llm_router_middleware.cli.models import models_command
from llm_router_middleware.cli.report import report_command
from llm_router_middleware.cli.run import run_command
from llm_router_middleware.cli.simulate import simulate_command

__all__ = ["app"]

_HERE = "llm_router_middleware.cli"

_TRAINING = {
    "eval": "How good the routing is, on a file of prompts with known outcomes.",
    "calibrate": "Thresholds that give the shares of traffic you want.",
    "adapt": "Fits the scorer to your own outcomes.",
}
"""Commands that may need more than this package brings along, with their help if they can't be loaded."""

app = typer.Typer(
    help="Routing, failover and cost control for the OpenAI, Anthropic and Groq SDKs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and leave."),
) -> None:
    if version:
        from llm_router_middleware import __version__

        print(__version__)
        raise typer.Exit


def _load(name: str) -> Callable[..., Any]:
    """A command's function; if it can't be loaded, one that says why."""
    try:
        command: Callable[..., Any] = getattr(import_module(f"{_HERE}.{name}"), f"{name}_command")
    except ImportError as error:
        return _missing(name, str(error))
    return command


def _missing(name: str, why: str) -> Callable[[], None]:
    def command() -> None:
        typer.echo(f"llm-router {name} is not available here: {why}", err=True)
        raise typer.Exit(2)

    command.__doc__ = _TRAINING[name]
    return command


app.command("demo")(demo_command)
app.command(
    "run",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False},
)(run_command)
app.command("explain")(explain_command)
app.command("models")(models_command)
app.command("report")(report_command)
app.command("simulate")(simulate_command)
app.command("doctor")(doctor_command)
for _name in _TRAINING:
    app.command(_name)(_load(_name))
