"""The circuit breaker: a circuit with a lock, a clock, and somebody to tell."""

from __future__ import annotations

import random as random_module
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from llm_router_middleware.engine.call import Effect
from llm_router_middleware.resilience.breaker_settings import DEFAULTS, BreakerSettings
from llm_router_middleware.resilience.circuit import Circuit, Permit, Refusal
from llm_router_middleware.resilience.cooldown import FIRST_S
from llm_router_middleware.resilience.forking import renew_after_fork
from llm_router_middleware.resilience.transition import CLOSED, HALF_OPEN, OPEN, State, Transition

__all__ = ["CircuitBreaker", "Permit"]


class CircuitBreaker:
    """Keeps callers away from what is failing, and lets one at a time find out whether it still is.

    One object serves threads, event loops and forked children alike: its lock guards arithmetic, never a call.

    Args:
        failure_threshold: failures in a row that open the circuit; overrides the settings.
        recovery_timeout_s: seconds that it stays open the first time; overrides the settings.
        settings: all the numbers.
        name: for people.
        now: a monotonic clock, in seconds.
        random: a source of numbers in [0, 1), for jitter.
        on_transition: told of every transition, outside the lock. What it raises is swallowed.
        renewed_by_owner: somebody else calls `renew()` after a fork.

    Attributes:
        name: for people.
    """

    __slots__ = ("__weakref__", "_circuit", "_lent", "_lock", "_now", "_on_transition", "name")

    def __init__(
        self,
        failure_threshold: int | None = None,
        recovery_timeout_s: float | None = None,
        *,
        settings: BreakerSettings = DEFAULTS,
        name: str = "",
        now: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random_module.random,
        on_transition: Callable[[Transition], None] | None = None,
        renewed_by_owner: bool = False,
    ) -> None:
        self.name = name
        settings = settings.overridden(failure_threshold, recovery_timeout_s)
        self._circuit = Circuit(settings, name, random, now())
        self._lock = threading.Lock()
        self._now = now
        self._on_transition = on_transition or _nobody_listens
        self._lent: Permit | None = None
        if not renewed_by_owner:
            renew_after_fork(self)

    # -- permission before a call, the lesson after it

    def try_acquire(self, lease_s: float | None = None) -> Permit | None:
        """Asks for permission to make one call.

        Args:
            lease_s: seconds that the call may take. A probe that hasn't reported 5 s after that is given up.

        Returns:
            A permit to be settled, or None: not now.
        """
        # While the circuit is closed this one read is the whole question, and it needs no lock: a caller who read the
        # generation just before it changed is one who came just before it changed.
        generation = self._circuit.admitting
        if generation is not None:
            return Permit(generation)
        now = self._now()
        with self._lock:
            permit, transition = self._circuit.ask(now, lease_s)
        if transition is not None:
            self._tell(transition)
        return permit

    def settle(
        self,
        permit: Permit,
        effect: Effect,
        retry_after_s: float | None = None,
        *,
        now: float | None = None,
        reason: str = "ejected",
    ) -> None:
        """Gives a permit back and learns from its call. Once: a second time is ignored.

        Args:
            permit: from `try_acquire()`.
            effect: what the call showed. NEUTRAL for a call that says nothing of the provider, such as a cancelled one.
            retry_after_s: seconds that the provider asked to wait; for EJECT, seconds without calls.
            now: the time on the breaker's clock, from a caller who has just read it.
            reason: why, for EJECT.
        """
        if now is None:
            now = self._now()
        with self._lock:
            transition = self._circuit.settle(permit, effect, retry_after_s, now, reason)
        if transition is not None:
            self._tell(transition)

    def _tell(self, transition: Transition) -> None:
        with suppress(Exception):  # fence: a listener must never fail a call
            self._on_transition(transition)

    # -- reading: no lock, no effect

    @property
    def state(self) -> State:
        """What the next caller meets: an open circuit whose time is over reads "half_open"."""
        circuit = self._circuit
        if circuit.state == OPEN and self._now() >= circuit.open_until:
            return HALF_OPEN
        return circuit.state

    @property
    def refusal(self) -> Refusal | None:
        """Why the next caller would be refused; None if he would not."""
        return None if self._circuit.disabled else self._circuit.refusal(self._now())

    def retry_after(self) -> float:
        """Seconds until somebody may be let through.

        Returns:
            0.0 when that may be at once, which includes a probe under way: it may end at any moment. Infinite when
            forced open.
        """
        circuit, now = self._circuit, self._now()
        opens = circuit.open_until if circuit.state == OPEN else now
        return max(opens - now, circuit.cooldown.until - now, 0.0)

    @property
    def disabled(self) -> bool:
        """Whether everybody is let through, whatever the state."""
        return self._circuit.disabled

    @property
    def because(self) -> str:
        """Why it opened last (see `Transition.reason`); empty if it never did."""
        return self._circuit.because

    @property
    def failures(self) -> int:
        """Failures that it has learnt of, in all."""
        return self._circuit.failures

    @property
    def rejections(self) -> int:
        """Callers that it has refused, in all."""
        return self._circuit.rejections

    @property
    def transitions(self) -> int:
        """Changes of state, in all."""
        return self._circuit.transitions

    @property
    def last_used(self) -> float:
        """When a permit was last settled, in seconds on the breaker's clock."""
        return self._circuit.last_used

    @property
    def is_idle(self) -> bool:
        """Whether little would be lost by forgetting this circuit: it is closed, and knows nothing bad."""
        circuit, now = self._circuit, self._now()
        bad = circuit.health.is_doubtful(now) or circuit.cooldown.step_s > FIRST_S or now < circuit.cooldown.until
        return circuit.state == CLOSED and not bad and not circuit.disabled

    # -- by hand

    def force_open(self) -> None:
        """Lets nobody through until `reset()`."""
        self._by_hand(self._circuit.force_open)

    def reset(self) -> None:
        """Closes the circuit and forgets what it has learnt; the totals stay."""
        self._by_hand(self._circuit.reset)

    def disable(self) -> None:
        """Lets everybody through until `reset()`, and goes on measuring."""
        with self._lock:
            self._circuit.disabled = True

    def _by_hand(self, act: Callable[[float], Transition | None]) -> None:
        now = self._now()
        with self._lock:
            transition = act(now)
        if transition is not None:
            self._tell(transition)

    def renew(self) -> None:
        """After a fork, in the child: a new lock, and permits of the parent's calls mean nothing here."""
        self._lock = threading.Lock()
        self._lent = None
        self._circuit.disown()

    # -- without permits

    def allow_request(self) -> bool:
        """`try_acquire()` for a caller who keeps no permit, to be followed by one of the two below.

        Without permits a result that comes late can't be told from a fresh one, so use it where calls don't overlap.
        """
        permit = self.try_acquire()
        if permit is not None:
            self._lent = permit
        return permit is not None

    def record_success(self) -> None:
        """The call that `allow_request()` allowed has succeeded."""
        self._record(Effect.SUCCESS)

    def record_failure(self) -> None:
        """The call that `allow_request()` allowed has failed."""
        self._record(Effect.FAILURE)

    def _record(self, effect: Effect) -> None:
        permit, self._lent = self._lent, None
        self.settle(permit or Permit(self._circuit.generation), effect)


def _nobody_listens(_: Transition) -> None:
    pass
