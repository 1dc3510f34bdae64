"""One attempt carried out: steps of I/O, and what came of them as an Outcome.

The same code serves blocking and awaiting clients: a step is a callable whose result the driver awaits or not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from llm_router_middleware.dialects.base import Answer, Translator
from llm_router_middleware.engine.call import Attempt, Call, Failure, FailureKind, Outcome
from llm_router_middleware.engine.drive import Plan
from llm_router_middleware.engine.fence import fenced, report
from llm_router_middleware.engine.streams import Tap, decoder_for, open_until_content
from llm_router_middleware.engine.watch import Reader, Watch
from llm_router_middleware.errors import RefusedAnswerError, RuledOutError, TranslationError
from llm_router_middleware.models.spec import ModelSpec
from llm_router_middleware.providers.answers import (
    as_payload,
    content_type,
    error_within,
    http_response,
    is_refusal,
    read_timeout,
    request_id,
)
from llm_router_middleware.providers.trade import Trade

__all__ = ["Performer"]

_NO_STREAMS = frozenset({"text/html", "text/plain", "application/json", "application/xml", "text/xml"})
"""What a provider never answers a request for a stream with: a captive portal, or a server that ignores `stream`."""

_PAGE_CHUNKS = 64
"""How many chunks of such a page are kept."""

SERVED_BY = "x-llm-router-provider"
SERVED_MODEL = "x-llm-router-model"


class _Hand:
    """What an attempt has been given and not yet handed on."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: Any = None


