"""The page on circuit breakers says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from llm_router_middleware.resilience.breaker_settings import DEFAULTS
from llm_router_middleware.resilience.breakers import Breakers
from tests.resilience.mutants import read

PAGE = (Path(__file__).parents[2] / "docs" / "circuit-breakers.md").read_text(encoding="utf-8")
ROUTERS, ALONE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_breaker_alone_works_as_printed() -> None:
    """The second block runs: success, failure and interruption settle as it says."""

    class ProviderError(Exception):
        pass

    def raises(error: BaseException) -> object:
        raise error

    ran: dict[str, object] = {"call": lambda: "answer", "ProviderError": ProviderError}
    exec(ALONE, ran)
    assert ran["answer"] == "answer"
    with pytest.raises(ProviderError):
        exec(ALONE, {"call": lambda: raises(ProviderError()), "ProviderError": ProviderError})
    with pytest.raises(KeyboardInterrupt):
        exec(ALONE, {"call": lambda: raises(KeyboardInterrupt()), "ProviderError": ProviderError})


def test_what_a_router_offers_works_as_printed() -> None:
    """The first block's lines run on a router's breakers."""

    class Router:
        breakers = Breakers()

    Router.breakers.acquire("openai@https://api.openai.com#1", "gpt-5")
    lines = [line for line in ROUTERS.splitlines() if line.startswith("router.breakers")]
    assert len(lines) == 6
    for line in lines:
        exec(line, {"router": Router})


def test_the_defaults_are_the_printed_ones() -> None:
    """The numbers of the page are those of the code."""
    printed = (
        f"{DEFAULTS.failure_threshold} in a row",
        f"half of {DEFAULTS.minimum_calls} in {DEFAULTS.window_s:.0f} s",
        f"{DEFAULTS.recovery_timeout_s:.0f} s, doubled to {DEFAULTS.max_recovery_timeout_s:.0f} s",
        f"timeout + 5 s, else {DEFAULTS.probe_lease_s:.0f} s",
        f"{DEFAULTS.max_cooldown_s:.0f} s",
        f"{DEFAULTS.quota_ejection_s:.0f} s, {DEFAULTS.auth_ejection_s:.0f} s, {DEFAULTS.auth_threshold}",
        f"{DEFAULTS.max_keys:,}",
    )
    assert [words for words in printed if words not in PAGE] == []
    assert DEFAULTS.failure_ratio == 0.5
    assert f"({len(read('breaker_mutants.diff'))} named mutants)" in PAGE
