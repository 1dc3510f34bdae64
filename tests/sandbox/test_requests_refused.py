"""Requests that the providers would not take are not taken here either."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_router_middleware.sandbox import Sandbox
from llm_router_middleware.sandbox.wires import strictness
from llm_router_middleware.testing import scripted_provider
from tests.sandbox.sdks import ANTHROPIC, MESSAGES, OPENAI, SDK, SDKS

each_sdk = pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.name)
PATHS = {
    "openai": ("/v1/chat/completions", "/v1/responses", "/v1/embeddings"),
    "anthropic": ("/v1/messages", "/v1/messages/count_tokens"),
    "groq": ("/openai/v1/chat/completions",),
}
FORMS = {"openai": {"error"}, "groq": {"error"}, "anthropic": {"type", "error", "request_id"}}


def post(sdk: SDK, sandbox: Sandbox, path: str, content: bytes = b"{}", **headers: str) -> Any:
    provider = sdk.provider(sandbox)
    origin = provider.base_url.removesuffix("/v1")
    keys = {"x-api-key": provider.api_key, "authorization": f"Bearer {provider.api_key}"}
    return sdk.http.post(origin + path, content=content, headers={**keys, **headers})


@each_sdk
@pytest.mark.parametrize("key", [None, "sk-wrong"], ids=["missing", "wrong"])
def test_without_the_right_key_nothing_is_answered(sandbox: Sandbox, sdk: SDK, key: str | None) -> None:
    """401 in the provider's form; the request is recorded all the same."""
    if key is None:
        headers = {"authorization": "", "x-api-key": ""}
        response = post(sdk, sandbox, PATHS[sdk.name][0], **headers)
        assert response.status_code == 401
        assert set(response.json()) == FORMS[sdk.name]
    else:
        with pytest.raises(sdk.module.AuthenticationError):
            sdk.run(sdk.provider(sandbox), is_async=False, client={"api_key": key})
    assert [request.status for request in sdk.provider(sandbox).requests] == [401]


def test_anthropic_takes_a_bearer_token_as_well(sandbox: Sandbox) -> None:
    """`auth_token` is as good as `api_key`."""
    arguments = {"api_key": None, "auth_token": sandbox.anthropic.api_key}
    assert ANTHROPIC.text(ANTHROPIC.run(sandbox.anthropic, is_async=False, client=arguments))


@each_sdk
@pytest.mark.parametrize("path", ["/", "/v2/nothing", "/v1/chat", "/v1/modelsextra"])
def test_an_unknown_path_is_not_found(sandbox: Sandbox, sdk: SDK, path: str) -> None:
    """404 in the provider's form, for POST and for GET."""
    provider = sdk.provider(sandbox)
    origin = provider.base_url.removesuffix("/v1")
    keys = {"x-api-key": provider.api_key, "authorization": f"Bearer {provider.api_key}"}
    for response in (post(sdk, sandbox, path), sdk.http.get(origin + path, headers=keys)):
        assert response.status_code == 404
        assert set(response.json()) == FORMS[sdk.name]


@each_sdk
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"nonsense", b"\xff\xfe", b"[" * 100_000], ids=range(6))
def test_a_body_that_is_no_object_is_a_bad_request(sandbox: Sandbox, sdk: SDK, content: bytes) -> None:
    """Empty, cut, not an object, not UTF-8, nested without end: 400."""
    for path in PATHS[sdk.name]:
        assert post(sdk, sandbox, path, content).status_code == 400


@each_sdk
@pytest.mark.parametrize(
    "arguments",
    [{"model": ""}, {"messages": []}, {"messages": [{"role": "wizard", "content": "x"}]}, {"messages": "hello"}],
    ids=["no_model", "no_messages", "unknown_role", "messages_text"],
)
def test_what_every_provider_needs_is_asked_for(sandbox: Sandbox, sdk: SDK, arguments: dict[str, Any]) -> None:
    """A model, and messages of known roles."""
    with pytest.raises(sdk.module.BadRequestError):
        sdk.run(sdk.provider(sandbox), is_async=False, **arguments)


def test_openai_names_the_parameter(sandbox: Sandbox) -> None:
    """`param` and `code` say what is wrong."""
    with pytest.raises(OPENAI.module.BadRequestError) as caught:
        OPENAI.run(sandbox.openai, is_async=False, messages=[])
    assert (caught.value.param, caught.value.code) == ("messages", "empty_array")


