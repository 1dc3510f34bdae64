"""Router: made in four ways, inspected, switched off and on, and always fed with every part's settings."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import openai
import pytest

from llm_router_middleware import ConfigurationError, ModelSpec, OpenAI, Price, Router, explain, last_event, wrap
from llm_router_middleware.scoring import ComplexityScore
from tests.clients.memory import Wire, ask

ASK = [{"role": "user", "content": "What is the capital of France?"}]


def served(router: Router, **params: Any) -> str:
    """The model that reaches the wire for a plain question asked of the premium model."""
    wire = Wire("openai")
    with wrap(wire.client(), router=router) as client:
        ask(client, "openai", **{"model": "gpt-6.1-sol", "messages": ASK, **params})
    return str(wire.bodies[-1]["model"])


def test_a_function_is_enough_for_a_scorer() -> None:
    """Any callable from text to ComplexityScore, the tutorial's tier names included."""
    texts: list[str] = []

    def scorer(text: str) -> ComplexityScore:
        texts.append(text)
        return ComplexityScore("medium", 0.5, ["mine"])  # type: ignore[arg-type]

    assert served(Router(scorer=scorer)) == "gpt-6.1-terra"
    assert texts == ["What is the capital of France?"]


def test_a_scorer_that_fails_leaves_the_call_alone(caplog: pytest.LogCaptureFixture) -> None:
    """Fail open: the caller's own model, reason router_error, and a word in the log without the prompt."""
    events: list[Any] = []

    def broken(_text: str) -> ComplexityScore:
        raise ZeroDivisionError("What is the capital of France?")

    with caplog.at_level(logging.WARNING, "llm_router"):
        assert served(Router(scorer=broken, sinks=[events.append])) == "gpt-6.1-sol"
    assert (events[0].selection_reason, events[0].success) == ("router_error", True)
    assert "ZeroDivisionError" in caplog.text
    assert "France" not in caplog.text


def test_models_by_spec() -> None:
    """A list of specs is the whole world of candidates."""
    mine = [ModelSpec("my-small", "openai", "budget", Price(0.01, 0.02))]  # type: ignore[arg-type]
    assert served(Router(mine, scorer="heuristic")) == "my-small"


def test_models_by_tier_and_name() -> None:
    """A mapping replaces the tiers that it names."""
    router = Router({"budget": "gpt-6-sol"}, scorer="heuristic")
    assert served(router) == "gpt-6-sol"


def test_from_toml(tmp_path: Path) -> None:
    """A file configures a router; arguments come before it."""
    path = tmp_path / "mine.toml"
    path.write_text('scorer = "heuristic"\nmin_tier = "mid"\n')
    assert served(Router.from_toml(path)) == "gpt-6.1-terra"


def test_from_env(monkeypatch: pytest.MonkeyPatch) -> None:
    """So does the environment."""
    monkeypatch.setenv("LLM_ROUTER_SCORER", "heuristic")
    monkeypatch.setenv("LLM_ROUTER_TIER", "mid")
    assert served(Router.from_env()) == "gpt-6.1-terra"


def test_overrides_come_before_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """A keyword beats the environment."""
    monkeypatch.setenv("LLM_ROUTER_TIER", "mid")
    assert served(Router(scorer="heuristic", tier="budget")) == "gpt-6-luna"


def test_the_default_router_is_shared_as_long_as_the_configuration_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients without a router share breakers and latencies; another setting or key makes another router."""
    monkeypatch.setenv("LLM_ROUTER_SCORER", "heuristic")
    first = Router.default()
    assert Router.default() is first
    monkeypatch.setenv("GROQ_API_KEY", "gsk-one")
    second = Router.default()
    assert second is not first
    monkeypatch.setenv("LLM_ROUTER_MAX_TIER", "mid")
    assert Router.default() is not second


@pytest.mark.parametrize("models", [["a-name"], 7, {"gigantic": ["gpt-6-luna"]}, {"budget": ["no-such-model"]}])
def test_wrong_models_are_told_at_construction(models: Any) -> None:
    """Names that nobody knows, tiers that don't exist, things that are no models."""
    with pytest.raises((ConfigurationError, TypeError)):
        Router(models, scorer="heuristic")


@pytest.mark.parametrize("scorer", ["no_such_module:thing", 7])
def test_a_wrong_scorer_is_told_at_construction(scorer: Any) -> None:
    """With what is allowed."""
    with pytest.raises(ConfigurationError, match="scorer="):
        Router(scorer=scorer)


def test_disable_takes_effect_on_the_next_call() -> None:
    """And enable takes it back."""
    router = Router(scorer="heuristic")
    assert served(router) == "gpt-6-luna"
    router.disable()
    assert served(router) == "gpt-6.1-sol"
    router.enable()
    assert served(router) == "gpt-6-luna"


def test_the_kill_switch_is_read_on_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """LLM_ROUTER_DISABLED=1 needs no restart."""
    router = Router(scorer="heuristic")
    monkeypatch.setenv("LLM_ROUTER_DISABLED", "1")
    assert served(router) == "gpt-6.1-sol"
    monkeypatch.delenv("LLM_ROUTER_DISABLED")
    assert served(router) == "gpt-6-luna"


def test_shadow_mode_decides_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wire is the caller's own; the event has the decision that would have been."""
    events: list[Any] = []
    monkeypatch.setenv("LLM_ROUTER_SHADOW", "1")
    assert served(Router(scorer="heuristic", sinks=[events.append])) == "gpt-6.1-sol"
    assert events[0].selection_reason == "shadow"
    assert events[0].candidates[0] == "openai/gpt-6-luna"
    assert events[0].selected_model == "gpt-6.1-sol"


