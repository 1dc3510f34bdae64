"""The failure table (reliability 2), written down a second time: what each fault is, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from llm_router_middleware.sandbox import Behaviour
from tests.sandbox import faults

__all__ = ["KINDS_OF_FAILURE", "ROWS", "Lesson", "Row"]


@dataclass(frozen=True)
class Lesson:
    """What follows from one kind of failure.

    Attributes:
        model: what the circuit of the model learns from one such failure.
        endpoint: what the circuit of the endpoint does.
        again: whether the same model is asked again, when there is nobody else and a retry is left. It is whenever the
            caller's SDK would have: what passes bare must pass routed, whatever else the table prefers.
        elsewhere: whether another provider is asked.
    """

    model: str
    endpoint: str
    again: bool
    elsewhere: bool


KINDS_OF_FAILURE = {
    "ok": Lesson("success", "success", again=False, elsewhere=False),
    "html": Lesson("failure", "neutral", again=False, elsewhere=True),
    "bad_json": Lesson("failure", "neutral", again=True, elsewhere=True),
    "connect": Lesson("neutral", "failure", again=True, elsewhere=True),
    "pool": Lesson("neutral", "neutral", again=True, elsewhere=False),
    "timeout": Lesson("failure", "failure", again=True, elsewhere=True),
    "connection_lost": Lesson("failure", "failure", again=True, elsewhere=True),
    "server": Lesson("failure", "neutral", again=True, elsewhere=True),
    "server, not to be retried": Lesson("failure", "neutral", again=False, elsewhere=True),
    "server, in band": Lesson("failure", "neutral", again=False, elsewhere=True),
    "overloaded": Lesson("failure", "neutral", again=True, elsewhere=True),
    "overloaded, in band": Lesson("failure", "neutral", again=False, elsewhere=True),
    "rate_limit": Lesson("cooldown 1 s", "neutral", again=True, elsewhere=True),
    "rate_limit, after 7 s": Lesson("cooldown 7 s", "neutral", again=True, elsewhere=True),
    "rate_limit, after 2 h": Lesson("cooldown 300 s", "neutral", again=False, elsewhere=True),
    "rate_limit, of this size": Lesson("neutral", "neutral", again=False, elsewhere=True),
    "quota": Lesson("neutral", "ejected 600 s", again=False, elsewhere=True),
    "capacity": Lesson("cooldown 1 s", "neutral", again=False, elsewhere=True),
    "too_large": Lesson("neutral", "neutral", again=False, elsewhere=False),
    "bad_request": Lesson("neutral", "neutral", again=False, elsewhere=False),
    "not_found": Lesson("neutral", "neutral", again=False, elsewhere=False),
    "conflict": Lesson("neutral", "neutral", again=True, elsewhere=False),
    "auth": Lesson("neutral", "neutral", again=False, elsewhere=False),
    "refusal": Lesson("neutral", "neutral", again=False, elsewhere=False),
    "truncated": Lesson("failure", "neutral", again=False, elsewhere=True),
}
"""By the kind; behind a comma what makes it follow otherwise."""


@dataclass(frozen=True)
class Row:
    """One fault.

    Attributes:
        name: of it.
        behaviour: how the caller's provider answers; None where it is not asked at all.
        whole: what it is to a whole answer.
        stream: what it is to a stream before its first content.
        midway: what ends a stream that had begun well; empty if it doesn't break.
        others: (whole, stream, midway) at the SDKs where it is something else.
        sdks: where it happens.
        sent: whether the request reaches the provider.
        stalls: ends only with the caller's patience.
    """

    name: str
    behaviour: Behaviour | None
    whole: str
    stream: str
    midway: str = ""
    others: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    sdks: tuple[str, ...] = ("openai", "anthropic", "groq")
    sent: bool = True
    stalls: bool = False

    def __str__(self) -> str:
        return self.name

    def of(self, sdk: str, *, stream: bool) -> tuple[str, str]:
        """What it is before the first content, and what it is after."""
        whole, streamed, midway = self.others.get(sdk, (self.whole, self.stream, self.midway))
        return (streamed, midway) if stream else (whole, "")

    def of_another(self, sdk: str, kind: Any) -> tuple[str, str]:
        """The same where that provider stands in for the caller's own, and its answer is translated."""
        before, after = self.of(sdk, stream=kind.stream)
        if self.name == "half_closed_at_the_end":
            return "ok", ""  # what breaks behind the answer is not handed on
        if before == "html" and not kind.stream:
            return "bad_json", ""
        if self.name == "declined" and kind.sdk == "groq" and not kind.stream:
            return "refusal", ""  # for which Groq's whole answers have no form
        return before, after


