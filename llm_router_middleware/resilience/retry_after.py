"""When to come back, as a provider's headers say it: milliseconds, seconds or a date, and any nonsense."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

__all__ = ["LONGEST_S", "parse_retry_after"]

LONGEST_S = 86_400.0
"""A day. What is longer is a figure that no caller waits for, and may be one that arithmetic doesn't survive."""


def parse_retry_after(headers: Mapping[str, str], wall_clock: Callable[[], float] = time.time) -> float | None:
    """Reads `retry-after-ms`, else `retry-after`.

    Args:
        headers: of the response; their names in lower case, or a mapping that doesn't mind.
        wall_clock: seconds since the epoch, to compare a date with.

    Returns:
        Seconds, 0 to a day; None where nothing usable is said.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return min(milliseconds / 1000.0, LONGEST_S)
    said = headers.get("retry-after")
    seconds = _number(said)
    if seconds is None:
        seconds = _until(said, wall_clock)
    return None if seconds is None else min(seconds, LONGEST_S)


def _number(said: object) -> float | None:
    """A number that is not below 0; infinity is one."""
    if not isinstance(said, (str, bytes)):
        return None
    try:
        number = float(said)
    except ValueError:
        return None
    return number if number >= 0 else None


def _until(said: object, wall_clock: Callable[[], float]) -> float | None:
    """Seconds until a date that lies ahead."""
    from email.utils import mktime_tz, parsedate_tz

    if not isinstance(said, str):
        return None
    try:
        date = parsedate_tz(said)
        seconds = None if date is None else mktime_tz(date) - wall_clock()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return seconds if seconds is not None and seconds >= 0 and math.isfinite(seconds) else None
