"""Events as spans and metrics: the names of the conventions, bounded labels, and nothing that is counted elsewhere."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.events.event import AttemptRecord, RoutingEvent
from llm_router_middleware.events.labels import Labels, failovers, outcome, retries
from llm_router_middleware.events.otel import OtelSink
from llm_router_middleware.events.prometheus import PrometheusSink

START = 1_795_000_000.25
KEY = "sk-proj-CANARY0123456789abcdef"
CALL = {"provider": "openai", "model": "gpt-6-luna", "tier": "budget", "outcome": "ok"}


def event(**fields: Any) -> RoutingEvent:
    attempts = (
        AttemptRecord("groq", "openai/gpt-oss-20b", "server", 0.5, status=500),
        AttemptRecord("openai", "gpt-6-luna", "rate_limit", 0.25, status=429),
        AttemptRecord("openai", "gpt-6-luna", "ok", 1.25, "half_open"),
    )
    given: dict[str, Any] = {
        "request_id": "lr-1",
        "timestamp": START,
        "complexity_tier": "budget",
        "complexity_score": 0.2,
        "complexity_signals": ("short_prompt",),
        "selected_model": "gpt-6-luna",
        "selected_provider": "openai",
        "selection_reason": "failover",
        "requested_model": "gpt-4o",
        "actual_latency_s": 2.0,
        "success": True,
        "attempts": attempts,
        "cost_usd": 0.25,
        "savings_usd": -0.125,
        "time_to_first_token_s": 0.75,
    }
    return RoutingEvent(**(given | fields))


@pytest.mark.parametrize(
    ("success", "error", "expected"),
    [
        (True, None, "ok"),
        (False, "RateLimitError", "error"),
        (False, "cancelled", "cancelled"),
        (False, "closed", "closed"),
        (False, "abandoned", "abandoned"),
        (False, "truncated", "error"),
        (None, None, "error"),
    ],
)
def test_an_outcome_is_one_of_five_words(success: bool | None, error: str | None, expected: str) -> None:
    """What a caller did himself is no error of the provider."""
    assert outcome(event(success=success, error=error)) == expected


def test_failovers_and_retries_are_told_apart() -> None:
    """Another model is a failover, the same one again a retry."""
    assert (failovers(event()), retries(event())) == (1, 1)
    assert (failovers(event(attempts=())), retries(event(attempts=()))) == (0, 0)
    once = event().attempts[:1]
    assert (failovers(event(attempts=once)), retries(event(attempts=once))) == (0, 0)


def test_labels_are_bounded_and_clean() -> None:
    """The first models get labels of their own, all later ones are "other"; a tier is a tier or none."""
    labels = Labels(limit=3)
    seen = {labels.of_call(event(selected_model=f"m{n}"))["model"] for n in range(1000)}
    assert seen == {"m0", "m1", "m2", "other"}
    assert labels.of_call(event(selected_model="m1"))["model"] == "m1"
    fresh = Labels()
    assert fresh.of_call(event(selected_model="a b\n"))["model"] == "(not a name)"
    assert fresh.of_call(event(selected_model="", selected_provider=""))["provider"] == "other"
    assert fresh.of_call(event(complexity_tier="huge"))["tier"] == "none"
    assert KEY not in str(fresh.of_call(event(selected_model=KEY)))


@pytest.fixture
def prometheus() -> Any:
    client = pytest.importorskip("prometheus_client")
    registry = client.CollectorRegistry()
    return PrometheusSink(registry), registry


def test_prometheus_counts_calls_attempts_time_and_money(prometheus: Any) -> None:
    """Every metric of the table, from one event."""
    sink, registry = prometheus
    sink(event())
    sink(event(cost_usd=None, savings_usd=None, selection_reason="router_error"))
    value = registry.get_sample_value
    assert value("llm_router_calls_total", CALL) == 2
    assert value("llm_router_call_duration_seconds_sum", CALL) == 4.0
    assert value("llm_router_call_duration_seconds_bucket", CALL | {"le": "2.56"}) == 2
    assert value("llm_router_call_duration_seconds_bucket", CALL | {"le": "1.28"}) == 0
    assert value("llm_router_time_to_first_token_seconds_sum", CALL) == 1.5
    assert value("llm_router_call_failovers_sum", CALL) == 2
    assert value("llm_router_call_retries_sum", CALL) == 2
    assert value("llm_router_cost_usd_total", CALL) == 0.25
    assert value("llm_router_uncosted_calls_total", CALL) == 1
    assert value("llm_router_savings_usd", {"provider": "openai", "model": "gpt-6-luna"}) == -0.125
    assert value("llm_router_router_errors_total") == 1
    failed = {"provider": "groq", "model": "openai/gpt-oss-20b", "outcome": "error", "class": "server"}
    served = {"provider": "openai", "model": "gpt-6-luna", "outcome": "ok", "class": "none"}
    assert value("llm_router_attempts_total", failed) == 2
    assert value("llm_router_attempts_total", served) == 2


def test_prometheus_text_stays_one_sample_a_line(prometheus: Any) -> None:
    """A hostile model name breaks no exposition and shows no key."""
    client = pytest.importorskip("prometheus_client")
    sink, registry = prometheus
    sink(event(selected_model='x"} 1\nllm_router_calls_total{model="evil', attempts=()))
    sink(event(selected_model=KEY, attempts=()))
    text = client.generate_latest(registry).decode()
    assert "evil" not in text
    assert KEY not in text
    assert all(row.startswith(("#", "llm_router_")) for row in text.splitlines())


def test_prometheus_labels_do_not_grow(prometheus: Any) -> None:
    """Ten thousand names make a bounded number of series."""
    client = pytest.importorskip("prometheus_client")
    registry = client.CollectorRegistry()
    sink = PrometheusSink(registry, max_models=5)
    for number in range(500):
        sink(event(selected_model=f"m{number}", attempts=()))
    models = {sample.labels.get("model") for metric in registry.collect() for sample in metric.samples}
    assert len(models - {None}) == 6


def test_a_second_sink_in_one_registry_is_a_clear_error(prometheus: Any) -> None:
    """Not prometheus_client's own words about duplicated timeseries."""
    _, registry = prometheus
    with pytest.raises(ConfigurationError, match="another sink"):
        PrometheusSink(registry)


