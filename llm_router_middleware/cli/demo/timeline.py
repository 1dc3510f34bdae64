"""What the circuit breakers did, read from the log lines that they write."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from types import TracebackType

__all__ = ["Change", "Timeline"]


@dataclass(frozen=True, slots=True)
class Change:
    """A circuit went from one state to another.

    Attributes:
        at_s: seconds since the start.
        circuit: provider, and model if it is a model's.
        before, after: its states.
        reason: why.
    """

    at_s: float
    circuit: str
    before: str
    after: str
    reason: str


class Timeline(logging.Handler):
    """Listens on the logger `llm_router` for as long as it is entered, and keeps its lines off the terminal."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.changes: list[Change] = []
        self._logger = logging.getLogger("llm_router")

    def __enter__(self) -> Timeline:
        self._began = time.time()
        self._before = self._logger.level, self._logger.propagate
        self._logger.setLevel(logging.INFO)
        self._logger.propagate = False
        self._logger.addHandler(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._logger.removeHandler(self)
        self._logger.level, self._logger.propagate = self._before

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the transitions among the lines."""
        try:
            line = json.loads(record.getMessage())
        except ValueError:
            return
        if isinstance(line, dict) and line.get("event") == "llm_circuit_transition":
            circuit = _short(line["circuit"])
            at_s = record.created - self._began
            self.changes.append(Change(at_s, circuit, line["before"], line["after"], line["reason"]))


def _short(circuit: str) -> str:
    """A circuit's name less the address and the fingerprint in it: "openai@https://host#1f2e/gpt" is "openai/gpt"."""
    provider, at, rest = circuit.partition("@")
    _, hash_, tail = rest.partition("#")
    _, slash, model = tail.partition("/")
    return f"{provider}{slash}{model}" if at and hash_ else circuit
