"""What a pile of events adds up to. Pure: events in, numbers out.

Events come as the plain dicts of `RoutingEvent.to_dict()` or of a line of JSON. Nothing about them is trusted: a value
of the wrong type counts as unknown, and what is unknown is counted apart, never as 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from llm_router_middleware.events.event import Usage

__all__ = ["Event", "Figures", "Slice", "figures", "percentile", "usage_of"]

Event = Mapping[str, Any]

FAILED_OVER = frozenset({"failover", "circuit_fallback"})
"""Reasons of calls that another model served because the first choice failed, or was known to be failing."""

_REFUSALS = ("circuit open", "told to wait", "its probe is under way", "at its limit of concurrent calls")
"""How the reasons end that circuit breakers and concurrency limits give."""

_TIERS = ("budget", "mid", "premium")


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of the calls.

    Attributes:
        name: which.
        calls: how many.
        share: of all calls, 0 to 1.
        cost_usd: of those whose cost is known; None if none is.
        baseline_usd: the same tokens on the models that the callers named; of the calls that can be compared.
        savings_usd: baseline less cost of these calls; negative when we were dearer.
        premium_usd: the tokens of all calls on a premium model, where that was asked for.
        unpriced: calls whose cost is unknown.
        uncompared: calls of known cost without a baseline: the caller named no model with a price.
        p50_s, p95_s, p99_s: seconds of the calls that succeeded.
        first_token_s: median seconds to the first content, of streams.
    """

    name: str
    calls: int
    share: float
    cost_usd: float | None
    baseline_usd: float | None
    savings_usd: float | None
    premium_usd: float | None
    unpriced: int
    uncompared: int
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    first_token_s: float | None

    @property
    def saved(self) -> float | None:
        """Savings as a share of the baseline."""
        if self.savings_usd is None or not self.baseline_usd:
            return None
        return self.savings_usd / self.baseline_usd


@dataclass(frozen=True, slots=True)
class Figures:
    """All of the calls.

    Attributes:
        total: together.
        tiers: by the tier of the model that served.
        providers: by who served.
        failed: calls that gave no answer.
        unfinished: events of streams that never ended.
        failovers: calls that another model served because the first choice failed or was known to be failing.
        attempts: requests that were made for all of them.
        reasons: why the models were selected, most frequent first.
        errors: what failed calls ended with, most frequent first.
        refusals: ("provider/model", reason, times) of circuit breakers and concurrency limits.
        began, ended: seconds since the epoch of the first and the last call.
    """

    total: Slice
    tiers: tuple[Slice, ...]
    providers: tuple[Slice, ...]
    failed: int
    unfinished: int
    failovers: int
    attempts: int
    reasons: tuple[tuple[str, int], ...]
    errors: tuple[tuple[str, int], ...]
    refusals: tuple[tuple[str, str, int], ...]
    began: float | None
    ended: float | None

    @property
    def failover_share(self) -> float:
        """Failovers as a share of all calls."""
        return self.failovers / self.total.calls if self.total.calls else 0.0

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        plain = asdict(self)
        plain["failover_share"] = self.failover_share
        for slice_, values in zip((self.total, *self.tiers, *self.providers), _slices(plain), strict=True):
            values["saved"] = slice_.saved
        return plain


def _slices(plain: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    return (plain["total"], *plain["tiers"], *plain["providers"])


def figures(
    events: Iterable[Event],
    tier_of: Callable[[str, str], str | None],
    premium_usd: Callable[[Event], float | None] | None = None,
) -> Figures:
    """Adds up.

    Args:
        events: as plain dicts.
        tier_of: the tier of (provider, model); None for a model that nobody knows.
        premium_usd: USD of an event's tokens on a premium model; None when unknown.
    """
    rows = list(events)

    def part(name: str, some: Sequence[Event]) -> Slice:
        return _slice(name, some, len(rows), premium_usd)

    tier = [tier_of(str(e.get("selected_provider")), str(e.get("selected_model"))) or "unknown" for e in rows]
    provider = [str(e.get("selected_provider") or "unknown") for e in rows]
    times = [time for e in rows if (time := _number(e.get("timestamp"))) is not None]
    return Figures(
        total=part("all", rows),
        tiers=tuple(part(name, _having(rows, tier, name)) for name in (*_TIERS, "unknown") if name in tier),
        providers=tuple(part(name, _having(rows, provider, name)) for name in sorted(set(provider))),
        failed=sum(e.get("success") is False for e in rows),
        unfinished=sum(e.get("success") is None for e in rows),
        failovers=sum(e.get("selection_reason") in FAILED_OVER and e.get("success") is True for e in rows),
        attempts=sum(len(_list(e.get("attempts"))) for e in rows),
        reasons=_counted(str(e.get("selection_reason") or "unknown") for e in rows),
        errors=_counted(str(e.get("error") or "unknown") for e in rows if e.get("success") is False),
        refusals=_refusals(rows),
        began=min(times, default=None),
        ended=max(times, default=None),
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """The nearest rank: the smallest value that at least this share of the values does not exceed; None of none."""
    if not values:
        return None
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


def usage_of(event: Event) -> Usage | None:
    """The usage that an event recorded; None when there is none."""
    given = event.get("usage")
    if not isinstance(given, Mapping):
        return None

    def count(name: str) -> int | None:
        value = given.get(name)
        return value if isinstance(value, int) else None

    return Usage(
        count("input_tokens"),
        count("output_tokens"),
        count("cached_input_tokens"),
        count("cache_write_tokens"),
    )


def _slice(name: str, rows: Sequence[Event], of: int, premium_usd: Callable[[Event], float | None] | None) -> Slice:
    costs = _known(rows, "cost_usd")
    compared = [e for e in rows if _number(e.get("savings_usd")) is not None]
    seconds = _known([e for e in rows if e.get("success") is True], "actual_latency_s")
    premium = [] if premium_usd is None else [usd for e in rows if (usd := premium_usd(e)) is not None]
    return Slice(
        name=name,
        calls=len(rows),
        share=len(rows) / of if of else 0.0,
        cost_usd=_sum(costs),
        baseline_usd=_sum(_known(compared, "baseline_cost_usd")),
        savings_usd=_sum(_known(compared, "savings_usd")),
        premium_usd=_sum(premium),
        unpriced=len(rows) - len(costs),
        uncompared=len(costs) - len(compared),
        p50_s=percentile(seconds, 0.50),
        p95_s=percentile(seconds, 0.95),
        p99_s=percentile(seconds, 0.99),
        first_token_s=percentile(_known(rows, "time_to_first_token_s"), 0.50),
    )


def _having(rows: Sequence[Event], keys: Sequence[str], key: str) -> list[Event]:
    return [row for row, its in zip(rows, keys, strict=True) if its == key]


def _refusals(rows: Iterable[Event]) -> tuple[tuple[str, str, int], ...]:
    found: Counter[tuple[str, str]] = Counter()
    for event in rows:
        for entry in _list(event.get("ruled_out")):
            if isinstance(entry, (list, tuple)) and len(entry) == 3 and str(entry[2]).endswith(_REFUSALS):
                found[f"{entry[1]}/{entry[0]}", str(entry[2])] += 1
    return tuple((model, reason, times) for (model, reason), times in found.most_common())


def _counted(words: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(words).most_common())


def _known(rows: Iterable[Event], key: str) -> list[float]:
    return [number for row in rows if (number := _number(row.get(key))) is not None]


def _sum(values: Sequence[float]) -> float | None:
    return math.fsum(values) if values else None


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else ()
