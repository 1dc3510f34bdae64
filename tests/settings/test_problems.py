"""A wrong setting is found at construction, and the message names the key as it was written, the value, the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.settings import RouterSettings

SECRET = "sk-proj-CANARYCANARYCANARY"


def complaint(environ: dict[str, str] | None = None, path: Path | None = None, **overrides: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        RouterSettings.load(path, environ=environ or {}, **overrides)
    return str(caught.value)


ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    ({"tier": "huge"}, "tier='huge': expected one of budget, mid, premium"),
    ({"max_attempts": "x"}, "max_attempts='x': expected a whole number"),
    ({"max_attempts": 2.5}, "max_attempts=2.5: expected a whole number"),
    ({"max_attempts": 0}, "max_attempts=0: expected at least 1"),
    ({"max_attempts": 21}, "max_attempts=21: expected at most 20"),
    ({"max_attempts": None}, "max_attempts=None: expected a whole number"),
    ({"failover": "perhaps"}, "failover='perhaps': expected true or false"),
    ({"max_latency_s": 0}, "max_latency_s=0: expected more than 0"),
    ({"deadline_s": float("nan")}, "deadline_s=nan: expected a finite number"),
    ({"deadline_s": float("inf")}, "deadline_s=inf: expected a finite number"),
    ({"deadline_s": "soon"}, "deadline_s='soon': expected a number"),
    ({"premium_cap": 1.5}, "premium_cap=1.5: expected at most 1"),
    ({"lossy": 5}, "lossy=5: expected a list"),
    ({"scorer": "best"}, "scorer='best': expected learned, heuristic, or a function of yours as module:attribute"),
    ({"log_level": "LOUD"}, "log_level='LOUD': expected one of 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
    ({"breaker": 5}, "breaker=5: expected a table"),
    ({"breaker": {"failure_rate": 0}}, "breaker.failure_rate=0: expected more than 0"),
    ({"breaker": {"open_s": 500}}, "breaker.open_s=500.0: expected at most breaker.open_cap_s=300.0"),
    ({"latency": {"minimum": 51}}, "latency.minimum=51: expected at most latency.window=50"),
    ({"min_tier": "high", "max_tier": "low"}, "min_tier='premium': expected at most max_tier='budget'"),
    ({"mid_threshold": 0.8, "premium_threshold": 0.2}, "mid_threshold=0.8: expected at most premium_threshold=0.2"),
    ({"share_targets": {"budget": 1}}, "share_targets.mid is missing\nshare_targets.premium is missing"),
    (
        {"share_targets": {"budget": 0.5, "mid": 0.5, "premium": 0.5}},
        "share_targets={'budget': 0.5, 'mid': 0.5, 'premium': 0.5}: expected shares that add up to 1, not to 1.5",
    ),
    ({"allow_providers": ["opnai"]}, "allow_providers='opnai': expected some of openai, anthropic, groq"),
    ({"models": {"cheap": ["x"]}}, "models.cheap=['x']: not a tier; expected one of budget, mid, premium"),
    ({"models": {"budget": [5]}}, "models.budget.0=5: expected text"),
    ({"models": {"budget": [{"provider": "openai"}]}}, "models.budget.0.name is missing"),
    (
        {"models": {"budget": [{"name": "x", "provider": "nobody"}]}},
        "models.budget='nobody': not a provider; expected one of openai, anthropic, groq, "
        "or a table [providers.nobody]",
    ),
    (
        {"models": {"budget": [{"name": "x", "provider": "openai", "price": {"input": -1, "output": 1}}]}},
        "models.budget.0.price.input=-1: expected at least 0",
    ),
    (
        {"models": {"budget": [{"name": "x", "provider": "openai", "capabilities": {"toolz": True}}]}},
        "models.budget.0.capabilities={'toolz': True}: expected facts such as "
        "tools, chat_tools, strict_tools, not 'toolz'",
    ),
]


@pytest.mark.parametrize(("overrides", "message"), ARGUMENTS, ids=lambda value: str(value)[:60])
def test_each_wrong_value_is_named_with_what_is_allowed(overrides: dict[str, Any], message: str) -> None:
    """Key, value, remedy: the whole message, word for word."""
    assert complaint(**overrides) == message


@pytest.mark.parametrize(("overrides", "message"), ARGUMENTS, ids=lambda value: str(value)[:60])
def test_building_directly_finds_the_same(overrides: dict[str, Any], message: str) -> None:
    """`RouterSettings(...)` raises our error, not pydantic's."""
    with pytest.raises(ConfigurationError) as caught:
        RouterSettings(**overrides)
    assert str(caught.value) == message