def test_explain_makes_no_call_and_tells_everything() -> None:
    """Tier, score, signals, candidates, and a reason for every model that is none."""
    router = Router(scorer="heuristic")
    decision = explain({"model": "gpt-6.1-sol", "messages": ASK}, router=router)
    assert decision.tier == "budget"
    assert decision.signals == ("simple_keyword", "short_prompt")
    assert decision.candidates[0].name == "gpt-6-luna"
    known = {m.key for m in router.registry}
    told = {m.key for m in decision.candidates} | {f"{o.provider}/{o.model}" for o in decision.ruled_out}
    assert told == known


@pytest.mark.parametrize(
    ("request_", "first"),
    [
        ({"model": "claude-opus-5-5", "max_tokens": 100, "messages": ASK}, "claude-haiku-5-5"),
        ({"model": "openai/gpt-oss-120b", "messages": ASK}, "openai/gpt-oss-20b"),
        ({"model": "gpt-6.1-sol", "input": "hi"}, "gpt-6-luna"),
        ({"model": "auto", "messages": ASK}, "gpt-6-luna"),
    ],
    ids=["anthropic", "groq", "responses", "auto"],
)
def test_explain_knows_whose_request_it_is(request_: dict[str, Any], first: str) -> None:
    """From the model's name and the body's shape."""
    assert explain(request_, router=Router(scorer="heuristic")).candidates[0].name == first


def test_explain_of_an_unknown_model_is_a_passthrough() -> None:
    """A fine-tune is not ours to change."""
    decision = explain({"model": "ft:mine", "messages": ASK}, router=Router(scorer="heuristic"))
    assert (decision.reason, decision.candidates) == ("passthrough", ())


def test_a_sink_can_be_added_and_taken_off() -> None:
    """And one that fails breaks nothing."""
    events: list[Any] = []
    router = Router(scorer="heuristic")
    remove = router.add_sink(events.append)
    router.add_sink(lambda _event: 1 / 0)  # type: ignore[arg-type,return-value]
    served(router)
    remove()
    served(router)
    assert len(events) == 1


def test_the_premium_cap_bounds_the_share_whatever_the_prompts() -> None:
    """Beyond it the next tier answers, and the event says budget_cap."""
    events: list[Any] = []
    router = Router(
        scorer=lambda _text: ComplexityScore("premium", 1.0, ("crafted",)),  # type: ignore[arg-type]
        sinks=[events.append],
        premium_cap=0.1,
    )
    for _ in range(200):
        served(router)
    premium = [e for e in events if e.selected_model == "gpt-6.1-sol"]
    capped = [e for e in events if e.selection_reason == "budget_cap"]
    assert len(premium) + len(capped) == 200
    assert len(premium) <= 0.1 * 200 + 10
    assert {e.selected_model for e in capped} == {"gpt-6.1-terra"}


def test_shares_that_are_set_are_kept() -> None:
    """Thresholds that would send all to budget: the controller keeps the shares asked for, and explain counts not."""
    shares = {"budget": 0.5, "mid": 0.3, "premium": 0.2}
    values = iter(range(10_000))
    router = Router(
        scorer=lambda _text: ComplexityScore("budget", (next(values) * 37 % 100) / 1000),  # type: ignore[arg-type]
        share_targets=shares,
    )
    seen: list[str] = []
    for number in range(400):
        ask_ = [{"role": "user", "content": f"question {number}"}]
        explain({"model": "gpt-6.1-sol", "messages": ask_}, router=router)
        seen.append(served(router, messages=ask_))
    late = seen[100:]
    assert abs(late.count("gpt-6.1-sol") / len(late) - 0.2) < 0.05
    assert abs(late.count("gpt-6-luna") / len(late) - 0.5) < 0.05


def test_steering_is_off_by_one_setting() -> None:
    """share_controller = false: the scorer's own tier stands."""
    shares = {"budget": 0.0, "mid": 0.0, "premium": 1.0}
    router = Router(scorer="heuristic", share_targets=shares, share_controller=False)
    assert [served(router) for _ in range(60)] == ["gpt-6-luna"] * 60


def test_strict_mode_refuses_what_nobody_described() -> None:
    """A model without price and capabilities is no target."""
    mine = [ModelSpec("mystery", "openai", "budget")]  # type: ignore[arg-type]
    assert served(Router(mine, scorer="heuristic")) == "mystery"
    assert served(Router(mine, scorer="heuristic", strict=True)) == "gpt-6.1-sol"


def test_one_constructor_is_all_that_changes(sandbox_keys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The drop-in class builds the SDK's own, bound to the default router."""
    monkeypatch.setenv("LLM_ROUTER_SCORER", "heuristic")
    with OpenAI() as client:
        assert type(client) is openai.OpenAI
        answer = client.chat.completions.create(model="gpt-6.1-sol", messages=ASK)  # type: ignore[arg-type]
    assert answer.model == "gpt-6-luna"
    event = last_event(answer)
    assert event is not None
    assert event.success is True


def test_a_subclass_of_the_drop_in_is_a_subclass_of_the_sdks(sandbox_keys: Any) -> None:
    """`router=` is one more argument of its constructor."""

    class Mine(OpenAI):  # type: ignore[misc]
        def shout(self) -> str:
            return "!"

    with Mine(router=Router(scorer="heuristic")) as client:
        assert isinstance(client, openai.OpenAI)
        assert isinstance(client, OpenAI)
        assert issubclass(Mine, openai.OpenAI)
        assert client.shout() == "!"
        assert client.chat.completions.create(model="gpt-6.1-sol", messages=ASK).model == "gpt-6-luna"
