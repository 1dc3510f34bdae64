"""The state machine of one circuit: no lock, no clock, no callback.

             5 failures in a row, or half of 10 calls
    CLOSED ─────────────────────────────────────────▶ OPEN ◀──┐
      ▲                                                 │     │ the probe failed: open twice as long
      │ the probe succeeded                             ▼     │
      └───────────────────────────────────────────── HALF_OPEN
                                                        one leased probe; neutral or lapsed: the next caller gets it

A permit belongs to the generation of the circuit in which it was given; what it reports in a later one is ignored.
A cooldown (the provider said when to come back) refuses callers too, but moves no state and counts nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from llm_router_middleware.engine.call import Effect
from llm_router_middleware.resilience.breaker_settings import BreakerSettings
from llm_router_middleware.resilience.cooldown import FIRST_S, Cooldown
from llm_router_middleware.resilience.health import Health
from llm_router_middleware.resilience.transition import CLOSED, HALF_OPEN, LEGAL, OPEN, State, Transition

__all__ = ["Circuit", "Permit", "Refusal"]

Refusal = Literal["open", "cooldown", "probing"]
"""Why nobody is let through: the circuit is open, the provider said to wait, or the one probe is under way."""

SUCCESS, NEUTRAL, COOLDOWN, EJECT = Effect.SUCCESS, Effect.NEUTRAL, Effect.COOLDOWN, Effect.EJECT
"""Looked up once: a member of an Enum costs more to find than to compare."""

LEASE_GRACE_S = 5.0
"""How long after its attempt's timeout a probe is given up."""

BYPASS = -1
"""The generation of permits that teach nothing: a disabled circuit has refused, and lets pass all the same."""


class Permit:
    """Permission for one call, to be settled whatever happened.

    Attributes:
        generation: of the circuit, when it was given.
        is_probe: whether the circuit waits for this call to decide whether it closes.
        expires: seconds on the breaker's clock after which a probe is given up.
        began: when it was given, where the circuit has reason to remember: its latest call has failed.
        settled: whether it was given back.
    """

    __slots__ = ("began", "expires", "generation", "is_probe", "settled")

    def __init__(
        self, generation: int, is_probe: bool = False, expires: float = -math.inf, began: float | None = None
    ) -> None:
        self.generation = generation
        self.is_probe = is_probe
        self.expires = expires
        self.began = began
        self.settled = False

    @property
    def is_bypass(self) -> bool:
        """Whether it was given although the circuit refused."""
        return self.generation == BYPASS


