"""tiers.toml against the world: the SDKs' own lists of names, the price data, and itself."""

from __future__ import annotations

import datetime
import typing
from importlib.metadata import version
from pathlib import Path

import pytest

from llm_router_middleware.models.catalog import Row, read_data, rows
from llm_router_middleware.models.providers import builtin_providers
from llm_router_middleware.models.registry import ModelRegistry
from llm_router_middleware.models.spec import Tier

READ_AGAINST = {"openai": "3.57", "anthropic": "2.13", "groq": "1.7", "genai-prices": "0.2.3"}
"""The releases that tiers.toml names as its sources."""

SPECIAL = {
    # Models for one purpose: a call to them is not one that another chat model could take over.
    "openai": [
        "gpt-audio-mini",
        "gpt-4o-audio-preview",
        "gpt-4o-mini-audio-preview",
        "gpt-4o-search-preview",
        "gpt-4o-mini-search-preview",
        "o3-deep-research",
        "o4-mini-deep-research",
        "computer-use-preview",
        "codex-mini-latest",
        "gpt-daybreak-blue-latest",
        "gpt-daybreak-red-latest",
        "gpt-5.6-cyber",
        "gpt-6-cyber",
        "gpt-rosalind-research",
        "gpt-6-rosalind",
        "gpt-6.2-astra-law",
        "gpt-4-vision-preview",
    ],
    "anthropic": [],
    "groq": ["meta-llama/llama-guard-4-12b", "compound-beta", "compound-beta-mini"],
}
GONE = {
    # Switched off before 2026, or never served (the SDK's deprecation notes): they would fail with any name of ours.
    "openai": [
        "gpt-5.1-mini",
        "o1-preview",
        "o1-mini",
        "gpt-4-32k",
        "gpt-4-32k-0314",
        "gpt-4-32k-0613",
        "gpt-3.5-turbo-16k",
        "gpt-3.5-turbo-0301",
        "gpt-3.5-turbo-0613",
        "gpt-3.5-turbo-16k-0613",
    ],
    "anthropic": [],
    "groq": [],
}


def names_in(annotation: object) -> set[str]:
    if typing.get_origin(annotation) is typing.Literal:
        return set(typing.get_args(annotation))
    return {name for part in typing.get_args(annotation) for name in names_in(part)}


def names_of(provider: str) -> set[str]:
    pytest.importorskip(provider)
    if provider == "openai":
        from openai.types.shared.all_models import AllModels

        return names_in(AllModels)
    if provider == "anthropic":
        from anthropic.types.model import Model

        return names_in(Model)
    from groq.types.chat import completion_create_params

    hints = typing.get_type_hints(completion_create_params.CompletionCreateParams)
    return names_in(hints["model"])


def only_as_read(distribution: str) -> None:
    """Skips where another release is installed than the data were read against: its news are the nightly run's."""
    found = version(distribution)
    if not found.startswith(READ_AGAINST[distribution]):
        pytest.skip(f"the data were read against {distribution} {READ_AGAINST[distribution]}, not {found}: see nightly")


@pytest.mark.parametrize("provider", ["openai", "anthropic", "groq"])
def test_every_name_in_the_sdk_is_known_or_left_alone_for_a_reason(provider: str) -> None:
    """No model that the SDK lists has been forgotten."""
    pytest.importorskip(provider)
    only_as_read(provider)
    assert strangers_of(provider) == set()


@pytest.mark.nightly
@pytest.mark.parametrize("provider", ["openai", "anthropic", "groq"])
def test_every_name_in_the_newest_sdk_is_known_or_left_alone_for_a_reason(provider: str) -> None:
    """A release of an SDK that brings a new model fails here until somebody has placed it."""
    assert strangers_of(provider) == set()


def strangers_of(provider: str) -> set[str]:
    registry = ModelRegistry.default([provider])
    excused = SPECIAL[provider] + GONE[provider]
    names = names_of(provider)
    assert len(names) > 10
    return {
        name
        for name in names
        if registry.find(provider, name) is None and not any(name == e or name.startswith(f"{e}-2") for e in excused)
    }


