"""What a scorer is: a callable from text to a ComplexityScore. A function is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from llm_router_middleware.models.spec import Tier

__all__ = ["ComplexityScore", "Scorer"]


@dataclass(frozen=True, slots=True)
class ComplexityScore:
    """How hard a prompt is.

    Attributes:
        tier: the cheapest tier that will do.
        score: 0.0 (trivial) to 1.0 (as hard as it gets).
        signals: what was seen, by name, for people.
    """

    tier: Tier
    score: float
    signals: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if type(self.tier) is not Tier:
            object.__setattr__(self, "tier", Tier.parse(self.tier))
        if type(self.signals) is not tuple:
            object.__setattr__(self, "signals", tuple(self.signals))


@runtime_checkable
class Scorer(Protocol):
    """Decides how hard a text is. Pure: the same text gives the same score."""

    def __call__(self, text: str, /) -> ComplexityScore: ...