def test_without_prometheus_client_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody asked for it by name: silence would be wrong."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ConfigurationError, match="pip install prometheus-client"):
        PrometheusSink()


class Telemetry:
    """OpenTelemetry's SDK, in memory."""

    def __init__(self) -> None:
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.sink = OtelSink(self.tracers, MeterProvider([self.reader]))

    def spans(self) -> Any:
        return self.exporter.get_finished_spans()

    def metrics(self) -> dict[str, Any]:
        data = self.reader.get_metrics_data()
        found = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics] if data else []
        return {metric.name: metric for metric in found}


@pytest.fixture
def telemetry() -> Telemetry:
    pytest.importorskip("opentelemetry.sdk")
    return Telemetry()


def test_a_call_is_one_internal_span_with_the_times_of_the_call(telemetry: Telemetry) -> None:
    """INTERNAL, `route chat`, from the call to its end; attempts are events on it, not spans."""
    telemetry.sink(event())
    (span,) = telemetry.spans()
    assert (span.name, span.kind.name) == ("route chat", "INTERNAL")
    assert span.start_time == round(START * 1e9)
    assert span.end_time - span.start_time == 2_000_000_000
    assert [entry.name for entry in span.events] == ["llm_router.attempt"] * 3
    assert [entry.timestamp - span.start_time for entry in span.events] == [500_000_000, 750_000_000, 2_000_000_000]
    assert span.events[0].attributes["llm_router.attempt.outcome"] == "server"
    assert span.events[0].attributes["llm_router.attempt.status"] == 500
    assert span.events[2].attributes["llm_router.attempt.breaker"] == "half_open"
    assert span.status.is_unset or span.status.is_ok


