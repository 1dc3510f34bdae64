"""What failures mean that need no SDK: our own exceptions, bare ones, bodies in streams, and nonsense."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import socket
import ssl
from typing import Any

import pytest

from llm_router_middleware.engine.call import Effect, Failure, FailureKind, Wire
from llm_router_middleware.errors import LLMRouterError, RuledOutError, TranslationError, TruncatedStreamError
from llm_router_middleware.resilience.failures import classify, classify_body, classify_value

K = FailureKind
FAIL, NONE, COOL, EJECT = Effect.FAILURE, Effect.NEUTRAL, Effect.COOLDOWN, Effect.EJECT

TABLE: dict[FailureKind, tuple[Effect, Effect, bool, bool]] = {
    K.HTML: (FAIL, NONE, False, True),
    K.BAD_JSON: (FAIL, NONE, True, True),
    K.CONNECT: (NONE, FAIL, True, True),
    K.POOL: (NONE, NONE, False, False),
    K.TIMEOUT: (FAIL, FAIL, False, True),
    K.CONNECTION_LOST: (FAIL, FAIL, False, True),
    K.SERVER: (FAIL, NONE, True, True),
    K.OVERLOADED: (FAIL, NONE, False, True),
    K.RATE_LIMIT: (COOL, NONE, True, True),
    K.QUOTA: (NONE, EJECT, False, True),
    K.CAPACITY: (COOL, NONE, False, True),
    K.TOO_LARGE: (NONE, NONE, False, False),
    K.BAD_REQUEST: (NONE, NONE, False, False),
    K.NOT_FOUND: (NONE, NONE, False, False),
    K.CONFLICT: (NONE, NONE, True, False),
    K.AUTH: (NONE, EJECT, False, False),
    K.REFUSAL: (NONE, NONE, False, False),
    K.TRUNCATED: (FAIL, NONE, False, True),
    K.CANCELLED: (NONE, NONE, False, False),
    K.TRANSLATION: (NONE, NONE, False, True),
    K.INTERNAL: (NONE, NONE, False, False),
}


def test_the_table_of_kinds_is_the_specified_one() -> None:
    """Model breaker, endpoint breaker, retry, failover: row by row."""
    assert {k: (k.model_effect, k.endpoint_effect, k.retry_same, k.tries_next) for k in FailureKind} == TABLE


class Hostile(Exception):  # noqa: N818
    """What an exception may look like that nobody foresaw."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__()
        self.__dict__.update(attributes)


BARE: list[tuple[BaseException, Failure]] = [
    (RuledOutError("tools", "no"), Failure(K.TRANSLATION, sent=False)),
    (TranslationError("no"), Failure(K.TRANSLATION, sent=False)),
    (TruncatedStreamError("cut"), Failure(K.TRUNCATED)),
    (LLMRouterError("ours"), Failure(K.INTERNAL)),
    (ValueError("a bug"), Failure(K.INTERNAL)),
    (TypeError("no way to authenticate"), Failure(K.INTERNAL)),
    (FileNotFoundError("an upload"), Failure(K.INTERNAL)),
    (ConnectionRefusedError(), Failure(K.CONNECT, sent=False)),
    (socket.gaierror(), Failure(K.CONNECT, sent=False)),
    (ssl.SSLCertVerificationError(), Failure(K.CONNECT, sent=False)),
    (ssl.SSLError(), Failure(K.CONNECTION_LOST)),
    (ConnectionResetError(), Failure(K.CONNECTION_LOST)),
    (BrokenPipeError(), Failure(K.CONNECTION_LOST)),
    (TimeoutError(), Failure(K.TIMEOUT)),
    (json.JSONDecodeError("no", "", 0), Failure(K.BAD_JSON)),
    (UnicodeDecodeError("utf-8", b"", 0, 1, "no"), Failure(K.BAD_JSON)),
    (asyncio.CancelledError(), Failure(K.CANCELLED)),
    (concurrent.futures.CancelledError(), Failure(K.CANCELLED)),
    (GeneratorExit(), Failure(K.CANCELLED)),
    (KeyboardInterrupt(), Failure(K.CANCELLED)),
    (SystemExit(), Failure(K.CANCELLED)),
    (type("Cancelled", (BaseException,), {})(), Failure(K.CANCELLED)),
    (type("BrokenResourceError", (Exception,), {})(), Failure(K.CONNECTION_LOST)),
    (type("ClosedResourceError", (Exception,), {})(), Failure(K.CONNECTION_LOST)),
    (type("EndOfStream", (Exception,), {})(), Failure(K.CONNECTION_LOST)),
    (type("TransportError", (Exception,), {})(), Failure(K.CONNECTION_LOST)),
    (type("NetworkError", (Exception,), {})(), Failure(K.CONNECTION_LOST)),
    (type("RemoteProtocolError", (Exception,), {})(), Failure(K.CONNECTION_LOST)),
    (type("InvalidURL", (Exception,), {})(), Failure(K.BAD_REQUEST, sent=False)),
    (type("APIConnectionError", (Exception,), {})(), Failure(K.CONNECTION_LOST)),
    (type("APITimeoutError", (Exception,), {})(), Failure(K.TIMEOUT)),
    (type("CredentialsError", (Exception,), {})(), Failure(K.AUTH, sent=False)),
    (type("ValidationError", (ValueError,), {})(), Failure(K.BAD_REQUEST)),
]