_FAULTS = {fault.name: fault for fault in faults.FAULTS}


def _row(name: str, whole: str, stream: str | None = None, midway: str = "", **rest: Any) -> Row:
    """A fault of the sandbox's own table."""
    fault = _FAULTS[name]
    stalls = fault.behaviour.stall_after is not None and fault.behaviour.stall_s == float("inf")
    return Row(name, fault.behaviour, whole, stream or whole, midway, sdks=fault.sdks, stalls=stalls, **rest)


def _new(name: str, whole: str, **behaviour: Any) -> Row:
    return Row(name, Behaviour(**behaviour), whole, whole)


ROWS = (
    _row("none", "ok"),
    _row("slow", "ok"),
    _row("trickle", "ok"),
    _row("pings", "ok"),
    _row("stall_that_ends", "ok"),
    _new("declined", "ok", refusal="I can't help with that."),
    _row("status_400", "bad_request"),
    _row("status_401", "auth"),
    _row("status_402", "quota"),
    _row("status_403", "auth"),
    _row("status_404", "not_found"),
    _row("status_408", "server"),
    _row("status_409", "conflict"),
    _row("status_413", "too_large", others={"groq": ("rate_limit, of this size",) * 2 + ("",)}),
    _row("status_422", "bad_request"),
    _row("status_429", "rate_limit"),
    _new("status_429_after_7_s", "rate_limit, after 7 s", status=429, retry_after=7),
    _new("status_429_after_2_h", "rate_limit, after 2 h", status=429, retry_after=7200),
    _row("status_498", "capacity"),
    _row("status_500", "server"),
    _new("status_500_not_to_be_retried", "server, not to be retried", status=500, headers={"x-should-retry": "false"}),
    _row("status_502", "server"),
    _row("status_503", "overloaded", others={"groq": ("server", "server", "")}),
    _row("status_504", "server"),
    _row("status_529", "overloaded"),
    _row("error_quota", "quota"),
    _row("error_billing", "quota"),
    _row("error_overloaded", "overloaded", others={"groq": ("server", "server", "")}),
    _row("error_context_overflow", "bad_request"),
    # Anthropic says so in the message alone, which is not read.
    _row("error_content_policy", "refusal", others={"anthropic": ("bad_request", "bad_request", "")}),
    _row("error_capacity", "capacity"),
    _row("error_tool_use_failed", "bad_request"),
    _row("html", "html"),
    _row("html_502", "server"),
    _row("bad_json", "bad_json"),
    Row("refused", None, "connect", "connect", sent=False),
    Row("own_pool_exhausted", None, "pool", "pool", sent=False),
    _row("no_answer", "connection_lost"),
    _row("reset_unanswered", "connection_lost"),
    _row("reset_after_headers", "connection_lost"),
    _row("reset_midway", "connection_lost", "ok", "connection_lost"),
    _row("truncated_at_once", "connection_lost", "truncated"),
    _row("truncated", "connection_lost", "ok", "truncated"),
    _row("no_terminator", "connection_lost", "ok", "truncated"),
    _row("half_closed", "connection_lost", "ok", "connection_lost"),
    _row("half_closed_at_the_end", "ok", "ok", "connection_lost", others={"openai": ("ok", "ok", "")}),
    _row("stall_unanswered", "timeout"),
    _row("stall_after_headers", "timeout"),
    _row("stall_midway", "timeout", "ok", "timeout"),
    _row("error_event_at_once", "overloaded, in band", others={"groq": ("server, in band", "server, in band", "")}),
    _row(
        "error_event_midway",
        "overloaded, in band",
        "ok",
        "overloaded",
        others={"groq": ("server, in band", "ok", "server")},
    ),
    _row("error_event_quota", "quota"),
)
"""All of them."""
