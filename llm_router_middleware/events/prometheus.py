"""Events as Prometheus metrics. Needs prometheus_client, which is imported when the sink is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.events.event import RoutingEvent
from llm_router_middleware.events.labels import COUNT_BUCKETS, DURATION_BUCKETS, Labels, failovers, retries

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["PrometheusSink"]

_CALL = ("provider", "model", "tier", "outcome")
_ATTEMPT = ("provider", "model", "outcome", "class")


class PrometheusSink:
    """Counts and times calls and attempts, and adds up their cost. Every label is bounded.

    Args:
        registry: where the metrics are registered; prometheus_client's default when None. One sink per registry.
        max_models: how many models get a label of their own; the others are "other".

    Raises:
        ConfigurationError: prometheus_client is not installed, or the registry has such a sink already.
    """

    def __init__(self, registry: CollectorRegistry | None = None, *, max_models: int = 100) -> None:
        try:
            import prometheus_client as prometheus
        except ImportError:
            raise ConfigurationError(
                "sinks.prometheus: needs prometheus_client: pip install prometheus-client"
            ) from None
        where = prometheus.REGISTRY if registry is None else registry
        self._labels = Labels(max_models)
        try:
            self._make(prometheus, where)
        except ValueError:
            raise ConfigurationError("sinks.prometheus: the registry already has the metrics of another sink") from None

    def _make(self, prometheus: Any, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, labels: tuple[str, ...] = _CALL) -> Any:
            return prometheus.Counter(f"llm_router_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...]) -> Any:
            return prometheus.Histogram(f"llm_router_{name}", text, _CALL, buckets=buckets, registry=registry)

        self._calls = counter("calls_total", "Calls, routed or passed through")
        self._attempts = counter("attempts_total", "Requests to models", _ATTEMPT)
        self._cost = counter("cost_usd_total", "USD of calls whose price and usage are known")
        self._uncosted = counter("uncosted_calls_total", "Calls whose cost is unknown")
        self._savings = prometheus.Gauge(
            "llm_router_savings_usd",
            "USD against the models that callers named; falls when we were dearer",
            ("provider", "model"),
            registry=registry,
        )
        self._duration = histogram("call_duration_seconds", "From the call to its end", DURATION_BUCKETS)
        self._first = histogram("time_to_first_token_seconds", "From the call to the first content", DURATION_BUCKETS)
        self._failovers = histogram("call_failovers", "Moves to another model within a call", COUNT_BUCKETS)
        self._retries = histogram("call_retries", "Repeats on the same model within a call", COUNT_BUCKETS)
        self._errors = prometheus.Counter(
            "llm_router_router_errors_total", "Failures of the router itself, not felt by calls", registry=registry
        )

    def __call__(self, event: RoutingEvent) -> None:
        labels = self._labels.of_call(event)
        self._calls.labels(**labels).inc()
        self._duration.labels(**labels).observe(event.actual_latency_s)
        self._failovers.labels(**labels).observe(failovers(event))
        self._retries.labels(**labels).observe(retries(event))
        for attempt in self._labels.of_attempts(event):
            self._attempts.labels(**attempt).inc()
        if event.time_to_first_token_s is not None:
            self._first.labels(**labels).observe(event.time_to_first_token_s)
        if event.selection_reason == "router_error":
            self._errors.inc()
        self._money(event, labels)

    def _money(self, event: RoutingEvent, labels: dict[str, str]) -> None:
        if event.cost_usd is None:
            self._uncosted.labels(**labels).inc()
        else:
            self._cost.labels(**labels).inc(event.cost_usd)
        if event.savings_usd is not None:
            self._savings.labels(labels["provider"], labels["model"]).inc(event.savings_usd)