def test_a_variable_is_named_as_a_variable() -> None:
    """What the user typed is what he reads."""
    assert complaint({"LLM_ROUTER_TIER": "huge"}) == "LLM_ROUTER_TIER='huge': expected one of budget, mid, premium"
    nested = complaint({"LLM_ROUTER_BREAKER__FAILURE_RATE": "2"})
    assert nested == "LLM_ROUTER_BREAKER__FAILURE_RATE='2': expected at most 1"
    assert complaint({"LLM_ROUTER_MODELS__BUDGET": "a b"}).startswith(
        "LLM_ROUTER_MODELS__BUDGET='a b': expected a model"
    )
    mixed = complaint({"LLM_ROUTER_MIN_TIER": "premium"}, max_tier="mid")
    assert mixed == "LLM_ROUTER_MIN_TIER='premium': expected at most max_tier='mid'"
    assert complaint({"LLM_ROUTER_SHARE_TARGETS__MID": "1"}).startswith("LLM_ROUTER_SHARE_TARGETS__BUDGET is missing")


def test_a_key_of_the_file_is_named_with_its_file(tmp_path: Path) -> None:
    """A person knows where to look."""
    path = tmp_path / "llm_router.toml"
    path.write_text("max_attempts = 0\n[breaker]\nwindow_s = -1\n")
    assert complaint(path=path) == (
        f"{path}: max_attempts=0: expected at least 1\n{path}: breaker.window_s=-1: expected more than 0"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("max_attemps = 1", "max_attemps is not a setting: did you mean max_attempts?"),
        ("[breaker]\nwindow = 1", "breaker.window is not a setting: did you mean window_s?"),
        ("zzz = 1", "zzz is not a setting: expected enabled, disabled, shadow,"),
        (
            "[[models.mid]]\nname='m'\nprovider='openai'\npirce={}",
            "models.mid.0.pirce is not a setting: did you mean price?",
        ),
        (
            "[providers.x]\nbase_url='https://h'\nkey_env='A'",
            "providers.x.key_env is not a setting: did you mean api_key_env?",
        ),
    ],
)
def test_unknown_keys_of_the_file_are_errors_with_a_hint(tmp_path: Path, text: str, words: str) -> None:
    """A typo is not a silent default."""
    path = tmp_path / "x.toml"
    path.write_text(text)
    assert words in complaint(path=path)


@pytest.mark.parametrize("content", [b"a = ", b"\xff\xfe", b"[a]\n[a]", b"x" * 300_000, b"a = " + b"[" * 50_000])
def test_what_is_no_toml_is_refused_with_the_file_s_name(tmp_path: Path, content: bytes) -> None:
    """Damaged, binary, huge or bottomless files end in one clear sentence."""
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    message = complaint(path=path)
    assert message.startswith(f"{path}: ")
    assert len(message) < 500


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    """Only the default file may be absent."""
    missing = tmp_path / "none.toml"
    assert complaint(path=missing) == f"{missing}: No such file or directory"
    assert complaint({"LLM_ROUTER_CONFIG": str(missing)}) == f"{missing}: No such file or directory"
    assert complaint(path=tmp_path) == f"{tmp_path}: Is a directory"


def test_unknown_variables_are_warned_of_and_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Another version's variable must not stop a program; a typo must not go unseen."""
    loaded = RouterSettings.load(
        environ={"LLM_ROUTER_TEIR": "mid", "LLM_ROUTER_BREAKER__WINDOW": "1", "LLM_ROUTER_TIER__X": "1", "OTHER": "1"}
    )
    assert loaded.warnings == (
        "LLM_ROUTER_TEIR is not a setting: did you mean LLM_ROUTER_TIER?",
        "LLM_ROUTER_BREAKER__WINDOW is not a setting: did you mean LLM_ROUTER_BREAKER__WINDOW_S?",
        "LLM_ROUTER_TIER__X is not a setting: did you mean LLM_ROUTER_TIER?",
    )
    assert capsys.readouterr() == ("", "")


def test_a_whole_table_in_one_variable_must_be_json() -> None:
    """The remedy is the variable per key."""
    message = complaint({"LLM_ROUTER_BREAKER": "fast"})
    assert message == (
        "LLM_ROUTER_BREAKER='fast': expected a JSON table, or a variable per key: LLM_ROUTER_BREAKER__..."
    )


@pytest.mark.parametrize(
    "table",
    [
        {"base_url": "https://h", "api_key_env": SECRET},
        {"base_url": "https://h", "api_key_env": [SECRET]},
        {"base_url": f"https://u:{SECRET}@h"},
        {"base_url": {"x": SECRET}},
        {"base_url": "https://h", "api_key": SECRET},
    ],
)
def test_a_key_in_the_wrong_place_is_not_repeated(table: dict[str, Any]) -> None:
    """Messages end up in logs and tickets."""
    message = complaint(providers={"mine": table})
    assert SECRET not in message
    assert "providers.mine" in message


def test_long_values_are_cut() -> None:
    """A message stays readable."""
    assert len(complaint(scorer="x" * 100_000)) < 300


@given(
    st.dictionaries(
        st.sampled_from(["LLM_ROUTER_" + name.upper() for name in RouterSettings.model_fields]),
        st.text(max_size=30),
        max_size=4,
    )
)
def test_any_environment_gives_settings_or_one_configuration_error(environ: dict[str, str]) -> None:
    """No variable makes loading fail in another way."""
    try:
        outcome = RouterSettings.load(environ=environ).policy_version
    except ConfigurationError as error:
        outcome = str(error)
    assert "LLM_ROUTER_" in outcome or len(outcome) == 12
