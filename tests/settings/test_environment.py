"""The switches and the keys: what is read from the environment itself."""

from __future__ import annotations

import copy
import itertools
import os
import pickle
import timeit
from collections.abc import Mapping

import pytest

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models.providers import ProviderSpec, builtin_providers, provider_specs
from llm_router_middleware.settings import Credentials, Switches, credentials, present_keys, switches

SECRET = "sk-proj-CANARYCANARYCANARY"
KEYS = {"OPENAI_API_KEY": "sk-openai-canary", "ANTHROPIC_API_KEY": "sk-ant-canary", "GROQ_API_KEY": "gsk_canary"}


@pytest.mark.parametrize("name", ["DISABLED", "SHADOW"])
@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("1", True), ("true", True), ("YES", True), ("on", True), ("ture", True), (" 1 ", True),
        ("0", False), ("false", False), ("No", False), ("off", False), (" 0\n", False),
    ],
)  # fmt: skip
def test_a_switch_is_on_unless_it_says_no(name: str, text: str, on: bool) -> None:
    """A misspelt kill switch still kills."""
    found = switches({f"LLM_ROUTER_{name}": text})
    assert getattr(found, name.lower()) is on
    assert sum(found) == on


def test_a_switch_that_is_not_set_or_empty_is_as_the_settings_say() -> None:
    """The environment overrides, in both directions, only what it names."""
    both = Switches(disabled=True, shadow=True)
    assert switches({}) == Switches(disabled=False, shadow=False)
    assert switches({}, both) == both
    assert switches({"LLM_ROUTER_DISABLED": ""}, both) == both
    assert switches({"LLM_ROUTER_DISABLED": "0"}, both) == Switches(disabled=False, shadow=True)


def test_a_switch_takes_effect_on_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered between two calls."""
    assert not switches().disabled
    monkeypatch.setenv("LLM_ROUTER_DISABLED", "1")
    assert switches().disabled
    monkeypatch.delenv("LLM_ROUTER_DISABLED")
    assert not switches().disabled


def test_switches_cost_about_two_look_ups() -> None:
    """Reading both switches is no dearer than three look-ups of absent variables: nothing else happens."""
    reads = min(timeit.repeat(switches, number=2000, repeat=15))
    look_ups = min(timeit.repeat(lambda: os.environ.get("LLM_ROUTER_NO_SUCH"), number=6000, repeat=15))
    assert reads < look_ups


def test_present_keys_are_those_that_are_set_and_not_blank() -> None:
    """In the order of the providers; a provider that wants no key could always be asked."""
    assert present_keys({}) == ()
    assert present_keys({"GROQ_API_KEY": "x", "OPENAI_API_KEY": "y", "ANTHROPIC_API_KEY": "  "}) == ("openai", "groq")
    specs = provider_specs(
        {"ollama": {"base_url": "http://localhost:1"}, "gate": {"base_url": "https://g", "api_key_env": "G"}}
    )
    assert present_keys({}, specs) == ("ollama",)
    assert present_keys({"G": "1"}, specs) == ("ollama", "gate")


def test_a_key_comes_with_the_address_that_its_sdk_would_use() -> None:
    """The SDK's own variables, both of them."""
    spec = builtin_providers()["openai"]
    assert credentials(spec, {}) is None
    assert credentials(spec, {"OPENAI_API_KEY": " \n"}) is None
    plain = credentials(spec, KEYS)
    assert plain is not None
    assert (plain.key, plain.base_url) == ("sk-openai-canary", "https://api.openai.com/v1")
    moved = credentials(spec, KEYS | {"OPENAI_BASE_URL": "http://10.1.2.3:8000/v1"})
    assert moved is not None
    assert (moved.key, moved.origin) == ("sk-openai-canary", "http://10.1.2.3:8000")
    padded = credentials(spec, {"OPENAI_API_KEY": " sk-x\n"})
    assert padded is not None
    assert padded.key == "sk-x"


class Watched(Mapping[str, str]):
    """An environment that remembers what was read."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values_, self.read = values, set[str]()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return self.values_[name]

    def __iter__(self) -> object:  # type: ignore[override]  # iterating would read everything
        raise AssertionError("the whole environment was read")

    def __len__(self) -> int:
        return len(self.values_)


@pytest.mark.parametrize(("name", "other"), [*itertools.permutations(["openai", "anthropic", "groq"], 2)])
def test_a_provider_s_credentials_are_read_from_its_own_variables_alone(name: str, other: str) -> None:
    """3 x 3 canaries: no provider's key is looked at for another."""
    environ = Watched(KEYS)
    found = credentials(builtin_providers()[name], environ)
    assert found is not None
    assert found.key == KEYS[f"{name.upper()}_API_KEY"]
    assert environ.read == {f"{name.upper()}_API_KEY", f"{name.upper()}_BASE_URL"}
    assert found.key != KEYS[f"{other.upper()}_API_KEY"]


def test_a_moved_provider_does_not_follow_its_sdk_s_variables() -> None:
    """A key of a gateway goes to the gateway, wherever OPENAI_BASE_URL points."""
    spec = provider_specs({"openai": {"base_url": "https://g.example/v1", "api_key_env": "G_KEY"}})["openai"]
    found = credentials(spec, KEYS | {"G_KEY": "g", "OPENAI_BASE_URL": "https://evil.example"})
    assert found is not None
    assert (found.key, found.base_url) == ("g", "https://g.example/v1")


def test_a_keyless_provider_gets_a_placeholder() -> None:
    """Without a key of its own an SDK would take its provider's from the environment and send it there."""
    spec = ProviderSpec("ollama", "openai_chat", "http://localhost:11434/v1")
    found = credentials(spec, KEYS)
    assert found is not None
    assert found.key
    assert found.key not in KEYS.values()


@pytest.mark.parametrize("key", ["sk-a\nX-Evil: 1", "sk-ä", "sk-\x00", "sk-\x7f"])
def test_a_key_that_no_header_can_hold_is_refused_unseen(key: str) -> None:
    """It would fail in the middle of a call, and with the key in the message."""
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY") as caught:
        credentials(builtin_providers()["openai"], {"OPENAI_API_KEY": key})
    assert key not in str(caught.value)


@pytest.mark.parametrize("url", ["not a url", f"https://u:{SECRET}@h", "ftp://h"])
def test_an_address_in_a_variable_is_checked(url: str) -> None:
    """The message names the variable."""
    with pytest.raises(ConfigurationError, match="GROQ_BASE_URL") as caught:
        credentials(builtin_providers()["groq"], KEYS | {"GROQ_BASE_URL": url})
    assert SECRET not in str(caught.value)


def test_credentials_show_their_key_to_nobody() -> None:
    """Neither in text nor in a pickle."""
    found = Credentials("openai", SECRET, "https://h/v1")
    shown = f"{found!r} {found} {[found]} {found:}"
    assert SECRET not in shown
    assert "https://h" in shown
    with pytest.raises(TypeError):
        pickle.dumps(found)
    with pytest.raises(TypeError):
        copy.deepcopy(found)
