"""A pytest plugin for the SDKs' own suites: every client that a test builds is wrapped, and every request is counted.

The lap is named by SUITE_LAP: `bare` only counts, `identity` swaps the constructors and wraps nothing, `passthrough`
wraps with a router that knows no model, `rewritten` with one that knows every model and puts each back in its place.
Counts and outcomes go to SUITE_OUT.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

LAP = os.environ.get("SUITE_LAP", "bare")
OUT = Path(os.environ.get("SUITE_OUT", "."))
SDK = os.environ["SUITE_SDK"]
MUTANT = os.environ.get("SUITE_MUTANT", "")

CHAT = {
    "openai": ("/chat/completions", "/responses"),
    "anthropic": ("/v1/messages",),
    "groq": ("/openai/v1/chat/completions",),
}[SDK]


class Laps:
    """What the plugin knows while a lap runs.

    Attributes:
        counts: requests by kind.
        outcomes: what became of each test, its phases merged.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.outcomes: dict[str, str] = {}
        self.stand_ins: dict[type, type] = {}
        self.router: Any = None

    def seen(self, where: str, method: str, url: str) -> None:
        """One request was counted at a place."""
        chat = method.lower() == "post" and url.partition("?")[0] in CHAT
        self.counts[f"{where}.{'chat' if chat else 'other'}"] += 1


laps = Laps()


# -- counting beneath everything: what the SDK itself was asked to send


def _count_base(cls: type) -> None:
    inner = cls.request  # type: ignore[attr-defined]

    if inspect.iscoroutinefunction(inner):

        @functools.wraps(inner)
        async def request(self: Any, cast_to: Any, options: Any, **rest: Any) -> Any:
            laps.seen("beneath", options.method, str(options.url))
            return await inner(self, cast_to, options, **rest)
    else:

        @functools.wraps(inner)
        def request(self: Any, cast_to: Any, options: Any, **rest: Any) -> Any:
            laps.seen("beneath", options.method, str(options.url))
            return inner(self, cast_to, options, **rest)

    cls.request = request  # type: ignore[attr-defined]


# -- wrapping


def _router() -> Any:
    from llm_router_middleware import ModelRegistry, ModelSpec, Router
    from llm_router_middleware.intercept.native import NativeClient

    class Registry(ModelRegistry):
        def find(self, provider: str, name: str) -> ModelSpec | None:
            return ModelSpec(name, provider, "mid") if LAP == "rewritten" and name else None

    class Counting(Router):
        def visit(self, native: Any, limits: Any) -> Any:
            laps.seen("visited", native.options.method, str(native.options.url))
            return super().visit(native, limits)

    if LAP == "rewritten":
        attempt = NativeClient.attempt

        def rewriting(self: Any, model: str | None, *rest: Any, **options: Any) -> Any:
            return attempt(self, model or self.request.body.get("model"), *rest, **options)

        NativeClient.attempt = rewriting  # type: ignore[method-assign]
    return Counting(Registry(), scorer="heuristic", sinks=[_event])


def _mutate(name: str) -> None:
    """Makes the wrap wrong on purpose, to see that a lap notices."""
    import copy

    from llm_router_middleware.intercept import install
    from llm_router_middleware.intercept.native import NativeClient

    unchanged = NativeClient.unchanged

    def edited(self: Any, **changes: Any) -> Any:
        options = copy.copy(self.options)
        for field, value in changes.items():
            setattr(options, field, value)
        return lambda: self.beneath(self.cast_to, options, stream=self.stream, **self.rest)

    def doubled(self: Any) -> Any:
        call = unchanged(self)
        if self.is_async or self.stream or self.request.raw:
            return call
        return lambda: (call(), call())[1]

    mutants: dict[str, Any] = {
        "swaps the model": lambda s: edited(s, json_data={**(s.options.json_data or {}), "model": "other"}),
        "drops the headers": lambda s: edited(s, headers={}) if not s.request.raw else unchanged(s),
        "drops the query": lambda s: edited(s, params={}),
        "drops the extra body": lambda s: edited(s, extra_json=None),
        "never retries": lambda s: edited(s, max_retries=0),
        "overwrites the timeout": lambda s: edited(s, timeout=31.0),
        "asks twice": doubled,
        "forgets the stream": lambda s: lambda: s.beneath(s.cast_to, s.options, stream=False, **s.rest),
    }
    if name == "loses copies":
        install._carry_on = lambda wrapped, _instance, args, kwargs: wrapped(*args, **kwargs)
        return
    NativeClient.unchanged = mutants[name]  # type: ignore[method-assign]