def test_anthropic_needs_max_tokens(sandbox: Sandbox) -> None:
    """Without it, 400."""
    response = post(
        ANTHROPIC, sandbox, "/v1/messages", b'{"model": "m", "messages": [{"role": "user", "content": "x"}]}'
    )
    assert response.status_code == 400
    assert response.json()["error"]["message"] == "max_tokens: Field required"


@each_sdk
def test_a_lone_surrogate_is_answered(sandbox: Sandbox, sdk: SDK) -> None:
    """Half a character in the prompt, or in what is echoed, breaks neither the answer nor its encoding."""
    half = "\ud83d"
    body = {"model": half, "max_tokens": 99, "input": "x", "metadata": {"a": half}}
    body["messages"] = [{"role": "user", "content": f"{half} x"}]
    for path in PATHS[sdk.name]:
        response = post(sdk, sandbox, path, json.dumps(body).encode())
        assert response.status_code == 200
        assert response.json()


@each_sdk
def test_a_schema_that_is_none_is_a_bad_request(sandbox: Sandbox, sdk: SDK) -> None:
    """For the answer and for a tool's arguments."""
    broken = {"type": "object", "properties": {"a": {"enum": 5}}}
    if sdk is ANTHROPIC:
        form: dict[str, Any] = {"output_config": {"format": {"type": "json_schema", "schema": broken}}}
        tools = {"tools": [{"name": "f", "input_schema": broken}], "tool_choice": {"type": "any"}}
    else:
        form = {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": broken}}}
        function = {"type": "function", "function": {"name": "f", "parameters": broken}}
        tools = {"tools": [function], "tool_choice": "required"}
    for arguments in (form, tools):
        with pytest.raises(sdk.module.BadRequestError, match="Invalid schema"):
            sdk.run(sdk.provider(sandbox), is_async=False, **arguments)


@pytest.fixture(scope="module")
def strict():
    """A sandbox that looks closer."""
    with Sandbox(strict=True) as sandbox:
        yield sandbox


@each_sdk
def test_strict_providers_know_their_parameters(strict: Sandbox, sdk: SDK) -> None:
    """A parameter that is not theirs is refused by name; by default it is let through."""
    with pytest.raises(sdk.module.BadRequestError, match="wings"):
        sdk.run(sdk.provider(strict), is_async=False, extra_body={"wings": 2})
    assert sdk.text(sdk.run(sdk.provider(strict), is_async=False))


@each_sdk
def test_by_default_unknown_parameters_are_let_through(sandbox: Sandbox, sdk: SDK) -> None:
    """Compatible servers take parameters of their own."""
    assert sdk.text(sdk.run(sdk.provider(sandbox), is_async=False, extra_body={"wings": 2}))


@pytest.mark.parametrize("version", ["2026-10-21", "2023-06-01"])
def test_strict_anthropic_has_sampling_only_in_old_versions(strict: Sandbox, version: str) -> None:
    """`temperature` went with the version of 2026-10-21."""
    body = b'{"model": "m", "max_tokens": 9, "temperature": 1, "messages": [{"role": "user", "content": "x"}]}'
    response = post(ANTHROPIC, strict, "/v1/messages", body, **{"anthropic-version": version})
    assert response.status_code == (400 if version == "2026-10-21" else 200)
    assert post(ANTHROPIC, strict, "/v1/messages", body).status_code == 400


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CHAT_LOOPS = {
    "answered": (
        [{"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "c1", "content": ""}],
        True,
    ),
    "unanswered": ([{"role": "assistant", "tool_calls": [CALL]}], False),
    "late": ([{"role": "assistant", "tool_calls": [CALL]}, *MESSAGES], False),
    "unasked": ([{"role": "tool", "tool_call_id": "c1", "content": ""}], False),
    "other": (
        [{"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "c2", "content": ""}],
        False,
    ),
}
USE = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}}]}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "x"}]}
MESSAGE_LOOPS = {
    "answered": ([USE, RESULT], True),
    "unanswered": ([USE], False),
    "late": ([USE, *MESSAGES, RESULT], False),
    "unasked": ([RESULT], False),
    "twice": ([USE, RESULT, RESULT], False),
}


