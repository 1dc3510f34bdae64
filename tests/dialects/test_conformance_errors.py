"""Conformance cases 93, 95 and 97: failures in the form of the caller's provider, raised by his own SDK."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import anthropic
import groq
import openai
import pytest

from llm_router_middleware.dialects.errors import error_frame, error_response, in_band_error, redact
from llm_router_middleware.engine.call import FailureKind
from tests.dialects.kit import ANTHROPIC, CALLERS, GROQ, OPENAI, RESPONSES, _create, client, heard_stream

SDK = {OPENAI: openai, RESPONSES: openai, GROQ: groq, ANTHROPIC: anthropic}

CLASSES: dict[FailureKind, dict[str, str]] = {
    FailureKind.BAD_REQUEST: {"*": "BadRequestError"},
    FailureKind.REFUSAL: {"*": "BadRequestError"},
    FailureKind.AUTH: {"*": "AuthenticationError"},
    FailureKind.QUOTA: {"*": "RateLimitError", ANTHROPIC: "PaymentRequiredError"},
    FailureKind.NOT_FOUND: {"*": "NotFoundError"},
    FailureKind.CONFLICT: {"*": "ConflictError"},
    FailureKind.TOO_LARGE: {"*": "APIStatusError", ANTHROPIC: "ContentTooLargeError"},
    FailureKind.RATE_LIMIT: {"*": "RateLimitError"},
    FailureKind.OVERLOADED: {"*": "InternalServerError", ANTHROPIC: "OverloadedError"},
    FailureKind.CAPACITY: {"*": "InternalServerError", ANTHROPIC: "OverloadedError"},
    FailureKind.TIMEOUT: {"*": "InternalServerError", ANTHROPIC: "GatewayTimeoutError"},
    FailureKind.SERVER: {"*": "InternalServerError"},
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("wire", [*CALLERS, RESPONSES])
@pytest.mark.parametrize("kind", FailureKind)
def test_case_093_every_failure_is_an_exception_of_the_callers_sdk(
    kind: FailureKind, wire: Any, is_async: bool, stream: bool
) -> None:
    """For every kind, of the very class that his provider's own answer would raise, and never tried again."""
    status, headers, body = error_response(wire, kind, "it broke", retry_after_s=1.5, request_id="req_9")
    sdk = client(wire, json.dumps(body).encode(), "application/json", is_async=is_async, status=status, headers=headers)
    arguments = {"stream": True} if stream else {}
    with pytest.raises(SDK[wire].APIStatusError) as caught:
        asyncio.run(_create(wire, sdk, **arguments)) if is_async else _create(wire, sdk, **arguments)
    expected = CLASSES.get(kind, CLASSES[FailureKind.SERVER])
    assert type(caught.value) is getattr(SDK[wire], expected.get(wire, expected["*"]))
    assert "it broke" in str(caught.value)
    assert caught.value.status_code == status
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert caught.value.response.headers["retry-after"] == "2"
    assert getattr(caught.value, "request_id", "req_9") == "req_9"


@pytest.mark.parametrize(
    ("wire", "kind", "expected"),
    [
        (OPENAI, FailureKind.QUOTA, ("insufficient_quota", "insufficient_quota")),
        (OPENAI, FailureKind.NOT_FOUND, ("invalid_request_error", "model_not_found")),
        (ANTHROPIC, FailureKind.QUOTA, ("billing_error", None)),
        (ANTHROPIC, FailureKind.RATE_LIMIT, ("rate_limit_error", None)),
        (ANTHROPIC, FailureKind.CONNECT, ("api_error", None)),
    ],
)
def test_case_093_type_and_code_are_the_providers_own(wire: Any, kind: FailureKind, expected: Any) -> None:
    """Programs that look at them find what they know."""
    status, headers, body = error_response(wire, kind, "it broke")
    sdk = client(wire, json.dumps(body).encode(), "application/json", status=status, headers=headers)
    with pytest.raises(SDK[wire].APIStatusError) as caught:
        _create(wire, sdk)
    assert (caught.value.type, getattr(caught.value, "code", None)) == expected


@pytest.mark.parametrize("kind", FailureKind)
@pytest.mark.parametrize("wire", [*CALLERS, RESPONSES])
def test_case_095_an_error_in_a_stream_is_recognised_whatever_the_status_says(wire: Any, kind: FailureKind) -> None:
    """The HTTP status of such a stream is 200; its type says what happened, and the SDK raises it."""
    frame = error_frame(wire, kind, "it broke")
    found = in_band_error(wire, *frame)
    assert found is not None
    assert found["message"] == "it broke"
    assert found["status"] >= 400
    if wire == RESPONSES:  # this SDK hands the event out, as it does with its provider's own
        assert heard_stream(wire, [frame])[0].message == "it broke"
        return
    with pytest.raises(SDK[wire].APIError, match="it broke"):
        heard_stream(wire, [frame])


def test_case_095_other_events_are_no_errors() -> None:
    """Nothing is taken for an error that is none."""
    for wire, data in (
        (OPENAI, {"choices": [], "error": None}),
        (GROQ, {"choices": [], "x_groq": {"id": "r", "error": None}}),
        (ANTHROPIC, {"type": "ping"}),
        (RESPONSES, {"type": "response.completed", "response": {"error": None}}),
    ):
        assert in_band_error(wire, data.get("type"), data) is None  # type: ignore[arg-type]


KEYS = [
    "sk-proj-abcdefghijklmnop",
    "sk-ant-api03-abcdefghijkl",
    "gsk_abcdefghijklmnop",
    "sk-proj-********************wxyz",
    "xai-abcdefghijklmnop",
]


@pytest.mark.parametrize("wire", CALLERS)
@pytest.mark.parametrize("key", KEYS)
def test_case_097_a_key_never_appears_in_what_is_raised(wire: Any, key: str) -> None:
    """Some providers quote part of it."""
    text = f"Incorrect API key provided: {key}. You can find it in your task-list-manager-settings."
    for body in (error_response(wire, FailureKind.AUTH, text)[2], error_frame(wire, FailureKind.AUTH, text)[1]):
        assert key not in json.dumps(body)
        assert "Incorrect API key provided: [redacted]" in json.dumps(body)
        assert "task-list-manager-settings" in json.dumps(body)


def test_case_097_bearer_tokens_are_masked() -> None:
    """Whatever they look like."""
    assert redact("Authorization: Bearer abc.def") == "Authorization: Bearer [redacted]"
