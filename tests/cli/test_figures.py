"""What events add up to: nothing is lost, nothing unknown is counted as 0."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_router_middleware.cli.figures import figures, percentile, usage_of

TIERS = {("openai", "small"): "budget", ("anthropic", "large"): "premium"}


def event(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "timestamp": 1_000.0,
        "selected_provider": "openai",
        "selected_model": "small",
        "selection_reason": "complexity_match",
        "success": True,
        "actual_latency_s": 1.0,
        "cost_usd": 0.25,
        "baseline_cost_usd": 1.0,
        "savings_usd": 0.75,
        "attempts": [{}],
        "ruled_out": [],
    }
    return {**plain, **changes}


def tier_of(provider: str, model: str) -> str | None:
    return TIERS.get((provider, model))


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.floats(0.01, 1))
def test_percentile_is_the_nearest_rank(values: list[float], share: float) -> None:
    """It is one of the values, the smallest that at least the share of them does not exceed."""
    found = percentile(values, share)
    assert found in values
    at_most = [value for value in values if value <= found]
    below = [value for value in values if value < found]
    assert len(at_most) >= share * len(values) - 1e-9
    assert len(below) < share * len(values) + 1e-9


def test_p95_of_twenty_is_not_the_maximum() -> None:
    """The tutorial's index `int(0.95 n)` gives the largest of 20 values; the nearest rank is the 19th."""
    assert percentile(list(range(1, 21)), 0.95) == 19
    assert percentile([], 0.95) is None


@given(
    st.lists(
        st.builds(
            event,
            selected_model=st.sampled_from(["small", "large", "other"]),
            selected_provider=st.sampled_from(["openai", "anthropic"]),
            success=st.sampled_from([True, False, None]),
            cost_usd=st.one_of(st.none(), st.floats(0, 9)),
            selection_reason=st.sampled_from(["complexity_match", "failover", "circuit_fallback"]),
        ),
        max_size=40,
    )
)
def test_the_parts_add_up_to_the_whole(events: list[dict[str, Any]]) -> None:
    """Calls, shares and money of the tiers, and of the providers, are those of the total."""
    found = figures(events, tier_of)
    for parts in (found.tiers, found.providers):
        assert sum(part.calls for part in parts) == len(events)
        assert math.isclose(sum(part.share for part in parts), 1 if events else 0, abs_tol=1e-9)
        assert sum(part.unpriced for part in parts) == found.total.unpriced
        assert math.isclose(sum(part.cost_usd or 0 for part in parts), found.total.cost_usd or 0, abs_tol=1e-9)
    assert sum(times for _, times in found.reasons) == len(events)
    assert found.failed + found.unfinished + sum(e["success"] is True for e in events) == len(events)


def test_unknown_money_is_never_zero() -> None:
    """An unknown cost is counted apart; a call without a baseline is in the cost and not in the savings."""
    unpriced = event(cost_usd=None, baseline_cost_usd=None, savings_usd=None)
    unnamed = event(baseline_cost_usd=None, savings_usd=None)
    found = figures([event(), unpriced, unnamed], tier_of).total
    assert (found.cost_usd, found.baseline_usd, found.savings_usd) == (0.5, 1.0, 0.75)
    assert (found.unpriced, found.uncompared) == (1, 1)
    assert found.saved == 0.75
    assert figures([unpriced], tier_of).total.cost_usd is None


def test_savings_are_signed() -> None:
    """A call that was dearer than what was asked for counts against us."""
    dear = event(cost_usd=3.0, savings_usd=-2.0)
    assert figures([dear], tier_of).total.saved == -2.0
    assert figures([event(), dear], tier_of).total.savings_usd == -1.25


def test_breaker_refusals_are_told_from_other_reasons() -> None:
    """Only what circuit breakers said is a refusal: not a missing key, not a capability."""
    out = [
        ["small", "openai", "model circuit open"],
        ["large", "anthropic", "endpoint told to wait"],
        ["small", "groq", "no API key for groq"],
        ["x", "openai", "tools: not on this model"],
    ]
    found = figures([event(ruled_out=out), event(ruled_out=out[:1])], tier_of)
    assert found.refusals == (
        ("openai/small", "model circuit open", 2),
        ("anthropic/large", "endpoint told to wait", 1),
    )


def test_refusals_are_worded_as_the_breakers_word_them() -> None:
    """The words that figures looks for are those of the resilience room."""
    from llm_router_middleware.cli import figures as module
    from llm_router_middleware.resilience.admission import WORDS

    assert all(word.endswith(module._REFUSALS) for word in WORDS.values())


@pytest.mark.parametrize("bad", [None, "3", True, [], {}, float("nan"), float("inf")])
@pytest.mark.parametrize("key", ["cost_usd", "savings_usd", "actual_latency_s", "timestamp", "attempts", "ruled_out"])
def test_values_of_the_wrong_type_are_unknown(key: str, bad: Any) -> None:
    """A file that somebody has edited is added up as far as it makes sense."""
    found = figures([event(**{key: bad}), event()], tier_of)
    assert found.total.calls == 2
    assert found.total.cost_usd in (0.25, 0.5)


def test_to_dict_is_plain_and_has_the_shares() -> None:
    """What `--json` prints: JSON types, with the derived shares in it."""
    import json

    plain = json.loads(json.dumps(figures([event(), event(selection_reason="failover")], tier_of).to_dict()))
    assert plain["total"]["saved"] == plain["tiers"][0]["saved"] == 0.75
    assert plain["failover_share"] == 0.5


def test_usage_of_an_event() -> None:
    """Token counts come back as they were recorded, and nonsense as unknown."""
    usage = usage_of({"usage": {"input_tokens": 7, "output_tokens": 2, "cached_input_tokens": None}})
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.cached_input_tokens) == (7, 2, None)
    assert usage_of({"usage": None}) is None
