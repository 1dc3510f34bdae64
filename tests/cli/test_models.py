"""`llm-router models`: the registry as it is configured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from llm_router_middleware.models.prices import price_of
from tests.cli.conftest import Invoke


def test_every_routable_model_in_its_order(as_json: Callable[..., Any]) -> None:
    """Tier after tier, with the price that genai-prices has, and where each fact comes from."""
    from llm_router_middleware.models.registry import ModelRegistry

    rows = as_json("models")
    registry = ModelRegistry.default(("openai", "anthropic", "groq"))
    assert [row["model"] for row in rows] == [spec.key for spec in registry]
    for row in rows:
        price = price_of(*row["model"].split("/", 1))
        assert price is not None
        assert row["input_usd_per_mtok"] == price.input
        assert row["output_usd_per_mtok"] == price.output
        assert row["name_source"]


def test_availability_follows_the_keys(as_json: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider is ready when its key is there; the key itself is nowhere in the output."""
    monkeypatch.setenv("GROQ_API_KEY", "gsk_very_secret_value_0123456789")
    rows = as_json("models")
    assert {row["availability"] for row in rows if row["model"].startswith("groq/")} == {"ready"}
    assert {row["availability"] for row in rows if not row["model"].startswith("groq/")} == {"no key"}
    assert "very_secret" not in str(rows)


def test_all_shows_ceilings_and_unknown_prices(llm_router: Invoke, as_json: Callable[..., Any]) -> None:
    """`--all` adds what nobody is routed to; an unknown price is None, and a dash in the table."""
    rows = {row["model"]: row for row in as_json("models", "--all")}
    assert not rows["openai/gpt-4o"]["routable"]
    assert rows["openai/gpt-6.2-sol"]["input_usd_per_mtok"] is None
    assert "(mid)" in llm_router("models", "--all").stdout


def test_the_configuration_is_what_is_shown(as_json: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that the environment names for a tier are that tier."""
    monkeypatch.setenv("LLM_ROUTER_MODELS__BUDGET", "claude-haiku-4-5")
    budget = [row["model"] for row in as_json("models") if row["tier"] == "budget"]
    assert budget == ["anthropic/claude-haiku-4-5"]


def test_a_wrong_configuration_is_told_in_one_line(llm_router: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable, its value, and what is allowed."""
    monkeypatch.setenv("LLM_ROUTER_MAX_TIER", "huge")
    result = llm_router("models")
    assert result.exit_code == 2
    assert result.stderr == "llm-router: LLM_ROUTER_MAX_TIER='huge': expected one of budget, mid, premium\n"