@pytest.mark.parametrize(("error", "failure"), BARE, ids=lambda value: type(value).__name__)
def test_bare_exceptions(error: BaseException, failure: Failure) -> None:
    """Families are known by the names in the MRO, with no SDK in sight."""
    assert classify(error) == failure


def caused(error: Exception, *causes: Exception) -> Exception:
    inner = error
    for cause in causes:
        inner.__cause__ = cause
        inner = cause
    return error


def named(name: str, *bases: type) -> Exception:
    made: Exception = type(name, bases or (Exception,), {})()
    return made


def test_a_cause_says_more_than_its_wrapper() -> None:
    """An SDK's connection error is what its HTTP library's exception says; how deep that lies does not matter."""
    for depth in range(4):
        wrappers = [named("APIConnectionError") for _ in range(depth)]
        assert classify(caused(named("APITimeoutError"), *wrappers, named("PoolTimeout"))).kind is K.POOL
    assert classify(caused(named("APITimeoutError"), named("Unheard"))).kind is K.TIMEOUT
    assert classify(caused(ValueError("a bug"), named("ConnectError"))).kind is K.CONNECT


def test_a_cause_is_looked_for_eight_deep() -> None:
    """Three is the longest chain seen; beyond eight it is somebody else's story."""
    for depth, kind in ((7, K.POOL), (8, K.INTERNAL)):
        assert classify(caused(*[named("Unheard") for _ in range(depth)], named("PoolTimeout"))).kind is kind


def test_an_identity_provider_is_not_the_model_provider() -> None:
    """A token that could not be had is a matter of credentials, whatever the token's server answered."""
    import httpx2
    from openai._exceptions import SubjectTokenProviderError

    response = httpx2.Response(503, request=httpx2.Request("POST", "http://tokens.test"))
    assert classify(SubjectTokenProviderError("no", response=response)) == Failure(K.AUTH, sent=False)


def test_causes_that_go_round_in_circles_end() -> None:
    """A chain of causes is followed so far and no further."""
    first, second = named("APIConnectionError"), named("Unheard")
    caused(first, second, first)
    assert classify(first).kind is K.CONNECTION_LOST
    assert classify(caused(*[named("Unheard") for _ in range(20)], named("PoolTimeout"))).kind is K.INTERNAL


def test_context_is_not_a_cause() -> None:
    """What happened to be handled when an exception was raised does not explain it."""
    error = ValueError("a bug")
    error.__context__ = named("ConnectError")
    assert classify(error).kind is K.INTERNAL


def test_the_sdks_exceptions_about_answers_that_came() -> None:
    """A refused answer is a refusal; one that was cut short by its token limit is the request's business."""
    import openai
    from openai.types.chat import ChatCompletion

    completion = ChatCompletion(id="1", object="chat.completion", created=1, model="m", choices=[])
    assert classify(openai.ContentFilterFinishReasonError()).kind is K.REFUSAL
    assert classify(openai.LengthFinishReasonError(completion=completion)).kind is K.BAD_REQUEST


