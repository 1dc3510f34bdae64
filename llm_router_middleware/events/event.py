"""RoutingEvent: the one record that every call leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

__all__ = ["SCHEMA_VERSION", "AttemptRecord", "RoutingEvent", "Usage"]

SCHEMA_VERSION = 1


@dataclass(slots=True)
class Usage:
    """Tokens as the provider counted them. None: the provider did not say.

    Attributes:
        input_tokens: the whole prompt, cached part included.
        output_tokens: the whole answer, reasoning included.
        cached_input_tokens: the part of the prompt that was read from the provider's cache.
        cache_write_tokens: the part of the prompt that was written to it.
        reasoning_tokens: the part of the answer that was reasoning.
        estimated: True when these are our estimate.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    estimated: bool = False


@dataclass(slots=True)
class AttemptRecord:
    """One request to one model.

    Attributes:
        provider: who was asked.
        model: for which model.
        outcome: "ok", or the label of the failure kind.
        seconds: from the request to the answer, or to the first content of a stream.
        breaker: the state of the circuit breaker that let it pass.
        status: the HTTP status of a failure.
    """

    provider: str
    model: str
    outcome: str
    seconds: float
    breaker: str = "closed"
    status: int | None = None


@dataclass(slots=True)
class RoutingEvent:
    """What happened in one call. Complete once `success` is not None; of a stream, once it has ended.

    Only numbers, flags and configured names: never a prompt, an answer, a header, a key or an exception's text.

    Attributes:
        request_id: unique within all processes.
        timestamp: seconds since the epoch when the call came in.
        prompt_tokens_est: our estimate of the prompt's size, in tokens.
        complexity_tier: the tier that complexity alone asked for.
        complexity_score: 0.0 to 1.0.
        complexity_signals: what the scorer saw.
        selected_model: the model that served, or the last one tried.
        selected_provider: its provider.
        selection_reason: why that one (see `routing.decision.Reason`).
        estimated_cost_usd: USD estimated before the call; None when a price is unknown.
        actual_latency_s: seconds from the call to its end.
        success: whether the caller got an answer; None while a stream is open.
        error: the class of the caller's exception, or "cancelled", "closed", "abandoned", "truncated".
        requested_model: the model that the caller named.
        served_model: the model that the provider says has answered.
        attempts: every request that was made, in order.
        candidates: the plan, as "provider/model".
        ruled_out: (model, provider, reason) of every other model.
        usage: tokens that the provider reported.
        cost_usd: USD, from usage and price; None when either is unknown.
        baseline_cost_usd: USD of the same tokens on the requested model.
        savings_usd: baseline less cost; negative when we were dearer.
        time_to_first_token_s: seconds to the first content of a stream.
        stream: whether the caller read a stream.
        dropped_params: parameters that an opt-in let the translation lose.
        policy_version: a hash of the configuration that decided.
        schema_version: of this record.
    """

    request_id: str
    timestamp: float
    prompt_tokens_est: int = 0
    complexity_tier: str | None = None
    complexity_score: float | None = None
    complexity_signals: tuple[str, ...] = ()
    selected_model: str = ""
    selected_provider: str = ""
    selection_reason: str = "passthrough"
    estimated_cost_usd: float | None = None
    actual_latency_s: float = 0.0
    success: bool | None = None
    error: str | None = None
    requested_model: str = ""
    served_model: str | None = None
    attempts: tuple[AttemptRecord, ...] = ()
    candidates: tuple[str, ...] = ()
    ruled_out: tuple[tuple[str, str, str], ...] = ()
    usage: Usage | None = None
    cost_usd: float | None = None
    baseline_cost_usd: float | None = None
    savings_usd: float | None = None
    time_to_first_token_s: float | None = None
    stream: bool = False
    dropped_params: tuple[str, ...] = ()
    policy_version: str = ""
    schema_version: int = field(default=SCHEMA_VERSION)

    def to_dict(self) -> dict[str, Any]:
        """The event as plain JSON types, in the order of its fields."""
        return {name: _plain(getattr(self, name)) for name in _FIELDS}


_FIELDS = tuple(f.name for f in fields(RoutingEvent))


def _plain(value: Any) -> Any:
    if isinstance(value, (Usage, AttemptRecord)):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
