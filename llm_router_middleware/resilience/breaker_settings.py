"""When a circuit opens, for how long, and how it comes back: the numbers, each with its reason."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

from llm_router_middleware.errors import ConfigurationError

__all__ = ["DEFAULTS", "BreakerSettings"]


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """The numbers of a circuit breaker.

    Attributes:
        failure_threshold: failures in a row that open the circuit. 5, as in Envoy and Finagle: calls to models are
            often rarer than one a second, where a rate never gathers volume.
        failure_ratio: share of failures in the window that opens it, 0 to 1. 0.5, as in Hystrix and resilience4j.
        minimum_calls: calls in the window below which the share says nothing.
        window_s: seconds that a result counts. Two failures further apart than this are not in a row.
        recovery_timeout_s: seconds that a circuit stays open the first time; doubled each time a probe fails, and drawn
            from the upper half of that. Incidents of providers last 38-88 minutes (median), but a short base costs one
            probe and a long one costs the recovery.
        max_recovery_timeout_s: where the doubling ends. 300, as in Finagle and Envoy.
        probe_lease_s: seconds after which a probe that never reported is given up, where the attempt has no timeout.
        max_cooldown_s: the longest that a Retry-After is obeyed here.
        quota_ejection_s: seconds without calls after the account's quota is spent.
        auth_ejection_s: seconds without calls after a credential was rejected.
        auth_threshold: rejections in a row that count as a dead credential.
        max_keys: circuits kept. Names of models come from outside and must not grow memory.

    Raises:
        ConfigurationError: a number that no breaker can work with.
    """

    failure_threshold: int = 5
    failure_ratio: float = 0.5
    minimum_calls: int = 10
    window_s: float = 30.0
    recovery_timeout_s: float = 5.0
    max_recovery_timeout_s: float = 300.0
    probe_lease_s: float = 120.0
    max_cooldown_s: float = 300.0
    quota_ejection_s: float = 600.0
    auth_ejection_s: float = 60.0
    auth_threshold: int = 2
    max_keys: int = 1024

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not _is_positive(value):
                raise ConfigurationError(f"{each.name}={value!r}: expected a finite number above 0")
            if each.name in _COUNTS and value != int(value):
                raise ConfigurationError(f"{each.name}={value!r}: expected a whole number")
        if self.failure_ratio > 1:
            raise ConfigurationError(f"failure_ratio={self.failure_ratio!r}: expected a share between 0 and 1")
        if self.max_recovery_timeout_s < self.recovery_timeout_s:
            raise ConfigurationError(
                f"max_recovery_timeout_s={self.max_recovery_timeout_s!r}: expected at least "
                f"recovery_timeout_s={self.recovery_timeout_s!r}"
            )

    def overridden(self, failure_threshold: int | None, recovery_timeout_s: float | None) -> BreakerSettings:
        """The same numbers but for these two, where they are given."""
        settings = self
        if failure_threshold is not None:
            settings = replace(settings, failure_threshold=failure_threshold)
        if recovery_timeout_s is not None:
            longest = max(recovery_timeout_s, settings.max_recovery_timeout_s)
            settings = replace(settings, recovery_timeout_s=recovery_timeout_s, max_recovery_timeout_s=longest)
        return settings


_COUNTS = frozenset({"failure_threshold", "minimum_calls", "auth_threshold", "max_keys"})


def _is_positive(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value > 0


DEFAULTS = BreakerSettings()
