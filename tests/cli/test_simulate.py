"""`llm-router simulate`: the right arithmetic, at the tutorial's prices and at today's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from llm_router_middleware.events.event import Usage
from llm_router_middleware.models.prices import cost_usd
from tests.cli.conftest import Invoke


@pytest.mark.parametrize(("mix", "percent"), [("70/20/10", 88.8), ("50/30/20", 78.3), ("0/0/100", 0.0)])
def test_the_tutorials_shares(as_json: Callable[..., Any], mix: str, percent: float) -> None:
    """At the tutorial's prices 70/20/10 saves 88.8 % and 50/30/20 saves 78.3 %."""
    found = as_json("simulate", "--tutorial-prices", "--mix", mix)
    assert round(100 * found["saved"], 1) == percent


def test_the_tutorials_unit_costs(as_json: Callable[..., Any]) -> None:
    """300 + 200 tokens cost $0.000031, $0.00104 and $0.0195, a thousandth of what the tutorial prints."""
    tiers = as_json("simulate", "--tutorial-prices")["tiers"]
    assert [tier["usd_per_request"] for tier in tiers] == pytest.approx([0.000031, 0.00104, 0.0195])
    assert as_json("simulate", "--tutorial-prices")["all_premium_usd"] == pytest.approx(195.0)


def test_todays_prices_are_the_registrys(as_json: Callable[..., Any]) -> None:
    """Without the tutorial's prices every line is what `cost_usd` says of the first model of the tier."""
    found = as_json("simulate", "--input-tokens", "1000", "--output-tokens", "10", "--requests", "100")
    for tier in found["tiers"]:
        assert tier["usd_per_request"] == cost_usd(tier["model"], Usage(1000, 10))
        assert tier["usd"] == pytest.approx(100 * tier["share"] * tier["usd_per_request"])
    assert found["usd"] == pytest.approx(sum(tier["usd"] for tier in found["tiers"]))
    assert found["prices"].startswith("genai-prices ")


def test_models_can_be_named(as_json: Callable[..., Any], llm_router: Invoke) -> None:
    """A tier's model is a choice; an unknown one is an error that suggests another."""
    found = as_json("simulate", "--premium", "claude-opus-5-5")
    assert found["tiers"][2]["model"] == "anthropic/claude-opus-5-5"
    result = llm_router("simulate", "--premium", "claude-opus-5-6")
    assert result.exit_code == 2
    assert "claude-opus-5-5" in result.stderr


@pytest.mark.parametrize("mix", ["70/20", "a/b/c", "70/20/20", "-10/60/50", "70,20,10", "nan/50/50"])
def test_a_wrong_mix_is_an_error_for_people(llm_router: Invoke, mix: str) -> None:
    """One line that names the option, what was given, and what is expected."""
    result = llm_router("simulate", f"--mix={mix}")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"llm-router: --mix={mix}: expected three percentages")


def test_a_model_without_a_price_is_not_free(llm_router: Invoke) -> None:
    """What nobody priced can't be simulated, and is not counted as 0."""
    result = llm_router("simulate", "--premium", "gpt-6.2-sol")
    assert result.exit_code == 2
    assert "its price is not known" in result.stderr


def test_the_table_says_what_is_saved(llm_router: Invoke) -> None:
    """For people: a line per tier, both totals, and the share."""
    result = llm_router("simulate", "--tutorial-prices")
    assert result.exit_code == 0
    for part in ("groq/llama-3-8b", "$195.00 a day", "$173.20 a day, 88.8 %"):
        assert part in result.stdout
