"""The one patch per concrete client class: `request`, which every call form passes, and `copy`, which keeps a binding.

Importing this module patches nothing. A class is patched when its first client is bound, or a scope is entered.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import wrapt

from llm_router_middleware.intercept import door
from llm_router_middleware.intercept.sdk import SDKS, Sdk, concrete_class, sdk_of

__all__ = ["Entrance", "install", "install_everywhere"]


_COPIES = "_llm_router_copies"
"""The attribute of a class whose copies keep their binding."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """What the door knows of a client class that it stands in.

    Attributes:
        sdk: the SDK.
        cls: the class that was patched.
        own: the class's own `request` before; None where it inherited one.
        is_async: whether its calls are awaited.
    """

    sdk: Sdk
    cls: type
    own: Any
    is_async: bool

    def beneath(self, client: Any) -> Any:
        """The client's `request` as it is beneath us, looked up now: a tracer that came after us is not skipped."""
        if self.own is not None:
            return self.own.__get__(client, type(client))
        return super(self.cls, client).request  # type: ignore[arg-type, misc, unused-ignore]  # mypy knows super(type) only


def install(client_class: type) -> Entrance:
    """Enters the class's `request` and `copy`, unless that is done already.

    Raises:
        UnsupportedClientError: it is not a client class that we know.
    """
    sdk = sdk_of(client_class)
    cls = concrete_class(client_class)
    entrance = cls.__dict__.get(door.ENTRANCE)
    if not isinstance(entrance, Entrance):
        entrance = _enter(sdk, cls)
    for each in client_class.__mro__[: client_class.__mro__.index(cls) + 1]:
        _keep_in_copies(each, vars(each) if each is not cls else dir(cls))
    return entrance


def _enter(sdk: Sdk, cls: type) -> Entrance:
    request = inspect.unwrap(cls.request)  # type: ignore[attr-defined]
    entrance = Entrance(sdk, cls, cls.__dict__.get("request"), inspect.iscoroutinefunction(request))
    setattr(cls, door.ENTRANCE, entrance)
    wrapt.wrap_function_wrapper(cls, "request", door.aenter if entrance.is_async else door.enter)
    return entrance


def _keep_in_copies(cls: type, names: Iterable[str]) -> None:
    """Once per class: the entered one, and each below it with a `copy` of its own, which may build copies afresh."""
    if _COPIES in cls.__dict__:
        return
    setattr(cls, _COPIES, True)
    for name in ("copy", "with_options"):
        if name in names:
            wrapt.wrap_function_wrapper(cls, name, _carry_on)


def install_everywhere(names: Iterable[str] = tuple(SDKS)) -> None:
    """Enters the client classes of every SDK, now or as soon as it is imported. Imports none."""
    for name in names:
        wrapt.register_post_import_hook(_install_roots, name)


def _install_roots(module: Any) -> None:
    for root in SDKS[module.__name__].roots:
        install(getattr(module, root))


def _carry_on(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    derived = wrapped(*args, **kwargs)
    if door.BINDING in instance.__dict__:
        derived.__dict__[door.BINDING] = instance.__dict__[door.BINDING]
    return derived
