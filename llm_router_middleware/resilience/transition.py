"""The states of a circuit, the edges between them, and the word that is passed on when one is taken."""

from __future__ import annotations

import json
import logging
import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["CLOSED", "HALF_OPEN", "LEGAL", "OPEN", "State", "Transition", "log_transition"]

State = Literal["closed", "open", "half_open"]

CLOSED: State = "closed"
OPEN: State = "open"
HALF_OPEN: State = "half_open"

LEGAL: frozenset[tuple[State, State]] = frozenset(
    {
        (CLOSED, OPEN),
        (OPEN, HALF_OPEN),
        (HALF_OPEN, OPEN),
        (HALF_OPEN, CLOSED),
        (OPEN, CLOSED),  # only by hand: reset()
    }
)


NEEDS_A_PERSON = frozenset({"auth", "quota"})
"""Reasons that no waiting mends."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A circuit went from one state to another.

    Attributes:
        name: of the circuit.
        before: the state it left.
        after: the state it entered.
        reason: one of `consecutive_failures, failure_ratio, probe, probe_failed, probe_succeeded, forced, reset`, or of
            an ejection `auth, quota, ejected`.
        generation: rises with every transition of a circuit. Listeners are called outside the lock, so two threads may
            report out of order; this is the order.
        at: seconds on the breaker's clock.
        open_for_s: seconds until the next probe; infinite when forced open, 0 for other states.
    """

    name: str
    before: State
    after: State
    reason: str
    generation: int
    at: float
    open_for_s: float


def log_transition(transition: Transition) -> None:
    """Writes one line of JSON to the logger `llm_router`.

    An error where only a person can help (a dead credential, a spent quota), a warning for any other opening.
    """
    # A circuit's name holds a model's name, which is anybody's text: escaped, cut, and on one line.
    line = {
        "event": "llm_circuit_transition",
        "circuit": transition.name[:256],
        "before": transition.before,
        "after": transition.after,
        "reason": transition.reason,
        "open_for_s": round(transition.open_for_s, 3) if math.isfinite(transition.open_for_s) else None,
    }
    level = logging.INFO
    if transition.after == OPEN:
        level = logging.ERROR if transition.reason in NEEDS_A_PERSON else logging.WARNING
    logging.getLogger("llm_router").log(level, "%s", json.dumps(line))
