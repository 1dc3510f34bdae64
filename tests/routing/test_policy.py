"""Who should answer: the cheapest tier that will do, never dearer than the caller, with a reason for everyone else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_router_middleware.engine.call import Call, Limits
from llm_router_middleware.models.spec import ModelSpec, Price, Tier
from llm_router_middleware.routing.policy import Policy, World, select_model
from llm_router_middleware.scoring.base import ComplexityScore


def spec(name: str, provider: str, tier: str, price: float | None) -> ModelSpec:
    return ModelSpec(name, provider, Tier(tier), None if price is None else Price(price, price * 4))


OWN = [
    spec("o-budget", "openai", "budget", 1),
    spec("o-mid", "openai", "mid", 5),
    spec("o-top", "openai", "premium", 20),
]
OTHER = [
    spec("g-budget", "groq", "budget", 0.5),
    spec("g-mid", "groq", "mid", 2),
    spec("a-top", "anthropic", "premium", 30),
]
MODELS = [*OWN, *OTHER]
TOP = OWN[2]


def world(
    unavailable: Callable[[ModelSpec], str | None] = lambda _m: None,
    unmet: Callable[[ModelSpec], str | None] = lambda _m: None,
    slow: tuple[str, ...] = (),
) -> World:
    return World(unavailable, unmet, lambda model, _limit: model.name in slow)


def decide(
    tier: str = "budget",
    requested: ModelSpec | None = TOP,
    *,
    policy: Policy | None = None,
    limits: Limits | None = None,
    models: list[ModelSpec] | None = None,
    native_only: str | None = None,
    **facts: Any,
) -> Any:
    call = Call("openai", "openai_chat", {}, limits=limits or Limits(), native_only=native_only)
    score = ComplexityScore(Tier(tier), 0.5, ("signal",))
    return (policy or Policy()).decide(call, score, MODELS if models is None else models, requested, world(**facts))


def names(decision: Any) -> list[str]:
    return [model.name for model in decision.candidates]


def why(decision: Any) -> dict[str, str]:
    return {out.model: out.reason for out in decision.ruled_out}


@pytest.mark.parametrize(("tier", "first"), [("budget", "o-budget"), ("mid", "o-mid"), ("premium", "o-top")])
def test_complexity_chooses_the_tier(tier: str, first: str) -> None:
    """The caller's own provider answers, with a model of the tier that complexity asks for."""
    decision = decide(tier)
    assert names(decision)[0] == first
    assert (decision.tier, decision.reason, decision.complexity_tier) == (tier, "complexity_match", tier)


def test_candidates_go_through_the_tier_then_up_then_down() -> None:
    """First all models of the tier, then the tiers above, then those below from the nearest."""
    assert names(decide("mid")) == ["o-mid", "g-mid", "o-top", "a-top", "o-budget", "g-budget"]


def test_stepping_down_can_be_switched_off() -> None:
    """Then a failed call never gets a lesser model, but for the one that the caller named himself."""
    assert names(decide("mid", policy=Policy(step_down=False))) == ["o-mid", "g-mid", "o-top", "a-top"]


def test_the_named_model_is_the_ceiling_of_the_first_choice() -> None:
    """A hard prompt on a budget model stays there; dearer ones are for failure only."""
    decision = decide("premium", OWN[0])
    assert names(decision)[0] == "o-budget"
    assert decision.reason == "ceiling"
    assert "o-top" in names(decision)


def test_a_dearer_model_of_the_same_tier_is_not_the_first_choice() -> None:
    """The ceiling is money too."""
    dear = spec("o-dear", "openai", "budget", 50)
    decision = decide("budget", OWN[1], models=[dear, *MODELS])
    assert names(decision)[0] == "o-budget"
    assert "o-dear" in names(decision)


def test_without_a_named_model_there_is_no_ceiling() -> None:
    """`auto`: complexity alone decides."""
    assert names(decide("premium", None))[0] == "o-top"


def test_the_named_model_comes_first_within_its_own_tier() -> None:
    """Nothing is rewritten where nothing is won."""
    named = spec("o-named", "openai", "mid", 5)
    assert names(decide("mid", named, models=[*MODELS, named]))[0] == "o-named"


def test_the_ceiling_can_be_switched_off() -> None:
    """Then complexity decides as with `auto`."""
    assert names(decide("premium", OWN[0], policy=Policy(ceiling=False)))[0] == "o-top"


@pytest.mark.parametrize(
    ("limits", "first", "reason"),
    [
        (Limits(tier="premium"), "o-top", "pinned"),
        (Limits(tier="premium", max_tier="mid"), "o-mid", "pinned"),
        (Limits(min_tier="mid"), "o-mid", "complexity_match"),
        (Limits(max_tier="budget"), "o-budget", "complexity_match"),
    ],
    ids=["tier", "tier within max", "min", "max"],
)
def test_limits_hold(limits: Limits, first: str, reason: str) -> None:
    """What a scope or a setting says comes before complexity."""
    decision = decide("budget", limits=limits)
    assert (names(decision)[0], decision.reason) == (first, reason)


def test_max_tier_holds_on_failure_too() -> None:
    """Not even as a last candidate."""
    decision = decide("budget", limits=Limits(max_tier="mid"))
    assert {model.tier for model in decision.candidates} == {Tier.BUDGET, Tier.MID}
    assert why(decision)["o-top"] == "premium is above max_tier mid"


