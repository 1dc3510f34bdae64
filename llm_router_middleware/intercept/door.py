"""The door: every request of a bound client, or of any client inside a scope, comes through here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from llm_router_middleware.engine.drive import Plan, adrive, drive
from llm_router_middleware.engine.fence import fenced, report
from llm_router_middleware.intercept import scope
from llm_router_middleware.intercept.native import ENTRANCE, NativeClient
from llm_router_middleware.intercept.sdk import read_request

__all__ = ["BINDING", "ENTRANCE", "aenter", "enter"]

BINDING = "_llm_router"
"""The attribute by which a client, or in an environment-wide installation its class, names its router."""


def enter(wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
    """wrapt's wrapper around `client.request(cast_to, options, *, stream, stream_cls)`."""
    router = fenced(_router_for, client)
    if router is None:
        return wrapped(*args, **kwargs)
    return drive(_visit(router, wrapped, client, args, kwargs))


async def aenter(wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
    """The same for clients whose `request` is awaited."""
    router = fenced(_router_for, client)
    if router is None:
        return await wrapped(*args, **kwargs)
    return await adrive(_visit(router, wrapped, client, args, kwargs))


def _router_for(client: Any) -> Any:
    bound = getattr(client, BINDING, None)
    active = scope.current()
    if bound is None and active is None:
        return None
    if active is not None and active.router is not None:
        return active.router
    return bound if bound is not None else scope.default_router()


def _visit(router: Any, wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Plan[Any]:
    """One call: through the router, or, when something of ours fails, exactly as the caller made it."""
    visit = verdict = None
    try:
        visit = _open(router, client, *args, **kwargs)
        verdict = yield from visit.plan()
    except Exception as bug:  # noqa: BLE001 - fail open: a bug of ours never breaks a call that would have worked
        report("a call goes on unrouted", bug)
    if visit is not None and verdict is None:
        try:
            verdict = yield from visit.rescue()
        except Exception as bug:  # noqa: BLE001 - even the rescue may have a bug
            report("a call goes on unrecorded", bug)
    # Outside of the handlers, so that what the caller's own call raises does not tell of our bug as its context.
    if verdict is None:
        return (yield partial(wrapped, *args, **kwargs))
    return verdict.deliver()


def _open(router: Any, client: Any, cast_to: Any, options: Any, *, stream: bool = False, **rest: Any) -> Any:
    entrance = getattr(type(client), ENTRANCE)
    request = read_request(entrance.sdk, options, stream)
    native = NativeClient(client, entrance, entrance.beneath(client), request, cast_to, options, stream, rest)
    active = scope.current()
    return router.visit(native, active.limits if active is not None else None)
