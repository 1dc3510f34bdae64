"""Limits as people write them: checked at once, and narrowed by inner scopes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Any

from llm_router_middleware.engine.call import Limits
from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models.spec import Tier

__all__ = ["checked_limits", "narrowed"]

_NAMES = tuple(field.name for field in dataclasses.fields(Limits))


def checked_limits(given: Mapping[str, Any]) -> dict[str, Any]:
    """The limits that were given, in the form in which `Limits` keeps them; None means not given.

    Raises:
        ConfigurationError: an unknown name, or a value that is not allowed; names the key, the value and what is.
    """
    return {name: _checked(name, value) for name, value in given.items() if value is not None}


def narrowed(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    """An outer scope's limits with an inner scope's on top: the inner one wins, but for the two that only tighten."""
    merged = {**outer, **inner}
    if "allow_providers" in outer and "allow_providers" in inner:
        merged["allow_providers"] = outer["allow_providers"] & inner["allow_providers"]
    if "deadline_s" in outer and "deadline_s" in inner:
        merged["deadline_s"] = min(outer["deadline_s"], inner["deadline_s"])
    return merged


def _checked(name: str, value: Any) -> Any:
    match name:
        case "tier" | "min_tier" | "max_tier":
            return _tier(name, value)
        case "max_latency_s" | "deadline_s":
            return _seconds(name, value)
        case "pinned":
            return bool(value)
        case "allow_providers" | "lossy":
            return _names(name, value)
    raise ConfigurationError(f"{name}={value!r}: unknown limit; allowed are {', '.join(_NAMES)}")


def _tier(name: str, value: Any) -> str:
    try:
        return str(Tier.parse(value))
    except ConfigurationError:
        raise ConfigurationError(f"{name}={value!r}: expected one of budget, mid, premium") from None


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not (math.isfinite(value) and value > 0):
        raise ConfigurationError(f"{name}={value!r}: expected seconds, a number above 0")
    return float(value)


def _names(name: str, value: Any) -> frozenset[str]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ConfigurationError(f"{name}={value!r}: expected a collection of names, such as {{'openai'}}")
    return frozenset(str(item) for item in value)