@pytest.mark.parametrize("provider", ["openai", "anthropic", "groq"])
def test_excuses_are_needed(provider: str) -> None:
    """Nothing stands in a list of excuses that is known all the same."""
    registry = ModelRegistry.default([provider])
    assert [name for name in SPECIAL[provider] + GONE[provider] if registry.find(provider, name)] == []


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.spec.key)
def test_every_row_is_priced_or_marked_as_unpriced(row: Row) -> None:
    """No price is written by hand, and none is missing unnoticed."""
    model = ModelRegistry.default([]).find(row.spec.provider, row.spec.name)
    assert model is not None
    assert model.price is not None or row.unpriced
    if model.price is not None:
        assert model.price.input is not None
        assert model.price.output is not None


@pytest.mark.parametrize("row", [row for row in rows() if row.spec.routable], ids=lambda row: row.spec.key)
def test_whoever_is_routed_to_is_priced_windowed_and_not_about_to_be_switched_off(row: Row) -> None:
    """Calls are sent only where cost and room are known."""
    model = ModelRegistry.default([]).find(row.spec.provider, row.spec.name)
    assert model is not None
    assert model.price is not None
    assert model.context_window is not None
    assert row.retires is None


def test_rows_are_distinct_dated_sourced_and_of_known_providers() -> None:
    """Each name stands once, and says where it comes from."""
    names = [(row.spec.provider, name) for row in rows() for name in (row.spec.name, *row.aliases)]
    assert len(names) == len(set(names))
    for row in rows():
        assert row.spec.provider in builtin_providers()
        assert row.source
        assert datetime.date(2026, 1, 1) <= datetime.date.fromisoformat(row.date)


def test_rows_have_no_keys_that_nobody_reads() -> None:
    """A misspelt key in the data is an error, not a comment."""
    known = {"provider", "name", "tier", "routable", "source", "date", "retires", "aliases", "unpriced"}
    assert {key for row in read_data("tiers.toml")["models"] for key in row} <= known


def test_routable_rows_come_before_ceilings() -> None:
    """The file reads as its head says."""
    flags = [row.spec.routable for row in rows()]
    assert flags == sorted(flags, reverse=True)


def test_the_page_on_models_lists_the_tiers_as_they_are() -> None:
    """docs/models-and-prices.md names every model that is routed to, in its tier and order."""
    page = (Path(__file__).parents[2] / "docs" / "models-and-prices.md").read_text(encoding="utf-8")
    registry = ModelRegistry.default(["openai", "anthropic", "groq"])
    for tier in Tier:
        cells = [
            ", ".join(f"`{model.name}`" for model in registry.tier(tier) if model.provider == provider) or "–"
            for provider in ("openai", "anthropic", "groq")
        ]
        assert f"| {tier} | {' | '.join(cells)} |" in page


def test_within_a_tier_a_provider_s_cheapest_model_comes_first() -> None:
    """The order of preference is the order of prices, output first: it dominates a bill."""
    only_as_read("genai-prices")
    assert out_of_order() == []


@pytest.mark.nightly
def test_within_a_tier_today_s_cheapest_model_comes_first() -> None:
    """A change of prices fails here until somebody has looked at the order."""
    assert out_of_order() == []


def out_of_order() -> list[tuple[Tier, str]]:
    registry = ModelRegistry.default(["openai", "anthropic", "groq"])
    found = []
    for tier in Tier:
        for provider in registry.providers:
            prices = [model.price for model in registry.tier(tier) if model.provider == provider]
            outputs = [price.output for price in prices if price is not None and price.output is not None]
            if outputs != sorted(outputs):
                found.append((tier, provider))
    return found


@pytest.mark.nightly
def test_no_row_is_marked_as_unpriced_that_has_a_price_by_now() -> None:
    """Once the price data know a model, its mark goes."""
    registry = ModelRegistry.default([])
    marked = [registry.find(row.spec.provider, row.spec.name) for row in rows() if row.unpriced]
    assert [model.key for model in marked if model is not None and model.price is not None] == []
