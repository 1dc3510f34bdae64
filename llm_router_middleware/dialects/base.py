"""What a pair of dialects owes to the engine. Implementations are pure: dicts in, dicts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from llm_router_middleware.models.spec import ModelSpec

__all__ = ["Answer", "Frame", "StreamTranslator", "Translation", "Translator"]

Frame = tuple[str | None, dict[str, Any]]
"""One server-sent event of the caller's dialect: its name, if the dialect names events, and its data."""


@dataclass(frozen=True, slots=True)
class Translation:
    """A request in the target's words.

    Attributes:
        body: the target's JSON body, `model` included.
        dropped: parameters that an opt-in let it lose.
    """

    body: dict[str, Any]
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a translator needs to know about the answer besides its body.

    Attributes:
        model: the model that served, as the caller shall read it.
        request_id: the target's request id.
        created: seconds since the epoch.
        request: the caller's own body.
    """

    model: str
    request_id: str
    created: int
    request: Mapping[str, Any]


class StreamTranslator(Protocol):
    """Turns the target's events into the caller's, one answer long."""

    @property
    def committed(self) -> bool:
        """True once a frame has been returned that carries content: from here on there is no failover."""
        ...

    def feed(self, name: str | None, data: dict[str, Any]) -> Sequence[Frame]:
        """Takes one of the target's events, returns the caller's frames for it.

        Raises:
            TranslationError: the event can't be carried, or is the target's in-band error.
        """
        ...

    def end(self) -> Sequence[Frame]:
        """The target's stream has ended: returns the closing frames.

        Raises:
            TruncatedStreamError: it ended without its terminator.
        """
        ...


class Translator(Protocol):
    """One pair: the caller's wire to the target's and back."""

    def request(self, body: Mapping[str, Any], target: ModelSpec, lossy: frozenset[str]) -> Translation:
        """Puts the caller's body into the target's words.

        Raises:
            RuledOutError: the target can't honour a parameter.
        """
        ...

    def answer(self, payload: dict[str, Any], answer: Answer) -> dict[str, Any]:
        """Puts the target's whole answer into the caller's words.

        Raises:
            TranslationError: it can't be carried.
        """
        ...

    def stream(self, answer: Answer) -> StreamTranslator:
        """A fresh machine for one streamed answer."""
        ...