@pytest.mark.parametrize(
    ("sdk", "loop", "good"),
    [(sdk, *loop) for sdk in SDKS for loop in (MESSAGE_LOOPS if sdk is ANTHROPIC else CHAT_LOOPS).values()],
    ids=[f"{sdk.name}-{name}" for sdk in SDKS for name in (MESSAGE_LOOPS if sdk is ANTHROPIC else CHAT_LOOPS)],
)
def test_strict_providers_want_every_tool_call_answered(strict: Sandbox, sdk: SDK, loop: list[Any], good: bool) -> None:
    """Calls and results belong together."""
    call = lambda: sdk.run(sdk.provider(strict), is_async=False, messages=[*MESSAGES, *loop])  # noqa: E731 - once
    if good:
        assert sdk.text(call())
    else:
        with pytest.raises(sdk.module.BadRequestError):
            call()


def test_the_lists_of_parameters_are_those_of_the_installed_sdks() -> None:
    """Nothing that an SDK can send is refused by a strict provider."""
    from anthropic.types.beta.message_count_tokens_params import MessageCountTokensParams as BetaCount
    from anthropic.types.beta.message_create_params import MessageCreateParamsBase as BetaMessages
    from anthropic.types.message_count_tokens_params import MessageCountTokensParams
    from anthropic.types.message_create_params import MessageCreateParamsBase
    from groq.types.chat.completion_create_params import CompletionCreateParams as GroqChat
    from openai.types.chat.completion_create_params import CompletionCreateParamsBase
    from openai.types.embedding_create_params import EmbeddingCreateParams
    from openai.types.responses.response_create_params import ResponseCreateParamsBase

    in_headers = {"betas", "workspace_id", "user_profile_id"}
    for params, known in (
        (CompletionCreateParamsBase, strictness.OPENAI_CHAT),
        (ResponseCreateParamsBase, strictness.OPENAI_RESPONSES),
        (EmbeddingCreateParams, strictness.OPENAI_EMBEDDINGS),
        (GroqChat, strictness.GROQ_CHAT),
        (MessageCreateParamsBase, strictness.ANTHROPIC_MESSAGES),
        (BetaMessages, strictness.ANTHROPIC_MESSAGES),
        (MessageCountTokensParams, strictness.ANTHROPIC_COUNT),
        (BetaCount, strictness.ANTHROPIC_COUNT),
    ):
        names = params.__required_keys__ | params.__optional_keys__
        assert names - known - in_headers == set(), params


PARAMETERS = sorted(strictness.OPENAI_CHAT | strictness.OPENAI_RESPONSES | strictness.ANTHROPIC_MESSAGES | {"input"})
SCALARS = st.none() | st.booleans() | st.integers(-5, 300) | st.floats() | st.text(max_size=8)
WORDS = st.sampled_from(
    [
        "role",
        "content",
        "type",
        "text",
        "tool_calls",
        "function",
        "name",
        "parameters",
        "properties",
        "format",
        "json_schema",
        "schema",
        "user",
        "input",
        "items",
        "$ref",
        "enum",
        "anyOf",
    ]
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=12
)
LIKELY = {
    "model": st.just("m"),
    "messages": st.lists(
        st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "tool"]), "content": VALUES}), max_size=3
    ),
    "max_tokens": st.just(100) | VALUES,
    "stream": st.booleans(),
    "input": VALUES,
}
BODIES = st.builds(
    lambda likely, rest: {**rest, **likely},
    st.fixed_dictionaries({}, optional=LIKELY),
    st.dictionaries(st.sampled_from(PARAMETERS), VALUES, max_size=4),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=BODIES)
def test_no_body_breaks_a_provider(body: dict[str, Any]) -> None:
    """Whatever the body, every path answers 200 or 400: nothing of ours raises."""
    content = json.dumps(body).encode()
    for name, paths in PATHS.items():
        provider = scripted_provider(name)  # type: ignore[arg-type] # one of the three names
        headers = {"x-api-key": provider.api_key, "authorization": f"Bearer {provider.api_key}"}
        for path in paths:
            _, steps = provider.respond("POST", path, headers, content)
            taken = list(steps)
            assert taken[0].status in (200, 400), (path, body)  # type: ignore[union-attr] # the head
