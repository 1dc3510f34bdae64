"""A request as it was read: once, for all the models that might answer it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

from llm_router_middleware.dialects.features import Features, features
from llm_router_middleware.dialects.parameters import Losses
from llm_router_middleware.engine.call import Wire
from llm_router_middleware.errors import RuledOutError

__all__ = ["Request"]

T = TypeVar("T")


class Request:
    """What a caller asks, and what has been worked out of it for every model of a wire.

    Args:
        caller: the wire of the body.
        body: the JSON body. Not changed.
        asked: what it asks for, where that is known already.
    """

    __slots__ = ("_drafts", "asked", "body", "caller")

    def __init__(self, caller: Wire, body: Mapping[str, Any], asked: Features | None = None) -> None:
        self.caller: Wire = caller
        self.body = body
        self.asked = features(caller, body) if asked is None else asked
        self._drafts: dict[Hashable, tuple[Any, tuple[str, ...], RuledOutError | None]] = {}

    def draft(self, key: Hashable, losses: Losses, make: Callable[[Losses], T]) -> T:
        """What `make` returns, worked out once per key and per set of allowed losses, its losses noted each time.

        Raises:
            RuledOutError: it can't be made.
        """
        place = (key, losses.allowed)
        known = self._drafts.get(place)
        if known is None:
            known = self._drafts[place] = _attempt(Losses(losses.allowed), make)
        value, dropped, out = known
        if out is not None:
            raise RuledOutError(out.parameter, out.reason)
        losses.note(dropped)
        result: T = value
        return result


def _attempt(losses: Losses, make: Callable[[Losses], Any]) -> tuple[Any, tuple[str, ...], RuledOutError | None]:
    try:
        return make(losses), losses.dropped, None
    except RuledOutError as out:
        return None, (), out.with_traceback(None)
