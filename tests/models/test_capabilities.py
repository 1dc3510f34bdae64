"""Capabilities: facts with a source and a date, found by a model's name."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from typing import Any

import pytest

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models import capabilities as module
from llm_router_middleware.models.capabilities import Capabilities, capabilities

DATA = tomllib.loads(resources.files("llm_router_middleware.models").joinpath("capabilities.toml").read_text("utf-8"))
TIERS = tomllib.loads(resources.files("llm_router_middleware.models").joinpath("tiers.toml").read_text("utf-8"))
ROWS = [(provider, row) for provider, table in DATA.items() for row in table["models"]]


@pytest.mark.parametrize(
    "name", ["gpt-6-luna", "gpt-6-luna-2026-09-01", "gpt-6-luna-latest", "gpt-6-luna@20260901", "gpt-6-luna-20260901"]
)
def test_a_dated_snapshot_is_its_model(name: str) -> None:
    """By the forms that the three providers date their models with."""
    assert capabilities("openai", name) == capabilities("openai", "gpt-6-luna") is not None


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("openai", "gpt-5.5-pro"),
        ("openai", "gpt-5-chat-latest"),
        ("openai", "gpt-4o-audio-preview"),
        ("openai", "gpt-6.2-sol"),
        ("openai", "ft:gpt-4o:acme"),
        ("openai", "gpt-60"),
        ("groq", "gpt-6-luna"),
        ("mistral", "mistral-large"),
        ("openai", ""),
    ],
)
def test_another_variant_is_a_model_of_its_own(provider: str, name: str) -> None:
    """Nothing is guessed from the beginning of a name."""
    assert capabilities(provider, name) is None


@pytest.mark.parametrize(("provider", "row"), ROWS, ids=lambda v: v["names"][0] if isinstance(v, dict) else v)
def test_every_row_says_where_it_stands_and_when_it_was_read(provider: str, row: dict[str, Any]) -> None:
    """And is what is found by each of its names."""
    assert row["date"].year >= 2026
    for name in row["names"]:
        found = capabilities(provider, name)
        assert found is not None
        assert found.source == f"{row['source']}, {row['date']}"
        assert found.max_output_tokens
        assert found.context_window


def test_no_model_stands_in_two_rows() -> None:
    """Each fact has one place."""
    for provider, table in DATA.items():
        names = [name for row in table["models"] for name in row["names"]]
        assert len(names) == len(set(names)), provider


def test_every_model_that_calls_are_routed_to_is_described() -> None:
    """A model is offered nothing that nobody knows it can honour."""
    for row in TIERS["models"]:
        if row["routable"]:
            assert capabilities(row["provider"], row["name"]) is not None, row["name"]


@pytest.mark.parametrize(
    ("provider", "name", "facts"),
    [
        ("openai", "gpt-6-luna", {"chat_tools": "effort_none", "sampling": "effort_none", "reasoning": "on"}),
        ("openai", "gpt-6-astra", {"chat_tools": "never", "sampling": "never", "reasoning": "always", "stop": False}),
        ("openai", "gpt-4.1", {"sampling": "always", "reasoning": "never", "stop": True, "max_output_tokens": 32768}),
        ("anthropic", "claude-opus-5-5", {"forced_tools": False, "reasoning": "always", "binds_thinking": True}),
        ("anthropic", "claude-opus-5", {"forced_tools": True, "reasoning": "on", "late_system": True}),
        ("anthropic", "claude-sonnet-5", {"late_system": False, "forced_tools": True}),
        ("anthropic", "claude-haiku-4-5", {"prefill": True, "late_system": False, "max_output_tokens": 64000}),
        ("anthropic", "claude-sonnet-5-5", {"thinking": frozenset({"adaptive", "between_tools"})}),
        ("groq", "openai/gpt-oss-120b", {"vision": False, "reasoning": "always", "json_schema": "strict"}),
        ("groq", "qwen/qwen3.8-27b", {"vision": True, "max_output_tokens": 16384, "json_schema": "best_effort"}),
    ],
)
def test_the_facts_on_which_routing_turns(provider: str, name: str, facts: dict[str, Any]) -> None:
    """Those that decide between 200 and 400 on the models of today."""
    found = capabilities(provider, name)
    assert found is not None
    assert {fact: getattr(found, fact) for fact in facts} == facts


def test_efforts_are_words_of_their_wire() -> None:
    """And what can be turned off says so: `none` on OpenAI and Groq, `disabled` on Anthropic."""
    words = {"none", "default", "minimal", "low", "medium", "high", "xhigh", "max"}
    for provider, row in ROWS:
        found = capabilities(provider, row["names"][0])
        assert found is not None
        assert found.efforts | (found.chat_efforts or set()) <= words
        off = found.thinking if provider == "anthropic" else found.efforts
        switch = "disabled" if provider == "anthropic" else "none"
        if found.reasoning in ("on", "always"):
            assert (switch in off) is (found.reasoning == "on")


def test_a_misspelt_fact_is_an_error_and_not_a_default() -> None:
    """So that a typing error in the data does not switch a check off."""
    with pytest.raises(ConfigurationError, match=re.escape("openai/x: unknown fact forced_tool")):
        module._parse("openai/x", {"names": ["x"], "forced_tool": False, "source": "s", "date": "d"})


def test_what_is_assumed_of_a_model_that_nobody_described() -> None:
    """On its own wire everything, for the provider would say so; in translation only what is common."""
    modest, permissive = Capabilities.modest(), Capabilities.permissive()
    assert modest.tools
    assert modest.sampling == "always"
    assert not any((modest.forced_tools, modest.vision, modest.pdf, modest.strict_tools, modest.json_object))
    assert all((permissive.forced_tools, permissive.vision, permissive.pdf, permissive.prefill, permissive.n))
