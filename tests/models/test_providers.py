"""Who answers, and that a key goes to nobody else."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models.addresses import check_base_url, origin_of
from llm_router_middleware.models.providers import ProviderSpec, builtin_providers, provider_specs

SECRET = "sk-proj-CANARYCANARYCANARY"


def test_the_built_in_providers_are_what_their_sdks_say() -> None:
    """Dialect, address and variables are the SDKs' own."""
    found = {
        name: (spec.wire, spec.sdk, spec.api_key_env, spec.base_url_env) for name, spec in builtin_providers().items()
    }
    assert found == {
        "openai": ("openai_chat", "openai", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
        "anthropic": ("anthropic_messages", "anthropic", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
        "groq": ("groq_chat", "groq", "GROQ_API_KEY", "GROQ_BASE_URL"),
    }


@pytest.mark.parametrize(("sdk", "root"), [("openai", "OpenAI"), ("anthropic", "Anthropic"), ("groq", "Groq")])
def test_an_sdk_reads_the_variables_that_we_name(monkeypatch: pytest.MonkeyPatch, sdk: str, root: str) -> None:
    """Drift of an SDK's own defaults fails here."""
    module = pytest.importorskip(sdk)
    spec = builtin_providers()[sdk]
    monkeypatch.setenv(str(spec.api_key_env), SECRET)
    client = getattr(module, root)()
    assert client.api_key == SECRET
    assert str(client.base_url).rstrip("/") == spec.base_url
    monkeypatch.setenv(str(spec.base_url_env), "http://localhost:9/v9")
    assert str(getattr(module, root)().base_url).rstrip("/") == "http://localhost:9/v9"


def test_a_declared_provider_speaks_openai_s_dialect_unless_it_says_otherwise() -> None:
    """Ollama and vLLM need an address and nothing else."""
    specs = provider_specs({"ollama": {"base_url": "http://localhost:11434/v1"}})
    ollama = specs["ollama"]
    assert (ollama.wire, ollama.sdk, ollama.api_key_env, ollama.base_url_env) == ("openai_chat", "openai", None, None)
    assert list(specs) == ["openai", "anthropic", "groq", "ollama"]
    table = {"base_url": "https://claude.internal.example", "wire": "anthropic_messages", "api_key_env": "GATE_KEY"}
    gate = provider_specs({"gate": table})["gate"]
    assert (gate.wire, gate.sdk) == ("anthropic_messages", "anthropic")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v1",
        "https://api.example.com:8443",
        "http://localhost:8000/v1",
        "http://127.0.0.1:1",
        "http://127.9.9.9/",
        "http://[::1]:8000/v1",
        "http://ollama.localhost/",
        "https://8.8.8.8/v1",
    ],
)
def test_https_and_this_machine_are_allowed(url: str) -> None:
    """What can't be read on the way may be used."""
    check_base_url("k", url)


UNSAFE = [
    "http://api.example.com/v1",
    "http://10.0.0.5:8000/v1",
    "https://10.0.0.5/v1",
    "https://192.168.1.1/v1",
    "https://169.254.169.254/latest",
    "https://[fe80::1]/v1",
    "https://[::ffff:10.0.0.1]/",
    "https://0.0.0.0/",
    "http://2130706433/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://10.0.0.5./",
]


@pytest.mark.parametrize("url", UNSAFE)
def test_plain_http_and_private_addresses_need_the_user_s_word(url: str) -> None:
    """The message names the key, the address and what is allowed; with his word they are."""
    with pytest.raises(ConfigurationError, match="trusted_network"):
        check_base_url("providers.x.base_url", url)
    check_base_url("providers.x.base_url", url, trusted_network=True)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "ftp://example.com",
        "file:///etc/passwd",
        "https://",
        "https://example.com:99999",
        "https://exa mple.com",
        "https://example.com/\r\nX-Evil: 1",
        "https://example.com\\@evil.example/",
        "https://example.com/?next=1",
        "https://example.com/#x",
        "https://[::1",
        None,
        5,
    ],
)
def test_what_is_no_address_is_refused_with_and_without_his_word(url: object) -> None:
    """Nothing that two parsers could read in two ways."""
    for trusted in (False, True):
        with pytest.raises(ConfigurationError, match=r"providers\.x\.base_url"):
            check_base_url("providers.x.base_url", url, trusted_network=trusted)  # type: ignore[arg-type]  # bad input


