"""What a scripted answer does: a frozen description, performed by `perform`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["BEFORE_HEADERS", "Behaviour"]

BEFORE_HEADERS = -1
"""The position before the first byte of an answer. 0 is after the headers and before any content, n after n chunks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How one request is answered. Without arguments: at once, and well.

    Positions (`stall_after`, `truncate_after`, `reset_after`, `error_event_after`) count content chunks of a stream;
    `BEFORE_HEADERS` (-1) is before the first byte, 0 between the headers and the first content. An answer that is not
    a stream has two chunks, the halves of its body.

    Attributes:
        status: the HTTP status. 400 and above answer with the provider's error body for that status.
        error: a kind of error (`errors.KINDS`: "rate_limit", "quota", "overloaded" ...), with the provider's own
            status, type and code for it; with `error_event_after` the kind of that error.
        error_type: overrides the error's type.
        error_code: overrides the error's code.
        message: overrides the error's message.
        retry_after: the `retry-after` header: seconds, or any text (an HTTP date, nonsense). None: no such header.
        headers: further headers, or others in place of the usual ones; an empty value removes the header.
        latency_s: seconds before the headers.
        first_token_s: seconds between the headers and the first content.
        per_token_s: seconds between two chunks.
        chunks: how many chunks a text is streamed in; None for one per token.
        text: the answer's text; None for one that names the model and quotes the prompt.
        tool_calls: (name, arguments) of the tools to call, whatever the request offers; None lets the request decide.
        refusal: a refusal in the provider's form, with this text.
        finish: the finish reason, in OpenAI's words (translated for Anthropic; unknown words are sent as they are).
        usage: token counts in place of the counted ones; keys as in `answer.Tokens`.
        truncate_after: the answer ends at this position: a stream without its terminator, a body short of its length.
        half_close: ends the answer at `truncate_after` (at its end when None) by closing our direction only, in the
            middle of the HTTP framing.
        reset_after: the connection is reset (RST) at this position.
        stall_after: nothing more is sent from this position on, for `stall_s`.
        stall_s: seconds; infinite by default: until the client gives up.
        ping_every_s: seconds between keep-alives (pings, comments) while a stream waits.
        error_event_after: a stream's in-band error at this position. Not a stream: an error body under status 200.
        trickle: bytes per packet of the body; None for as few packets as possible.
        trickle_s: seconds between such packets.
        html: answers with an HTML page, as a captive portal or a proxy does.
        bad_json: answers with JSON that can't be parsed; in a stream, in place of the first content.
    """

    status: int = 200
    error: str | None = None
    error_type: str | None = None
    error_code: str | None = None
    message: str | None = None
    retry_after: float | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    latency_s: float = 0.0
    first_token_s: float = 0.0
    per_token_s: float = 0.0

    chunks: int | None = None
    text: str | None = None
    tool_calls: tuple[tuple[str, Mapping[str, Any]], ...] | None = None
    refusal: str | None = None
    finish: str | None = None
    usage: Mapping[str, int] | None = None

    truncate_after: int | None = None
    half_close: bool = False
    reset_after: int | None = None
    stall_after: int | None = None
    stall_s: float = float("inf")
    ping_every_s: float | None = None
    error_event_after: int | None = None
    trickle: int | None = None
    trickle_s: float = 0.0

    html: bool = False
    bad_json: bool = False

    @property
    def fails(self) -> bool:
        """Whether the answer is an error by its status. An error within a stream is not."""
        return self.status >= 400 or (self.error is not None and self.error_event_after is None)

    @property
    def breaks_within(self) -> bool:
        """Whether something happens between the first and the last byte of the body."""
        positions = (self.truncate_after, self.reset_after, self.stall_after)
        return any(position is not None and position > 0 for position in positions)
