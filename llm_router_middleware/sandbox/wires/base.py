"""What a wire format owes to its provider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llm_router_middleware.sandbox.answer import Answer
from llm_router_middleware.sandbox.ask import Ask
from llm_router_middleware.sandbox.errors import Fault
from llm_router_middleware.sandbox.text import dump

__all__ = ["Frame", "Wire", "event"]


@dataclass(frozen=True, slots=True)
class Frame:
    """A piece of a body.

    Attributes:
        data: its bytes.
        content: whether it carries content; positions count these.
    """

    data: bytes
    content: bool = False


class Wire:
    """A wire format. Pure: dicts in, dicts and bytes out. One that is never streamed has only `read` and `whole`."""

    ping: bytes = b""
    """What keeps a waiting stream alive."""

    broken_frame: bytes = b""
    """A piece of a stream whose JSON can't be parsed."""

    def read(self, body: Mapping[str, Any]) -> Ask:
        """Understands a request.

        Raises:
            Rejected: the provider would not take it.
        """
        raise NotImplementedError

    def strictly(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        """Looks closer at a request that `read` has taken.

        Raises:
            Rejected: the provider would not take it.
        """

    def whole(self, answer: Answer) -> dict[str, Any]:
        """The answer in one piece."""
        raise NotImplementedError

    def frames(self, answer: Answer) -> Iterator[Frame]:
        """The answer as a stream, terminator included."""
        raise NotImplementedError

    def error_frame(self, fault: Fault) -> bytes:
        """An error within a stream."""
        raise NotImplementedError


def event(data: Any, name: str | None = None) -> bytes:
    """A server-sent event."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + dump(data) + b"\n\n"
