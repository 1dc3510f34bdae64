"""T6, without sockets: every row of the failure table, by exceptions that the real SDKs have raised."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest

from llm_router_middleware.engine.call import Failure, FailureKind
from llm_router_middleware.resilience.failures import classify, classify_value
from tests.resilience.sdk_calls import SDKS, Reply, outcome_of

K = FailureKind


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    Attributes:
        name: what happens.
        reply: what the transport does.
        failure: what it means.
        sdks: where it happens.
        streams: whether the caller reads a stream.
    """

    name: str
    reply: Reply
    failure: Failure
    sdks: tuple[str, ...] = SDKS
    streams: tuple[bool, ...] = (False, True)


def said(sdk: str, type_: str, code: str | None = None, message: str = "no") -> str:
    """An error body in the words of one provider."""
    error: dict[str, Any] = {"message": message, "type": type_}
    if sdk == "anthropic":
        if code is not None:
            error["details"] = {"error_code": code}
        return json.dumps({"type": "error", "error": error, "request_id": "r"})
    return json.dumps({"error": {**error, "param": None, "code": code}})


def sse(sdk: str, *events: str) -> str:
    named = {"openai": "", "groq": "", "anthropic": "event: message_start\n"}[sdk]
    return "".join(f"{named}data: {event}\n\n" for event in events)


FIRST = {
    "openai": '{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[]}',
    "groq": '{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[]}',
    "anthropic": '{"type":"message_start","message":{"id":"1","type":"message","role":"assistant","content":[],'
    '"model":"m","usage":{"input_tokens":1,"output_tokens":1}}}',
}


