"""From a score to a tier: two thresholds."""

from __future__ import annotations

from dataclasses import dataclass

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models.spec import Tier

__all__ = ["Thresholds"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the tiers begin.

    Attributes:
        mid: the lowest score of the mid tier, 0 to 1.
        premium: the lowest score of the premium tier, not below `mid`.

    Raises:
        ConfigurationError: out of range, or out of order.
    """

    mid: float
    premium: float

    def __post_init__(self) -> None:
        for name, value in (("mid_threshold", self.mid), ("premium_threshold", self.premium)):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise ConfigurationError(f"{name}={value!r}: expected a number from 0 to 1")
        if self.mid > self.premium:
            raise ConfigurationError(f"mid_threshold={self.mid!r}: expected at most premium_threshold={self.premium!r}")

    def tier(self, score: float) -> Tier:
        """The tier of a score."""
        if score >= self.premium:
            return Tier.PREMIUM
        return Tier.MID if score >= self.mid else Tier.BUDGET
