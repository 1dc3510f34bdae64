"""Error bodies: what each provider says for each kind of error.

Sources: the providers' error references and recorded answers; the kinds that nobody recorded (500, 503, 529, an OpenAI
or Groq 429) follow what users reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llm_router_middleware.sandbox.behaviour import Behaviour

__all__ = ["KINDS", "Fault", "fault_of", "kind_of_status"]


@dataclass(frozen=True, slots=True)
class Fault:
    """An error, in one provider's words.

    Attributes:
        status: HTTP.
        type: the error's type.
        code: the error's code, where there is one.
        message: for people.
        param: the parameter at fault.
        extra: further members of the error object.
        request_id: of the request that failed.
    """

    status: int
    type: str
    code: str | None
    message: str
    param: str | None = None
    extra: tuple[tuple[str, Any], ...] = ()
    request_id: str = ""


_BAD = "invalid_request_error"
_OPENAI = {
    "invalid_request": Fault(400, _BAD, None, "Invalid request."),
    "context_overflow": Fault(
        400,
        _BAD,
        "context_length_exceeded",
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 8227 tokens. "
        "Please reduce the length of the messages.",
        "messages",
    ),
    "content_policy": Fault(
        400, _BAD, "content_policy_violation", "Your request was rejected as a result of our safety system."
    ),
    "auth": Fault(
        401,
        _BAD,
        "invalid_api_key",
        "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.",
    ),
    "permission": Fault(
        403,
        "request_forbidden",
        "unsupported_country_region_territory",
        "Country, region, or territory not supported",
    ),
    "not_found": Fault(404, _BAD, None, "Invalid URL ({method} {path})"),
    "model_not_found": Fault(
        404, _BAD, "model_not_found", "The model `{model}` does not exist or you do not have access to it."
    ),
    "timeout": Fault(408, "timeout", None, "Request timed out."),
    "conflict": Fault(409, _BAD, "conflict", "Another request is changing this resource."),
    "too_large": Fault(413, _BAD, None, "Maximum content size limit exceeded."),
    "unprocessable": Fault(422, _BAD, None, "The request was well-formed but could not be followed."),
    "rate_limit": Fault(
        429,
        "tokens",
        "rate_limit_exceeded",
        "Rate limit reached for {model} in organization org-sandbox on tokens per min (TPM): Limit 30000, Used 29937, "
        "Requested 385. Please try again in 644ms.",
    ),
    "quota": Fault(
        429,
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "billing": Fault(429, "insufficient_quota", "billing_hard_limit_reached", "Billing hard limit has been reached."),
    "server": Fault(
        500,
        "server_error",
        None,
        "The server had an error processing your request. Sorry about that! You can retry your request.",
    ),
    "overloaded": Fault(
        503,
        "server_error",
        "server_is_overloaded",
        "That model is currently overloaded with other requests. You can retry your request.",
    ),
    "slow_down": Fault(503, "server_error", "slow_down", "Slow down: reduce the rate of your requests."),
}
_ANTHROPIC = {
    "invalid_request": Fault(400, _BAD, None, "Invalid request."),
    "context_overflow": Fault(400, _BAD, None, "prompt is too long: 207791 tokens > 200000 maximum"),
    "content_policy": Fault(400, _BAD, None, "Output blocked by content filtering policy"),
    "auth": Fault(401, "authentication_error", None, "invalid x-api-key"),
    "permission": Fault(
        403, "permission_error", None, "Your API key does not have permission to use the specified resource."
    ),
    "not_found": Fault(404, "not_found_error", None, "Not Found"),
    "model_not_found": Fault(404, "not_found_error", None, "model: {model}"),
    "timeout": Fault(408, "timeout_error", None, "Request timed out"),
    "conflict": Fault(409, "conflict_error", None, "Conflict"),
    "too_large": Fault(413, "request_too_large", None, "Request exceeds the maximum size"),
    "unprocessable": Fault(422, _BAD, None, "The request could not be followed."),
    "rate_limit": Fault(
        429,
        "rate_limit_error",
        None,
        "This request would exceed the rate limit for your organization of 200,000 input tokens per minute.",
    ),
    "quota": Fault(
        400,
        _BAD,
        None,
        "Your credit balance is too low to access the Anthropic API. "
        "Please go to Plans & Billing to upgrade or purchase credits.",
    ),
    "billing": Fault(402, "billing_error", None, "There is an issue with your billing or payment information."),
    "server": Fault(500, "api_error", None, "Internal server error"),
    "overloaded": Fault(529, "overloaded_error", None, "Overloaded"),
    "slow_down": Fault(529, "overloaded_error", None, "Overloaded"),
}
_GROQ = {
    "invalid_request": Fault(400, _BAD, None, "Invalid request."),
    "context_overflow": Fault(
        400, _BAD, "context_length_exceeded", "Please reduce the length of the messages or completion."
    ),
    "content_policy": Fault(400, _BAD, "content_policy_violation", "The request was rejected."),
    "tool_use_failed": Fault(
        400,
        _BAD,
        "tool_use_failed",
        "Tool choice is required, but model did not call a tool",
        extra=(("failed_generation", "maybe"),),
    ),
    "json_validate_failed": Fault(
        400,
        _BAD,
        "json_validate_failed",
        "Failed to generate JSON. Please adjust your prompt.",
        extra=(("failed_generation", '{"answer": '),),
    ),
    "auth": Fault(401, _BAD, "invalid_api_key", "Invalid API Key"),
    "permission": Fault(
        403, "permissions_error", "permission_denied", "The model `{model}` is blocked at the project."
    ),
    "not_found": Fault(
        404, _BAD, "unknown_url", "Unknown request URL: {method} {path}. Please check the URL for typos."
    ),
    "model_not_found": Fault(
        404, _BAD, "model_not_found", "The model `{model}` does not exist or you do not have access to it."
    ),
    "timeout": Fault(408, "internal_server_error", None, "Request timed out"),
    "conflict": Fault(409, _BAD, None, "Conflict"),
    "too_large": Fault(
        413,
        "tokens",
        "rate_limit_exceeded",
        "Request too large for model `{model}` in organization `org_sandbox` service tier `on_demand` on tokens per "
        "minute (TPM): Limit 6000, Requested 12328, please reduce your message size and try again.",
    ),
    "unprocessable": Fault(422, _BAD, None, "The generation could not be used."),
    "rate_limit": Fault(
        429,
        "tokens",
        "rate_limit_exceeded",
        "Rate limit reached for model `{model}` in organization `org_sandbox` service tier `on_demand` on tokens per "
        "minute (TPM): Limit 6000, Used 5034, Requested 1443. Please try again in 4.77s.",
    ),
    "quota": Fault(
        429, "insufficient_quota", "organization_spend_limit_exceeded", "Your organization's spend limit is reached."
    ),
    "billing": Fault(429, "insufficient_quota", "organization_spend_limit_exceeded", "Your spend limit is reached."),
    "capacity": Fault(498, "capacity_exceeded", "capacity_exceeded", "Flex tier capacity is exceeded."),
    "server": Fault(500, "internal_server_error", None, "Internal Server Error"),
    "overloaded": Fault(503, "internal_server_error", None, "Service Unavailable"),
    "slow_down": Fault(503, "internal_server_error", None, "Service Unavailable"),
}
_TABLES = {"openai": _OPENAI, "anthropic": _ANTHROPIC, "groq": _GROQ}

KINDS: tuple[str, ...] = tuple({kind: None for table in _TABLES.values() for kind in table})
"""The kinds of error that a Behaviour may name. Not every provider has every one."""

_STATUS_KINDS = {
    400: "invalid_request",
    401: "auth",
    402: "billing",
    403: "permission",
    404: "model_not_found",
    408: "timeout",
    409: "conflict",
    413: "too_large",
    422: "unprocessable",
    429: "rate_limit",
    498: "capacity",
    503: "overloaded",
    529: "overloaded",
}


def kind_of_status(status: int) -> str:
    """The kind of error that a status stands for."""
    return _STATUS_KINDS.get(status, "server" if status >= 500 else "invalid_request")


def fault_of(provider: str, behaviour: Behaviour) -> Fault:
    """The error that a behaviour asks for, in a provider's words.

    Raises:
        ValueError: the provider has no such kind of error.
    """
    table = _TABLES[provider]
    kind = behaviour.error or kind_of_status(behaviour.status if behaviour.status >= 400 else 500)
    if behaviour.error and kind not in table:
        raise ValueError(f"error={kind!r}: {provider} has {', '.join(table)}")
    known = table.get(kind, table["server"])
    return Fault(
        status=behaviour.status if behaviour.status >= 400 else known.status,
        type=behaviour.error_type or known.type,
        code=behaviour.error_code or known.code,
        message=behaviour.message or known.message,
        param=known.param,
        extra=known.extra,
    )
