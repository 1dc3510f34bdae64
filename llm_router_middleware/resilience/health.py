"""How a circuit has fared lately, and when it is enough."""

from __future__ import annotations

from llm_router_middleware.resilience.breaker_settings import BreakerSettings
from llm_router_middleware.resilience.window import RollingWindow

__all__ = ["Health"]


class Health:
    """Failures in a row, and the share of failures in a window. Not locked: its owner is.

    A row is broken by a success, and by a quiet spell longer than the window: the time from one failure to the start of
    the next call. To its start, not to its end, or a provider that answers nobody would never be noticed by a program
    that makes one call at a time and waits a minute for each.

    Attributes:
        row: failures in a row.
        window: calls, those that failed marked.
    """

    __slots__ = ("_latest_failure", "_settings", "row", "window")

    def __init__(self, settings: BreakerSettings) -> None:
        self._settings = settings
        self._latest_failure = 0.0
        self.row = 0
        self.window = RollingWindow(settings.window_s)

    def succeeded(self, now: float) -> None:
        """A call has succeeded."""
        self.row = 0
        self.window.add(now)

    def failed(self, now: float, began: float) -> str | None:
        """A call has failed.

        Args:
            now: when it ended.
            began: when it began, as far as that is known, else when it ended.

        Returns:
            The reason to open the circuit, or None: not yet.
        """
        settings, window = self._settings, self.window
        window.add(now, True)
        if began - self._latest_failure > settings.window_s:
            self.row = 0
        self.row += 1
        self._latest_failure = now
        if self.row >= settings.failure_threshold:
            return "consecutive_failures"
        if window.total >= settings.minimum_calls and window.marked >= settings.failure_ratio * window.total:
            return "failure_ratio"
        return None

    def is_doubtful(self, now: float) -> bool:
        """Whether the latest call failed, not too long ago to matter."""
        return self.row > 0 and now - self._latest_failure <= self._settings.window_s

    def clear(self) -> None:
        """Forgets everything."""
        self.row = 0
        self.window.clear()
