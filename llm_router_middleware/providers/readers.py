"""Who reads the bytes of a streamed answer: by its content type, and by whether it is translated on its way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from llm_router_middleware.dialects.base import StreamTranslator
from llm_router_middleware.dialects.errors import error_frame, in_band_error
from llm_router_middleware.dialects.observe import is_content, is_terminator, served_model
from llm_router_middleware.dialects.sse import SseDecoder, encode, terminator
from llm_router_middleware.dialects.usage import StreamUsage, TokenCounts, read_usage
from llm_router_middleware.engine.call import Failure, FailureKind, Wire
from llm_router_middleware.engine.fence import fenced, report
from llm_router_middleware.errors import TranslationError, TruncatedStreamError
from llm_router_middleware.events.event import Usage

__all__ = ["BodyReader", "NativeReader", "TranslatingReader", "UsageFilter", "reader_for", "usage_of"]

_LAST_EVENT_ENDS: frozenset[Wire] = frozenset({"anthropic_messages", "openai_responses"})
"""Wires whose last event is the end; of chat chunks the one with the finish reason may be followed by usage."""

_TELLING = (b'"usage":{', b'"usage": {', b'"finish_reason":"', b'"finish_reason": "', b"[DONE]", b'"error"')
"""What stands in the events of a chat stream that say how it ends, and in few others."""

_LAST_EVENTS = 6
"""How many events of a stream's end are read: usage, terminator and an in-band error stand in the last three."""

ClassifyBody = Callable[[Wire, Mapping[str, Any]], Failure]


def reader_for(wire: Wire | str, content_type: str, classify_body: ClassifyBody) -> Any:
    """The reader of a response's body, which the SDK has not read yet."""
    if content_type == "text/event-stream":
        return NativeReader(wire, classify_body)  # type: ignore[arg-type]
    return BodyReader(wire if content_type == "application/json" else "")


class NativeReader:
    """Reads the events of a provider's own stream, to know when it commits and how it ends."""

    translating = False

    def __init__(self, wire: Wire, classify_body: ClassifyBody) -> None:
        self.committed = False
        self.finished = False
        self.failure: Failure | None = None
        self.served_model: str | None = None
        self._wire: Wire = wire
        self._classify_body = classify_body
        self._decoder = SseDecoder()
        self._usage = StreamUsage(wire)

    @property
    def sealed(self) -> bool:
        """openai reads no further than [DONE], or drops what it reads there; the others pass on what breaks."""
        return self.finished and self._wire == "openai_chat"

    @property
    def usage(self) -> Usage | None:
        """Tokens that the stream has reported so far."""
        return usage_of(self._usage.counts)

    def feed(self, chunk: bytes) -> bytes:
        """Reads what has come; hands it on as it is."""
        for name, data in self._decoder.feed(chunk):
            self._event(name, data)
        return chunk

    def end(self) -> bytes:
        """Nothing to add: the stream is the provider's own."""
        return b""

    def tail(self, chunk: bytes, *, continued: bool) -> None:
        """Reads the stream's last events; what was cut off at their beginning is not an event, and is passed over."""
        last = chunk.rsplit(b"\n\n", _LAST_EVENTS)
        if len(last) > _LAST_EVENTS or not continued:
            self._decoder = SseDecoder()
            chunk = b"\n\n".join(last[1:])
        for name, data in (*self._decoder.feed(chunk), *self._decoder.end()):
            self._event(name, data)

    def withheld(self) -> bytes | None:
        """Nothing: what comes is handed on."""
        return b""

    def break_off(self, failure: Failure) -> bytes | None:  # noqa: ARG002 - a translating reader needs it
        """The SDK sees the failure itself."""
        return None

    def _event(self, name: str | None, data: str) -> None:
        if is_terminator(self._wire, name, data):
            self.finished = True
            return
        payload = _json_object(data)
        if payload is None:
            # Read ahead, it is what the SDK will choke on. Of the tail it may be the piece of an event.
            if not self.committed:
                self.failure = Failure(FailureKind.BAD_JSON)
            return
        if in_band_error(self._wire, name, payload) is not None:
            self.failure = self._classify_body(self._wire, payload)
            return
        self._usage.feed(payload)
        self.served_model = self.served_model or served_model(self._wire, payload)
        self.committed = self.committed or is_content(self._wire, name, payload)
        self.finished = self.finished or is_terminator(self._wire, name, payload)


class UsageFilter(NativeReader):
    """Reads a stream of OpenAI that we asked for its usage, and withholds the one chunk that the caller didn't ask for.

    Bytes are handed on event by event, so that an event cut in two by the network can be withheld as a whole.
    """

    translating = True

    def __init__(self, classify_body: ClassifyBody) -> None:
        super().__init__("openai_chat", classify_body)
        self._rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """Hands on the events that are complete, less the one that carries usage alone."""
        whole, cut, rest = (self._rest + chunk).rpartition(b"\n\n")
        # Past the first content only the events that say how it ends are read: reading each would cost a tenth.
        if not self.committed or any(mark in whole for mark in _TELLING):
            self._learn(whole + cut)
        if b'"choices":[]' in whole or b'"choices": []' in whole:
            shown = b"".join(event + b"\n\n" for event in whole.split(b"\n\n") if not _is_usage_alone(event))
        else:
            shown = whole + cut
        self._rest = rest
        return shown

    def _learn(self, events: bytes) -> None:
        try:
            super().feed(events)
        except Exception as bug:  # noqa: BLE001 - the extra chunk must not come through because we can't count
            report("a stream's usage is not known", bug)
            self.finished = True

    def withheld(self) -> bytes | None:
        """What came of an event that is not complete."""
        return self._rest

    def end(self) -> bytes:
        """What the stream ended with that was no whole event."""
        rest, self._rest = self._rest, b""
        if rest:
            self._learn(rest + b"\n\n")
        return rest


