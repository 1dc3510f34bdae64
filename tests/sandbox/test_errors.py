"""Errors and headers, in each provider's words."""

from __future__ import annotations

import pytest

from llm_router_middleware.sandbox import Behaviour, Sandbox
from llm_router_middleware.sandbox.errors import KINDS
from tests.sandbox.sdks import ANTHROPIC, GROQ, MESSAGES, OPENAI, SDK, SDKS

each_sdk = pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.name)

KNOWN = {
    ("openai", "auth"): (401, "invalid_request_error", "invalid_api_key"),
    ("openai", "rate_limit"): (429, "tokens", "rate_limit_exceeded"),
    ("openai", "quota"): (429, "insufficient_quota", "insufficient_quota"),
    ("openai", "context_overflow"): (400, "invalid_request_error", "context_length_exceeded"),
    ("openai", "model_not_found"): (404, "invalid_request_error", "model_not_found"),
    ("openai", "server"): (500, "server_error", None),
    ("openai", "overloaded"): (503, "server_error", "server_is_overloaded"),
    ("anthropic", "auth"): (401, "authentication_error", None),
    ("anthropic", "billing"): (402, "billing_error", None),
    ("anthropic", "permission"): (403, "permission_error", None),
    ("anthropic", "model_not_found"): (404, "not_found_error", None),
    ("anthropic", "too_large"): (413, "request_too_large", None),
    ("anthropic", "rate_limit"): (429, "rate_limit_error", None),
    ("anthropic", "server"): (500, "api_error", None),
    ("anthropic", "overloaded"): (529, "overloaded_error", None),
    ("groq", "auth"): (401, "invalid_request_error", "invalid_api_key"),
    ("groq", "rate_limit"): (429, "tokens", "rate_limit_exceeded"),
    ("groq", "too_large"): (413, "tokens", "rate_limit_exceeded"),
    ("groq", "tool_use_failed"): (400, "invalid_request_error", "tool_use_failed"),
    ("groq", "server"): (500, "internal_server_error", None),
    ("groq", "capacity"): (498, "capacity_exceeded", "capacity_exceeded"),
}


def failure(sdk: SDK, sandbox: Sandbox, behaviour: Behaviour | None = None, **arguments: object) -> object:
    if behaviour is not None:
        sdk.provider(sandbox).script("*", behaviour)
    with pytest.raises(sdk.module.APIStatusError) as caught:
        sdk.run(sdk.provider(sandbox), is_async=False, **arguments)
    return caught.value


def inner(sdk: SDK, error: object) -> dict[str, object]:
    body = error.body  # type: ignore[attr-defined] # an APIStatusError
    return body if sdk is OPENAI else body["error"]


@pytest.mark.parametrize(("key", "wanted"), KNOWN.items(), ids=lambda item: "-".join(map(str, item)))
def test_each_kind_has_the_providers_status_type_and_code(
    sandbox: Sandbox, key: tuple[str, str], wanted: tuple[int, str, str | None]
) -> None:
    """The table of error bodies, as the SDKs read it."""
    sdk = next(sdk for sdk in SDKS if sdk.name == key[0])
    error = failure(sdk, sandbox, Behaviour(error=key[1]))
    body = inner(sdk, error)
    assert (error.status_code, body["type"], body.get("code")) == wanted  # type: ignore[attr-defined] # see above


@each_sdk
def test_every_error_carries_the_request_id_that_the_answer_has(sandbox: Sandbox, sdk: SDK) -> None:
    """The id is in the header that this provider uses, differs per request, and Anthropic repeats it in the body."""
    ids = set()
    for kind in KINDS:
        try:
            behaviour = Behaviour(error=kind)
            sdk.provider(sandbox).script("*", behaviour)
        except ValueError:
            continue
        with pytest.raises(sdk.module.APIStatusError) as caught:
            sdk.run(sdk.provider(sandbox), is_async=False)
        header = caught.value.response.headers["request-id" if sdk is ANTHROPIC else "x-request-id"]
        assert header.startswith("req_")
        if sdk is ANTHROPIC:
            assert caught.value.body["request_id"] == header
        ids.add(header)
    assert len(ids) == len(sdk.provider(sandbox).requests) > 10


@each_sdk
def test_what_the_script_says_overrides_the_providers_words(sandbox: Sandbox, sdk: SDK) -> None:
    """Status, type, code, message and headers can all be scripted; an empty header is left out."""
    error = failure(
        sdk,
        sandbox,
        Behaviour(
            status=418,
            error_type="teapot",
            error_code="short_and_stout",
            message="I'm a teapot",
            headers={"X-Kettle": "on", "content-type": ""},
        ),
    )
    assert error.status_code == 418  # type: ignore[attr-defined] # an APIStatusError
    body = inner(sdk, error)
    assert (body["type"], body["message"]) == ("teapot", "I'm a teapot")
    assert body.get("code") == (None if sdk is ANTHROPIC else "short_and_stout")
    headers = error.response.headers  # type: ignore[attr-defined] # an APIStatusError
    assert headers["x-kettle"] == "on"
    assert "content-type" not in headers


