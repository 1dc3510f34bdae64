"""Where a setting comes from: defaults, file, environment, arguments; the later over the earlier."""

from __future__ import annotations

import importlib
import subprocess
import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models.spec import ModelSpec, Price, PriceStep, Tier
from llm_router_middleware.settings import RouterSettings, Switches

LAYERS = ("file", "environment", "argument")

CHOICES: dict[str, list[Any]] = {
    "tier": ["budget", "mid", "premium"],
    "max_attempts": [1, 2, 7],
    "failover": [True, False],
    "max_latency_s": [0.5, 3.0, 10.0],
    "lossy": [(), ("sampling",), ("sampling", "logprobs")],
    "log_level": ["DEBUG", "ERROR"],
    "breaker.window_s": [1.0, 20.0],
    "breaker.failure_threshold": [1, 9],
    "latency.window": [20, 30],
    "sinks.log": [True, False],
}
BLANK = "   "


@st.composite
def layerings(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """For each layer some of the settings, each with one of its values; a variable may be there but blank."""
    keys = st.sampled_from(sorted(CHOICES))
    return {
        layer: {
            key: BLANK
            if layer == "environment" and draw(st.integers(0, 4)) == 0
            else draw(st.sampled_from(CHOICES[key]))
            for key in draw(st.sets(keys, max_size=6))
        }
        for layer in LAYERS
    }


def toml(values: Mapping[str, Any]) -> str:
    def text(value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return str(list(value)) if isinstance(value, tuple) else repr(value)

    # Dotted keys after a table would belong to it: they all stand at the top.
    return "\n".join(f"{key} = {text(value)}" for key, value in values.items())


def variable(key: str) -> str:
    return "LLM_ROUTER_" + key.replace(".", "__").upper()


def as_text(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in values.items():
        *tables, last = key.split(".")
        target = result
        for table in tables:
            target = target.setdefault(table, {})
        target[last] = value
    return result


def read(loaded: Any, key: str) -> Any:
    for step in key.split("."):
        loaded = getattr(loaded, step)
    return loaded


def the_law_of_precedence(load: Callable[..., RouterSettings], folder: Path, examples: int) -> None:
    """Of each setting the last layer that says something wins, and `origin` says which."""
    path = folder / "llm_router.toml"
    defaults = RouterSettings()

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(layerings())
    def law(said: dict[str, dict[str, Any]]) -> None:
        path.write_text(toml(said["file"]))
        environ = {variable(key): as_text(value) for key, value in said["environment"].items()}
        loaded = load(RouterSettings, path, environ, nested(said["argument"]))
        for key in CHOICES:
            expected, origin = read(defaults, key), "default"
            for layer, words in zip(LAYERS, (str(path), variable(key), "argument"), strict=True):
                value = said[layer].get(key)
                # An empty list in a variable is a blank one: it says nothing.
                if value is not None and not (layer == "environment" and value in (BLANK, ())):
                    expected, origin = value, words
            assert read(loaded, key) == expected, key
            assert loaded.origin(key) == origin, key

    law()


def load_module() -> types.ModuleType:
    return importlib.import_module("llm_router_middleware.settings.load")


def test_the_last_layer_that_says_something_wins(tmp_path: Path) -> None:
    """Arguments over environment over file over defaults, key by key inside of tables."""
    the_law_of_precedence(load_module().load, tmp_path, 300)


MUTANTS = [
    ("merged(values for _, values in layers)", "merged(values for _, values in reversed(layers))"),
    ("value = merged([below, value])", "value = merged([value, below])"),
    ("value = merged([below, value])", "pass"),
    ("if value.strip()", "if value"),
    ('("argument", dict(overrides))', '("argument", {})'),
    ("(str(file), _read(file) if file else {})", "(str(file), {})"),
    ("return len(rest) == 1 and rest[0] in _section(first)", "return False"),
    ("_variable(key) if label == _PREFIX else label for", "label for"),
    ("ours[name] = value", "ours.setdefault(name, value[:1])"),
]


@pytest.mark.parametrize(("old", "new"), MUTANTS)
def test_the_law_of_precedence_kills_its_mutants(tmp_path: Path, old: str, new: str) -> None:
    """The property above fails for every wrong order and every layer left out."""
    source = Path(str(load_module().__file__)).read_text(encoding="utf-8")
    assert source.count(old) == 1, old
    mutant = types.ModuleType("mutant")
    exec(compile(source.replace(old, new), "<mutant>", "exec"), mutant.__dict__)
    with pytest.raises((AssertionError, ConfigurationError)):
        the_law_of_precedence(mutant.load, tmp_path, 300)


def test_the_file_is_found_by_argument_then_variable_then_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three places, in this order; without any there are defaults."""
    monkeypatch.chdir(tmp_path)
    assert RouterSettings.load(environ={}).max_attempts == 5
    (tmp_path / "llm_router.toml").write_text("max_attempts = 2")
    (tmp_path / "named.toml").write_text("max_attempts = 3")
    (tmp_path / "given.toml").write_text("max_attempts = 4")
    environ = {"LLM_ROUTER_CONFIG": "named.toml"}
    assert RouterSettings.load(environ={}).max_attempts == 2
    assert RouterSettings.load(environ=environ).max_attempts == 3
    assert RouterSettings.load("given.toml", environ=environ).max_attempts == 4
    assert RouterSettings.load(environ={"LLM_ROUTER_CONFIG": ""}).max_attempts == 2


def test_the_process_s_environment_is_read_when_none_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`load()` alone is what a program calls."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLM_ROUTER_TIER", "premium")
    assert RouterSettings.load().tier == "premium"


def test_built_directly_it_reads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The class is a value; reading is `load`'s job."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLM_ROUTER_TIER", "premium")
    (tmp_path / "llm_router.toml").write_text("max_attempts = 2")
    assert (RouterSettings().tier, RouterSettings().max_attempts) == (None, 5)


FULL = """
scorer = "heuristic"
allow_providers = ["openai", "ollama"]
share_targets = { budget = 0.7, mid = 0.2, premium = 0.1 }
[models]
budget = ["gpt-6-luna", { name = "llama4:70b", provider = "ollama", price = { input = 0, output = 0 } }]
[[models.high]]
name = "gpt-9"
provider = "openai"
context_window = 9000
price = { input = 1, output = 2, steps = [{ above = 9, input = 5, output = 6 }, { above = 4, input = 3, output = 4 }] }
capabilities = { tools = true, efforts = ["low"] }
[providers.ollama]
base_url = "http://localhost:11434/v1"
"""


def test_a_whole_file_becomes_the_registry_s_nouns(tmp_path: Path) -> None:
    """Tables of models and providers arrive as specs, tutorial's tier names included."""
    path = tmp_path / "x.toml"
    path.write_text(FULL)
    loaded = RouterSettings.load(path, environ={})
    tiers = loaded.tiers()
    assert tiers[Tier.BUDGET] == ("gpt-6-luna", ModelSpec("llama4:70b", "ollama", Tier.BUDGET, price=Price(0.0, 0.0)))
    (gpt,) = tiers[Tier.PREMIUM]
    assert isinstance(gpt, ModelSpec)
    assert gpt.price == Price(1.0, 2.0, steps=(PriceStep(4, 3.0, 4.0), PriceStep(9, 5.0, 6.0)))
    assert gpt.capabilities is not None
    assert gpt.capabilities.efforts == frozenset({"low"})
    assert loaded.provider_specs()["ollama"].base_url == "http://localhost:11434/v1"
    assert loaded.limits()["allow_providers"] == frozenset({"openai", "ollama"})
    assert loaded.share_targets is not None


def test_variables_reach_into_tables_and_lists(tmp_path: Path) -> None:
    """Commas, JSON, and a variable per key."""
    loaded = RouterSettings.load(
        environ={
            "LLM_ROUTER_ALLOW_PROVIDERS": "openai , groq,",
            "LLM_ROUTER_LOSSY": '["sampling"]',
            "LLM_ROUTER_MODELS__BUDGET": "gpt-6-luna, groq/openai/gpt-oss-20b",
            "LLM_ROUTER_PROVIDERS__VLLM__BASE_URL": "http://10.0.0.7:8000/v1",
            "LLM_ROUTER_PROVIDERS__VLLM__TRUSTED_NETWORK": "1",
            "LLM_ROUTER_BREAKER": '{"window_s": 9}',
            "LLM_ROUTER_BREAKER__OPEN_S": "2",
        }
    )
    assert loaded.allow_providers == ("openai", "groq")
    assert loaded.lossy == ("sampling",)
    assert loaded.tiers() == {Tier.BUDGET: ("gpt-6-luna", "groq/openai/gpt-oss-20b")}
    assert loaded.provider_specs()["vllm"].trusted_network
    assert (loaded.breaker.window_s, loaded.breaker.open_s) == (9.0, 2.0)


def test_with_overrides_changes_a_copy_key_by_key() -> None:
    """Tables are merged, the rest is replaced, the original stays; None takes a setting back."""
    first = RouterSettings.load(environ={"LLM_ROUTER_TIER": "mid", "LLM_ROUTER_XYZ": "1"}, breaker={"window_s": 7})
    second = first.with_overrides(tier=None, breaker={"open_s": 3})
    assert (first.tier, first.breaker.open_s) == ("mid", 5.0)
    assert (second.tier, second.breaker.open_s, second.breaker.window_s) == (None, 3.0, 7.0)
    assert second.warnings == first.warnings != ()
    assert second.origin("tier") == "argument"
    with pytest.raises(ConfigurationError, match="max_attempts"):
        first.with_overrides(max_attempts=0)


def test_settings_are_values() -> None:
    """Frozen, hashable, equal when they say the same, wherever it was said."""
    one, other = RouterSettings.load(environ={"LLM_ROUTER_TIER": "mid"}), RouterSettings(tier="mid")
    assert one == other
    assert hash(one) == hash(other)
    assert one != RouterSettings()
    with pytest.raises(ValueError, match="frozen"):
        one.tier = "budget"


def test_limits_are_in_the_words_of_a_call() -> None:
    """What `limits()` gives is what `engine.call.Limits` takes."""
    from llm_router_middleware.engine.call import Limits

    limits = Limits(**RouterSettings(max_tier="mid", deadline_s=9, lossy=["n"]).limits())
    assert (limits.max_tier, limits.deadline_s, limits.lossy, limits.allow_providers) == (
        "mid",
        9.0,
        frozenset("n"),
        None,
    )


def test_switches_of_the_settings_hold_where_the_environment_is_silent() -> None:
    """`disabled = true` in a file is a default that the variable overrides."""
    assert RouterSettings(disabled=True).switches() == Switches(disabled=True, shadow=False)


def test_the_policy_version_depends_on_what_decides_and_on_nothing_else() -> None:
    """Equal policies have equal versions; where events go is no policy."""
    base = RouterSettings().policy_version
    assert len(base) == 12
    for silent in ({"enabled": True}, {"shadow": True}, {"log_level": "DEBUG"}, {"sinks": {"jsonl": "/tmp/x"}}):
        assert RouterSettings(**silent).policy_version == base
    changes: list[dict[str, Any]] = [
        {"tier": "mid"},
        {"breaker": {"window_s": 31}},
        {"models": {"budget": ["gpt-6-luna"]}},
        {"lossy": ["n"]},
    ]
    versions = {RouterSettings(**change).policy_version for change in changes}
    assert len(versions | {base}) == 5


def test_the_policy_version_is_the_same_in_every_process() -> None:
    """No hash seed, no order of sets in it."""
    code = (
        "from llm_router_middleware.settings import RouterSettings; print(RouterSettings(models={'mid': [{'name': 'm', "
        "'provider': 'openai', 'capabilities': {'efforts': ['none', 'low', 'high', 'max', 'xhigh']}}]}).policy_version)"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in "123"
    }
    assert len(runs) == 1


def test_pydantic_is_imported_with_the_settings_and_not_before() -> None:
    """Switches and keys need the standard library only."""
    code = (
        "import sys; from llm_router_middleware.settings import switches, credentials, present_keys; "
        "switches(), present_keys(); assert 'pydantic' not in sys.modules; "
        "from llm_router_middleware.settings import RouterSettings; assert 'pydantic' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
