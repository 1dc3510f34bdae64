"""The six clients: the SDK's own constructor, and the object that it makes, bound to a router."""

from __future__ import annotations

import importlib
from typing import Any

from llm_router_middleware.intercept.bind import wrap
from llm_router_middleware.intercept.sdk import SDKS

__all__ = ["CLIENTS", "dropin"]

CLIENTS: dict[str, str] = {root: sdk.name for sdk in SDKS.values() for root in sdk.roots}
"""Our six names, each with the package that its class comes from."""


def dropin(name: str) -> type:
    """The class that stands for `openai.OpenAI` or one of its five siblings.

    Calling it builds the SDK's own class, so `type(client) is openai.OpenAI`; `isinstance` and `issubclass` answer for
    the SDK's class, and a subclass of it is a subclass of the SDK's, with `router=` as one more argument.

    Raises:
        ImportError: the SDK is not installed.
    """
    try:
        real: type = getattr(importlib.import_module(CLIENTS[name]), name)
    except ImportError as exc:
        raise ImportError(f"{name} needs the {CLIENTS[name]} package: pip install {CLIENTS[name]}") from exc
    namespace = {"__doc__": real.__doc__, "__module__": "llm_router_middleware", "_real": real}
    made: type = _Dropin(name, (), namespace)
    return made


class _Dropin(type):
    """The metaclass of the six: their instances are the SDK's."""

    _real: type

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> Any:
        stands_for = [base for base in bases if isinstance(base, _Dropin)]
        if not stands_for:
            return super().__new__(mcs, name, bases, namespace)
        real_bases = tuple(base._real if isinstance(base, _Dropin) else base for base in bases)
        return type(real_bases[0])(name, (_Bound, *real_bases), namespace, **kwargs)

    def __call__(cls, *args: Any, router: Any = None, **kwargs: Any) -> Any:
        return wrap(cls._real(*args, **kwargs), router=router)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls._real)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(getattr(subclass, "_real", subclass), cls._real)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls._real, name)


class _Bound:
    """Mixed into users' subclasses of the six: takes `router=` and binds what was built."""

    def __init__(self, *args: Any, router: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wrap(self, router=router)