@each_sdk
@pytest.mark.parametrize("value", [None, 7, 0.25, "Wed, 25 Nov 2026 08:00:00 GMT", "soon"], ids=str)
def test_retry_after_is_sent_as_scripted(sandbox: Sandbox, sdk: SDK, value: float | str | None) -> None:
    """With a number, a date, nonsense, or without the header at all."""
    error = failure(sdk, sandbox, Behaviour(error="rate_limit", retry_after=value))
    sent = error.response.headers.get("retry-after")  # type: ignore[attr-defined] # an APIStatusError
    assert sent == (None if value is None else str(value))


@each_sdk
def test_the_sdk_waits_as_told_and_tries_again(sandbox: Sandbox, sdk: SDK) -> None:
    """The SDKs' own retries meet the queue in order."""
    sdk.provider(sandbox).script("*", Behaviour(error="rate_limit", retry_after=0.01), Behaviour(status=500))
    answer = sdk.run(sdk.provider(sandbox), is_async=False, client={"max_retries": 2})
    assert sdk.text(answer)
    assert [request.status for request in sdk.provider(sandbox).requests] == [429, 500, 200]


@each_sdk
def test_rate_limit_headers_are_the_providers(sandbox: Sandbox, sdk: SDK) -> None:
    """Every answer tells the limits; on a 429 nothing is left."""
    raw = sdk.client(sdk.provider(sandbox))
    with raw as client:
        resource = client.messages if sdk is ANTHROPIC else client.chat.completions
        more = {"max_tokens": 10} if sdk is ANTHROPIC else {}
        headers = resource.with_raw_response.create(model=sdk.model, messages=MESSAGES, **more).headers
    left, reset = (
        ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset")
        if sdk is ANTHROPIC
        else ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens")
    )
    assert int(headers[left]) > 0
    limited = failure(sdk, sandbox, Behaviour(error="rate_limit", retry_after=2)).response.headers  # type: ignore[attr-defined] # an APIStatusError
    assert limited[left] == "0"
    assert limited[reset].endswith("Z") if sdk is ANTHROPIC else limited[reset] == "2s"


@each_sdk
def test_the_model_is_named_in_errors_about_it(sandbox: Sandbox, sdk: SDK) -> None:
    """An unknown model is told by name, once the provider serves only some."""
    sdk.provider(sandbox).serve("only-this")
    error = failure(sdk, sandbox, model="no-such-model")
    assert error.status_code == 404  # type: ignore[attr-defined] # an APIStatusError
    assert "no-such-model" in str(inner(sdk, error)["message"])
    assert sdk.text(sdk.run(sdk.provider(sandbox), is_async=False, model="only-this"))
    with sdk.client(sdk.provider(sandbox)) as client:
        assert [model.id for model in client.models.list().data] == ["only-this"]
        with pytest.raises(sdk.module.NotFoundError):
            client.models.retrieve("no-such-model")


@each_sdk
def test_in_stream_errors_carry_the_kind(sandbox: Sandbox, sdk: SDK) -> None:
    """An error within a stream has the type that a plain one would have."""
    sdk.provider(sandbox).script("*", Behaviour(error="rate_limit", error_event_after=1))
    with pytest.raises(sdk.module.APIError) as caught:
        sdk.run(sdk.provider(sandbox), is_async=False, stream=True)
    body = caught.value.body["error"] if sdk is ANTHROPIC else caught.value.body
    assert body["type"] == ("rate_limit_error" if sdk is ANTHROPIC else "tokens")


def test_a_response_stream_fails_in_band(sandbox: Sandbox) -> None:
    """OpenAI's responses tell even an exhausted quota after `response.created`."""
    sandbox.openai.script("*", Behaviour(error="quota", error_event_after=0))
    with OPENAI.client(sandbox.openai) as client:
        stream = client.responses.create(model="m", input="x", stream=True)
        assert next(stream).type == "response.created"
        with pytest.raises(OPENAI.module.APIError) as caught:
            list(stream)
    assert caught.value.code == "insufficient_quota"


def test_a_kind_that_the_provider_does_not_have_is_told_at_once(sandbox: Sandbox) -> None:
    """A misspelt error fails in the test that scripts it."""
    for script in (
        lambda: sandbox.openai.script("*", Behaviour(error="capacity")),
        lambda: sandbox.anthropic.default("*", Behaviour(error="rate_limits")),
        lambda: sandbox.groq.outage(Behaviour(error="nonsense")),
    ):
        with pytest.raises(ValueError, match="error="):
            script()
    assert GROQ.text(GROQ.run(sandbox.groq, is_async=False))
