"""`llm-router explain`: what would be done with a request, and why, without making it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from llm_router_middleware.cli import show, words
from llm_router_middleware.errors import ConfigurationError

if TYPE_CHECKING:
    from llm_router_middleware.routing.decision import RoutingDecision

__all__ = ["explain_command"]


def explain_command(
    prompt: str = typer.Argument("-", help="A prompt, or a request as JSON; - for standard input.", show_default=False),
    file: Path | None = typer.Option(None, "--file", "-f", help="Read prompt or request from a file."),
    model: str = typer.Option("auto", help="The model that the caller names, where the request names none."),
    provider: str | None = typer.Option(None, help="Whose client makes the call; else told from model and request."),
    as_json: bool = typer.Option(False, "--json", help="One JSON document instead of text."),
) -> None:
    """Shows score, signals, the candidates in order, and who was ruled out and why. Calls nobody."""
    request = _request(_text(prompt, file), model)
    decision = _decide(request, provider)
    if as_json:
        show.print_json({"sentence": words.of_decision(decision), **_plain(decision)})
    else:
        _print(decision)


def _text(prompt: str, file: Path | None) -> str:
    try:
        if file is not None:
            return file.read_text(encoding="utf-8")
        return sys.stdin.read() if prompt == "-" else prompt
    except OSError as error:
        show.fail(f"{file}: {error.strerror or type(error).__name__}")
    except UnicodeDecodeError:
        show.fail(f"{file or 'standard input'}: not a text in UTF-8")


def _request(text: str, model: str) -> dict[str, Any]:
    """A JSON object with messages is a request; everything else is a prompt."""
    if not text.strip():
        show.fail("nothing to explain: give a prompt, or a request as JSON")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and ("messages" in value or "input" in value):
        return {"model": model, **value}
    return {"model": model, "messages": [{"role": "user", "content": text}]}


def _decide(request: Mapping[str, Any], provider: str | None) -> RoutingDecision:
    from llm_router_middleware.router import Router

    try:
        router = Router.from_env()
    except ConfigurationError as error:
        show.fail(str(error))
    known = tuple(router.settings.provider_specs())
    if provider is not None and provider not in known:
        show.fail(f"--provider={provider}: expected one of {', '.join(known)}")
    return router.explain(request, provider=provider)


def _plain(decision: RoutingDecision) -> dict[str, Any]:
    return {
        "reason": decision.reason,
        "tier": decision.tier,
        "complexity_tier": decision.complexity_tier,
        "score": decision.score,
        "signals": decision.signals,
        "prompt_tokens_est": decision.prompt_tokens,
        "requested": None if decision.requested is None else decision.requested.key,
        "candidates": [model.key for model in decision.candidates],
        "ruled_out": [asdict(out) for out in decision.ruled_out],
    }


def _print(decision: RoutingDecision) -> None:
    screen = show.console()
    screen.print(words.of_decision(decision), markup=False)
    screen.print()
    screen.print(f"score    {decision.score:.3f}   (about {decision.prompt_tokens} prompt tokens)")
    screen.print(f"signals  {', '.join(decision.signals) or 'none'}", markup=False)
    if decision.candidates:
        rows = [
            (str(place), model.key, str(model.tier), *_price(model))
            for place, model in enumerate(decision.candidates, 1)
        ]
        columns = ("", "candidate", "tier", "in $/M", "out $/M")
        screen.print(show.table("In this order", columns, rows, left=3))
    if decision.ruled_out:
        out = [(f"{out.provider}/{out.model}", out.reason) for out in decision.ruled_out]
        screen.print(show.table("Ruled out", ("model", "why"), out, left=2))


def _price(model: Any) -> tuple[str, str]:
    price = model.price
    return ("-", "-") if price is None else (show.per_mtok(price.input), show.per_mtok(price.output))
