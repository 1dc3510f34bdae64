"""What tokens cost, held against genai-prices' own calculation."""

from __future__ import annotations

import importlib
import math
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from llm_router_middleware.events.event import Usage
from llm_router_middleware.models import prices
from llm_router_middleware.models.catalog import rows
from llm_router_middleware.models.prices import context_window_of, cost_usd, price_of
from llm_router_middleware.models.spec import ModelSpec, Price, PriceStep, Tier

PRICED = [(row.spec.provider, row.spec.name) for row in rows() if not row.unpriced]
UNPRICED = [(row.spec.provider, row.spec.name) for row in rows() if row.unpriced]

around_steps = st.one_of(
    st.integers(0, 2_000_000), st.sampled_from([0, 1, 100_000, 100_001, 200_000, 200_001, 272_000, 272_001])
)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """What a provider may report: parts of the prompt are within it, and any part may go unsaid."""
    prompt = draw(around_steps)
    cached = draw(st.one_of(st.none(), st.integers(0, prompt)))
    written = draw(st.one_of(st.none(), st.integers(0, prompt - (cached or 0))))
    return Usage(prompt, draw(st.integers(0, 200_000)), cached, written)


def theirs(provider: str, name: str, usage: Usage) -> float:
    counted = TheirUsage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_input_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
    return float(calc_price(counted, name, provider_id=provider).total_price)


def the_law_of_costs(cost: Callable[[Any, Any], float | None], examples: int) -> None:
    """Every model's cost is genai-prices' cost, for every usage."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(PRICED), usages())
    def law(model: tuple[str, str], usage: Usage) -> None:
        ours = cost("/".join(model), usage)
        assert ours is not None
        assert math.isclose(ours, theirs(*model, usage), rel_tol=1e-9, abs_tol=1e-15)

    law()


def test_every_model_costs_what_genai_prices_says() -> None:
    """The copied rates and our arithmetic give genai-prices' own result for every model and any usage."""
    the_law_of_costs(cost_usd, 400)


