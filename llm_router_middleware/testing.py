"""For users' tests: a scripted provider behind a real SDK client, a clock to turn by hand, the events of a block.

`Sandbox` and `Behaviour` are here as well; they need the extra `sandbox`, and are imported when they are first used.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from llm_router_middleware.events.event import AttemptRecord, RoutingEvent, Usage

if TYPE_CHECKING:
    from llm_router_middleware.router import Router
    from llm_router_middleware.sandbox import Behaviour, Sandbox
    from llm_router_middleware.sandbox.provider import ScriptedProvider

__all__ = ["Behaviour", "ManualClock", "Sandbox", "capture_events", "scripted_client", "scripted_provider"]

SDK = Literal["openai", "anthropic", "groq"]
_BASE_URLS = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "groq": "https://api.groq.com",
}


def __getattr__(name: str) -> Any:
    if name in ("Sandbox", "Behaviour"):
        from llm_router_middleware import sandbox

        return getattr(sandbox, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class ManualClock:
    """A clock that stands still until it is told otherwise: `Router(now=clock)`.

    Args:
        start: what it shows first, in seconds.
    """

    def __init__(self, start: float = 1000.0) -> None:
        self._seconds = start

    def __call__(self) -> float:
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Moves it forward.

        Raises:
            ValueError: the number is negative; monotonic clocks don't go back.
        """
        if seconds < 0:
            raise ValueError(f"seconds={seconds!r}: a monotonic clock only moves forward")
        self._seconds += seconds


@contextlib.contextmanager
def capture_events(router: Router | None = None) -> Iterator[list[RoutingEvent]]:
    """Collects the events of the calls that end inside the block.

    Args:
        router: whose; when None, every router of the process, read from the logger `llm_router`.

    Yields:
        A list that grows with every event.
    """
    events: list[RoutingEvent] = []
    with _from_router(router, events) if router is not None else _from_logger(events):
        yield events


@contextlib.contextmanager
def _from_router(router: Router, events: list[RoutingEvent]) -> Iterator[None]:
    remove = router.add_sink(events.append)
    try:
        yield
    finally:
        remove()


@contextlib.contextmanager
def _from_logger(events: list[RoutingEvent]) -> Iterator[None]:
    logger = logging.getLogger("llm_router")
    handler, level = _Collector(events), logger.level
    logger.addHandler(handler)
    if not logger.isEnabledFor(logging.INFO):
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


class _Collector(logging.Handler):
    def __init__(self, events: list[RoutingEvent]) -> None:
        super().__init__()
        self._events = events

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = json.loads(record.getMessage())
        except ValueError:
            return
        if isinstance(line, dict) and line.pop("event", None) == "llm_routing_decision":
            self._events.append(_event(line))


def _event(line: dict[str, Any]) -> RoutingEvent:
    """The event that a line of JSON was made of."""
    lists = ("complexity_signals", "candidates", "dropped_params")
    values: dict[str, Any] = {key: tuple(value) if key in lists else value for key, value in line.items()}
    values["attempts"] = tuple(AttemptRecord(**attempt) for attempt in line["attempts"])
    values["ruled_out"] = tuple((model, provider, reason) for model, provider, reason in line["ruled_out"])
    values["usage"] = None if line["usage"] is None else Usage(**line["usage"])
    return RoutingEvent(**values)


def scripted_provider(sdk: SDK, clock: ManualClock | None = None, *, strict: bool = False) -> ScriptedProvider:
    """A provider without a port, for `scripted_client`: script it, and read its `requests`.

    Args:
        sdk: whose wire format it speaks.
        clock: of its requests and time windows; the real one when None.
        strict: refuse, as the provider does, parameters that it doesn't know and tool calls without their results.
    """
    import time

    from llm_router_middleware.sandbox.origins import Anthropic, Groq, OpenAI
    from llm_router_middleware.sandbox.provider import ScriptedProvider

    origins = {"openai": OpenAI, "anthropic": Anthropic, "groq": Groq}
    return ScriptedProvider(origins[sdk](), clock or time.monotonic, strict=strict)


def scripted_client(
    provider: SDK | ScriptedProvider,
    *behaviours: Behaviour,
    asynchronous: bool = False,
    clock: ManualClock | None = None,
    **arguments: Any,
) -> Any:
    """A real SDK client whose provider answers in memory: no socket, no waiting.

    Args:
        provider: the SDK's name, or a provider of `scripted_provider` to script further and to ask what it saw.
        behaviours: of the next calls, in order; then good answers.
        asynchronous: the asynchronous client.
        clock: is moved forward where the provider would have let time pass.
        arguments: further arguments of the SDK's constructor.

    Returns:
        `openai.OpenAI`, `anthropic.Anthropic`, `groq.Groq` or its asynchronous twin.
    """
    from llm_router_middleware.sandbox.memory import transport

    scripted = scripted_provider(provider, clock) if isinstance(provider, str) else provider
    scripted.script("*", *behaviours)
    client, http_client, http = _sdk(scripted.name, asynchronous)
    pauses = clock.advance if clock is not None else _no_time
    defaults = {"api_key": scripted.api_key, "base_url": _BASE_URLS[scripted.name]}
    return client(**{**defaults, **arguments}, http_client=http_client(transport=transport(scripted, http, pauses)))


def _sdk(name: str, asynchronous: bool) -> tuple[Any, Any, Any]:
    """The client's class, its HTTP client's class, and the HTTP library that this version of the SDK uses."""
    import importlib

    sdk = importlib.import_module(name)
    client = {"openai": "OpenAI", "anthropic": "Anthropic", "groq": "Groq"}[name]
    http_client = sdk.DefaultAsyncHttpxClient if asynchronous else sdk.DefaultHttpxClient
    library = next(
        cls.__module__.partition(".")[0] for cls in http_client.__mro__ if cls.__module__.startswith("httpx")
    )
    return getattr(sdk, f"Async{client}" if asynchronous else client), http_client, importlib.import_module(library)


def _no_time(_seconds: float) -> None:
    """Time does not pass."""