@pytest.mark.parametrize("url", [f"https://user:{SECRET}@example.com", f"https://{SECRET}@example.com/", "https://@h"])
def test_user_info_is_refused_and_not_repeated(url: str) -> None:
    """A password in an address is a key in a log."""
    with pytest.raises(ConfigurationError) as caught:
        check_base_url("k", url, trusted_network=True)
    assert SECRET not in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_configuration_error(url: str) -> None:
    """No input makes the check fail in another way."""
    try:
        check_base_url("k", url)
    except ConfigurationError:
        return
    assert url.lower().startswith(("https://", "http://"))


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://API.example.com/v1/", "https://api.example.com"),
        ("https://api.example.com:443", "https://api.example.com"),
        ("http://localhost:80/x", "http://localhost"),
        ("http://localhost:8000/x", "http://localhost:8000"),
        ("https://[::1]:8443/x", "https://[::1]:8443"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    """Two spellings of one origin are equal."""
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("owner", "name"), [*itertools.product(["openai", "anthropic", "groq"], ["openai", "anthropic", "groq", "evil"])]
)
def test_no_provider_s_key_can_be_declared_for_another_origin(owner: str, name: str) -> None:
    """3 x 4: a built-in key variable and an address that is not its own never meet, whatever the provider is called."""
    key = builtin_providers()[owner].api_key_env
    with pytest.raises(ConfigurationError) as caught:
        provider_specs({name: {"base_url": "https://evil.example/v1", "api_key_env": key}})
    assert "belongs to" in str(caught.value)


def test_a_built_in_provider_that_moves_needs_a_key_of_its_own() -> None:
    """OPENAI_API_KEY does not follow to another origin, and neither does OPENAI_BASE_URL."""
    with pytest.raises(ConfigurationError, match="needs its own api_key_env"):
        provider_specs({"openai": {"base_url": "https://gateway.example/v1"}})
    moved = provider_specs({"openai": {"base_url": "https://gateway.example/v1", "api_key_env": "GATEWAY_KEY"}})[
        "openai"
    ]
    assert (moved.api_key_env, moved.base_url_env, moved.wire) == ("GATEWAY_KEY", None, "openai_chat")


def test_a_built_in_provider_may_change_its_path_and_its_variable() -> None:
    """The same origin keeps its key."""
    specs = provider_specs(
        {"openai": {"base_url": "https://api.openai.com/v2"}, "groq": {"api_key_env": "GROQ_TEAM_KEY"}}
    )
    assert specs["openai"].api_key_env == "OPENAI_API_KEY"
    assert specs["groq"].api_key_env == "GROQ_TEAM_KEY"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"base_url": "https://h", "api_key_env": SECRET}, "never a key itself"),
        ({"base_url": "https://h", "api_key_env": 5}, "never a key itself"),
        ({"base_url": "https://h", "api_key_env": ""}, "never a key itself"),
        ({"base_url": "https://h", "api_key": SECRET}, "api_key_env"),
        ({"base_url": "https://h", "wire": "smoke"}, "openai_chat"),
        ({"base_url": "https://h", "sdk": "cohere"}, "openai, anthropic, groq"),
        ({"base_url": "https://h", "trusted_network": "yes"}, "true or false"),
        ({"base_url": "https://h", "base_url_env": "X"}, "not a setting"),
        ({"wire": "openai_chat"}, "base_url is missing"),
    ],
)
def test_a_wrong_table_is_refused_by_key_without_repeating_secrets(table: dict[str, object], words: str) -> None:
    """A key that was pasted in the wrong place is not printed."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        provider_specs({"mine": table})
    assert SECRET not in str(caught.value)
    assert "providers.mine" in str(caught.value)


@pytest.mark.parametrize("name", ["", "Mine", "a b", "a/b", "x" * 33, "ä", "../x"])
def test_a_provider_s_name_is_a_plain_word(name: str) -> None:
    """Names stand in keys, labels and files."""
    with pytest.raises(ConfigurationError, match="a name is"):
        provider_specs({name: {"base_url": "https://h"}})


def test_specs_can_t_be_changed() -> None:
    """The table and its rows are values."""
    specs = builtin_providers()
    with pytest.raises(TypeError):
        specs["openai"] = specs["groq"]  # type: ignore[index]  # that is the point
    assert isinstance(specs["openai"], ProviderSpec)
    assert specs["openai"].origin == "https://api.openai.com"
