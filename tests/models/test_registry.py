"""The registry: who is in which tier, which names it knows, and that it never changes."""

from __future__ import annotations

import threading

import pytest

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models.prices import price_of
from llm_router_middleware.models.registry import ModelRegistry
from llm_router_middleware.models.spec import ModelSpec, Price, Tier

ALL = ("openai", "anthropic", "groq")


@pytest.fixture(scope="module")
def registry() -> ModelRegistry:
    return ModelRegistry.default(ALL)


def spec(name: str, tier: str = "budget", provider: str = "mine", **more: object) -> ModelSpec:
    return ModelSpec(name, provider, Tier(tier), **more)  # type: ignore[arg-type]  # shorthand of these tests


def bare(*models: ModelSpec) -> ModelRegistry:
    return ModelRegistry(models, join=lambda model: model)


def keys(models: object) -> list[str]:
    return [model.key for model in models]  # type: ignore[attr-defined]  # any iterable of specs


def test_the_default_has_today_s_models_of_every_provider_in_every_tier_it_serves(registry: ModelRegistry) -> None:
    """Each provider has a budget and a mid model; OpenAI and Anthropic have a premium one."""
    offered = {(model.provider, str(model.tier)) for model in registry}
    both = {(provider, tier) for provider in ALL for tier in ("budget", "mid")}
    assert offered == both | {("openai", "premium"), ("anthropic", "premium")}


def test_iteration_goes_from_budget_to_premium_and_lists_no_mere_ceiling(registry: ModelRegistry) -> None:
    """What is iterated over is exactly what the tiers list."""
    assert keys(registry) == keys([*registry.tier("budget"), *registry.tier("mid"), *registry.tier("premium")])
    assert all(model.routable for model in registry)
    assert len(registry) == len(list(registry)) < len(registry.known)


@pytest.mark.parametrize(
    ("provider", "name", "tier"),
    [
        ("openai", "gpt-4o", "mid"),
        ("openai", "gpt-5", "premium"),
        ("openai", "gpt-5-mini", "mid"),
        ("openai", "o3", "premium"),
        ("anthropic", "claude-sonnet-4-5", "mid"),
        ("anthropic", "claude-opus-4-6", "premium"),
        ("groq", "llama-3.3-70b-versatile", "mid"),
    ],
)
def test_ceilings_are_known_with_tier_and_price_but_not_routed_to(
    registry: ModelRegistry, provider: str, name: str, tier: str
) -> None:
    """A model that callers name is a baseline even if nobody would be sent to it."""
    model = registry.find(provider, name)
    assert model is not None
    assert str(model.tier) == tier
    assert model.price is not None
    assert not model.routable
    assert model.key not in keys(registry)


@pytest.mark.parametrize(
    ("provider", "name", "base"),
    [
        ("openai", "gpt-6-luna-2026-08-01", "gpt-6-luna"),
        ("openai", "gpt-4o-2024-11-20", "gpt-4o"),
        ("openai", "chatgpt-4o-latest", "gpt-4o"),
        ("openai", "gpt-5-chat-latest", "gpt-5"),
        ("anthropic", "claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("anthropic", "claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
    ],
)
def test_snapshots_and_aliases_have_their_model_s_tier_and_their_own_name(
    registry: ModelRegistry, provider: str, name: str, base: str
) -> None:
    """A pinned version is what goes on the wire; its tier is the one of what it is a version of."""
    version, model = registry.find(provider, name), registry.find(provider, base)
    assert version is not None
    assert model is not None
    assert version.name == name
    assert version.tier is model.tier


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("openai", "ft:gpt-4o-mini:acme::1"),
        ("openai", "gpt-6-luna-preview"),
        ("openai", "gpt-6-luna-2026-8-1"),
        ("openai", "gpt-6-luna-19991231"),
        ("openai", "gpt-6-luna\n"),
        ("openai", "GPT-6-LUNA"),
        ("openai", "claude-sonnet-5-5"),
        ("azure", "gpt-6-luna"),
        ("openai", ""),
        ("", ""),
        ("openai", "auto"),
        ("openai", "x" * 10_000),
        ("openai", "gpt-4o-audio-preview"),
    ],
)
def test_what_nobody_declared_is_not_known(registry: ModelRegistry, provider: str, name: str) -> None:
    """Fine-tunes, deployments, special models and other providers' names pass through: find gives None."""
    assert registry.find(provider, name) is None


def test_models_of_absent_providers_are_known_but_not_offered() -> None:
    """A client of a provider whose key is not in the environment still has its ceiling."""
    only = ModelRegistry.default(["groq"])
    assert only.providers == ("groq",)
    found = only.find("openai", "gpt-6-luna")
    assert found is not None
    assert not found.routable
    assert not list(ModelRegistry.default([]))


def test_snapshots_are_remembered_without_growing(registry: ModelRegistry) -> None:
    """Names come from callers: a million of them must not be kept."""
    for day in range(2000):
        registry.find("openai", f"gpt-6-luna-{20260101 + day}")
    assert registry._variant.cache_info().currsize <= 256