def answer(status: int, body: str = '{"error": {"message": "no"}}', **headers: str) -> Reply:
    return Reply(
        status, body, {"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    )


def statuses() -> list[Row]:
    kinds = {
        400: K.BAD_REQUEST, 401: K.AUTH, 402: K.QUOTA, 403: K.AUTH, 404: K.NOT_FOUND, 405: K.BAD_REQUEST,
        408: K.SERVER, 409: K.CONFLICT, 410: K.NOT_FOUND, 422: K.BAD_REQUEST, 429: K.RATE_LIMIT, 498: K.CAPACITY,
        499: K.CANCELLED, 500: K.SERVER, 502: K.SERVER, 503: K.SERVER, 504: K.SERVER, 520: K.SERVER, 529: K.OVERLOADED,
    }  # fmt: skip
    rows = [Row(f"{status}", answer(status), Failure(kind, status)) for status, kind in kinds.items()]
    rows += [Row(f"{status}, HTML", Reply(status, "<html>"), Failure(kind, status)) for status, kind in kinds.items()]
    rows.append(Row("413", answer(413), Failure(K.TOO_LARGE, 413, retry_forbidden=True)))
    rows.append(Row("300", answer(300), Failure(K.HTML, 300)))
    rows.append(Row("307 to elsewhere", answer(307, location="http://x.test"), Failure(K.HTML, 307)))
    return rows


def transport_errors() -> list[Row]:
    kinds = {
        "ConnectError": Failure(K.CONNECT, sent=False),
        "ConnectTimeout": Failure(K.CONNECT, sent=False),
        "ProxyError": Failure(K.CONNECT, sent=False),
        "PoolTimeout": Failure(K.POOL, sent=False),
        "UnsupportedProtocol": Failure(K.BAD_REQUEST, sent=False),
        "LocalProtocolError": Failure(K.BAD_REQUEST, sent=False),
        "ReadTimeout": Failure(K.TIMEOUT),
        "WriteTimeout": Failure(K.TIMEOUT),
        "ReadError": Failure(K.CONNECTION_LOST),
        "WriteError": Failure(K.CONNECTION_LOST),
        "CloseError": Failure(K.CONNECTION_LOST),
        "RemoteProtocolError": Failure(K.CONNECTION_LOST),
        "TooManyRedirects": Failure(K.HTML),
        "DecodingError": Failure(K.BAD_JSON),
    }
    return [Row(name, Reply(raises=name), failure) for name, failure in kinds.items()]


def retry_after() -> list[Row]:
    def row(name: str, seconds: float | None, **headers: str) -> Row:
        return Row(f"429 {name}", answer(429, **headers), Failure(K.RATE_LIMIT, 429, seconds))

    return [
        row("in seconds", 20.0, retry_after="20"),
        row("in milliseconds", 0.25, retry_after_ms="250", retry_after="20"),
        row("in the past", None, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
        row("garbage", None, retry_after="soon"),
        row("below zero", None, retry_after="-1"),
        row("not a number", None, retry_after="nan"),
        row("beyond all measure", 86_400.0, retry_after="1e308"),
        Row("503 in seconds", answer(503, retry_after="7"), Failure(K.SERVER, 503, 7.0)),
        Row("500, don't retry", answer(500, x_should_retry="false"), Failure(K.SERVER, 500, retry_forbidden=True)),
        Row("500, do retry", answer(500, x_should_retry="true"), Failure(K.SERVER, 500)),
    ]


CODES: dict[str, list[tuple[int, str, str | None, Failure]]] = {
    "openai": [
        (429, "tokens", "rate_limit_exceeded", Failure(K.RATE_LIMIT, 429)),
        (429, "requests", "slow_down", Failure(K.RATE_LIMIT, 429)),
        (503, "server_error", "slow_down", Failure(K.RATE_LIMIT, 503)),
        (503, "server_error", "server_is_overloaded", Failure(K.OVERLOADED, 503)),
        (429, "insufficient_quota", "insufficient_quota", Failure(K.QUOTA, 429)),
        (429, "insufficient_quota", None, Failure(K.QUOTA, 429)),
        (429, "insufficient_quota", "rate_limit_exceeded", Failure(K.QUOTA, 429)),
        (429, "tokens", "billing_hard_limit_reached", Failure(K.QUOTA, 429)),
        (429, "billing", "billing_not_active", Failure(K.QUOTA, 429)),
        (429, "billing", "credit_balance_exhausted", Failure(K.QUOTA, 429)),
        (429, "billing", "organization_spend_limit_exceeded", Failure(K.QUOTA, 429)),
        (429, "billing", "project_spend_limit_exceeded", Failure(K.QUOTA, 429)),
        (429, "billing", "organization_usage_limit_exceeded", Failure(K.QUOTA, 429)),
        (401, "invalid_request_error", "invalid_api_key", Failure(K.AUTH, 401)),
        (404, "invalid_request_error", "model_not_found", Failure(K.NOT_FOUND, 404)),
        (400, "invalid_request_error", "context_length_exceeded", Failure(K.BAD_REQUEST, 400)),
        (400, "invalid_request_error", "content_policy_violation", Failure(K.REFUSAL, 400)),
        (400, "invalid_request_error", "invalid_prompt", Failure(K.REFUSAL, 400)),
        (400, "invalid_request_error", "content_filter", Failure(K.REFUSAL, 400)),
        (500, "server_error", None, Failure(K.SERVER, 500)),
    ],
    "anthropic": [
        (429, "rate_limit_error", None, Failure(K.RATE_LIMIT, 429)),
        (429, "rate_limit_error", "enforced_spend_limit_reached", Failure(K.QUOTA, 429)),
        (429, "rate_limit_error", "contract_spend_limit_reached", Failure(K.QUOTA, 429)),
        (400, "billing_error", None, Failure(K.QUOTA, 400)),
        (402, "billing_error", None, Failure(K.QUOTA, 402)),
        (529, "overloaded_error", None, Failure(K.OVERLOADED, 529)),
        (500, "overloaded_error", None, Failure(K.OVERLOADED, 500)),
        (401, "authentication_error", None, Failure(K.AUTH, 401)),
        (403, "permission_error", None, Failure(K.AUTH, 403)),
        (404, "not_found_error", None, Failure(K.NOT_FOUND, 404)),
        (413, "request_too_large", None, Failure(K.TOO_LARGE, 413, retry_forbidden=True)),
        (400, "invalid_request_error", None, Failure(K.BAD_REQUEST, 400)),
        (504, "timeout_error", None, Failure(K.SERVER, 504)),
        (500, "api_error", None, Failure(K.SERVER, 500)),
    ],
    "groq": [
        (429, "tokens", "rate_limit_exceeded", Failure(K.RATE_LIMIT, 429)),
        (413, "tokens", "rate_limit_exceeded", Failure(K.RATE_LIMIT, 413, retry_forbidden=True)),
        (498, "flex", "capacity_exceeded", Failure(K.CAPACITY, 498)),
        (401, "invalid_request_error", "invalid_api_key", Failure(K.AUTH, 401)),
        (404, "invalid_request_error", "model_not_found", Failure(K.NOT_FOUND, 404)),
        (400, "invalid_request_error", "model_decommissioned", Failure(K.NOT_FOUND, 400)),
        (400, "invalid_request_error", "tool_use_failed", Failure(K.BAD_REQUEST, 400)),
        (503, "internal_server_error", None, Failure(K.SERVER, 503)),
    ],
}  # fmt: skip


def codes() -> list[Row]:
    rows = [
        Row(f"{status} {type_} {code}", answer(status, said(sdk, type_, code)), failure, (sdk,))
        for sdk, entries in CODES.items()
        for status, type_, code, failure in entries
    ]
    broke = said("anthropic", "invalid_request_error", None, "Your credit balance is too low to access the API.")
    quoting = said("openai", "invalid_request_error", None, "bad: 'Your credit balance is too low'")
    azure = {"error": {"code": "BadRequest", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}
    rows.append(Row("400 out of credit", answer(400, broke), Failure(K.QUOTA, 400), ("anthropic",)))
    rows.append(Row("400 quoting it", answer(400, quoting), Failure(K.BAD_REQUEST, 400), ("openai",)))
    rows.append(Row("400 azure filter", answer(400, json.dumps(azure)), Failure(K.REFUSAL, 400), ("openai",)))
    return rows


IN_STREAM: dict[str, list[tuple[str, str | None, Failure]]] = {
    "openai": [
        ("server_error", None, Failure(K.SERVER, retry_forbidden=True)),
        ("server_error", "server_is_overloaded", Failure(K.OVERLOADED, retry_forbidden=True)),
        ("tokens", "rate_limit_exceeded", Failure(K.RATE_LIMIT, retry_forbidden=True)),
        ("insufficient_quota", "insufficient_quota", Failure(K.QUOTA, retry_forbidden=True)),
        ("invalid_request_error", "content_filter", Failure(K.REFUSAL, retry_forbidden=True)),
        ("never_heard_of", None, Failure(K.SERVER, retry_forbidden=True)),
        ("provider", "502", Failure(K.SERVER, 502, retry_forbidden=True)),
        ("provider", "429", Failure(K.RATE_LIMIT, 429, retry_forbidden=True)),
    ],
    "anthropic": [
        ("overloaded_error", None, Failure(K.OVERLOADED, retry_forbidden=True)),
        ("api_error", None, Failure(K.SERVER, retry_forbidden=True)),
        ("rate_limit_error", None, Failure(K.RATE_LIMIT, retry_forbidden=True)),
        ("invalid_request_error", None, Failure(K.BAD_REQUEST, retry_forbidden=True)),
        ("authentication_error", None, Failure(K.AUTH, retry_forbidden=True)),
    ],
    "groq": [
        ("internal_server_error", None, Failure(K.SERVER, retry_forbidden=True)),
        ("invalid_request_error", "tool_use_failed", Failure(K.BAD_REQUEST, retry_forbidden=True)),
        ("tokens", "rate_limit_exceeded", Failure(K.RATE_LIMIT, retry_forbidden=True)),
    ],
}


def in_streams() -> list[Row]:
    rows = []
    for sdk, entries in IN_STREAM.items():
        for type_, code, failure in entries:
            mark = "event: error\n" if sdk == "anthropic" else ""
            body = sse(sdk, FIRST[sdk]) + f"{mark}data: {said(sdk, type_, code)}\n\n"
            reply = Reply(200, body, {"content-type": "text/event-stream"})
            rows.append(Row(f"in stream {type_} {code}", reply, failure, (sdk,), (True,)))
    for sdk in SDKS:
        for then, kind in (
            ("ReadError", K.CONNECTION_LOST),
            ("ReadTimeout", K.TIMEOUT),
            ("RemoteProtocolError", K.CONNECTION_LOST),
        ):
            reply = Reply(200, sse(sdk, FIRST[sdk]), {"content-type": "text/event-stream"}, then=then)
            rows.append(Row(f"in stream {then}", reply, Failure(kind, retry_forbidden=True), (sdk,), (True,)))
        broken = Reply(200, sse(sdk, FIRST[sdk], "{not json"), {"content-type": "text/event-stream"})
        rows.append(Row("in stream garbage", broken, Failure(K.BAD_JSON, retry_forbidden=True), (sdk,), (True,)))
    anything = Reply(200, "event: error\ndata: not json\n\n", {"content-type": "text/event-stream"})
    rows.append(Row("in stream no body", anything, Failure(K.SERVER, retry_forbidden=True), ("anthropic",), (True,)))
    return rows


OTHERS = [
    Row("2xx with bad JSON", answer(200, "{not json"), Failure(K.BAD_JSON), streams=(False,)),
    Row("2xx with a body cut short", Reply(200, "{", {"content-type": "application/json"}, then="RemoteProtocolError"),
        Failure(K.CONNECTION_LOST), streams=(False,)),
    Row("interrupted", Reply(interrupt=KeyboardInterrupt), Failure(K.CANCELLED)),
    Row("cancelled", Reply(interrupt=asyncio.CancelledError), Failure(K.CANCELLED)),
]  # fmt: skip

ROWS = [*statuses(), *transport_errors(), *retry_after(), *codes(), *in_streams(), *OTHERS]


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("sdk", "stream", "row"),
    [(sdk, stream, row) for row in ROWS for sdk in row.sdks for stream in row.streams],
    ids=lambda value: value.name if isinstance(value, Row) else {True: "stream", False: "whole"}.get(value, value),
)
def test_every_row_of_the_table(sdk: str, stream: bool, row: Row, is_async: bool) -> None:
    """What a provider did is read off what its SDK raised, the same for all three, sync and async, streamed or not."""
    error = outcome_of(sdk, row.reply, is_async=is_async, stream=stream)
    assert isinstance(error, BaseException), error
    in_stream = row.name.startswith("in stream")
    assert classify(error, streaming=in_stream) == row.failure


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("sdk", SDKS)
def test_a_page_instead_of_an_answer(sdk: str, is_async: bool) -> None:
    """All three SDKs return a captive portal's page as a str: it is a failure, and an answer is not."""
    page = outcome_of(
        sdk, Reply(200, "<html>log in</html>", {"content-type": "text/html"}), is_async=is_async, stream=False
    )
    assert classify_value(page) == Failure(K.HTML, 200)
    value = outcome_of(sdk, answer(200, json.dumps(ANSWERS[sdk])), is_async=is_async, stream=False)
    assert not isinstance(value, BaseException)
    assert classify_value(value) is None


CHAT = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": []}
ANSWERS = {
    "openai": CHAT,
    "groq": CHAT,
    "anthropic": {"id": "1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": {}},
}
