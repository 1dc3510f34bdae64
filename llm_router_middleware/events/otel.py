"""Events as OpenTelemetry spans and metrics. Without the OpenTelemetry API nothing happens.

The span is INTERNAL and named `route chat`; attempts are events on it. Attributes and metrics are `llm_router.*` only:
`gen_ai.client.*` and `gen_ai.usage.*` belong to whoever instruments the SDKs, and would count every call twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llm_router_middleware.events.encode import record
from llm_router_middleware.events.event import RoutingEvent
from llm_router_middleware.events.labels import COUNT_BUCKETS, DURATION_BUCKETS, Labels, failovers, outcome, retries

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter, MeterProvider
    from opentelemetry.trace import Tracer, TracerProvider

__all__ = ["OtelSink"]

_NAME = "llm_router_middleware"
_NS = 1_000_000_000
_ATTRIBUTES = {
    "request_id": "request_id",
    "requested_model": "requested_model",
    "selected_model": "selected_model",
    "selected_provider": "selected_provider",
    "served_model": "served_model",
    "selection_reason": "reason",
    "complexity_tier": "tier",
    "complexity_score": "score",
    "complexity_signals": "signals",
    "candidates": "candidates",
    "dropped_params": "dropped_params",
    "stream": "stream",
    "prompt_tokens_est": "prompt_tokens_est",
    "time_to_first_token_s": "time_to_first_token",
    "estimated_cost_usd": "estimated_cost_usd",
    "cost_usd": "cost_usd",
    "baseline_cost_usd": "baseline_cost_usd",
    "savings_usd": "savings_usd",
    "policy_version": "policy_version",
    "schema_version": "v",
}


class OtelSink:
    """Writes one span and a few measurements per event.

    The span is made when the call has ended, with the times of the call; its parent is whatever span is current then.

    Args:
        tracer_provider: whose tracer; the global one when None.
        meter_provider: whose meter; the global one when None.
        max_models: how many models get a label of their own in metrics; the others are "other".
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        *,
        max_models: int = 100,
    ) -> None:
        self._spans: _Spans | None = None
        self._metrics: _Metrics | None = None
        try:
            from opentelemetry import metrics, trace
        except ImportError:
            return
        self._spans = _Spans(trace.get_tracer(_NAME, tracer_provider=tracer_provider))
        self._metrics = _Metrics(metrics.get_meter(_NAME, meter_provider=meter_provider), Labels(max_models))

    def __call__(self, event: RoutingEvent) -> None:
        if self._spans is not None and self._metrics is not None:
            self._spans.write(event)
            self._metrics.write(event)


class _Spans:
    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def write(self, event: RoutingEvent) -> None:
        from opentelemetry.trace import SpanKind, Status, StatusCode

        start = round(event.timestamp * _NS)
        values = record(event)
        span = self._tracer.start_span(
            "route chat", kind=SpanKind.INTERNAL, start_time=start, attributes=_attributes(event, values)
        )
        at = start
        for attempt in values["attempts"]:
            at += round(attempt["seconds"] * _NS)
            span.add_event("llm_router.attempt", _prefixed(attempt), timestamp=at)
        if outcome(event) == "error":
            span.set_status(Status(StatusCode.ERROR))
            span.set_attribute("error.type", values["error"] or "_OTHER")
        span.end(start + round(event.actual_latency_s * _NS))


def _attributes(event: RoutingEvent, values: Mapping[str, Any]) -> dict[str, Any]:
    known = {f"llm_router.{name}": values[field] for field, name in _ATTRIBUTES.items() if values[field] is not None}
    return known | {
        "llm_router.outcome": outcome(event),
        "llm_router.attempts": len(event.attempts),
        "llm_router.failovers": failovers(event),
    }


def _prefixed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"llm_router.attempt.{name}": value for name, value in values.items() if value is not None}


class _Metrics:
    def __init__(self, meter: Meter, labels: Labels) -> None:
        self._labels = labels
        self._calls = meter.create_counter("llm_router.calls", "{call}", "Calls, routed or passed through")
        self._attempts = meter.create_counter("llm_router.attempts", "{attempt}", "Requests to models")
        self._cost = meter.create_counter("llm_router.cost", "USD", "Cost of calls whose price and usage are known")
        self._savings = meter.create_up_down_counter("llm_router.savings", "USD", "Against the models callers named")
        self._errors = meter.create_counter("llm_router.router_errors", "{call}", "Failures of the router itself")
        self._duration = meter.create_histogram(
            "llm_router.call.duration",
            "s",
            "From the call to its end",
            explicit_bucket_boundaries_advisory=DURATION_BUCKETS,
        )
        self._first = meter.create_histogram(
            "llm_router.call.time_to_first_token",
            "s",
            "From the call to the first content",
            explicit_bucket_boundaries_advisory=DURATION_BUCKETS,
        )
        self._failovers = meter.create_histogram(
            "llm_router.call.failovers",
            "{failover}",
            "Moves to another model",
            explicit_bucket_boundaries_advisory=COUNT_BUCKETS,
        )
        self._retries = meter.create_histogram(
            "llm_router.call.retries",
            "{retry}",
            "Repeats on one model",
            explicit_bucket_boundaries_advisory=COUNT_BUCKETS,
        )

    def write(self, event: RoutingEvent) -> None:
        labels = self._labels.of_call(event)
        self._calls.add(1, labels)
        self._duration.record(event.actual_latency_s, labels)
        self._failovers.record(failovers(event), labels)
        self._retries.record(retries(event), labels)
        for attempt in self._labels.of_attempts(event):
            self._attempts.add(1, attempt)
        if event.time_to_first_token_s is not None:
            self._first.record(event.time_to_first_token_s, labels)
        if event.cost_usd is not None:
            self._cost.add(event.cost_usd, labels)
        if event.savings_usd is not None:
            self._savings.add(event.savings_usd, labels)
        if event.selection_reason == "router_error":
            self._errors.add(1)