def test_a_hard_prompt_under_max_tier_says_ceiling() -> None:
    """The event tells that complexity asked for more than it got."""
    assert decide("premium", limits=Limits(max_tier="mid")).reason == "ceiling"


def test_what_cannot_honour_the_request_is_ruled_out_by_name() -> None:
    """The choice steps up to what can, and says capability."""
    decision = decide("budget", unmet=lambda m: "it sees no images" if m.tier is Tier.BUDGET else None)
    assert names(decision)[0] == "o-mid"
    assert decision.reason == "capability"
    assert why(decision) == {"o-budget": "it sees no images", "g-budget": "it sees no images"}


def test_the_named_model_is_never_judged() -> None:
    """What the caller asked for himself is his affair: it is a candidate whatever we believe of it."""
    decision = decide("budget", unmet=lambda _m: "no")
    assert names(decision) == ["o-top"]


@pytest.mark.parametrize(
    ("policy", "limits", "native_only", "reason"),
    [
        (Policy(cross_provider=False), Limits(), None, "other providers are off (cross_provider)"),
        (Policy(), Limits(allow_providers=frozenset({"openai"})), None, "groq is not in allow_providers"),
        (Policy(), Limits(), "a raw stream", "must stay with openai: a raw stream"),
    ],
)
def test_boundaries_rule_other_providers_out(
    policy: Policy, limits: Limits, native_only: str | None, reason: str
) -> None:
    """Each boundary keeps the request at home, with its reason."""
    decision = decide("mid", policy=policy, limits=limits, native_only=native_only)
    assert {model.provider for model in decision.candidates} == {"openai"}
    assert why(decision)["g-mid"] == reason


def test_no_failover_leaves_one_candidate_and_says_why_of_the_others() -> None:
    """Everyone who is not a candidate has a reason."""
    decision = decide("mid", policy=Policy(failover=False))
    assert names(decision) == ["o-mid"]
    assert set(why(decision).values()) == {"failover is off"}
    assert len(decision.ruled_out) == len(MODELS) - 1


def test_a_slow_model_gives_way_to_a_faster_one_of_its_tier_or_above() -> None:
    """latency_fallback: the slow ones stay candidates, behind."""
    decision = decide("budget", limits=Limits(max_latency_s=3), slow=("o-budget", "g-budget", "o-mid"))
    assert decision.reason == "latency_fallback"
    assert names(decision)[0] == "g-mid"
    assert set(names(decision)) == {model.name for model in MODELS}


def test_when_everyone_is_slow_nothing_changes() -> None:
    """Stepping up that would not help is not paid for."""
    slow = tuple(model.name for model in MODELS)
    decision = decide("budget", limits=Limits(max_latency_s=3), slow=slow)
    assert (names(decision)[0], decision.reason) == ("o-budget", "complexity_match")


tiers = st.sampled_from(["budget", "mid", "premium"])
specs = st.builds(
    spec,
    st.text("abcdef", min_size=1, max_size=3),
    st.sampled_from(["openai", "groq", "anthropic"]),
    tiers,
    st.none() | st.floats(0.01, 100),
)


@given(
    st.lists(specs, max_size=8, unique_by=lambda m: m.key),
    st.none() | specs,
    tiers,
    st.none() | tiers,
    st.booleans(),
    st.sets(st.text("abcdef", min_size=1, max_size=3)),
)
def test_laws_of_every_decision(
    models: list[ModelSpec],
    requested: ModelSpec | None,
    tier: str,
    max_tier: str | None,
    failover: bool,
    unable: set[str],
) -> None:
    """Everyone is a candidate or has a reason, exactly once; the first choice is within the ceiling and max_tier."""
    if requested is not None:
        requested = ModelSpec(requested.name, "openai", requested.tier, requested.price)
        models = [*(m for m in models if m.key != requested.key), requested]
    decision = decide(
        tier,
        requested,
        policy=Policy(failover=failover),
        limits=Limits(max_tier=max_tier),
        models=models,
        unmet=lambda m: "unable" if m.name in unable else None,
    )
    named = [m.key for m in decision.candidates] + [f"{o.provider}/{o.model}" for o in decision.ruled_out]
    assert sorted(named) == sorted(m.key for m in models)
    for model in decision.candidates:
        assert max_tier is None or model.tier.rank <= Tier(max_tier).rank
    if requested is not None and requested in decision.candidates:
        first = decision.candidates[0]
        assert first.tier.rank <= requested.tier.rank
        if first.price and requested.price:
            assert first.price.input <= requested.price.input


@pytest.mark.parametrize(
    ("tier", "limit", "expected"),
    [("budget", None, "o-budget"), ("budget", 3.0, "o-mid"), ("premium", None, "o-top"), ("premium", 0.1, "o-top")],
)
def test_select_model_is_the_tutorials_question(tier: str, limit: float | None, expected: str) -> None:
    """Budget is too slow: step up; premium has nowhere to go."""
    p95 = {"openai/o-budget": 8.0, "openai/o-mid": 1.0, "openai/o-top": 2.0}
    chosen = select_model(ComplexityScore(Tier(tier), 0.1), OWN, limit, p95.get)
    assert chosen is not None
    assert chosen.name == expected


def test_select_model_of_nothing_is_none() -> None:
    """No models, no choice."""
    assert select_model(ComplexityScore(Tier.MID, 0.5), []) is None
