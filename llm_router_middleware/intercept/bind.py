"""wrap(): the caller's own client object, bound to a router."""

from __future__ import annotations

from typing import Any, TypeVar

from llm_router_middleware.intercept import door, scope
from llm_router_middleware.intercept.install import install

__all__ = ["is_wrapped", "unwrap", "wrap"]

C = TypeVar("C")


def wrap(client: C, *, router: Any = None) -> C:
    """Routes the calls of a client that was built elsewhere.

    Binding a client twice replaces its router. What was derived from it before (`with_options`, resources, bound
    methods) is routed too where it is looked up on the client itself; copies that were made before are not.

    Args:
        client: any client object of the openai, anthropic or groq SDK, sync or async.
        router: who routes; the default router, configured by environment and `llm_router.toml`, when None.

    Returns:
        The same object.

    Raises:
        UnsupportedClientError: it is not such a client.
        ConfigurationError: the default router's configuration is wrong.
    """
    install(type(client))
    chosen = router if router is not None else scope.default_router()
    client.__dict__[door.BINDING] = chosen
    return client


def unwrap(client: C) -> C:
    """Takes the binding off again: the client behaves as if it had never been wrapped.

    Returns:
        The same object.
    """
    client.__dict__.pop(door.BINDING, None)
    return client


def is_wrapped(client: object) -> bool:
    """Whether the client's calls are routed outside of any scope."""
    return getattr(client, door.BINDING, None) is not None
