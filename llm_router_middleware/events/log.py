"""Events on the logger `llm_router`: one line of JSON each. Handlers and levels are the program's own business."""

from __future__ import annotations

import logging

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.events.encode import record, to_json
from llm_router_middleware.events.event import RoutingEvent

__all__ = ["LOGGER", "LogSink"]

LOGGER = "llm_router"


class LogSink:
    """Logs each event as `{"event": "llm_routing_decision", ...}`; the dict itself is the record's `routing_event`.

    Costs next to nothing while the logger's level is above.

    Args:
        level: of the record: "DEBUG", "INFO", "WARNING", "ERROR" or its number.
        logger: whose; the logger `llm_router` when None.

    Raises:
        ConfigurationError: there is no such level.
    """

    def __init__(self, level: str | int = logging.INFO, logger: logging.Logger | None = None) -> None:
        self._level = _level(level)
        self._logger = logging.getLogger(LOGGER) if logger is None else logger
        # Without a handler of its own, logging would print records of a program that has none set up.
        if not any(isinstance(handler, logging.NullHandler) for handler in self._logger.handlers):
            self._logger.addHandler(logging.NullHandler())

    def __call__(self, event: RoutingEvent) -> None:
        if self._logger.isEnabledFor(self._level):
            values = record(event)
            self._logger.log(self._level, to_json(values), extra={"routing_event": values})


def _level(level: str | int) -> int:
    number = logging.getLevelNamesMapping().get(level) if isinstance(level, str) else level
    if number is None:
        raise ConfigurationError(f"log_level={level!r}: expected one of DEBUG, INFO, WARNING, ERROR")
    return number
