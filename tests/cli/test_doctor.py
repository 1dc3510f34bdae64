"""`llm-router doctor`: finds what is broken, and shows no secret."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from llm_router_middleware.cli import doctor
from tests.cli.conftest import Invoke

SECRET = "sk-proj-abcdefghijklmnop0123456789"


def by_subject(found: Any) -> dict[str, Any]:
    return {finding["subject"]: finding for finding in found["findings"]}


def test_a_healthy_house(as_json: Callable[..., Any]) -> None:
    """Versions as installed, and one call per SDK rewritten, answered and recorded."""
    found = as_json("doctor")
    assert found["healthy"]
    subjects = by_subject(found)
    for sdk in ("openai", "anthropic", "groq"):
        assert f"{metadata.version(sdk)}" in [f["text"] for f in found["findings"] if f["subject"] == sdk]
        assert subjects[f"{sdk} self check"]["text"].endswith("recorded once")


def test_keys_are_present_never_shown(
    as_json: Callable[..., Any], llm_router: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key is named by its variable and its address."""
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    found = as_json("doctor")
    assert "OPENAI_API_KEY, for https://api.openai.com" in [f["text"] for f in found["findings"]]
    assert SECRET not in str(found)
    assert SECRET not in llm_router("doctor").output


def test_settings_say_where_they_come_from(
    as_json: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every setting that somebody has set, with the file or the variable that did, and misspelt variables."""
    (tmp_path / "llm_router.toml").write_text('max_tier = "mid"\n[breaker]\nopen_s = 9\n')
    monkeypatch.setenv("LLM_ROUTER_MAX_ATTEMPTS", "3")
    monkeypatch.setenv("LLM_ROUTER_MAX_TIRE", "mid")
    subjects = by_subject(as_json("doctor"))
    assert subjects["max_tier"]["text"] == "'mid' (from llm_router.toml)"
    assert subjects["breaker.open_s"]["text"] == "9.0 (from llm_router.toml)"
    assert subjects["max_attempts"]["text"] == "3 (from LLM_ROUTER_MAX_ATTEMPTS)"
    assert "LLM_ROUTER_MAX_TIRE" in subjects["settings"]["text"]
    assert subjects["settings"]["state"] == "note"


@pytest.mark.parametrize(
    ("name", "value"), [("LLM_ROUTER_MAX_TIER", "huge"), ("OPENAI_BASE_URL", "ftp://x"), ("GROQ_API_KEY", "ключ")]
)
def test_what_is_broken_makes_the_exit_code_1(
    as_json: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """A wrong setting, a wrong address and a key that can't be one are found."""
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv(name, value)
    found = as_json("doctor", code=1)
    assert not found["healthy"]
    assert any(finding["state"] == "bad" and name in finding["text"] for finding in found["findings"])


def test_a_client_that_is_not_routed_is_found(as_json: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The self check fails when a wrapped client's call goes out as it was written."""
    from llm_router_middleware.intercept import bind

    monkeypatch.setattr(bind, "wrap", lambda client, **_: client)
    subjects = by_subject(as_json("doctor", code=1))
    assert subjects["openai self check"]["state"] == "bad"
    assert subjects["openai self check"]["text"].startswith("0 events for one call")


def test_an_sdk_that_breaks_is_found(as_json: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the self check raises is a finding, not a traceback."""

    def broken(_sdk: str) -> Any:
        raise RuntimeError("boom")

    monkeypatch.setattr(doctor, "_routed_call", broken)
    assert by_subject(as_json("doctor", code=1))["groq self check"]["text"] == "RuntimeError: boom"


def test_no_sdk_at_all_is_broken(as_json: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an SDK there is nothing to route."""
    real = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name in doctor._SDKS else real(name))
    subjects = by_subject(as_json("doctor", code=1))
    assert subjects["SDKs"]["state"] == "bad"
    assert subjects["openai"]["text"] == "not installed"
