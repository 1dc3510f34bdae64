"""One call through a router: planned, carried out, recorded; or, when something of ours fails, rescued."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from llm_router_middleware.engine.call import Call, Outcome, Verdict
from llm_router_middleware.engine.drive import Plan as Steps
from llm_router_middleware.engine.drive import carry_out
from llm_router_middleware.engine.flow import Plan, route
from llm_router_middleware.engine.race import race
from llm_router_middleware.events.event import Usage
from llm_router_middleware.events.recorder import Recording, attach
from llm_router_middleware.models.spec import ModelSpec, Tier
from llm_router_middleware.providers.answers import as_payload, content_type, http_response
from llm_router_middleware.providers.perform import Performer
from llm_router_middleware.routing.decision import RoutingDecision

__all__ = ["Visit"]

EXPECTED_OUTPUT_TOKENS = 256
"""Tokens of an answer that nobody capped, for the estimate before the call: our own convention, not a measurement."""


class Visit:
    """One call of one client.

    Args:
        call: what was asked.
        native: the caller's own client.
        recording: the call's event.
        decide: plans the call; None when routing is switched off for it.
        kit: what the flow needs.
        trade: what the performer needs.
        passthrough: why the call is not routed; None if it is.
    """

    def __init__(
        self,
        call: Call,
        native: Any,
        recording: Recording,
        decide: Callable[[], RoutingDecision],
        kit: Any,
        trade: Any,
        passthrough: str | None,
        shadow: bool = False,
    ) -> None:
        self._call = call
        self._native = native
        self._recording = recording
        self._decide = decide
        self._kit = kit
        self._trade = trade
        self._passthrough = passthrough
        self._shadow = shadow
        self._performer: Performer | None = None

    def plan(self) -> Steps[Verdict]:
        """The call's steps of I/O and its verdict. What it raises is a cancellation, or a bug of ours."""
        if self._passthrough is not None:
            return (yield from self._unchanged(self._passthrough))
        decision = self._decide()
        self._recording.planned(decision, self._expected(decision))
        if self._shadow:
            return (yield from self._unchanged("shadow"))
        if not decision.candidates:
            return (yield from self._unchanged(decision.reason))
        performer = Performer(self._call, self._native, self._trade, partial(to_plain, self._call.body))
        self._performer = performer
        flow = route(self._call, self._flow_plan(decision), self._kit, self._recording)
        return (yield from carry_out(flow, performer, self._sleep, partial(race, is_async=self._native.is_async)))

    def rescue(self) -> Steps[Verdict]:
        """A bug of ours: the answer that is there already, else the caller's own call."""
        self._kit.bug()
        performer = self._performer
        last = performer.last if performer is not None else None
        if performer is not None and last is not None and last.failure is None:
            self._fenced(partial(self._recording.selected, performer.asked, "router_error"))
            self._fenced(partial(self._conclude, last))
            return Verdict(last.value)
        return (yield from self._unchanged("router_error"))

    # -- the caller's own call

    def _unchanged(self, reason: str) -> Steps[Verdict]:
        """Byte for byte what the caller wrote, the SDK's own retries included; recorded."""
        self._fenced(lambda: self._recording.selected(self._own(), reason))
        request, began = self._native.unchanged(), self._kit.now()
        try:
            value = yield request
        except Exception as exc:  # noqa: BLE001 - the caller's own failure, and no bug of ours: not to be made twice
            self._failed(exc, began)
            return Verdict(error=exc)
        except BaseException as exc:
            self._failed(exc, began)
            raise
        self._fenced(lambda: self._succeeded(value, began))
        return Verdict(value)

    def _succeeded(self, value: Any, began: float) -> None:
        outcome = Outcome(value=value)
        self._fenced(lambda: self._observe(outcome))
        self._fenced(lambda: self._attempted(outcome, began))
        self._fenced(lambda: self._recording.keep(Verdict(value)))
        self._conclude(outcome)

    def _failed(self, exc: BaseException, began: float) -> None:
        self._fenced(lambda: self._attempted(Outcome(failure=self._trade.classify(exc)), began))
        self._fenced(lambda: self._recording.finish(success=False, error=_word(exc)))
        self._fenced(lambda: attach(exc, self._recording.event))

    def _observe(self, outcome: Outcome) -> None:
        """Learns what an answer costs that was not routed; of a stream, follows it without reading ahead."""
        from llm_router_middleware.engine.streams import Tap, decoder_for
        from llm_router_middleware.engine.watch import Watch

        response = http_response(outcome.value)
        if response is not None and not response.is_closed and (self._call.stream or self._native.request.raw):
            wire = self._native.request.wire or ""
            reader = self._trade.reader(wire, content_type(response))
            watch = Watch(reader, decoder_for(response.headers.get("content-encoding", "")))
            response.stream = Tap(response.stream, watch, self._trade.classify)
            outcome.watch = watch
            return
        payload = as_payload(outcome.value, response)
        if payload is not None and self._native.request.wire is not None:
            outcome.usage, outcome.served_model = self._trade.read_usage(self._native.request.wire, payload)

    def _attempted(self, outcome: Outcome, began: float) -> None:
        self._recording.attempted(self._own(), outcome, self._kit.now() - began, "closed")

    def _conclude(self, outcome: Outcome) -> None:
        """The call has succeeded; a stream, once it has ended."""
        finish = self._recording.finish
        if outcome.watch is None:
            finish(success=True, outcome=outcome)
            return
        outcome.watch.on_end(lambda end: finish(success=end.failure is None, error=end.error, outcome=end))

    def _fenced(self, act: Callable[[], None]) -> None:
        """Bookkeeping beside a call that must not be touched: it may fail, and is counted, but never raises."""
        try:
            act()
        except Exception:  # noqa: BLE001 - fail open
            self._kit.bug()

    # -- small things

    def _own(self) -> ModelSpec:
        call = self._call
        return self._kit.find(call.provider, call.model) or ModelSpec(call.model, call.provider, Tier.MID)

    def _flow_plan(self, decision: RoutingDecision) -> Plan:
        own, limit = decision.requested, self._kit.max_attempts
        candidates = decision.candidates
        if own is not None and own in candidates[limit:]:
            # The attempts must not run out before the caller's own model, which he would have asked without us.
            candidates = (*candidates[: limit - 1], own)
        return Plan(candidates, decision.reason, own, decision.bound)

    def _expected(self, decision: RoutingDecision) -> Usage:
        body = self._call.body
        caps = (body.get(name) for name in ("max_completion_tokens", "max_tokens", "max_output_tokens"))
        cap = next((cap for cap in caps if isinstance(cap, int)), EXPECTED_OUTPUT_TOKENS)
        return Usage(decision.prompt_tokens, min(cap, EXPECTED_OUTPUT_TOKENS), estimated=True)

    def _sleep(self, seconds: float) -> Callable[[], Any]:
        if self._native.is_async:
            return lambda: asyncio.sleep(seconds)
        return lambda: time.sleep(seconds)


def to_plain(value: Any) -> Any:
    """A body as the SDK will put it on the wire: mappings, lists and scalars only."""
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(mode="json", exclude_unset=True)
    return [to_plain(item) for item in value]


def _word(exc: BaseException) -> str:
    name = type(exc).__name__
    return "cancelled" if name in {"CancelledError", "GeneratorExit", "KeyboardInterrupt"} else name
