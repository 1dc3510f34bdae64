"""routed(): what is true of every SDK call made inside a block or a function, in this task and those that it starts."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, overload

from llm_router_middleware.intercept.limits import checked_limits, narrowed

__all__ = ["Routed", "Scope", "current", "default_router", "routed"]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Scope:
    """What holds inside: a router for every client, if one was named, and limits for every call."""

    router: Any
    limits: Mapping[str, Any]
    outer: Scope | None = None


_active: ContextVar[Scope | None] = ContextVar("llm_router_scope", default=None)

current = _active.get
"""The innermost active scope of this task or thread; None outside."""


def default_router() -> Any:
    """The router of clients that were given none: one for as long as the configuration stays the same."""
    from llm_router_middleware.router import Router

    return Router.default()


@overload
def routed(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def routed(
    *,
    router: Any = None,
    tier: str | None = None,
    min_tier: str | None = None,
    max_tier: str | None = None,
    max_latency_s: float | None = None,
    pinned: bool | None = None,
    allow_providers: Iterable[str] | None = None,
    lossy: Iterable[str] | None = None,
    deadline_s: float | None = None,
) -> Routed: ...
def routed(function: Any = None, /, **options: Any) -> Any:
    """Routes every SDK call made inside a block or a function, plain clients included.

    As a decorator it takes sync, async, generator and async generator functions; of a generator, the scope holds only
    while its body runs. Scopes nest: the inner one wins, but for `allow_providers` and `deadline_s`, which an inner
    scope can only tighten. Threads that you start yourself begin outside (use `contextvars.copy_context().run`).

    Args:
        router: who routes; the clients' own routers, or the default one, when None.
        tier: this tier, whatever the complexity.
        min_tier: never below.
        max_tier: never above, not even on failure.
        max_latency_s: seconds; step up when the chosen model's p95 is above.
        pinned: True passes every call through with the model that it names.
        allow_providers: the only providers that may see a request.
        lossy: parameters that may be lost when another provider answers.
        deadline_s: seconds for a call and all its attempts.

    Raises:
        ConfigurationError: a value is not one of those allowed.
    """
    router = options.pop("router", None)
    scope = Routed(router, checked_limits(options))
    return scope if function is None else scope(function)


class Routed:
    """What `routed()` gives: enter it, or decorate with it.

    Args:
        router: of the scope.
        limits: of the scope, checked.
    """

    def __init__(self, router: Any, limits: dict[str, Any]) -> None:
        self._router = router
        self._limits = limits

    # -- as a context manager

    def __enter__(self) -> Routed:
        self._activate()
        return self

    def __exit__(self, *_exc: object) -> None:
        # No token: one object may be entered by many tasks, and an abandoned stream may be closed in any of them.
        scope = _active.get()
        _active.set(scope.outer if scope is not None else None)

    async def __aenter__(self) -> Routed:
        return self.__enter__()

    async def __aexit__(self, *exc: object) -> None:
        self.__exit__(*exc)

    def _activate(self) -> Token[Scope | None]:
        from llm_router_middleware.intercept.install import install_everywhere

        install_everywhere()
        return _active.set(self._inside(_active.get()))

    def _inside(self, outer: Scope | None) -> Scope:
        if outer is None:
            return Scope(self._router, self._limits)
        router = self._router if self._router is not None else outer.router
        return Scope(router, narrowed(outer.limits, self._limits), outer)

    # -- as a decorator

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        return _decorated(function, self)  # type: ignore[no-any-return]


def _deactivate(token: Token[Scope | None]) -> None:
    # A coroutine that nobody awaits any more is closed by whoever finds it, in a context that was never inside.
    with contextlib.suppress(ValueError):
        _active.reset(token)


def _decorated(function: Any, scope: Routed) -> Any:
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(_decorated(function.__func__, scope))
    for recognise, wrap in (
        (inspect.isasyncgenfunction, _async_generator),
        (inspect.iscoroutinefunction, _coroutine),
        (inspect.isgeneratorfunction, _generator),
    ):
        if recognise(function):
            return wrap(function, scope)
    return _function(function, scope)


def _function(function: Any, scope: Routed) -> Any:
    @functools.wraps(function)
    def inside(*args: Any, **kwargs: Any) -> Any:
        token = scope._activate()
        try:
            return function(*args, **kwargs)
        finally:
            _deactivate(token)

    return inside


def _coroutine(function: Any, scope: Routed) -> Any:
    @functools.wraps(function)
    async def inside(*args: Any, **kwargs: Any) -> Any:
        token = scope._activate()
        try:
            return await function(*args, **kwargs)
        finally:
            _deactivate(token)

    return inside


def _generator(function: Any, scope: Routed) -> Any:
    @functools.wraps(function)
    def inside(*args: Any, **kwargs: Any) -> Any:
        body = function(*args, **kwargs)
        step: Callable[[], Any] = functools.partial(next, body)
        while True:
            token = scope._activate()
            try:
                item = step()
            except StopIteration as stop:
                return stop.value
            finally:
                _deactivate(token)
            try:
                step = functools.partial(body.send, (yield item))
            except GeneratorExit:
                with scope:
                    body.close()
                raise
            except BaseException as exc:  # noqa: BLE001 - thrown in by the consumer, for the body to see
                step = functools.partial(body.throw, exc)

    return inside


def _async_generator(function: Any, scope: Routed) -> Any:
    @functools.wraps(function)
    async def inside(*args: Any, **kwargs: Any) -> Any:
        body = function(*args, **kwargs)
        step: Callable[[], Any] = functools.partial(anext, body)
        while True:
            token = scope._activate()
            try:
                item = await step()
            except StopAsyncIteration:
                return
            finally:
                _deactivate(token)
            try:
                step = functools.partial(body.asend, (yield item))
            except GeneratorExit:
                with scope:
                    await body.aclose()
                raise
            except BaseException as exc:  # noqa: BLE001 - thrown in by the consumer, for the body to see
                step = functools.partial(body.athrow, exc)

    return inside