def test_facts_are_joined_in_and_declared_ones_stand() -> None:
    """Price, window and capabilities come from the bundled data where the spec says nothing."""
    (filled,) = ModelRegistry([ModelSpec("gpt-6-luna", "openai", Tier.MID)])
    assert (filled.tier, filled.price) == (Tier.MID, price_of("openai", "gpt-6-luna"))
    assert filled.price is not None
    assert filled.context_window is not None
    assert filled.capabilities is not None
    own = Price(9.0, 9.0)
    (kept,) = ModelRegistry([ModelSpec("gpt-6-luna", "openai", Tier.MID, price=own, context_window=1000)])
    assert (kept.price, kept.context_window) == (own, 1000)
    (unknown,) = ModelRegistry([spec("llama-local")])
    assert (unknown.price, unknown.context_window, unknown.capabilities) == (None, None, None)


def test_with_model_adds_replaces_in_place_and_changes_nothing() -> None:
    """A registry is a value."""
    first = bare(spec("a"), spec("b"), spec("c", "mid"))
    second = first.with_model(spec("d"))
    assert keys(first) == ["mine/a", "mine/b", "mine/c"]
    assert keys(second) == ["mine/a", "mine/b", "mine/d", "mine/c"]
    third = second.with_model(spec("a", context_window=5))
    assert keys(third) == keys(second)
    assert third.tier("budget")[0].context_window == 5
    assert keys(third.with_model(spec("a", "mid"))) == ["mine/b", "mine/d", "mine/c", "mine/a"]


def test_without_takes_a_name_or_a_key() -> None:
    """A name goes from all providers, a key from one."""
    both = bare(spec("a"), spec("a", provider="other"))
    assert keys(both.without("mine/a")) == ["other/a"]
    assert keys(both.without("a")) == []
    assert keys(both.without("zzz")) == keys(both)


def test_with_tiers_replaces_the_tiers_named_and_leaves_the_others(registry: ModelRegistry) -> None:
    """What was in a replaced tier stays known, as a ceiling."""
    changed = registry.with_tiers({"budget": ["gpt-6-luna", "groq/openai/gpt-oss-20b", spec("llama")]})
    assert keys(changed.tier("budget")) == ["openai/gpt-6-luna", "groq/openai/gpt-oss-20b", "mine/llama"]
    assert keys(changed.tier("mid")) == keys(registry.tier("mid"))
    dropped = changed.find("anthropic", "claude-haiku-5-5")
    assert dropped is not None
    assert not dropped.routable


def test_with_tiers_moves_a_model_between_tiers_and_makes_a_ceiling_routable(registry: ModelRegistry) -> None:
    """Each model stands in one tier; a name that was only a ceiling is routed to once it is listed."""
    changed = registry.with_tiers({"premium": ["gpt-6-sol", "gpt-4o"]})
    assert keys(changed.tier("premium")) == ["openai/gpt-6-sol", "openai/gpt-4o"]
    assert "openai/gpt-6-sol" not in keys(changed.tier("mid"))


def test_with_tiers_takes_snapshots_by_key_and_empty_tiers(registry: ModelRegistry) -> None:
    """A pinned version is routed to under its own name; an empty list switches a tier off."""
    changed = registry.with_tiers({"low": ["openai/gpt-6-luna-2026-08-01"], "high": []})
    assert keys(changed.tier("budget")) == ["openai/gpt-6-luna-2026-08-01"]
    assert changed.tier("premium") == ()


@pytest.mark.parametrize(
    ("name", "words"),
    [("gpt-6-lunar", "did you mean"), ("nonsense", "declare it"), ("twice", "several providers")],
)
def test_with_tiers_refuses_names_that_name_no_one_model(name: str, words: str) -> None:
    """A typo in a model's name is found at construction."""
    registry = ModelRegistry.default(ALL).with_model(spec("twice")).with_model(spec("twice", provider="other"))
    with pytest.raises(ConfigurationError, match=words) as caught:
        registry.with_tiers({"budget": [name]})
    assert repr(name) in str(caught.value)


def test_a_wrong_tier_is_refused(registry: ModelRegistry) -> None:
    """There are three tiers, by two sets of names."""
    with pytest.raises(ConfigurationError, match="budget, mid, premium"):
        registry.tier("cheap")
    with pytest.raises(ConfigurationError, match="budget, mid, premium"):
        registry.with_tiers({"cheap": []})


def test_one_registry_serves_many_threads() -> None:
    """The first use from many threads at once gives all of them the same specs."""
    registry = ModelRegistry.default(ALL)
    barrier, seen = threading.Barrier(8), []

    def use() -> None:
        barrier.wait()
        seen.append((registry.find("openai", "gpt-6-luna"), keys(registry)))

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert all(entry == seen[0] for entry in seen)


def test_a_fingerprint_tells_registries_apart_by_tier_order_and_offer() -> None:
    """Equal registries have equal fingerprints; whatever would route otherwise changes it."""
    base = bare(spec("a"), spec("b"))
    others = [
        bare(spec("b"), spec("a")),
        bare(spec("a"), spec("b", "mid")),
        bare(spec("a"), spec("b", routable=False)),
        bare(spec("a")),
    ]
    assert base.fingerprint() == bare(spec("a"), spec("b")).fingerprint()
    assert len({registry.fingerprint() for registry in [base, *others]}) == 5


def test_its_repr_names_the_models_by_tier() -> None:
    """What is printed is what is offered."""
    text = repr(bare(spec("a"), spec("b", "mid"), spec("c", routable=False)))
    assert text == "ModelRegistry(budget=['mine/a'], mid=['mine/b'], premium=[])"
