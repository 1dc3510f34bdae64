"""Whatever is put into a call: the caller sees what his SDK would have told him, and nothing of ours raises."""

from __future__ import annotations

import base64
from typing import Any

import openai
import pytest

from llm_router_middleware import ConfigurationError, Router, UnsupportedClientError, wrap
from tests.clients.memory import Wire, ask

ASKED = {"openai": "gpt-6.1-sol", "anthropic": "claude-opus-5-5", "groq": "openai/gpt-oss-120b"}


def nested(depth: int) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    return value


def cyclic() -> list[Any]:
    loop: list[Any] = [{"role": "user", "content": "hello"}]
    loop.append({"role": "user", "content": loop})
    return loop


PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
BAD: dict[str, Any] = {
    "none": None,
    "empty": [],
    "object": {},
    "text": "hello",
    "none inside": [None],
    "numbers": [1, 2.5, True],
    "no role": [{"content": "hello"}],
    "unknown role": [{"role": "oracle", "content": "hello"}],
    "content none": [{"role": "user", "content": None}],
    "content number": [{"role": "user", "content": 7}],
    "content object": [{"role": "user", "content": {"a": 1}}],
    "empty parts": [{"role": "user", "content": []}],
    "lone surrogate": [{"role": "user", "content": "\ud800 hello"}],
    "nul and rtl": [{"role": "user", "content": "\x00\u202eabc"}],
    "huge": [{"role": "user", "content": "word " * 2_000_000}],
    "many": [{"role": "user", "content": "hi"}] * 20_000,
    "images only": [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}]}
    ],
    "bytes": [{"role": "user", "content": b"hello"}],
    "set": [{"role": "user", "content": {"a", "b"}}],
    "object()": [object()],
    "deep": [{"role": "user", "content": nested(200)}],
    "cyclic": cyclic(),
}
MODELS = [None, "", "nobody-knows-me", "https://evil.example/model", "x" * 10_000, "a\nb", "\x1b[31mred", 7]


def outcome(call: Any) -> tuple[str, str]:
    """What a call comes to, in words that can be compared."""
    try:
        result = call()
    except RecursionError:
        return "raised", "RecursionError"
    except Exception as exc:
        return "raised", f"{type(exc).__name__}: {str(exc)[:200]}"
    return "returned", type(result).__name__


@pytest.mark.parametrize("sdk", ["openai", "anthropic", "groq"])
@pytest.mark.parametrize("name", list(BAD))
def test_odd_messages_come_to_what_the_bare_sdk_makes_of_them(sdk: str, name: str) -> None:
    """Same exception or same type, and exactly one event."""
    events: list[Any] = []
    results = []
    for routed in (False, True):
        with Wire(sdk).client(max_retries=0) as client:
            if routed:
                wrap(client, router=Router(scorer="heuristic", sinks=[events.append]))
            results.append(outcome(lambda client=client: ask(client, sdk, model=ASKED[sdk], messages=BAD[name])))
    assert results[0] == results[1]
    assert len(events) <= 1, "one call, at most one event (none where the SDK refused before sending)"


@pytest.mark.parametrize("sdk", ["openai", "anthropic", "groq"])
@pytest.mark.parametrize("model", MODELS, ids=[repr(m)[:20] for m in MODELS])
def test_unknown_models_pass_through_byte_for_byte(sdk: str, model: Any) -> None:
    """What the registry doesn't know is not ours to change."""
    bodies = []
    for routed in (False, True):
        wire = Wire(sdk)
        with wire.client(max_retries=0) as client:
            if routed:
                wrap(client, router=Router(scorer="heuristic"))
            outcome(lambda client=client: ask(client, sdk, model=model, messages=[{"role": "user", "content": "hi"}]))
        bodies.append([request.content for request in wire.requests])
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize(
    "thing", [None, 7, "client", object(), openai, dict], ids=["None", "7", "text", "object", "module", "class"]
)
def test_wrap_refuses_what_is_no_client(thing: Any) -> None:
    """A clear ConfigurationError at construction."""
    with pytest.raises(UnsupportedClientError, match="expected a client of the openai, anthropic or groq SDK"):
        wrap(thing, router=Router(scorer="heuristic"))


def test_a_missing_key_is_the_sdks_own_error(sandbox: Any) -> None:
    """Without a key the SDK's constructor says so, as it always did."""
    from llm_router_middleware import OpenAI

    with pytest.raises(openai.OpenAIError, match="OPENAI_API_KEY"):
        OpenAI()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LLM_ROUTER_MAX_TIER", "gigantic"),
        ("LLM_ROUTER_MAX_LATENCY_S", "-1"),
        ("LLM_ROUTER_SCORER", "no such scorer"),
        ("LLM_ROUTER_MID_THRESHOLD", "7"),
    ],
)
def test_a_bad_setting_is_told_at_construction(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """The message names the key and the value; nothing is left to fail at call time."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=f"(?s){variable}.*{value}"):
        Router.from_env()


def test_no_other_providers_key_leaves_the_own_provider_working() -> None:
    """One key is enough: the others' models are ruled out, with that reason."""
    events: list[Any] = []
    with Wire("openai").client() as client:
        wrap(client, router=Router(scorer="heuristic", sinks=[events.append]))
        ask(client, "openai", model="gpt-6.1-sol", messages=[{"role": "user", "content": "hi"}])
    reasons = {provider: reason for _, provider, reason in events[0].ruled_out}
    assert reasons["anthropic"] == "no API key for anthropic"
    assert reasons["groq"] == "no API key for groq"
