"""What makes a translator: three functions, or two translators one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from llm_router_middleware.dialects.base import Answer, Frame, StreamTranslator, Translation, Translator
from llm_router_middleware.dialects.request import Request
from llm_router_middleware.engine.call import Wire
from llm_router_middleware.models.spec import ModelSpec

__all__ = ["Chain", "Pair", "Wording"]


class Wording(Translator, Protocol):
    """A translator that takes a request as it was read, so that it is read once for all its candidates."""

    def worded(self, request: Request, target: ModelSpec, lossy: frozenset[str]) -> Translation:
        """Puts the caller's request into the target's words.

        Raises:
            RuledOutError: the target can't honour a parameter.
        """
        ...


@dataclass(frozen=True, slots=True)
class Pair:
    """A translator made of three functions.

    Attributes:
        caller: the caller's wire.
        to_target: puts a request into the target's words.
        from_target: puts a whole answer into the caller's words.
        machine: makes what does so with a streamed one.
    """

    caller: Wire
    to_target: Callable[[Request, ModelSpec, frozenset[str]], Translation]
    from_target: Callable[[dict[str, Any], Answer], dict[str, Any]]
    machine: Callable[[Answer], StreamTranslator]

    def request(self, body: Mapping[str, Any], target: ModelSpec, lossy: frozenset[str]) -> Translation:
        """Puts the caller's body into the target's words."""
        return self.to_target(Request(self.caller, body), target, lossy)

    def worded(self, request: Request, target: ModelSpec, lossy: frozenset[str]) -> Translation:
        """Puts the caller's request into the target's words."""
        return self.to_target(request, target, lossy)

    def answer(self, payload: dict[str, Any], answer: Answer) -> dict[str, Any]:
        """Puts the target's whole answer into the caller's words."""
        return self.from_target(payload, answer)

    def stream(self, answer: Answer) -> StreamTranslator:
        """A fresh machine for one streamed answer."""
        return self.machine(answer)


@dataclass(frozen=True, slots=True)
class Chain:
    """Two translators in a row: the caller's wire to OpenAI's chat dialect, and from there to the target's.

    Attributes:
        near: the caller's side.
        far: the target's side.
    """

    near: Pair
    far: Pair

    def request(self, body: Mapping[str, Any], target: ModelSpec, lossy: frozenset[str]) -> Translation:
        """Puts the caller's body into the target's words."""
        return self.worded(Request(self.near.caller, body), target, lossy)

    def worded(self, request: Request, target: ModelSpec, lossy: frozenset[str]) -> Translation:
        """Puts the caller's request into the target's words."""
        first = self.near.worded(request, target, lossy)
        second = self.far.request(first.body, target, lossy)
        return Translation(second.body, (*first.dropped, *second.dropped))

    def answer(self, payload: dict[str, Any], answer: Answer) -> dict[str, Any]:
        """Puts the target's whole answer into the caller's words."""
        return self.near.answer(self.far.answer(payload, _between(answer)), answer)

    def stream(self, answer: Answer) -> StreamTranslator:
        """A fresh machine for one streamed answer."""
        return _ChainedStream(self.near.stream(answer), self.far.stream(_between(answer)))


def _between(answer: Answer) -> Answer:
    """Of the answer between the two: it must report its usage, whether or not the caller wants to see it."""
    return replace(answer, request={"stream_options": {"include_usage": True}})


class _ChainedStream:
    """Two machines in a row."""

    __slots__ = ("_far", "_near", "committed")

    def __init__(self, near: StreamTranslator, far: StreamTranslator) -> None:
        self.committed = False
        self._near = near
        self._far = far

    def feed(self, name: str | None, data: dict[str, Any]) -> Sequence[Frame]:
        frames = self._through(self._far.feed(name, data))
        self.committed = self._near.committed
        return frames

    def end(self) -> Sequence[Frame]:
        frames = [*self._through(self._far.end()), *self._near.end()]
        self.committed = self._near.committed
        return frames

    def _through(self, frames: Sequence[Frame]) -> list[Frame]:
        return [out for name, data in frames for out in self._near.feed(name, data)]
