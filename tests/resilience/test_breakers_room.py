"""How much the breakers keep, to the circuit, and whom they forget when a new name comes."""

from __future__ import annotations

import pytest

from llm_router_middleware.engine.call import Failure, FailureKind
from llm_router_middleware.resilience.breaker_settings import BreakerSettings
from llm_router_middleware.resilience.breakers import Breakers

SERVER = Failure(FailureKind.SERVER, 500)


def kept(max_keys: int) -> tuple[Breakers, list[float]]:
    """Breakers that open at the first failure, and their clock."""
    clock = [0.0]
    settings = BreakerSettings(failure_threshold=1, max_keys=max_keys)
    return Breakers(settings, now=lambda: clock[0], random=lambda: 0.0, on_transition=None), clock


def ask(breakers: Breakers, *models: str, failure: Failure | None = None, endpoint: str = "e") -> None:
    for model in models:
        breakers.settle(breakers.acquire(endpoint, model), failure)


def names(count: int) -> list[str]:
    return [f"m{number}" for number in range(count)]


@pytest.mark.parametrize(("max_keys", "models", "forgotten"), [(16, 14, 4), (7, 5, 2), (24, 22, 6)])
def test_the_longest_unused_make_room_a_quarter_at_a_time(max_keys: int, models: int, forgotten: int) -> None:
    """A quarter of all, two at the least; not before there is no room for an endpoint and a model."""
    breakers, clock = kept(max_keys)
    for model in names(models):
        clock[0] += 1.0
        ask(breakers, model)
    assert len(breakers) == models + 1 == max_keys - 1
    clock[0] += 1.0
    ask(breakers, "m0")
    ask(breakers, "new")
    assert len(breakers) == max_keys - forgotten
    assert "e/m0" in breakers, "it was used last"
    assert [name for name in names(models) if f"e/{name}" not in breakers] == names(models)[1 : forgotten + 1]


def test_what_knows_something_bad_stays_while_others_can_go() -> None:
    """One that knows nothing bad is enough: those whose time is over stay as they are."""
    breakers, clock = kept(16)
    ask(breakers, "good")
    ask(breakers, *names(13), failure=SERVER)
    clock[0] = 20.0  # all may be probed again
    ask(breakers, "new")
    assert "e/good" not in breakers
    assert "e/new" in breakers
    assert all(f"e/{name}" in breakers for name in names(13))


def test_where_all_is_bad_a_new_endpoint_is_not_kept_either() -> None:
    """It is served unwatched, and the bound holds."""
    breakers, _ = kept(16)
    ask(breakers, *names(14), failure=SERVER)
    ask(breakers, "m", failure=SERVER, endpoint="elsewhere")
    assert len(breakers) == 15
    assert "elsewhere" not in breakers
    assert breakers.acquire("elsewhere", "m")


def test_a_model_that_refuses_gives_the_endpoints_probe_back() -> None:
    """The next model may be the one that shows whether the endpoint is well."""
    breakers, clock = kept(64)
    ask(breakers, "shut")
    breakers["e/shut"].force_open()
    ask(breakers, "m", failure=Failure(FailureKind.CONNECT))
    assert breakers["e"].state == "open"
    clock[0] = 20.0
    assert not breakers.acquire("e", "shut")
    assert breakers.acquire("e", "m"), "the probe was free"


def test_an_ambiguous_name_is_told_with_what_it_may_mean() -> None:
    """Two endpoints of one provider: both are named."""
    breakers, _ = kept(64)
    ask(breakers, "m", endpoint="openai@a")
    ask(breakers, "m", endpoint="openai@b")
    with pytest.raises(KeyError, match=r"^'openai/m: more than one endpoint, name one of openai@a, openai@b'$"):
        breakers["openai/m"]