class Performer:
    """Carries out the attempts of one call.

    Args:
        call: what was asked.
        native: the caller's own client, with this call's options.
        trade: the skills.
        plain: the caller's body as plain JSON types, made when a translation needs it.
    """

    def __init__(self, call: Call, native: Any, trade: Trade, plain: Callable[[], dict[str, Any]]) -> None:
        self._call = call
        self._native = native
        self._trade = trade
        self._plain = plain
        self._asked: Counter[str] = Counter()
        self.last: Outcome | None = None
        self.asked: ModelSpec | None = None

    def __call__(self, attempt: Attempt) -> Plan[Outcome]:
        """Makes one request and says what came of it. Raises only what is thrown into it from outside."""
        self.asked, hand = attempt.model, _Hand()
        try:
            outcome = yield from (
                self._ask_native(attempt, hand) if attempt.native else self._ask_foreign(attempt, hand)
            )
        except GeneratorExit:
            raise  # there is nobody any more who could do a further step
        except BaseException:
            yield from self._let_go(hand.value)
            raise
        self.last = outcome
        return outcome

    def _let_go(self, value: Any) -> Plan[None]:
        """A cancellation, or a bug of ours, in the midst of an attempt: gives the connection of its answer back."""
        response = fenced(http_response, value)
        if response is None or response.is_closed:
            return
        try:
            yield response.aclose if self._native.is_async else response.close
        except Exception as bug:  # noqa: BLE001 - what has brought us here is what shall be raised
            report("a connection may be lost", bug)

    # -- the caller's own client

    def _ask_native(self, attempt: Attempt, hand: _Hand) -> Plan[Outcome]:
        began = self._trade.now()
        raised = yield from self._sent(self._request(attempt), hand)
        if raised is not None and fenced(self._native.has_renewed, raised.error):
            raised = yield from self._sent(self._request(attempt), hand)
        if raised is not None:
            return raised
        value = hand.value
        retries = self._asked[attempt.model.name] - 1
        if retries and hasattr(value, "retries_taken"):
            value.retries_taken = retries
        failure = self._trade.classify_value(value)
        if failure is not None:
            return Outcome(value=value, failure=failure)
        response = http_response(value)
        if response is not None and not response.is_closed and (self._call.stream or self._native.request.raw):
            return (yield from self._follow(value, response, attempt, began))
        if response is not None and self._call.stream:
            return self._look_back(value, response)
        payload = as_payload(value, response)
        usage, model = (None, None) if payload is None else self._trade.read_usage(self._call.wire, payload)
        failure = self._shortcoming(value if response is None else payload)
        return Outcome(value=value, failure=failure, usage=usage, served_model=model)

    def _shortcoming(self, answer: Any) -> Failure | None:
        """Why a whole answer that the SDK took without complaint is none."""
        error = error_within(answer)
        if error is not None:
            return self._trade.classify_body(self._call.wire, error)
        return Failure(FailureKind.REFUSAL) if self._trade.refusal_failover and is_refusal(answer) else None

    def _sent(self, request: Callable[[], Any], hand: _Hand) -> Plan[Outcome | None]:
        """One request: what the SDK raises is an outcome, what it returns is in hand."""
        try:
            hand.value = yield request
        except Exception as exc:  # noqa: BLE001 - the SDK's errors are data from here on
            return Outcome(error=exc, failure=self._trade.classify(exc))
        return None

    def _request(self, attempt: Attempt) -> Callable[[], Any]:
        name = attempt.model.name
        retries = self._asked[name]
        self._asked[name] += 1
        model = name if attempt.rewritten else None
        request: Callable[[], Any] = self._native.attempt(
            model, attempt.timeout_s, retries, with_usage=self._adds_usage
        )
        return request

    def _follow(self, value: Any, response: Any, attempt: Attempt, began: float) -> Plan[Outcome]:
        """Puts a tap into a response whose body the SDK has not read, and reads ahead to the first content."""
        watch, tap = self._tapped(response, self._reader_of(response))
        response.stream = tap
        outcome = Outcome(value=value, watch=watch)
        if self._call.stream and content_type(response) in _NO_STREAMS:
            outcome.failure = yield from self._read_all(tap)
        else:
            outcome.failure = yield from self._read_ahead(tap, watch, attempt, began)
        if outcome.failure is not None:
            outcome.watch = None
            late = outcome.failure.kind is FailureKind.TIMEOUT
            tap.stop_at(tap.error or (read_timeout(response) if late else None))
            yield from self._release(tap)
        return outcome

    def _look_back(self, value: Any, response: Any) -> Outcome:
        """A stream whose bytes are all there already, as those of in-memory transports are."""
        reader = self._reader_of(response)
        response._content = reader.feed(response.content) + reader.end()
        return Outcome(value, failure=reader.failure, usage=reader.usage, served_model=reader.served_model)

    def _reader_of(self, response: Any) -> Reader:
        if self._adds_usage:
            return self._trade.usage_filter()
        return self._trade.reader(self._call.wire, content_type(response))

    @property
    def _adds_usage(self) -> bool:
        """Whether this is a stream of OpenAI itself that did not ask for its usage: we do, and keep it to ourselves."""
        call = self._call
        return (
            self._trade.include_usage
            and call.stream
            and call.wire == "openai_chat"
            and call.endpoint.startswith("openai@https://api.openai.com")
            and not call.body.get("stream_options")
        )

    def _read_all(self, tap: Tap) -> Plan[Failure]:
        """A page where a stream was asked for: kept for the SDK to make of it what it will, if nobody else answers."""
        pull = tap.apull if self._native.is_async else tap.pull
        try:
            for _ in range(_PAGE_CHUNKS):
                chunk = yield pull
                if chunk is None:
                    break
                tap.replay(chunk)
        except Exception as exc:  # noqa: BLE001 - replayed to the SDK
            tap.stop_at(exc)
        return Failure(FailureKind.HTML)

    def _tapped(self, response: Any, reader: Reader) -> tuple[Watch, Tap]:
        try:
            decode = decoder_for(response.headers.get("content-encoding", ""))
        except LookupError:
            decode, reader = None, self._trade.reader(self._call.wire, "")
        watch = Watch(reader, decode)
        return watch, Tap(response.stream, watch, self._trade.classify)

    def _read_ahead(self, tap: Tap, watch: Watch, attempt: Attempt, began: float) -> Plan[Failure | None]:
        limit = attempt.first_token_s
        pull = tap.apull if self._native.is_async else tap.pull
        return (
            yield from open_until_content(
                tap, watch, pull, lambda: limit is not None and self._trade.now() - began > limit
            )
        )

    def _release(self, tap: Tap) -> Plan[None]:
        """Gives the connection of a failed stream back; what was read of it stays to be replayed."""
        stream = tap.__wrapped__
        try:
            yield stream.aclose if self._native.is_async else stream.close
        except Exception as exc:  # noqa: BLE001 - the stream has failed already; this is not the failure to report
            tap.stop_at(tap.error or exc)

    # -- another provider's client

    def _ask_foreign(self, attempt: Attempt, hand: _Hand) -> Plan[Outcome]:
        call, trade, model = self._call, self._trade, attempt.model
        wire = trade.target_wire(call.wire, call.body, model, trade.backends.wire(model.provider))
        translator = trade.translator(call.wire, wire)
        if translator is None:
            return (yield from self._say(Failure(FailureKind.TRANSLATION, sent=False), attempt))
        try:
            translation = translator.request(self._plain(), model, call.limits.lossy)
            backend = trade.backends.get(model.provider, self._native.is_async)
        except (RuledOutError, ImportError, RuntimeError):  # RuntimeError: no asyncio loop to keep connections in
            return (yield from self._say(Failure(FailureKind.TRANSLATION, sent=False), attempt))
        began = trade.now()
        try:
            raw = hand.value = yield backend.post(wire, translation.body, attempt.timeout_s or call.timeout_s)
        except Exception as exc:  # noqa: BLE001 - the backend's errors are data from here on
            return (yield from self._say(trade.classify(exc), attempt))
        response = http_response(raw)
        if call.stream:
            outcome = yield from self._translate_stream(response, wire, translator, attempt, began)
        else:
            outcome = yield from self._translate_whole(response, wire, translator, attempt)
        outcome.dropped = translation.dropped
        return outcome

    def _translate_whole(self, response: Any, wire: Any, translator: Translator, attempt: Attempt) -> Plan[Outcome]:
        trade = self._trade
        try:
            yield response.aread if self._native.is_async else response.read
            payload = json.loads(response.content)
        except Exception as exc:  # noqa: BLE001 - a broken body is the backend's failure
            return (yield from self._say(trade.classify(exc), attempt))
        if not isinstance(payload, dict):
            return (yield from self._say(Failure(FailureKind.BAD_JSON), attempt))
        error = error_within(payload)
        if error is not None:
            return (yield from self._say(trade.classify_body(wire, error), attempt))
        usage, served = trade.read_usage(wire, payload)
        try:
            answer = translator.answer(payload, self._about(response, attempt, served))
        except TranslationError as exc:
            refused = isinstance(exc, RefusedAnswerError)
            return (yield from self._say(Failure(FailureKind.REFUSAL if refused else FailureKind.TRANSLATION), attempt))
        headers = self._headers(response, attempt, "application/json")
        value = yield trade.shadows.say(self._native, 200, headers, json.dumps(answer).encode())
        return Outcome(value=value, usage=usage, served_model=served)

    def _translate_stream(
        self, response: Any, wire: Any, translator: Translator, attempt: Attempt, began: float
    ) -> Plan[Outcome]:
        trade = self._trade
        machine = translator.stream(self._about(response, attempt, None))
        watch, tap = self._tapped(response, trade.translating_reader(self._call.wire, wire, machine))
        if content_type(response) in _NO_STREAMS:
            failure: Failure | None = Failure(FailureKind.HTML)
        else:
            failure = yield from self._read_ahead(tap, watch, attempt, began)
        if failure is not None:
            yield from self._release(tap)
            return (yield from self._say(failure, attempt))
        headers = self._headers(response, attempt, "text/event-stream")
        value = yield trade.shadows.say(self._native, 200, headers, None, tap)
        return Outcome(value=value, watch=watch)

    def _about(self, response: Any, attempt: Attempt, served: str | None) -> Answer:
        return Answer(
            model=served or attempt.model.name,
            request_id=request_id(response),
            created=int(self._trade.clock()),
            request=self._call.body,
        )

    def _headers(self, response: Any, attempt: Attempt, kind: str) -> dict[str, str]:
        name = "request-id" if self._call.wire == "anthropic_messages" else "x-request-id"
        return {
            "content-type": kind,
            name: request_id(response),
            SERVED_BY: attempt.model.provider,
            SERVED_MODEL: attempt.model.name,
        }

    def _say(self, failure: Failure, attempt: Attempt) -> Plan[Outcome]:
        """A failure of another provider, as an exception of the caller's own SDK. Nothing of its text is carried."""
        message = f"{attempt.model.provider} failed ({failure.kind.label})"
        status, headers, body = self._trade.error_response(
            self._call.wire, failure.kind, message, retry_after_s=failure.retry_after_s
        )
        answer = self._trade.shadows.say(self._native, status, headers, json.dumps(body).encode())
        try:
            value = yield answer
        except Exception as exc:  # noqa: BLE001 - this is the exception that was wanted
            return Outcome(error=exc, failure=failure)
        return Outcome(value=value, failure=failure)