class BodyReader:
    """A body that is no stream of events: a JSON answer that the caller reads himself, or bytes of a kind unknown."""

    translating = False
    committed = True
    sealed = False
    failure: Failure | None = None

    def __init__(self, wire: Wire | str) -> None:
        # Of bytes that we can't read there is no terminator to wait for: their end is the end.
        self.finished = not wire
        self.usage: Usage | None = None
        self.served_model: str | None = None
        self._wire = wire

    def feed(self, chunk: bytes) -> bytes:
        """Hands on what has come."""
        return chunk

    def end(self) -> bytes:
        """Nothing to add."""
        return b""

    def tail(self, chunk: bytes, *, continued: bool) -> None:
        """Reads the answer, if all of it is there."""
        payload = _json_object(chunk) if continued and self._wire else None
        if payload is None:
            self.finished = self.finished or not continued
            return
        self.finished = True
        self.usage = usage_of(read_usage(self._wire, payload))  # type: ignore[arg-type]
        self.served_model = served_model(self._wire, payload)  # type: ignore[arg-type]

    def withheld(self) -> bytes | None:
        """Nothing: what comes is handed on."""
        return b""

    def break_off(self, failure: Failure) -> bytes | None:  # noqa: ARG002 - a translating reader needs it
        """The SDK sees the failure itself."""
        return None


class TranslatingReader:
    """Reads another provider's stream and says it in the caller's words.

    Args:
        caller: the caller's wire.
        target: the wire of the provider that answers.
        machine: turns the target's events into the caller's.
        classify_body: what an in-band error of the target means.
    """

    translating = True

    def __init__(self, caller: Wire, target: Wire, machine: StreamTranslator, classify_body: ClassifyBody) -> None:
        self.finished = False
        self.failure: Failure | None = None
        self.served_model: str | None = None
        self._caller: Wire = caller
        self._target: Wire = target
        self._machine = machine
        self._classify_body = classify_body
        self._decoder = SseDecoder()
        self._usage = StreamUsage(target)
        self._ended = False

    @property
    def committed(self) -> bool:
        """Whether a frame with content has been handed on."""
        return self._machine.committed

    @property
    def sealed(self) -> bool:
        """Behind the closing frames nothing more is handed on."""
        return self.finished

    @property
    def usage(self) -> Usage | None:
        """Tokens that the target has reported so far."""
        return usage_of(self._usage.counts)

    def feed(self, chunk: bytes) -> bytes:
        """Reads the target's events, returns the caller's."""
        return self._take(self._decoder.feed(chunk))

    def _take(self, events: list[tuple[str | None, str]]) -> bytes:
        out = bytearray()
        for name, data in events:
            if self._ended:
                break
            try:
                self._event(name, data, out)
            except TranslationError:
                out += self._fail(self.failure or Failure(FailureKind.TRANSLATION))
        return bytes(out)

    def _event(self, name: str | None, data: str, out: bytearray) -> None:
        if is_terminator(self._target, name, data):
            out += self._close()
            return
        payload = _json_object(data)
        if payload is None:
            out += self._fail(Failure(FailureKind.BAD_JSON))
            return
        if in_band_error(self._target, name, payload) is not None:
            out += self._fail(self._classify_body(self._target, payload))
            return
        fenced(self._account, payload)
        out += self._encode(self._machine.feed(name, payload))
        if self._target in _LAST_EVENT_ENDS and is_terminator(self._target, name, payload):
            out += self._close()

    def _account(self, payload: dict[str, Any]) -> None:
        self._usage.feed(payload)
        self.served_model = self.served_model or served_model(self._target, payload)

    def end(self) -> bytes:
        """The target's stream has ended: the closing frames, or the failure that it is to end without a terminator."""
        return self._take(self._decoder.end()) + self._close()

    def _close(self) -> bytes:
        if self._ended:
            return b""
        try:
            last = self._encode(self._machine.end())
        except TruncatedStreamError:
            return self._fail(Failure(FailureKind.TRUNCATED))
        except TranslationError:
            return self._fail(Failure(FailureKind.TRANSLATION))
        self._ended = self.finished = True
        return last + terminator(self._caller)

    def tail(self, chunk: bytes, *, continued: bool) -> None:
        """Nothing is kept of a stream that is read as it comes."""

    def withheld(self) -> bytes | None:
        """The caller's SDK can't read the target's own bytes."""
        return None

    def break_off(self, failure: Failure) -> bytes:
        """The target's stream broke: the failure in the caller's in-band form, as his own provider would say it."""
        return b"" if self.finished else self._fail(failure)

    def _fail(self, failure: Failure) -> bytes:
        self._ended = True
        self.failure = failure
        if not self.committed:
            return b""
        message = f"the upstream stream broke off ({failure.kind.label})"
        return encode(self._caller, error_frame(self._caller, failure.kind, message))

    def _encode(self, frames: Any) -> bytes:
        return b"".join(encode(self._caller, frame) for frame in frames)


def usage_of(counts: TokenCounts | None) -> Usage | None:
    """Counts of a dialect as the event keeps them."""
    return None if counts is None else Usage(**counts)


def _is_usage_alone(event: bytes) -> bool:
    payload = _json_object(event.removeprefix(b"data:").strip())
    return payload is not None and payload.get("choices") == [] and bool(payload.get("usage"))


def _json_object(data: str | bytes) -> dict[str, Any] | None:
    try:
        payload = json.loads(data)
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None