@pytest.mark.parametrize("sdk", ["openai", "anthropic", "groq"])
def test_an_answer_that_does_not_fit_its_type(sdk: str) -> None:
    """A 2xx whose body the SDK can't make its object of is a failure of the provider."""
    import importlib

    from tests.resilience.sdk_calls import http_of

    module, http = importlib.import_module(sdk), http_of(sdk)
    response = http.Response(200, json={}, request=http.Request("POST", "http://x.test"))
    assert classify(module.APIResponseValidationError(response, {})) == Failure(K.BAD_JSON, 200)


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
def test_the_http_librarys_own_status_error(library: str) -> None:
    """`raise_for_status()` means what its status means."""
    import importlib

    http = importlib.import_module(library)
    request = http.Request("POST", "http://x.test")
    error = http.HTTPStatusError("no", request=request, response=http.Response(429, headers={"retry-after": "3"}))
    assert classify(error) == Failure(K.RATE_LIMIT, 429, 3.0)


def test_while_a_stream_is_read_nothing_is_retried_in_place() -> None:
    """Whatever fails after a stream's headers has been sent, and is not tried again on the same model."""
    assert classify(TimeoutError(), streaming=True) == Failure(K.TIMEOUT, sent=True, retry_forbidden=True)
    assert classify(ConnectionRefusedError(), streaming=True).sent


BODIES: list[tuple[Wire, dict[str, Any], FailureKind]] = [
    ("openai_chat", {"error": {"message": "no", "type": "server_error", "code": None}}, K.SERVER),
    ("openai_chat", {"message": "no", "type": "tokens", "code": "rate_limit_exceeded"}, K.RATE_LIMIT),
    ("openai_chat", {"error": "overloaded_error"}, K.OVERLOADED),
    ("openai_chat", {"error": {"code": 502, "message": "upstream"}}, K.SERVER),
    ("openai_chat", {"error": {"code": 401, "message": "who are you"}}, K.AUTH),
    ("openai_chat", {"error": {"code": 12345}}, K.SERVER),
    ("groq_chat", {"error": {"message": "no", "type": "internal_server_error"}}, K.SERVER),
    ("anthropic_messages", {"type": "error", "error": {"type": "overloaded_error", "message": "no"}}, K.OVERLOADED),
    ("anthropic_messages", {"type": "overloaded_error", "message": "no"}, K.OVERLOADED),
    ("anthropic_messages", {"type": "error", "error": {"type": "invalid_request_error"}}, K.BAD_REQUEST),
    ("openai_responses", {"type": "error", "code": "rate_limit_exceeded", "message": "no"}, K.RATE_LIMIT),
    ("openai_responses", {"type": "error", "code": None, "message": "no"}, K.SERVER),
    ("openai_responses", {"type": "response.failed", "response": {"error": {"code": "server_error"}}}, K.SERVER),
    ("openai_responses", {"type": "response.failed", "response": {"error": {"code": "insufficient_quota"}}}, K.QUOTA),
    ("openai_responses", {"type": "response.failed", "response": {"error": {"code": "invalid_prompt"}}}, K.REFUSAL),
    ("openai_responses", {"type": "response.failed", "response": {"error": None}}, K.SERVER),
    ("openai_chat", {}, K.SERVER),
    ("openai_chat", {"error": {"type": "overloaded_error"}, "response": {"error": {"code": "x"}}}, K.OVERLOADED),
    ("openai_chat", {"error": {"type": ["a", "list"], "code": {"a": "dict"}}}, K.SERVER),
    ("openai_chat", {"error": {"type": "٥٠٠", "code": "x" * 10_000}}, K.SERVER),
]


@pytest.mark.parametrize(("wire", "body", "kind"), BODIES)
def test_errors_inside_streams(wire: Wire, body: dict[str, Any], kind: FailureKind) -> None:
    """In-band errors are read by their words, whole event or error object alike, and not retried in place."""
    failure = classify_body(wire, body)
    assert (failure.kind, failure.retry_forbidden) == (kind, True)


