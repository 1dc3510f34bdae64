"""From a request to its reply: who may ask, what is understood, what is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from llm_router_middleware.sandbox import text
from llm_router_middleware.sandbox.answer import Answer, Envelope, answer
from llm_router_middleware.sandbox.ask import Rejected
from llm_router_middleware.sandbox.behaviour import Behaviour
from llm_router_middleware.sandbox.errors import Fault, fault_of
from llm_router_middleware.sandbox.origins import Origin
from llm_router_middleware.sandbox.recording import RecordedRequest
from llm_router_middleware.sandbox.script import Script
from llm_router_middleware.sandbox.wires.base import Frame, Wire

__all__ = ["Exchange", "Reply"]

_HTML = b"""<!DOCTYPE html>
<html><head><title>Sign in to the network</title></head>
<body><h1>Welcome</h1><p>Please accept the terms to go on.</p></body></html>
"""
_BROKEN = b'{"id": "broken", "object": "chat.completion", "choices": [{"index": 0, "mess'


@dataclass(frozen=True, slots=True)
class Reply:
    """What is to be said, before anything goes wrong.

    Attributes:
        status: HTTP.
        headers: without the framing's.
        frames: the body.
        stream: whether it is a stream of events; otherwise the frames are one body of known length.
        ping: keeps a stream alive.
        error_frame: an error within the stream.
        broken_frame: JSON that can't be parsed, within the stream.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    frames: tuple[Frame, ...]
    stream: bool = False
    ping: bytes = b""
    error_frame: bytes = b""
    broken_frame: bytes = b""


