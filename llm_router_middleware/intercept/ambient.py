"""Routing for a whole program: every client of every SDK, but those that were given a router of their own."""

from __future__ import annotations

import logging
from typing import Any

from llm_router_middleware.errors import LLMRouterError
from llm_router_middleware.intercept import door, scope
from llm_router_middleware.intercept.install import install
from llm_router_middleware.intercept.sdk import SDKS

__all__ = ["Ambient", "bind_everywhere"]

_logger = logging.getLogger("llm_router")


class Ambient:
    """The binding as an attribute of a client class: the default router, made when the first call asks for it.

    Not a data descriptor: what `wrap()` writes on a client itself comes first.
    """

    def __init__(self) -> None:
        self._routers: list[Any] = []

    def __get__(self, client: Any, _owner: type) -> Any:
        if client is None:
            return self
        if not self._routers:
            self._routers.append(_default_router())
        return self._routers[0]


def bind_everywhere() -> None:
    """Binds the client classes of every SDK to the default router, now or as soon as they are imported. Imports none.

    Nothing of this ever raises into the program: an SDK that we don't know, or a wrong setting, is logged once, and
    its calls go through as they were written.
    """
    import wrapt

    for name in SDKS:
        wrapt.register_post_import_hook(_bind_roots, name)


def _bind_roots(module: Any) -> None:
    binding = Ambient()
    try:
        for root in SDKS[module.__name__].roots:
            cls = getattr(module, root)
            install(cls)
            setattr(cls, door.BINDING, binding)
    except (LLMRouterError, AttributeError) as error:
        _logger.warning("llm_router: %s is not routed: %s", module.__name__, error)


def _default_router() -> Any:
    try:
        return scope.default_router()
    except Exception as error:  # noqa: BLE001 - fail open: nobody in this program has asked for a router in code
        _logger.warning("llm_router: calls go on unrouted: %s", error)
        return None