@pytest.mark.parametrize("model", PRICED, ids="/".join)
def test_each_row_is_priced_on_both_sides_of_each_step(model: tuple[str, str]) -> None:
    """No row is left to the luck of the generator: each is compared below, at and above each of its thresholds."""
    price = price_of(*model)
    assert price is not None
    thresholds = [step.above for step in price.steps]
    for prompt in [1000, *thresholds, *(above + 1 for above in thresholds)]:
        usage = Usage(prompt, 700, prompt // 3, prompt // 5)
        assert cost_usd("/".join(model), usage) == pytest.approx(theirs(*model, usage), rel=1e-12)


MUTANTS = [
    ("prompt - cached - written", "prompt"),
    ("prompt - cached - written", "prompt - cached"),
    ("prompt_tokens > step.above", "prompt_tokens >= step.above"),
    ("reversed(price.steps)", "price.steps[:0]"),
    ("(cached, cached_rate)", "(cached, rates.input)"),
    ("(written, written_rate)", "(written, rates.input)"),
    ("(answer, rates.output)", "(answer, rates.input)"),
    ("total / 1e6", "total / 1e3"),
    ("0 < start >= step.start", "0 < start > step.start"),
    ('"cached_input": "cache_read_mtok"', '"cached_input": "cache_write_mtok"'),
    ("rates.input if rates.cached_input is None else rates.cached_input", "rates.cached_input or 0.0"),
    ("rates.input if rates.cache_write is None else rates.cache_write", "rates.cache_write or 0.0"),
]


@pytest.mark.parametrize(("old", "new"), MUTANTS)
def test_the_law_of_costs_kills_its_mutants(old: str, new: str) -> None:
    """The property above fails for every wrong sum that one slip of the pen would make."""
    with pytest.raises(AssertionError):
        the_law_of_costs(mutant_of(prices, old, new).cost_usd, 400)


def mutant_of(module: types.ModuleType, old: str, new: str) -> Any:
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in {module.__name__}"
    mutant = types.ModuleType(module.__name__)
    exec(compile(source.replace(old, new), f"<mutant of {module.__name__}>", "exec"), mutant.__dict__)
    return mutant


@pytest.mark.parametrize("model", UNPRICED, ids="/".join)
def test_models_known_to_be_unpriced_cost_none(model: tuple[str, str]) -> None:
    """An unknown price is None, never 0."""
    if price_of(*model) is not None:
        pytest.skip("the installed genai-prices knows it by now")
    assert cost_usd("/".join(model), Usage(1000, 1000)) is None


def test_a_model_that_nobody_has_heard_of_costs_none() -> None:
    """Not 0, and not what a model with a similar name costs."""
    assert price_of("openai", "gpt-99-imaginary") is None
    assert cost_usd("openai/gpt-99-imaginary", Usage(1000, 1000)) is None


@pytest.mark.parametrize("provider", ["openai-proxy", "my-anthropic", "ollama", "", "OpenAI "])
def test_a_strangers_provider_is_never_priced_as_a_public_one(provider: str) -> None:
    """genai-prices matches providers by parts of their name; we don't: another server is not OpenAI."""
    assert price_of(provider, "gpt-6-luna") is None
    assert context_window_of(provider, "gpt-6-luna") is None


@pytest.mark.parametrize(
    "usage", [None, Usage(), Usage(10, None), Usage(None, 10), Usage(10, 10, 11), Usage(10, 10, 6, 6), Usage(10, -1)]
)
def test_unknown_or_contradictory_usage_costs_none(usage: Usage | None) -> None:
    """What was not counted, or not counted right, has no cost."""
    assert cost_usd("openai/gpt-6-luna", usage) is None


def test_no_model_costs_none() -> None:
    """A call whose baseline is unknown ("auto") has no baseline cost."""
    assert cost_usd(None, Usage(1, 1)) is None


def test_a_declared_price_comes_first() -> None:
    """What the user pays is what he says he pays, with the steps that he declares."""
    price = Price(1.0, 2.0, cached_input=0.5, cache_write=4.0, steps=(PriceStep(100, 10.0, 20.0),))
    spec = ModelSpec("gpt-6-luna", "openai", Tier.BUDGET, price=price)
    assert cost_usd(spec, Usage(100, 10, 40, 20)) == pytest.approx((40 * 1 + 40 * 0.5 + 20 * 4 + 10 * 2) / 1e6)
    assert cost_usd(spec, Usage(101, 10, 40, 20)) == pytest.approx((101 * 10 + 10 * 20) / 1e6)


def test_a_part_without_a_price_makes_the_cost_unknown_only_when_it_was_used() -> None:
    """Half a price prices half the calls."""
    spec = ModelSpec("m", "mine", Tier.BUDGET, price=Price(1.0, None))
    assert cost_usd(spec, Usage(1000, 0)) == pytest.approx(0.001)
    assert cost_usd(spec, Usage(1000, 1)) is None


def test_free_is_zero_and_not_unknown() -> None:
    """A price of 0 that somebody declared is a price."""
    assert cost_usd(ModelSpec("m", "mine", Tier.BUDGET, price=Price(0.0, 0.0)), Usage(5, 5)) == 0.0


def test_a_snapshot_has_the_price_of_its_own_name() -> None:
    """gpt-4o-2024-05-13 was dearer than gpt-4o is."""
    old, new = price_of("openai", "gpt-4o-2024-05-13"), price_of("openai", "gpt-4o")
    assert old is not None
    assert new is not None
    assert (old.input, old.output) == (5.0, 15.0)
    assert (new.input, new.output) == (2.5, 10.0)


def test_prices_say_where_they_come_from() -> None:
    """A published number carries its source and version."""
    price = price_of("anthropic", "claude-sonnet-5-5")
    assert price is not None
    assert price.source.startswith("genai-prices ")
    assert price.cache_write is not None


def test_prices_by_time_of_day_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the hour decides, one number would be wrong for most of the day."""
    from datetime import time
    from decimal import Decimal

    from genai_prices.types import ClauseEquals, ConditionalPrice, ModelInfo, ModelPrice, TimeOfDateConstraint

    day = ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(1))
    night = ConditionalPrice(TimeOfDateConstraint(time(0), time(6)), prices=day)
    model = ModelInfo("owl", ClauseEquals("owl"), prices=[ConditionalPrice(prices=day), night])
    monkeypatch.setattr(prices, "_find", lambda *_: model)
    assert price_of.__wrapped__("openai", "owl") is None


def test_importing_prices_imports_no_price_data() -> None:
    """genai-prices is loaded at the first use of a price, and opens no connection then."""
    code = """
import socket, sys
def refuse(*_): raise AssertionError("network")
socket.socket.connect = refuse; socket.getaddrinfo = refuse
from llm_router_middleware.models.prices import cost_usd
from llm_router_middleware.models.registry import ModelRegistry
registry = ModelRegistry.default(["openai"])
len(registry), registry.providers, repr(registry)
assert not any(name.startswith(("genai_prices", "pydantic", "httpx")) for name in sys.modules)
assert registry.find("openai", "gpt-6-luna").price.input
assert "genai_prices" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_module_is_the_one_that_is_shipped() -> None:
    """The mutants are made of the file that the tests import."""
    assert importlib.import_module("llm_router_middleware.models.prices") is prices
