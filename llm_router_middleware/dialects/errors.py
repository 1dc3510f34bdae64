"""Failures in each provider's own words: whole error answers, and the frames that break a stream off."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from llm_router_middleware.dialects.base import Frame
from llm_router_middleware.dialects.reading import as_int, as_map, as_text
from llm_router_middleware.engine.call import FailureKind, Wire

__all__ = ["error_frame", "error_response", "in_band_error", "redact"]


class _Words(NamedTuple):
    """How one provider says it: HTTP status, `type` and `code` of the error object."""

    status: int
    type: str
    code: str | None = None


class _Row(NamedTuple):
    openai: _Words
    anthropic: _Words
    groq: _Words


_SERVER = _Row(
    _Words(500, "server_error"), _Words(500, "api_error"), _Words(500, "internal_server_error", "internal_server_error")
)
_OVERLOADED = _Row(
    _Words(503, "server_error", "server_is_overloaded"),
    _Words(529, "overloaded_error"),
    _Words(503, "internal_server_error", "service_unavailable"),
)
_INVALID = _Words(400, "invalid_request_error")

_ROWS: Mapping[FailureKind, _Row] = {
    FailureKind.BAD_REQUEST: _Row(_INVALID, _INVALID, _INVALID),
    FailureKind.REFUSAL: _Row(
        _Words(400, "invalid_request_error", "content_policy_violation"),
        _INVALID,
        _Words(400, "invalid_request_error", "content_policy_violation"),
    ),
    FailureKind.AUTH: _Row(
        _Words(401, "invalid_request_error", "invalid_api_key"),
        _Words(401, "authentication_error"),
        _Words(401, "invalid_request_error", "invalid_api_key"),
    ),
    FailureKind.QUOTA: _Row(
        _Words(429, "insufficient_quota", "insufficient_quota"),
        _Words(402, "billing_error"),
        _Words(429, "insufficient_quota", "insufficient_quota"),
    ),
    FailureKind.NOT_FOUND: _Row(
        _Words(404, "invalid_request_error", "model_not_found"),
        _Words(404, "not_found_error"),
        _Words(404, "invalid_request_error", "model_not_found"),
    ),
    FailureKind.CONFLICT: _Row(
        _Words(409, "invalid_request_error"), _Words(409, "conflict_error"), _Words(409, "invalid_request_error")
    ),
    FailureKind.TOO_LARGE: _Row(
        _Words(413, "invalid_request_error"),
        _Words(413, "request_too_large"),
        _Words(413, "invalid_request_error", "request_too_large"),
    ),
    FailureKind.RATE_LIMIT: _Row(
        _Words(429, "requests", "rate_limit_exceeded"),
        _Words(429, "rate_limit_error"),
        _Words(429, "requests", "rate_limit_exceeded"),
    ),
    FailureKind.OVERLOADED: _OVERLOADED,
    FailureKind.CAPACITY: _OVERLOADED,
    FailureKind.TIMEOUT: _Row(
        _Words(504, "server_error", "timeout"),
        _Words(504, "timeout_error"),
        _Words(504, "internal_server_error", "timeout"),
    ),
}

_STATUS_OF_TYPE: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "insufficient_quota": 429,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "tokens": 429,
    "requests": 429,
    "api_error": 500,
    "server_error": 500,
    "internal_server_error": 500,
    "service_unavailable": 503,
    "server_is_overloaded": 503,
    "slow_down": 503,
    "timeout_error": 504,
    "overloaded_error": 529,
}

_REQUEST_ID = {"anthropic_messages": "request-id"}
_SECRETS = re.compile(
    r"\b(?:sk|gsk|rk|xai)[-_][A-Za-z0-9*_\-]{8,}"  # keys of OpenAI, Anthropic, Groq and their like
    r"|\bAIza[\w\-]{20,}"  # Google
    r"|\beyJ[\w\-]{16,}[\w\-.]*"  # JSON web tokens
    r"|(?<=[Bb]earer )\S+"
)


def error_response(
    wire: Wire, kind: FailureKind, message: str, *, retry_after_s: float | None = None, request_id: str = ""
) -> tuple[int, dict[str, str], dict[str, Any]]:
    """A failure as the HTTP answer by which that provider would report it.

    Args:
        wire: the dialect of the caller.
        kind: what went wrong. Failures without an answer (no connection) take the form of a server error.
        message: for people; keys in it are masked.
        retry_after_s: seconds after which another try makes sense.
        request_id: the id of the request that failed.

    Returns:
        Status, headers and JSON body. The headers forbid the caller's SDK to try again: that was our part.
    """
    words = _words(wire, kind)
    headers = {"content-type": "application/json", "x-should-retry": "false"}
    if retry_after_s is not None and math.isfinite(retry_after_s):
        headers["retry-after"] = str(max(math.ceil(retry_after_s), 0))
    if request_id:
        headers[_REQUEST_ID.get(wire, "x-request-id")] = request_id
    return words.status, headers, _body(wire, words, redact(message), request_id)


def _words(wire: Wire, kind: FailureKind) -> _Words:
    row = _ROWS.get(kind, _SERVER)
    if wire == "anthropic_messages":
        return row.anthropic
    return row.groq if wire == "groq_chat" else row.openai


def _body(wire: Wire, words: _Words, message: str, request_id: str) -> dict[str, Any]:
    if wire == "anthropic_messages":
        return {
            "type": "error",
            "error": {"type": words.type, "message": message},
            "request_id": request_id or None,
        }
    error: dict[str, Any] = {"message": message, "type": words.type, "param": None, "code": words.code}
    if wire == "groq_chat":
        del error["param"]
    return {"error": error}


def error_frame(wire: Wire, kind: FailureKind, message: str) -> Frame:
    """A failure as the frame by which that provider breaks a stream off.

    Args:
        wire: the dialect of the caller.
        kind: what went wrong.
        message: for people; keys in it are masked.
    """
    words = _words(wire, kind)
    if wire == "openai_responses":
        code = words.code or words.type
        return "error", {"type": "error", "code": code, "message": redact(message), "param": None, "sequence_number": 0}
    body = _body(wire, words, redact(message), "")
    return ("error", body) if wire == "anthropic_messages" else (None, body)


def in_band_error(wire: Wire, name: str | None, data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Recognises the event by which a provider breaks its own stream off.

    The status of such a stream's HTTP answer is 200 and says nothing: the one returned here follows from the type.

    Args:
        wire: the dialect of the stream.
        name: the event's name, if it has one.
        data: the event's data.

    Returns:
        `type`, `code`, `message` (as the provider wrote it, not masked) and `status`; None for every other event.
    """
    error = _in_band(wire, name, data)
    if error is None:
        return None
    if not isinstance(error, Mapping):
        error = {"message": error if isinstance(error, str) else ""}
    kind, code = as_text(error.get("type")), error.get("code")
    status = as_int(data.get("status_code")) or as_int(error.get("status_code")) or as_int(code)
    known = (_STATUS_OF_TYPE.get(word) for word in (as_text(code), kind))
    return {
        "type": None if wire == "openai_responses" and kind == "error" else kind or None,
        "code": code,
        "message": as_text(error.get("message")),
        "status": status or next((s for s in known if s), 500),
    }


def _in_band(wire: Wire, name: str | None, data: Mapping[str, Any]) -> Any:
    kind = data.get("type")
    if wire == "openai_responses":
        if kind == "response.failed":
            return as_map(data.get("response")).get("error") or {}
        if kind == "error" or name == "error":
            return data.get("error") or data
        return None
    if wire == "anthropic_messages":
        return data.get("error") or {} if kind == "error" or name == "error" else None
    return data.get("error") or as_map(data.get("x_groq")).get("error") or ({} if name == "error" else None)


def redact(message: str) -> str:
    """The message with everything that looks like a key masked: some providers quote part of it."""
    return _SECRETS.sub("[redacted]", message)
