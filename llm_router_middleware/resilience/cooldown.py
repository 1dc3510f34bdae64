"""How long to stay away because the provider said so. It says nothing of health: no state moves, nothing is counted."""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["Cooldown"]

SPREAD = 0.1
"""A Retry-After is stretched by up to a tenth: never sooner than told, and not all callers at once."""

FIRST_S, LAST_S = 1.0, 60.0
"""A provider that throttles and doesn't say for how long: 1, 2, 4 … 60 seconds."""


class Cooldown:
    """Not locked: its owner is.

    Args:
        longest_s: the longest that a provider is obeyed.
        random: a source of numbers in [0, 1).

    Attributes:
        until: seconds on the owner's clock.
        step_s: how long to stay away the next time that it doesn't say for how long.
    """

    __slots__ = ("_longest_s", "_random", "step_s", "until")

    def __init__(self, longest_s: float, random: Callable[[], float]) -> None:
        self._longest_s = longest_s
        self._random = random
        self.until = -math.inf
        self.step_s = FIRST_S

    def told(self, seconds: float, now: float) -> None:
        """The provider asked to wait so long."""
        self._extend(seconds * (1.0 + SPREAD * self._random()), now)

    def throttled(self, now: float) -> None:
        """The provider throttles and didn't say for how long."""
        self._extend(self.step_s, now)
        self.step_s = min(self.step_s * 2.0, LAST_S)

    def clear(self) -> None:
        """Forgets everything."""
        self.until = -math.inf
        self.step_s = FIRST_S

    def _extend(self, seconds: float, now: float) -> None:
        self.until = max(self.until, now + min(seconds, self._longest_s))
