"""The answer to "may I call this model now?"."""

from __future__ import annotations

import math

from llm_router_middleware.resilience.breaker import CircuitBreaker, Permit
from llm_router_middleware.resilience.endpoint import Endpoint
from llm_router_middleware.resilience.transition import CLOSED

__all__ = ["Admission", "Refused"]


class Admission:
    """Yes. To be settled with `Breakers.settle()`, whatever happened. `bool()` of it is True; of a `Refused`, False.

    Attributes:
        reason: why not, for people; empty, since it is yes.
        because: likewise.
        retry_after_s: seconds until it may be yes; None, since it is.
    """

    __slots__ = ("_open", "endpoint", "model", "of_endpoint", "of_model")

    reason: str = ""
    because: str = ""
    retry_after_s: float | None = None

    def __init__(self, endpoint: Endpoint, model: CircuitBreaker, of_endpoint: Permit, of_model: Permit) -> None:
        self.endpoint = endpoint
        self.model = model
        self.of_endpoint = of_endpoint
        self.of_model = of_model
        self._open = [True]

    @property
    def state(self) -> str:
        """The state in which the circuits let it pass: "closed", "half_open" (it is a probe) or "disabled"."""
        if self.of_endpoint.is_probe or self.of_model.is_probe:
            return "half_open"
        return "disabled" if self.of_endpoint.is_bypass or self.of_model.is_bypass else "closed"

    def close(self) -> bool:
        """Whether this is the first time that it is settled: True once, whichever thread asks."""
        try:
            return self._open.pop()  # atomic
        except IndexError:
            return False


WORDS = {"open": "circuit open", "cooldown": "told to wait", "probing": "recovering, its probe is under way"}


class Refused(Admission):
    """No.

    Attributes:
        reason: why not, for people.
        because: why the circuit that refused has opened; empty where it is closed, and only told to wait.
        retry_after_s: seconds until it may be yes; None when only `reset()` will help.
    """

    __slots__ = ("_state", "because", "reason", "retry_after_s")

    def __init__(self, circuit: CircuitBreaker, layer: str) -> None:
        self._open = []
        # The circuit refused a moment ago; if it would no longer, then somebody's probe has ended since.
        self.reason = f"{layer} {WORDS[circuit.refusal or 'probing']}"
        self._state = circuit.state
        self.because = "" if self._state == CLOSED else circuit.because
        seconds = circuit.retry_after()
        self.retry_after_s = seconds if math.isfinite(seconds) else None

    def __bool__(self) -> bool:
        return False

    @property
    def state(self) -> str:
        """The state of the circuit that refused."""
        return self._state