class Circuit:
    """Who may pass, and what follows from how it went. Not locked: its owner is.

    Attributes:
        admitting: the generation of permits that may be given without asking; None: ask.
        state: closed, open or half_open. Only `ask()`, `settle()` and the two by hand change it.
        generation: rises with every transition.
        because: why it opened last; empty if it never did.
        open_until: when an open circuit lets its first probe through.
        probe: the permit that decides, while it is under way.
        disabled: lets everybody through, and goes on measuring.
        failures: failures learnt of, in all.
        rejections: callers refused, in all.
        transitions: changes of state, in all.
        last_used: when a permit was last settled.
    """

    __slots__ = (
        "_pause_s",
        "_random",
        "_settings",
        "admitting",
        "because",
        "cooldown",
        "disabled",
        "failures",
        "generation",
        "health",
        "last_used",
        "name",
        "open_until",
        "probe",
        "rejections",
        "state",
        "transitions",
    )

    def __init__(self, settings: BreakerSettings, name: str, random: Callable[[], float], now: float) -> None:
        self.name = name
        self._settings = settings
        self._random = random
        self._pause_s = settings.recovery_timeout_s
        self.admitting: int | None = 0
        self.state: State = CLOSED
        self.because = ""
        self.generation = 0
        self.open_until = -math.inf
        self.probe: Permit | None = None
        self.disabled = False
        self.health = Health(settings)
        self.cooldown = Cooldown(settings.max_cooldown_s, random)
        self.failures = self.rejections = self.transitions = 0
        self.last_used = now

    # -- permission

    def refusal(self, now: float) -> Refusal | None:
        """Why a caller would be refused now; None if he would not. Pure."""
        if now < self.cooldown.until:
            return "cooldown"
        if self.state == OPEN and now < self.open_until:
            return "open"
        probe = self.probe
        if probe is not None and now < probe.expires:
            return "probing"
        return None

    def ask(self, now: float, lease_s: float | None) -> tuple[Permit | None, Transition | None]:
        """Gives a permit, or refuses one."""
        if self.refusal(now) is not None:
            if self.disabled:
                return Permit(BYPASS), None
            self.rejections += 1
            return None, None
        if self.state == CLOSED:
            if self.health.row > 0:
                return Permit(self.generation, began=now), None
            self.admitting = self.generation
            return Permit(self.generation), None
        transition = self._move(HALF_OPEN, now, "probe") if self.state == OPEN else None
        self.probe = Permit(self.generation, True, now + self._lease(lease_s))
        return self.probe, transition

    def _lease(self, lease_s: float | None) -> float:
        if lease_s is None or not math.isfinite(lease_s):
            return self._settings.probe_lease_s
        return max(lease_s, 0.0) + LEASE_GRACE_S

    # -- lesson

    def settle(
        self, permit: Permit, effect: Effect, retry_after_s: float | None, now: float, reason: str
    ) -> Transition | None:
        """Takes a permit back, once, and learns what its call has shown."""
        if permit.settled:
            return None
        permit.settled = True
        self.last_used = now
        current = permit.generation == self.generation
        if effect is not SUCCESS:
            self._cool(effect, retry_after_s, current, now)
        if permit is self.probe:
            self.probe = None
        if not current:
            # From another life of the circuit: it was placed before the circuit opened, and says nothing of now.
            return None
        if effect is NEUTRAL or effect is COOLDOWN:
            return None
        if self.state == CLOSED:
            return self._learn(permit, effect, retry_after_s, now, reason)
        if permit.expires <= now:
            # Lapsed: the next caller may be probing already. Or a result that came without a permit.
            return None
        return self._conclude(effect, retry_after_s, now, reason)

    def _cool(self, effect: Effect, retry_after_s: float | None, current: bool, now: float) -> None:
        if effect is EJECT:
            return
        if retry_after_s is not None and retry_after_s > 0:
            self.cooldown.told(retry_after_s, now)
        elif effect is COOLDOWN and current:
            self.cooldown.throttled(now)
        else:
            return
        self.admitting = None

    def _learn(
        self, permit: Permit, effect: Effect, retry_after_s: float | None, now: float, reason: str
    ) -> Transition | None:
        """What a call on the closed circuit teaches."""
        if effect is SUCCESS:
            self.health.succeeded(now)
            self.cooldown.step_s = FIRST_S
            return None
        if effect is EJECT:
            return self._eject(retry_after_s, now, reason)
        self.failures += 1
        self.admitting = None
        enough = self.health.failed(now, now if permit.began is None else permit.began)
        return None if enough is None else self._open(self._backoff_s(), now, enough)

    def _conclude(self, effect: Effect, retry_after_s: float | None, now: float, reason: str) -> Transition:
        """What the probe teaches."""
        if effect is SUCCESS:
            self._pause_s = self._settings.recovery_timeout_s
            return self._move(CLOSED, now, "probe_succeeded")
        if effect is EJECT:
            return self._eject(retry_after_s, now, reason)
        self.failures += 1
        self._pause_s = min(self._pause_s * 2.0, self._settings.max_recovery_timeout_s)
        return self._open(self._backoff_s(), now, "probe_failed")

    # -- transitions

    def force_open(self, now: float) -> Transition | None:
        """Nobody passes until `reset()`."""
        self.disabled = False
        if self.state == OPEN:
            self.open_until = math.inf
            return None
        return self._open(math.inf, now, "forced")

    def reset(self, now: float) -> Transition | None:
        """Closed, with a clean slate; the totals stay."""
        self.disabled = False
        self._pause_s = self._settings.recovery_timeout_s
        self.health.clear()
        self.cooldown.clear()
        return None if self.state == CLOSED else self._move(CLOSED, now, "reset")

    def disown(self) -> None:
        """Forgets the permits that are under way: their calls belong to the process that this one was forked from."""
        self.generation += 1
        self.admitting = self.probe = None

    def _open(self, seconds: float, now: float, reason: str) -> Transition:
        self.open_until = now + seconds
        return self._move(OPEN, now, reason)

    def _eject(self, seconds: float | None, now: float, reason: str) -> Transition:
        return self._open(self._settings.quota_ejection_s if seconds is None else seconds, now, reason)

    def _backoff_s(self) -> float:
        """Seconds to stay open: drawn from the upper half, so that not all processes probe at once."""
        return self._pause_s * (0.5 + 0.5 * self._random())

    def _move(self, after: State, now: float, reason: str) -> Transition:
        before = self.state
        if (before, after) not in LEGAL:
            raise AssertionError("unreachable")
        self.admitting = self.probe = None
        self.state = after
        self.generation += 1
        self.transitions += 1
        if after == CLOSED:
            self.health.clear()
            self.cooldown.step_s = FIRST_S
        if after == OPEN:
            self.because = reason
        open_for_s = self.open_until - now if after == OPEN else 0.0
        return Transition(self.name, before, after, reason, self.generation, now, open_for_s)
