"""Another provider on the caller's own wire: an OpenAI-compatible server, a gateway. The body goes nearly as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm_router_middleware.dialects.base import Answer, Frame, StreamTranslator, Translation
from llm_router_middleware.dialects.fit import Seat, refusal
from llm_router_middleware.dialects.ids import pseudonym
from llm_router_middleware.dialects.observe import is_content, is_terminator
from llm_router_middleware.dialects.reading import as_map
from llm_router_middleware.dialects.request import Request
from llm_router_middleware.engine.call import Wire
from llm_router_middleware.errors import RuledOutError, TranslationError, TruncatedStreamError
from llm_router_middleware.models.spec import ModelSpec

__all__ = ["SameWire"]

_OF_THE_ACCOUNT = frozenset(
    {"metadata", "service_tier", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "store"}
)


@dataclass(frozen=True, slots=True)
class SameWire:
    """The pair of a wire with itself.

    Attributes:
        wire: which.
    """

    wire: Wire

    def request(self, body: Mapping[str, Any], target: ModelSpec, lossy: frozenset[str]) -> Translation:
        """The caller's body, with the model replaced and without what belongs to his account."""
        return self.worded(Request(self.wire, body), target, lossy)

    def worded(self, request: Request, target: ModelSpec, lossy: frozenset[str]) -> Translation:  # noqa: ARG002
        """The same, of a request that was read."""
        body, asked = request.body, request.asked
        if asked.bound is not None:
            raise RuledOutError("request", asked.bound)
        if asked.signatures:
            raise RuledOutError("messages", "its history holds thinking that another provider signed")
        found = refusal(asked, Seat.of(target, self.wire, native=True))
        if found is not None:
            raise RuledOutError(*found)
        kept = {name: value for name, value in body.items() if value is not None and name not in _OF_THE_ACCOUNT}
        for name in ("user", "safety_identifier"):
            if isinstance(kept.get(name), str):
                kept[name] = pseudonym(kept[name])
        user = as_map(body.get("metadata")).get("user_id")
        if self.wire == "anthropic_messages" and isinstance(user, str):
            kept["metadata"] = {"user_id": pseudonym(user)}
        return Translation({**kept, "model": target.name})

    def answer(self, payload: dict[str, Any], answer: Answer) -> dict[str, Any]:  # noqa: ARG002 - the protocol has it
        """The answer as it is."""
        if payload.get("error"):
            raise TranslationError("an error in place of an answer")
        return payload

    def stream(self, answer: Answer) -> StreamTranslator:  # noqa: ARG002 - the protocol has it
        """A machine that hands the events on."""
        return _Relay(self.wire)


class _Relay:
    """Hands the events on, once the first content has come."""

    __slots__ = ("_finished", "_held", "_wire", "committed")

    def __init__(self, wire: Wire) -> None:
        self.committed = False
        self._wire: Wire = wire
        self._held: list[Frame] = []
        self._finished = False

    def feed(self, name: str | None, data: dict[str, Any]) -> Sequence[Frame]:
        self._finished = self._finished or is_terminator(self._wire, name, data)
        if self.committed:
            return ((name, data),)
        self._held.append((name, data))
        if not (self._finished or is_content(self._wire, name, data)):
            return ()
        self.committed = True
        held, self._held = self._held, []
        return held

    def end(self) -> Sequence[Frame]:
        if not self._finished:
            raise TruncatedStreamError("the stream ended without its terminator")
        return ()