class Exchange:
    """One request at one provider.

    Args:
        origin: the provider.
        script: its behaviours.
        models: what it serves; None for any model.
        request: what was asked.
        created: seconds since the epoch.
        strict: look closer at requests.
    """

    def __init__(
        self,
        origin: Origin,
        script: Script,
        models: tuple[str, ...] | None,
        request: RecordedRequest,
        created: int,
        strict: bool = False,
    ) -> None:
        self.origin = origin
        self.script = script
        self.models = models
        self.request = request
        self.strict = strict
        self.outage = script.outage_of(request.model)
        mark = f"{text.digest(origin.name, request.number, created):032x}"
        self.envelope = Envelope(request.number, mark, origin.request_id(mark), created)

    def reply(self) -> tuple[Reply, Behaviour]:
        """The reply, and what happens on its way."""
        if self.outage is not None and self.outage.fails:
            return self._scripted(self.outage), self.outage
        try:
            self._authorise()
            if self.request.method == "GET":
                return self._models()
            return self._perform(self._route(), self._body())
        except Rejected as rejected:
            return self._rejection(rejected), Behaviour()

    def _authorise(self) -> None:
        given = self.origin.given_key(self.request.headers)
        if given != self.origin.key:
            wrong = fault_of(self.origin.name, Behaviour(error="auth")).message
            raise Rejected(self.origin.missing_key() if given is None else wrong, kind="auth")

    def _route(self) -> Wire:
        wire = self.origin.routes().get(self.request.path)
        if wire is None or self.request.method != "POST":
            raise Rejected("", kind="not_found")
        return wire

    def _body(self) -> Mapping[str, Any]:
        body = self.request.json
        if not isinstance(body, dict):
            raise Rejected("We could not parse the JSON body of your request.")
        return body

    def _perform(self, wire: Wire, body: Mapping[str, Any]) -> tuple[Reply, Behaviour]:
        """Answers a valid request; only such a one takes its behaviour from the script."""
        ask = wire.read(body)
        if self.strict:
            wire.strictly(body, self.request.headers)
        self._serves(ask.model)
        behaviour = self.outage or self.script.next(ask.model)
        if behaviour.fails or behaviour.html or (behaviour.bad_json and not ask.stream):
            return self._scripted(behaviour), behaviour
        said = answer(ask, behaviour, self.envelope)
        if ask.stream:
            return self._stream(wire, said, behaviour), behaviour
        if behaviour.error_event_after is not None:
            return self._error(self._inner_fault(behaviour), behaviour, status=200), behaviour
        return self._json(wire.whole(said), behaviour), behaviour

    def _stream(self, wire: Wire, said: Answer, behaviour: Behaviour) -> Reply:
        return Reply(
            200,
            self._headers(behaviour, "text/event-stream; charset=utf-8"),
            tuple(wire.frames(said)),
            stream=True,
            ping=wire.ping,
            error_frame=wire.error_frame(self._inner_fault(behaviour)),
            broken_frame=wire.broken_frame,
        )

    def _serves(self, model: str) -> None:
        if self.models is not None and model not in self.models:
            raise Rejected("", kind="model_not_found")

    def _models(self) -> tuple[Reply, Behaviour]:
        known = self.models if self.models is not None else self.origin.models
        path, _, name = self.request.path.partition(self.origin.models_path)
        if path or (name and not name.startswith("/")):
            raise Rejected("", kind="not_found")
        behaviour = self.outage or self.script.next("")
        if behaviour.fails or behaviour.html or behaviour.bad_json:
            return self._scripted(behaviour), behaviour
        if not name:
            return self._json(self.origin.listing(known), behaviour), behaviour
        wanted = unquote(name[1:])
        if wanted not in known:
            missing = fault_of(self.origin.name, Behaviour(error="model_not_found"))
            return self._error(self._worded(missing, wanted), behaviour), behaviour
        return self._json(self.origin.model(wanted), behaviour), behaviour

    def _scripted(self, behaviour: Behaviour) -> Reply:
        if behaviour.html:
            return self._whole(behaviour.status, _HTML, self._headers(behaviour, "text/html; charset=utf-8"))
        if behaviour.bad_json:
            return self._whole(behaviour.status, _BROKEN, self._headers(behaviour, "application/json"))
        return self._error(self._worded(fault_of(self.origin.name, behaviour)), behaviour)

    def _rejection(self, rejected: Rejected) -> Reply:
        known = fault_of(self.origin.name, Behaviour(error=rejected.kind))
        told = replace(
            known,
            message=rejected.message or known.message,
            code=rejected.code or known.code,
            param=rejected.param or known.param,
        )
        return self._error(self._worded(told), Behaviour())

    def _inner_fault(self, behaviour: Behaviour) -> Fault:
        """The error that an answer under status 200 carries."""
        return self._worded(fault_of(self.origin.name, replace(behaviour, error=behaviour.error or "overloaded")))

    def _worded(self, fault: Fault, model: str | None = None) -> Fault:
        """The fault, with the names of this request in its message."""
        message = fault.message
        values = {"model": model or self.request.model, "method": self.request.method, "path": self.request.path}
        for name, value in values.items():
            message = message.replace(f"{{{name}}}", value)
        return replace(fault, message=message, request_id=self.envelope.request_id)

    def _error(self, fault: Fault, behaviour: Behaviour, status: int | None = None) -> Reply:
        headers = self._headers(behaviour, "application/json", fault)
        return self._whole(status or fault.status, text.dump(self.origin.error_body(fault)), headers)

    def _json(self, body: dict[str, Any], behaviour: Behaviour) -> Reply:
        return self._whole(200, text.dump(body), self._headers(behaviour, "application/json"))

    def _whole(self, status: int, body: bytes, headers: tuple[tuple[str, str], ...]) -> Reply:
        return Reply(status, headers, (Frame(body, content=True),))

    def _headers(
        self, behaviour: Behaviour, content_type: str, fault: Fault | None = None
    ) -> tuple[tuple[str, str], ...]:
        headers = {"content-type": content_type, **self.origin.headers(self.envelope, behaviour, fault)}
        if behaviour.retry_after is not None:
            headers["retry-after"] = str(behaviour.retry_after)
        headers |= {name.lower(): value for name, value in behaviour.headers.items()}
        return tuple((name, value) for name, value in headers.items() if value)
