"""What an SDK returned, looked at from outside: its HTTP response, its usage, whether the model declined."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

__all__ = ["as_payload", "content_type", "error_within", "http_response", "is_refusal", "read_timeout", "request_id"]


def http_response(value: Any) -> Any:
    """The HTTP response of what an SDK returned: a stream, a raw response, or the response itself; else None."""
    if hasattr(type(value), "model_fields"):
        return None  # a parsed answer; asking a pydantic model for what it has not is dear
    for name in ("http_response", "response"):
        response = getattr(value, name, None)
        if hasattr(response, "is_closed") and hasattr(response, "headers"):
            return response
    return value if hasattr(value, "is_closed") and hasattr(value, "headers") else None


def content_type(response: Any) -> str:
    """The media type of a response, without parameters."""
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def request_id(response: Any) -> str:
    """The request id that a provider gave."""
    headers = response.headers
    return str(headers.get("x-request-id") or headers.get("request-id") or "")


def read_timeout(response: Any) -> Exception:
    """What the response's own HTTP library would raise, had the provider said nothing at all."""
    library = sys.modules.get(type(response).__module__.partition(".")[0])
    error: Exception = getattr(library, "ReadTimeout", TimeoutError)("no content within the time for it")
    return error


def as_payload(value: Any, response: Any) -> Mapping[str, Any] | None:
    """What the SDK returned for a whole answer, as a mapping to read usage from; None where it can't be had."""
    if isinstance(value, Mapping):
        return value
    if response is not None:
        try:
            payload = json.loads(response.content)
        except Exception:  # noqa: BLE001 - unread or not JSON: the caller's own affair
            return None
        return payload if isinstance(payload, dict) else None
    usage = getattr(value, "usage", None)
    if usage is None:
        usage = getattr(getattr(value, "x_groq", None), "usage", None)
    dump = getattr(usage, "model_dump", None)
    return {"model": getattr(value, "model", None), "usage": dump(warnings=False) if dump else None}


def error_within(answer: Any) -> Mapping[str, Any] | None:
    """The error that stands in the place of a whole answer, under a status that promised one; None: there is none.

    Args:
        answer: an SDK's object, which takes whatever fields come, or the body itself.
    """
    get = answer.get if isinstance(answer, Mapping) else partial(getattr, answer)
    error = get("error", None)
    if not isinstance(error, Mapping) or any(get(name, None) is not None for name in ("choices", "content", "output")):
        return None
    return error


def is_refusal(value: Any) -> bool:
    """Whether a whole answer says that the model declined."""
    if getattr(value, "stop_reason", None) == "refusal":
        return True
    choices = getattr(value, "choices", None) or ()
    return any(getattr(choice, "finish_reason", None) == "content_filter" for choice in choices)
