"""The tests of the SDKs' suites that pass bare and can't pass in a lap, with the reason."""

from __future__ import annotations

__all__ = ["EXPECTED"]

EXPECTED: dict[str, list[tuple[str, tuple[str, ...], str]]] = {
    "openai": [
        (
            r"test_streaming.py::test_request_errors_are_wrapped.*before-first-event",
            ("rewritten",),
            "asserts that a stream which breaks before its first event is not asked for again; a routed call is, as "
            "often as `max_retries` allows, since nothing of it has reached the caller",
        )
    ],
    "anthropic": [
        (
            r"test_open_telemetry.py::.*disabled_spans_leave_the_body_of_the_response_alone",
            ("passthrough", "rewritten"),
            "looks at the class of `response.stream` of an open stream, which is our tap: it passes for the HTTP "
            "library's stream class by `isinstance`, but `type()` is its own",
        ),
        (
            r"test_middleware.py::.*(middleware_runs_per_attempt|retryable_error_is_retried_then_propagates|"
            r"request_modifications_do_not_persist_across_attempts)",
            ("rewritten",),
            "wants `request.retries_taken` to count the attempts; beneath us each attempt is a request of its own to "
            "the SDK, so the caller's middleware runs as often as it should, and reads 0 each time",
        ),
        (
            r"test_open_telemetry.py::(TestCallSpans.*(a_retried_call_has_one_span|"
            r"time_to_first_chunk_counts_from_the_first_attempt)|TestHttpAttributes.*(retries_all_fail|was_retried)|"
            r"TestPropagationOption.*(false_sends_no_trace_context|the_sampler_dropped_current))",
            ("rewritten",),
            "wants one span for a call and its retries; beneath us each attempt is a request of its own to the SDK and "
            "has a span of its own",
        ),
        (
            r"test_open_telemetry.py::.*(recorded_like_a_stream\[(ends before|error event)|stream_error_event|"
            r"helper_error_event|without_a_message_start|closed_from_another_thread)",
            ("rewritten",),
            "is about a stream that fails, or is silent, before any of it has reached the caller: we have read on, "
            "closed it and asked again before the call returns, so the spans are closed ones, or have ended already",
        ),
        (
            r"test_open_telemetry.py::.*test_async_raw_response_whose_body_is_not_read_to_the_end",
            ("rewritten",),
            "drops an async response unread and wants its span ended at once; we have begun to read it, and Python "
            "closes an async generator that was dropped in a task of the event loop, a moment later",
        ),
    ],
}
"""By SDK: (pattern of the tests, laps, why)."""
