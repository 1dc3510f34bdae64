"""From a request to its reply: who may ask, what is understood, what is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from llm_router_middleware.sandbox import text
from llm_router_middleware.sandbox.answer import Envelope, answer
from llm_router_middleware.sandbox.ask import Rejected
from llm_router_middleware.sandbox.behaviour import Behaviour
from llm_router_middleware.sandbox.errors import fault_of
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
        mark = f"{text.digest(origin.name, request.number, created):032x}"
        self.envelope = Envelope(request.number, mark, origin.request_id(mark), created)

    def reply(self) -> tuple[Reply, Behaviour]:
        """The reply, and what happens on its way."""
        outage = self.script.outage_of(self.request.model)
        if outage is not None:
            return self._scripted(outage), outage
        try:
            self._authorise()
            if self.request.method == "GET":
                return self._models()
            wire = self._route()
            body = self._body()
            return self._perform(wire, body)
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
        behaviour = self.script.next(ask.model)
        if behaviour.fails or behaviour.html or (behaviour.bad_json and not ask.stream):
            return self._scripted(behaviour), behaviour
        if behaviour.error_event_after is not None and not ask.stream:
            return self._error(replace(behaviour, error=behaviour.error or "server"), status=200), behaviour
        said = answer(ask, behaviour, self.envelope)
        if not ask.stream:
            return self._json(200, wire.whole(said), behaviour), behaviour
        failing = fault_of(self.origin.name, behaviour if behaviour.error else replace(behaviour, error="overloaded"))
        reply = Reply(
            200,
            self._headers(behaviour, {"content-type": "text/event-stream; charset=utf-8"}),
            tuple(wire.frames(said)),
            stream=True,
            ping=wire.ping,
            error_frame=wire.error_frame(failing),
            broken_frame=wire.broken_frame,
        )
        return reply, behaviour

    def _serves(self, model: str) -> None:
        if self.models is not None and model not in self.models:
            raise Rejected("", kind="model_not_found")

    def _models(self) -> tuple[Reply, Behaviour]:
        known = self.models if self.models is not None else self.origin.models
        path, _, name = self.request.path.partition(self.origin.models_path)
        if path or (name and not name.startswith("/")):
            raise Rejected("", kind="not_found")
        behaviour = self.script.next("")
        if behaviour.fails or behaviour.html or behaviour.bad_json:
            return self._scripted(behaviour), behaviour
        if not name:
            return self._json(200, self.origin.listing(known), behaviour), behaviour
        wanted = unquote(name[1:])
        if wanted not in known:
            return self._error(Behaviour(error="model_not_found"), model=wanted), behaviour
        return self._json(200, self.origin.model(wanted), behaviour), behaviour

    def _scripted(self, behaviour: Behaviour) -> Reply:
        if behaviour.html:
            html = {"content-type": "text/html; charset=utf-8"}
            return Reply(behaviour.status, self._headers(behaviour, html), (Frame(_HTML, content=True),))
        if behaviour.bad_json:
            body = (Frame(_BROKEN, content=True),)
            return Reply(behaviour.status, self._headers(behaviour, {"content-type": "application/json"}), body)
        return self._error(behaviour)

    def _error(self, behaviour: Behaviour, status: int | None = None, model: str | None = None) -> Reply:
        fault = fault_of(self.origin.name, behaviour)
        values = {"model": model or self.request.model, "method": self.request.method, "path": self.request.path}
        message = fault.message
        for name, value in values.items():
            message = message.replace(f"{{{name}}}", value)
        fault = replace(fault, message=message, request_id=self.envelope.request_id)
        headers = self.origin.headers(self.envelope, behaviour, fault)
        body = text.dump(self.origin.error_body(fault))
        json_type = {"content-type": "application/json"}
        return Reply(status or fault.status, _merged(headers, json_type, behaviour), (Frame(body, content=True),))

    def _rejection(self, rejected: Rejected) -> Reply:
        known = fault_of(self.origin.name, Behaviour(error=rejected.kind))
        message = rejected.message or known.message
        reply = self._error(Behaviour(error=rejected.kind, message=message, error_code=rejected.code))
        if rejected.param is None or self.origin.name != "openai":
            return reply
        fault = replace(known, message=message, code=rejected.code or known.code, param=rejected.param)
        body = text.dump(self.origin.error_body(fault))
        return replace(reply, frames=(Frame(body, content=True),))

    def _json(self, status: int, body: dict[str, Any], behaviour: Behaviour) -> Reply:
        headers = self._headers(behaviour, {"content-type": "application/json"})
        return Reply(status, headers, (Frame(text.dump(body), content=True),))

    def _headers(self, behaviour: Behaviour, first: dict[str, str]) -> tuple[tuple[str, str], ...]:
        return _merged(self.origin.headers(self.envelope, behaviour, None), first, behaviour)


def _merged(usual: dict[str, str], first: dict[str, str], behaviour: Behaviour) -> tuple[tuple[str, str], ...]:
    headers = {**first, **usual}
    if behaviour.retry_after is not None:
        headers["retry-after"] = str(behaviour.retry_after)
    headers |= {name.lower(): value for name, value in behaviour.headers.items()}
    return tuple((name, value) for name, value in headers.items() if value)
