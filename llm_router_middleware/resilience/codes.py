"""Codes and types in providers' error bodies, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence

from llm_router_middleware.engine.call import FailureKind

__all__ = ["OUT_OF_CREDIT", "kind_of_code", "kind_of_type"]

_CODES: dict[str, FailureKind] = {
    # the account has run out of money or allowance: waiting doesn't help
    "insufficient_quota": FailureKind.QUOTA,
    "billing_error": FailureKind.QUOTA,
    "billing_hard_limit_reached": FailureKind.QUOTA,
    "billing_not_active": FailureKind.QUOTA,
    "credit_balance_exhausted": FailureKind.QUOTA,
    # it asks too fast
    "rate_limit_exceeded": FailureKind.RATE_LIMIT,
    "rate_limit_error": FailureKind.RATE_LIMIT,
    "slow_down": FailureKind.RATE_LIMIT,
    # the provider has no room
    "capacity_exceeded": FailureKind.CAPACITY,
    "overloaded_error": FailureKind.OVERLOADED,
    "server_is_overloaded": FailureKind.OVERLOADED,
    # the credential
    "invalid_api_key": FailureKind.AUTH,
    "authentication_error": FailureKind.AUTH,
    "permission_error": FailureKind.AUTH,
    # the request
    "model_not_found": FailureKind.NOT_FOUND,
    "model_decommissioned": FailureKind.NOT_FOUND,
    "context_length_exceeded": FailureKind.BAD_REQUEST,
    "request_too_large": FailureKind.TOO_LARGE,
    # the content
    "content_policy_violation": FailureKind.REFUSAL,
    "content_filter": FailureKind.REFUSAL,
    "ResponsibleAIPolicyViolation": FailureKind.REFUSAL,
    "invalid_prompt": FailureKind.REFUSAL,
}
"""Codes that mean the same under any status, and more than the status does."""

_QUOTA_ENDINGS = ("_spend_limit_exceeded", "_spend_limit_reached", "_usage_limit_exceeded")
"""The families of an organisation's, a project's and a contract's limits."""

OUT_OF_CREDIT = "Your credit balance is too low"
"""How Anthropic begins the message of a plain `invalid_request_error` when prepaid credit is spent and no code says so.
The provider's words stand at the beginning, so nothing that a prompt quotes can pass for it."""

_TYPES: dict[str, FailureKind] = {
    "invalid_request_error": FailureKind.BAD_REQUEST,
    "not_found_error": FailureKind.NOT_FOUND,
}
"""Types so general that a status says more; they decide where there is none. The rest (`api_error`, `server_error`,
`timeout_error` …) mean what an unknown error means."""


def kind_of_code(words: Sequence[str]) -> FailureKind | None:
    """What the known codes mean, the most specific first; None: none says more than the status."""
    if any(word.endswith(_QUOTA_ENDINGS) or _CODES.get(word) is FailureKind.QUOTA for word in words):
        # Some say so only in the type, next to a code that speaks of a rate.
        return FailureKind.QUOTA
    return next((_CODES[word] for word in words if word in _CODES), None)


def kind_of_type(words: Sequence[str]) -> FailureKind | None:
    """What the general type means; None: nothing known."""
    return next((_TYPES[word] for word in words if word in _TYPES), None)
