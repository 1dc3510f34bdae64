"""Server-sent events: bytes in any cut to events, frames to bytes.

The framing is part of the dialect: Anthropic's SDK drops events without a name, Groq's mistakes named events for
something else, OpenAI's chat dialect knows no names at all.
"""

from __future__ import annotations

import json

from llm_router_middleware.dialects.base import Frame
from llm_router_middleware.engine.call import Wire

__all__ = ["DONE", "SseDecoder", "encode", "terminator"]

DONE = "[DONE]"
"""What ends a stream of chat chunks, in place of JSON."""

_NAMED: frozenset[Wire] = frozenset({"anthropic_messages", "openai_responses"})
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_to_json = json.JSONEncoder(separators=(",", ":")).encode


class SseDecoder:
    """Reads one stream of server-sent events, pushed in chunks cut anywhere. Linear in the bytes pushed.

    An event that the end of the stream cuts off is not returned by `feed`, as the standard demands.
    """

    __slots__ = ("_after_cr", "_at_start", "_data", "_name", "_partial")

    def __init__(self) -> None:
        self._partial: list[bytes] = []
        self._after_cr = False
        self._at_start = True
        self._name: str | None = None
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[tuple[str | None, str]]:
        """Takes the next bytes, returns the events that they complete: (name, data)."""
        events: list[tuple[str | None, str]] = []
        for line in self._lines(chunk):
            if line:
                self._field(line)
            elif self._data:
                events.append((self._name, "\n".join(self._data)))
                self._name, self._data = None, []
            else:
                self._name = None
        return events

    def end(self) -> list[tuple[str | None, str]]:
        """The stream has ended: the event of which only the blank line is missing, if there is one.

        Some servers leave that line out. The event may also have been cut: then its data is not JSON.
        """
        return self.feed(b"\n\n")

    def _lines(self, chunk: bytes) -> list[bytes]:
        """The lines that the chunk completes. Bytes break at CR, LF and CRLF only, unlike strings."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk[1:] if chunk.startswith(b"\n") else chunk
        if not chunk:
            return []
        self._after_cr = chunk.endswith(b"\r")
        lines = chunk.splitlines()
        rest = None if chunk.endswith((b"\n", b"\r")) else lines.pop()
        if lines and self._partial:
            lines[0] = b"".join((*self._partial, lines[0]))
            self._partial.clear()
        if rest is not None:
            self._partial.append(rest)
        if lines and self._at_start:
            self._at_start = False
            lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
        return lines

    def _field(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" ").decode("utf-8", "replace"))
        elif field == b"event":
            self._name = value.removeprefix(b" ").decode("utf-8", "replace") or None


def encode(wire: Wire, frame: Frame) -> bytes:
    """A frame as the wire's bytes.

    The JSON is plain ASCII: no character in it can be taken for a line end, and half a surrogate pair still encodes.
    """
    name, data = frame
    if wire in _NAMED:
        return f"event: {name or data.get('type', '')}\ndata: {_to_json(data)}\n\n".encode("ascii")
    return f"data: {_to_json(data)}\n\n".encode("ascii")


def terminator(wire: Wire) -> bytes:
    """The bytes that end a stream after its last frame; empty where the last frame is the end."""
    return b"" if wire in _NAMED else b"data: [DONE]\n\n"