def test_a_span_says_what_was_decided(telemetry: Telemetry) -> None:
    """Tier, score, models, reason, attempts, money; unknown values are left out."""
    telemetry.sink(event(served_model=None))
    attributes = dict(telemetry.spans()[0].attributes)
    assert attributes["llm_router.tier"] == "budget"
    assert attributes["llm_router.score"] == 0.2
    assert attributes["llm_router.signals"] == ("short_prompt",)
    assert attributes["llm_router.requested_model"] == "gpt-4o"
    assert attributes["llm_router.reason"] == "failover"
    assert attributes["llm_router.attempts"] == 3
    assert attributes["llm_router.failovers"] == 1
    assert attributes["llm_router.savings_usd"] == -0.125
    assert "llm_router.served_model" not in attributes


def test_a_failed_call_is_an_error_by_class_and_a_cancelled_one_is_not(telemetry: Telemetry) -> None:
    """`error.type` holds the class; who leaves by himself has not failed."""
    telemetry.sink(event(success=False, error="RateLimitError"))
    telemetry.sink(event(success=False, error="cancelled"))
    failed, cancelled = telemetry.spans()
    assert failed.status.status_code.name == "ERROR"
    assert failed.attributes["error.type"] == "RateLimitError"
    assert cancelled.status.status_code.name == "UNSET"
    assert "error.type" not in cancelled.attributes


def test_the_span_hangs_under_the_caller_s_own(telemetry: Telemetry) -> None:
    """A trace of the application shows the decision where the call was made."""
    with telemetry.tracers.get_tracer("app").start_as_current_span("app") as parent:
        telemetry.sink(event())
    ours = next(span for span in telemetry.spans() if span.name == "route chat")
    assert ours.parent.span_id == parent.get_span_context().span_id


def test_nothing_is_recorded_that_the_sdk_s_instrumentation_counts(telemetry: Telemetry) -> None:
    """No `gen_ai.*`: every call would be counted twice."""
    telemetry.sink(event())
    names = [*telemetry.metrics(), *telemetry.spans()[0].attributes]
    assert names
    assert all(name.startswith("llm_router.") for name in names)


def test_otel_measures_calls_attempts_time_and_money(telemetry: Telemetry) -> None:
    """Every metric of the table, with the buckets of the conventions."""
    telemetry.sink(event())
    telemetry.sink(event(selection_reason="router_error"))
    metrics = telemetry.metrics()

    def point(name: str) -> Any:
        return metrics[name].data.data_points[0]

    assert point("llm_router.calls").value == 2
    assert dict(point("llm_router.calls").attributes) == CALL
    assert point("llm_router.call.duration").sum == 4.0
    assert point("llm_router.call.duration").explicit_bounds[0] == 0.01
    assert point("llm_router.call.duration").explicit_bounds[-1] == 327.68
    assert metrics["llm_router.call.duration"].unit == "s"
    assert point("llm_router.call.time_to_first_token").sum == 1.5
    assert point("llm_router.call.failovers").sum == 2
    assert point("llm_router.call.retries").sum == 2
    assert point("llm_router.cost").value == 0.5
    assert point("llm_router.savings").value == -0.25
    assert point("llm_router.router_errors").value == 1
    assert sum(entry.value for entry in metrics["llm_router.attempts"].data.data_points) == 6


def test_hostile_names_reach_neither_spans_nor_metrics(telemetry: Telemetry) -> None:
    """Spans are read by more people than logs."""
    telemetry.sink(event(selected_model=KEY, requested_model="tell me CANARY", error=KEY, success=False))
    shown = f"{telemetry.spans()[0].to_json()} {telemetry.metrics()}"
    assert KEY not in shown
    assert "tell me" not in shown


def test_without_the_api_the_otel_sink_does_nothing() -> None:
    """OpenTelemetry is optional, and its absence is no error."""
    code = (
        "import sys; sys.modules['opentelemetry'] = None; from llm_router_middleware.events.otel import OtelSink; "
        "from llm_router_middleware.events.event import RoutingEvent; OtelSink()(RoutingEvent('r', 0.0)); print('ok')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "ok\n"