def _event(event: Any) -> None:
    laps.counts["events"] += 1
    laps.counts[f"reason.{event.selection_reason}"] += 1


def _finished(client: Any) -> Any:
    if LAP in ("bare", "identity"):
        return client
    from llm_router_middleware import wrap

    return wrap(client, router=laps.router)


class StandIn(type):
    """The class of the stand-ins: subclasses of the SDK's client classes, whose calls build the SDK's own objects."""

    _real: type

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if "_real" in cls.__dict__:
            return _finished(cls._real(*args, **kwargs))
        return _finished(super().__call__(*args, **kwargs))  # a test's own subclass of a stand-in

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls._real) if "_real" in cls.__dict__ else super().__instancecheck__(instance)


def _stand_in(real: type) -> type:
    # Its module is not the SDK's: it is to be known for a class of somebody else's, as a user's subclass is.
    names = {"__module__": __name__, "__doc__": real.__doc__, "__qualname__": real.__qualname__, "_real": real}
    made = StandIn(real.__name__, (real,), names)
    made.__signature__ = inspect.signature(real)  # type: ignore[attr-defined]
    return made


def _is_client_class(value: Any) -> bool:
    if not inspect.isclass(value) or isinstance(value, StandIn) or value.__module__.partition(".")[0] != SDK:
        return False
    base = importlib.import_module(f"{SDK}._base_client")
    return issubclass(value, (base.SyncAPIClient, base.AsyncAPIClient)) and not value.__module__.endswith(
        "_base_client"
    )


def _swap(module: Any) -> dict[str, type]:
    """Puts stand-ins in the place of client classes; gives what was there."""
    found = {name: value for name, value in list(vars(module).items()) if _is_client_class(value)}
    for name, value in found.items():
        if value not in laps.stand_ins:
            laps.stand_ins[value] = _stand_in(value)
        setattr(module, name, laps.stand_ins[value])
    return found


# -- pytest


def pytest_configure(config: pytest.Config) -> None:
    """Before the first test module is imported."""
    base = importlib.import_module(f"{SDK}._base_client")
    for cls in (base.SyncAPIClient, base.AsyncAPIClient):
        _count_base(cls)
    if LAP in ("passthrough", "rewritten"):
        laps.router = _router()
        from llm_router_middleware.intercept import scope

        scope.default_router = lambda: laps.router
        if MUTANT:
            _mutate(MUTANT)


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makemodule(module_path: Path, parent: Any) -> Any:
    """Test modules import stand-ins; before and after, the SDK's package has its own classes."""
    if LAP == "bare":
        return (yield)
    package = importlib.import_module(SDK)
    real = _swap(package)
    try:
        module = yield
        module.obj  # noqa: B018 - imports it
    finally:
        for name, value in real.items():
            setattr(package, name, value)
    for name, loaded in list(sys.modules.items()):
        if name.startswith("tests.") and getattr(loaded, "__file__", None):
            _swap(loaded)
    return module


def pytest_runtest_setup() -> None:
    """Circuit breakers are as new for each test: the suites fail on purpose, over and over, at one address."""
    if LAP == "rewritten":
        from llm_router_middleware.resilience.breakers import Breakers

        laps.router._kit._breakers = Breakers()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Merges the phases of a test: any failure is a failure."""
    before = laps.outcomes.get(report.nodeid)
    outcome = "xfailed" if hasattr(report, "wasxfail") and report.skipped else report.outcome
    if report.failed:
        laps.outcomes[report.nodeid] = "failed"
    elif before is None or (before == "passed" and outcome != "passed"):
        laps.outcomes[report.nodeid] = outcome


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Every worker writes its counts; the controller writes the outcomes."""
    worker = getattr(session.config, "workerinput", {}).get("workerid", "controller")
    (OUT / f"counts-{worker}.json").write_text(json.dumps(laps.counts))
    if worker == "controller":
        (OUT / "outcomes.json").write_text(json.dumps(laps.outcomes))