CODES = {
    K.QUOTA: [
        "insufficient_quota",
        "billing_error",
        "billing_hard_limit_reached",
        "billing_not_active",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "enforced_spend_limit_reached",
        "contract_spend_limit_reached",
        "organization_usage_limit_exceeded",
    ],
    K.RATE_LIMIT: ["rate_limit_exceeded", "rate_limit_error", "slow_down"],
    K.CAPACITY: ["capacity_exceeded"],
    K.OVERLOADED: ["overloaded_error", "server_is_overloaded"],
    K.AUTH: ["invalid_api_key", "authentication_error", "permission_error"],
    K.NOT_FOUND: ["model_not_found", "model_decommissioned"],
    K.BAD_REQUEST: ["context_length_exceeded"],
    K.TOO_LARGE: ["request_too_large"],
    K.REFUSAL: ["content_policy_violation", "content_filter", "ResponsibleAIPolicyViolation", "invalid_prompt"],
}


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in CODES.items() for code in codes])
def test_a_code_says_more_than_a_status(kind: FailureKind, code: str) -> None:
    """A known code means the same under any status, as code or as type, and where there is no status at all."""
    for error in ({"code": code}, {"type": code}, {"details": {"error_code": code}}, {"innererror": {"code": code}}):
        assert classify_body("openai_chat", {"error": error}).kind is kind
        for status in (400, 429, 503, 418):
            failure = classify(Hostile(status_code=status, body={"error": error}))
            assert (failure.kind, failure.status) == (kind, status)


@pytest.mark.parametrize(
    ("type_", "kind"),
    [("invalid_request_error", K.BAD_REQUEST), ("not_found_error", K.NOT_FOUND), ("api_error", K.SERVER)],
)
def test_a_general_type_says_less_than_a_status(type_: str, kind: FailureKind) -> None:
    """OpenAI calls a rejected key and an unknown model alike an `invalid_request_error`."""
    assert classify_body("openai_chat", {"error": {"type": type_}}).kind is kind
    for status, by_status in ((401, K.AUTH), (404, K.NOT_FOUND), (429, K.RATE_LIMIT), (500, K.SERVER)):
        assert classify(Hostile(status_code=status, body={"error": {"type": type_}})).kind is by_status


def test_a_number_for_a_code_is_a_status() -> None:
    """Some gateways put the upstream's status into the code."""
    assert classify_body("openai_chat", {"error": {"code": 502}}).status == 502
    for code in (12345, "abc", "50", None):
        assert classify_body("openai_chat", {"error": {"code": code}}) == Failure(K.SERVER, None, retry_forbidden=True)
    assert classify_body("openai_chat", {"error": {"code": "429"}}) == Failure(K.RATE_LIMIT, 429, retry_forbidden=True)


@pytest.mark.parametrize("value", ["<html>", "", b"<html>"])
def test_text_is_not_an_answer(value: object) -> None:
    """A str where an object was due is a page of somebody else's."""
    assert classify_value(value) == Failure(K.HTML, 200)


@pytest.mark.parametrize("value", [None, {}, [], object(), 0])
def test_anything_else_is_the_sdks_business(value: object) -> None:
    """Only text is suspicious."""
    assert classify_value(value) is None


@pytest.mark.parametrize(
    "error",
    [
        Hostile(status_code="500", body="x"),
        Hostile(status_code=500, body=object(), response=object()),
        Hostile(status_code=500, body={"error": []}, response=None),
        Hostile(status_code=500, body={"error": {"details": 5, "innererror": "x", "code": 1.5}}),
        Hostile(status_code=429, response=Hostile(headers={"retry-after": 5})),
        Hostile(status_code=0, body=None),
        Hostile(status_code=-1, body=None),
        Hostile(status_code=10**9, body=None),
        Hostile(status_code=True, body=None),
        named("HTTPStatusError"),
    ],
)
def test_exceptions_of_any_shape_are_classified(error: Exception) -> None:
    """Nothing that an exception carries makes the classification raise."""
    assert isinstance(classify(error).kind, FailureKind)
