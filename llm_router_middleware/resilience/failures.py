"""What a failure means: an exception, a body or a value becomes a `Failure`.

Asked in this order: the family of the exception, its cause, the code in the body, the status. Families are known by the
names of their classes, so that no SDK is imported, and two SDKs that use different HTTP libraries are read alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from llm_router_middleware.engine.call import Failure, FailureKind, Wire
from llm_router_middleware.resilience.codes import OUT_OF_CREDIT, kind_of_code, kind_of_type
from llm_router_middleware.resilience.families import CANCELLED, FAMILIES, UNSENT, WRAPPERS
from llm_router_middleware.resilience.retry_after import parse_retry_after

__all__ = ["classify", "classify_body", "classify_value"]

DEEPEST_CAUSE = 8
"""How far a chain of causes is followed; three is the longest seen (SDK, HTTP library, transport)."""


def classify(error: BaseException, *, streaming: bool = False) -> Failure:
    """Says what an exception means.

    Args:
        error: what an SDK, its HTTP library or our own code has raised.
        streaming: it was raised while a stream was read. Then nothing is tried again in the same place.
    """
    failure = _classify(error)
    return replace(failure, sent=True, retry_forbidden=True) if streaming else failure


def _classify(error: BaseException) -> Failure:
    fallback = FailureKind.INTERNAL
    for exc in _chain(error):
        names = [cls.__name__ for cls in type(exc).__mro__]
        if not isinstance(exc, Exception) or CANCELLED in names:
            return Failure(FailureKind.CANCELLED)
        status = _status(exc, names)
        if status is not None or names[0] == "APIError":
            return _answered(exc, status)
        name = next((name for name in names if name in FAMILIES), None)
        if name is not None:
            return Failure(FAMILIES[name], sent=name not in UNSENT)
        fallback = next((WRAPPERS[name] for name in names if name in WRAPPERS), fallback)
    return Failure(fallback)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, its cause, the cause's cause …"""
    for _ in range(DEEPEST_CAUSE):
        yield error
        if error.__cause__ is None:
            return
        error = error.__cause__


def _status(exc: Exception, names: list[str]) -> int | None:
    """The HTTP status of the answer that an exception is about; None where there was no answer."""
    source = getattr(exc, "response", None) if "HTTPStatusError" in names else exc
    status = getattr(source, "status_code", None)
    return status if isinstance(status, int) else None


def _answered(exc: Exception, status: int | None) -> Failure:
    """The provider answered, with an error."""
    headers = getattr(getattr(exc, "response", None), "headers", None)
    if not isinstance(headers, Mapping):
        headers = {}
    body = _inner(getattr(exc, "body", None))
    if status is None or status < 300:
        # An error inside an answer that began well: its status, if there is one, is that of the beginning.
        if type(exc).__name__ == "APIResponseValidationError":
            return Failure(FailureKind.BAD_JSON, status)
        return _in_band(body)
    kind = _out_of_credit(body) or kind_of_code(_words(body)) or _kind_of_status(status)
    forbidden = headers.get("x-should-retry") == "false" or status == 413
    return Failure(kind, status, parse_retry_after(headers), retry_forbidden=forbidden)


def classify_body(wire: Wire, error: Mapping[str, Any]) -> Failure:
    """Says what an error means that came under a good status: inside a stream, or in the place of a whole answer.

    Args:
        wire: the dialect in which it came.
        error: the event's data or the body, or the error object in it.
    """
    if wire == "openai_responses" and isinstance(error.get("response"), Mapping):
        error = error["response"]
    return _in_band(_inner(error))


def classify_value(value: object) -> Failure | None:
    """Says what is wrong with a value that an SDK returned without complaint; None: nothing.

    All three SDKs return a str when a 2xx answer is not JSON, such as the page of a captive portal.
    """
    return Failure(FailureKind.HTML, 200) if isinstance(value, (str, bytes)) else None


def _in_band(body: Mapping[str, Any]) -> Failure:
    """An error where content was expected: its words count, not the status, and the same model isn't asked again."""
    words = _words(body)
    status = next((int(word) for word in words if len(word) == 3 and word.isdecimal()), None)
    kind = _out_of_credit(body) or kind_of_code(words) or kind_of_type(words) or _kind_of_status(status)
    return Failure(kind, status, retry_forbidden=True)


def _out_of_credit(error: Mapping[str, Any]) -> FailureKind | None:
    return FailureKind.QUOTA if str(error.get("message")).startswith(OUT_OF_CREDIT) else None


def _inner(body: object) -> Mapping[str, Any]:
    """The error object: openai hands out the inner one, anthropic and groq the whole body."""
    if not isinstance(body, Mapping):
        return {}
    inner = body.get("error")
    if isinstance(inner, Mapping):
        return inner
    return {"type": inner} if isinstance(inner, str) else body


def _words(error: Mapping[str, Any]) -> list[str]:
    """The words by which a provider names an error, most specific first. Never its message: that may quote a prompt."""
    details = error.get("details")
    inner = error.get("innererror")
    named = (
        details.get("error_code") if isinstance(details, Mapping) else None,
        inner.get("code") if isinstance(inner, Mapping) else None,
        error.get("code"),
        error.get("type"),
    )
    return [str(word) for word in named if isinstance(word, (str, int))]


_BY_STATUS = {
    401: FailureKind.AUTH,
    402: FailureKind.QUOTA,
    403: FailureKind.AUTH,
    404: FailureKind.NOT_FOUND,
    408: FailureKind.SERVER,
    409: FailureKind.CONFLICT,
    410: FailureKind.NOT_FOUND,
    413: FailureKind.TOO_LARGE,
    429: FailureKind.RATE_LIMIT,
    498: FailureKind.CAPACITY,
    499: FailureKind.CANCELLED,
    529: FailureKind.OVERLOADED,
}


def _kind_of_status(status: int | None) -> FailureKind:
    if status is None:
        return FailureKind.SERVER
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status < 400:
        return FailureKind.HTML  # a redirect that leads nowhere: whoever answered is not the provider
    return FailureKind.BAD_REQUEST if status < 500 else FailureKind.SERVER
