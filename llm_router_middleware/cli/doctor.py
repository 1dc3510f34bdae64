"""`llm-router doctor`: what is installed, what is configured, and whether a wrapped client is really routed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, Literal

import typer

from llm_router_middleware.cli import show
from llm_router_middleware.errors import ConfigurationError

if TYPE_CHECKING:
    from llm_router_middleware.settings import RouterSettings

__all__ = ["Finding", "doctor_command", "findings"]

_SDKS = ("openai", "anthropic", "groq")
_MARKS = {"ok": "ok  ", "note": "note", "bad": "BAD "}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        state: "ok"; "note" for what may be as it should; "bad" for what is broken.
        subject: what.
        text: what was found. Never a key.
    """

    state: Literal["ok", "note", "bad"]
    subject: str
    text: str


def doctor_command(
    as_json: bool = typer.Option(False, "--json", help="One JSON document instead of lines."),
) -> None:
    """Checks versions, keys (never shown), settings and where each comes from, and routes one call in memory per SDK.

    The exit code is 1 if anything is broken.
    """
    found = list(findings())
    broken = any(finding.state == "bad" for finding in found)
    if as_json:
        show.print_json({"healthy": not broken, "findings": [asdict(finding) for finding in found]})
    else:
        _print(found, broken)
    raise typer.Exit(1 if broken else 0)


def findings() -> Iterator[Finding]:
    """Everything, in the order in which things depend on each other."""
    yield Finding("ok", "python", sys.version.partition(" ")[0])
    for package in ("llm-router-middleware", "wrapt", "pydantic-settings", "genai-prices"):
        yield _package(package, needed=True)
    yield from (_package(sdk, needed=False) for sdk in _SDKS)
    if not any(_version(sdk) for sdk in _SDKS):
        yield Finding("bad", "SDKs", "none is installed: pip install openai, anthropic or groq")
    configured = _configuration()
    if isinstance(configured, Finding):
        yield configured
        return
    yield from _settings(configured)
    yield from _keys(configured)
    yield from (_self_check(sdk) for sdk in _SDKS if _version(sdk))


def _package(name: str, *, needed: bool) -> Finding:
    version = _version(name)
    if version is None:
        return Finding("bad" if needed else "note", name, "not installed")
    return Finding("ok", name, version)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _configuration() -> RouterSettings | Finding:
    from llm_router_middleware.settings import RouterSettings

    try:
        return RouterSettings.load()
    except ConfigurationError as error:
        return Finding("bad", "settings", str(error))


def _settings(configured: RouterSettings) -> Iterator[Finding]:
    """Every setting that somebody has set, and every variable that sets nothing."""
    for key, value in _flat(configured.model_dump()):
        origin = configured.origin(key)
        if origin != "default" and not isinstance(value, dict):
            shown = "..." if key.startswith("providers.") else repr(value)
            yield Finding("ok", key, f"{shown} (from {origin})")
    for warning in configured.warnings:
        yield Finding("note", "settings", warning)
    yield Finding("ok", "policy", configured.policy_version)


def _flat(values: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        yield f"{above}{key}", value
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")


def _keys(configured: RouterSettings) -> Iterator[Finding]:
    from llm_router_middleware.settings import credentials

    present = 0
    for name, spec in configured.provider_specs().items():
        try:
            found = credentials(spec)
        except ConfigurationError as error:
            yield Finding("bad", f"{name} key", str(error))
            continue
        present += found is not None
        if found is None:
            yield Finding("note", f"{name} key", f"{spec.api_key_env} is not set: nobody fails over to it")
        else:
            yield Finding("ok", f"{name} key", f"{spec.api_key_env or 'no key needed'}, for {found.origin}")
    if not present:
        yield Finding("note", "keys", "none at all: only clients that are given their key in code will work")


def _self_check(sdk: str) -> Finding:
    """One call of a wrapped client whose provider answers in memory: was it rewritten, answered and recorded?"""
    subject = f"{sdk} self check"
    try:
        asked, sent, events = _routed_call(sdk)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the doctor was called for
        return Finding("bad", subject, f"{type(error).__name__}: {str(error)[:200]}")
    if len(events) != 1 or events[0].success is not True:
        return Finding("bad", subject, f"{len(events)} events for one call, {[event.error for event in events]}")
    if len(sent) != 1 or sent[0] == asked or sent[0] != events[0].selected_model:
        return Finding("bad", subject, f"asked for {asked}, on the wire {sent}, recorded {events[0].selected_model}")
    return Finding("ok", subject, f"asked for {asked}, routed to {sent[0]}, recorded once")


def _routed_call(sdk: str) -> tuple[str, list[str], list[Any]]:
    """The model that was asked for, the models that reached the wire, and the events."""
    from llm_router_middleware.intercept.bind import wrap
    from llm_router_middleware.router import Router
    from llm_router_middleware.settings import RouterSettings
    from llm_router_middleware.testing import scripted_client, scripted_provider

    events: list[Any] = []
    provider = scripted_provider(sdk)  # type: ignore[arg-type]  # one of _SDKS
    settings = RouterSettings(scorer="heuristic", sinks={"log": False})
    router = Router(settings=settings, sinks=[events.append])
    asked = [model for model in router.registry if model.provider == sdk][-1].name
    client = wrap(scripted_client(provider), router=router)
    request: dict[str, Any] = {"model": asked, "messages": [{"role": "user", "content": "What day is it?"}]}
    if sdk == "anthropic":
        client.messages.create(max_tokens=64, **request)
    else:
        client.chat.completions.create(**request)
    return asked, [recorded.model for recorded in provider.requests], events


def _print(found: list[Finding], broken: bool) -> None:
    screen = show.console()
    width = max(len(finding.subject) for finding in found)
    for finding in found:
        style = {"ok": "green", "note": "yellow", "bad": "bold red"}[finding.state]
        screen.print(f"[{style}]{_MARKS[finding.state]}[/] {finding.subject:<{width}}  ", end="")
        screen.print(finding.text, markup=False)
    screen.print("\nSomething is broken, see BAD above." if broken else "\nAll is well.")
