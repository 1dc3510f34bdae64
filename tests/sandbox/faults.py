"""Every kind of fault, and what it looks like from a bare SDK."""

from __future__ import annotations

from dataclasses import dataclass, field

from llm_router_middleware.sandbox import BEFORE_HEADERS, Behaviour

BODY = "the whole answer"
"""Nothing is raised, and nothing is missing."""

SHORT = "a part of the answer, and no exception"
"""Nothing is raised, though the answer is not all there."""

TEXT = "a str in place of the answer"
"""What the SDKs return for an HTML page."""

HOLLOW = "the SDK's type without its required fields"
"""What the SDKs return for an error body under status 200."""


@dataclass(frozen=True)
class Fault:
    """A fault.

    Attributes:
        name: for people.
        behaviour: the script.
        whole: what a plain call raises or returns, per SDK; under "*" for those not named.
        stream: the same for a streamed call.
        status: of the exception, where it has one.
        sdks: to which it can be scripted.
    """

    name: str
    behaviour: Behaviour
    whole: dict[str, str]
    stream: dict[str, str]
    status: dict[str, int] = field(default_factory=dict)
    sdks: tuple[str, ...] = ("openai", "anthropic", "groq")


def everywhere(name: str, behaviour: Behaviour, whole: str, stream: str | None = None) -> Fault:
    return Fault(name, behaviour, {"*": whole}, {"*": stream or whole})


def status(code: int, everyone: str, **others: str) -> Fault:
    raised = {"*": everyone, **others}
    return Fault(f"status_{code}", Behaviour(status=code), raised, raised, {"*": code})


def kind(name: str, code: dict[str, int], raised: dict[str, str], *sdks: str) -> Fault:
    return Fault(f"error_{name}", Behaviour(error=name), raised, raised, code, sdks or ("openai", "anthropic", "groq"))


LOST = {"openai": "APIConnectionError", "anthropic": "http.ReadError", "groq": "http.ReadError"}
CUT = {
    "openai": "APIConnectionError",
    "anthropic": "http.RemoteProtocolError",
    "groq": "http.RemoteProtocolError",
}
LATE = {"openai": "APITimeoutError", "anthropic": "http.ReadTimeout", "groq": "http.ReadTimeout"}
IN_BAND = {"openai": "APIError", "anthropic": "APIStatusError", "groq": "APIError"}

FAULTS = (
    everywhere("none", Behaviour(), BODY),
    status(400, "BadRequestError"),
    status(401, "AuthenticationError"),
    status(402, "APIStatusError", anthropic="PaymentRequiredError"),
    status(403, "PermissionDeniedError"),
    status(404, "NotFoundError"),
    status(408, "APIStatusError", anthropic="RequestTimeoutError"),
    status(409, "ConflictError"),
    status(413, "APIStatusError", anthropic="ContentTooLargeError"),
    status(422, "UnprocessableEntityError"),
    status(429, "RateLimitError"),
    status(498, "APIStatusError"),
    status(500, "InternalServerError"),
    status(502, "InternalServerError"),
    status(503, "InternalServerError", anthropic="ServiceUnavailableError"),
    status(504, "InternalServerError", anthropic="GatewayTimeoutError"),
    status(529, "InternalServerError", anthropic="OverloadedError"),
    kind(
        "quota",
        {"openai": 429, "anthropic": 400, "groq": 429},
        {"*": "RateLimitError", "anthropic": "BadRequestError"},
    ),
    kind(
        "billing",
        {"openai": 429, "anthropic": 402, "groq": 429},
        {"*": "RateLimitError", "anthropic": "PaymentRequiredError"},
    ),
    kind(
        "overloaded",
        {"openai": 503, "anthropic": 529, "groq": 503},
        {"*": "InternalServerError", "anthropic": "OverloadedError"},
    ),
    kind("context_overflow", {"*": 400}, {"*": "BadRequestError"}),
    kind("content_policy", {"*": 400}, {"*": "BadRequestError"}),
    kind("capacity", {"*": 498}, {"*": "APIStatusError"}, "groq"),
    kind("tool_use_failed", {"*": 400}, {"*": "BadRequestError"}, "groq"),
    everywhere("slow", Behaviour(latency_s=0.01, first_token_s=0.01, per_token_s=0.001), BODY),
    everywhere("trickle", Behaviour(trickle=7, trickle_s=0.0), BODY),
    everywhere("pings", Behaviour(first_token_s=0.05, ping_every_s=0.01), BODY),
    everywhere("stall_that_ends", Behaviour(stall_after=1, stall_s=0.02), BODY),
    everywhere("html", Behaviour(html=True), TEXT, SHORT),
    everywhere("html_502", Behaviour(html=True, status=502), "InternalServerError"),
    everywhere("bad_json", Behaviour(bad_json=True), "JSONDecodeError"),
    everywhere("no_answer", Behaviour(truncate_after=BEFORE_HEADERS), "APIConnectionError"),
    everywhere("reset_unanswered", Behaviour(reset_after=BEFORE_HEADERS), "APIConnectionError"),
    Fault("reset_after_headers", Behaviour(reset_after=0), {"*": "APIConnectionError"}, LOST),
    Fault("reset_midway", Behaviour(reset_after=2), {"*": "APIConnectionError"}, LOST),
    everywhere("truncated_at_once", Behaviour(truncate_after=0), "APIConnectionError", SHORT),
    everywhere("truncated", Behaviour(truncate_after=2), "APIConnectionError", SHORT),
    everywhere("no_terminator", Behaviour(truncate_after=10**6), "APIConnectionError", SHORT),
    Fault("half_closed", Behaviour(truncate_after=2, half_close=True), {"*": "APIConnectionError"}, CUT),
    # openai reads no further than [DONE].
    Fault("half_closed_at_the_end", Behaviour(half_close=True), {"*": BODY}, {**CUT, "openai": BODY}),
    everywhere("stall_unanswered", Behaviour(stall_after=BEFORE_HEADERS), "APITimeoutError"),
    Fault("stall_after_headers", Behaviour(stall_after=0), {"*": "APITimeoutError"}, LATE),
    Fault("stall_midway", Behaviour(stall_after=2), {"*": "APITimeoutError"}, LATE),
    Fault("error_event_at_once", Behaviour(error_event_after=0), {"*": HOLLOW}, IN_BAND),
    Fault("error_event_midway", Behaviour(error_event_after=2), {"*": HOLLOW}, IN_BAND),
    Fault("error_event_quota", Behaviour(error_event_after=0, error="quota"), {"*": HOLLOW}, IN_BAND),
)
