"""Chat chunks as Anthropic's events.

Content blocks are serial there and calls may interleave here: the first call is streamed live, the others wait until
it is complete.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llm_router_middleware.dialects import messages_form as form
from llm_router_middleware.dialects.base import Answer, Frame
from llm_router_middleware.dialects.braces import ObjectEnd
from llm_router_middleware.dialects.ids import call_id
from llm_router_middleware.dialects.messages_on_chat.answer import only_carriable, shows_reasoning
from llm_router_middleware.dialects.messages_on_chat.profile import Profile
from llm_router_middleware.dialects.reading import as_int, as_map, as_text, maps
from llm_router_middleware.dialects.stops import stop_reason
from llm_router_middleware.dialects.usage import StreamUsage
from llm_router_middleware.errors import TranslationError, TruncatedStreamError

__all__ = ["ChatToMessages"]


@dataclass(slots=True)
class _Call:
    """A call in the making: what has been heard of it and not yet said."""

    id: str = ""
    name: str = ""
    unsaid: list[str] = field(default_factory=list)
    end: ObjectEnd = field(default_factory=ObjectEnd)
    opened: bool = False
    closed: bool = False

    def hear(self, piece: str) -> None:
        """Takes the next piece of the arguments."""
        if self.closed and piece.strip():
            raise TranslationError("more arguments for a call that was complete")
        self.end.feed(piece)
        self.unsaid.append(piece)

    def say(self) -> str:
        """What has not been said of the arguments."""
        piece = "".join(self.unsaid)
        self.unsaid.clear()
        return piece


class ChatToMessages:
    """One streamed answer. Nothing is said before the first content: until then it may fail unseen."""

    __slots__ = ("_about", "_calls", "_finish", "_id", "_index", "_model", "_open", "_profile", "_queue", "_refusal",
                 "_shows", "_usage", "committed")  # fmt: skip

    def __init__(self, profile: Profile, about: Answer) -> None:
        self.committed = False
        self._profile = profile
        self._about = about
        self._shows = shows_reasoning(about.request)
        self._id = ""
        self._model = ""
        self._usage = StreamUsage(profile.wire)
        self._index = 0
        self._open: str | None = None
        self._calls: dict[int, _Call] = {}
        self._queue: list[_Call] = []
        self._refusal = ""
        self._finish: Any = None

    def feed(self, name: str | None, data: dict[str, Any]) -> Sequence[Frame]:  # noqa: ARG002 - the protocol has it
        """Takes a chunk, returns Anthropic's events for it."""
        if data.get("error") or as_map(data.get("x_groq")).get("error"):
            raise TranslationError("the provider broke its stream off")
        self._id = self._id or as_text(data.get("id"))
        self._model = self._model or as_text(data.get("model"))
        self._usage.feed(data)
        frames: list[Frame] = []
        for choice in maps(data.get("choices")):
            if choice.get("index", 0) != 0:
                raise TranslationError("several choices, Anthropic's dialect has one")
            self._take(as_map(choice.get("delta")), frames)
            self._finish = choice.get("finish_reason") or self._finish
        return self._announced(frames)

    def end(self) -> Sequence[Frame]:
        """Returns the events that close the answer."""
        if self._finish is None:
            raise TruncatedStreamError("the stream ended without finish_reason")
        frames: list[Frame] = []
        self._release(frames, final=True)
        self._close(frames)
        stop = stop_reason(self._finish, tools=bool(self._calls), refused=bool(self._refusal))
        details = form.refusal_details(self._refusal) if stop == "refusal" else None
        frames += form.closing(stop, details, self._usage.counts)
        return self._announced(frames)

    def _announced(self, frames: list[Frame]) -> Sequence[Frame]:
        """The event that announces the answer, once, before the first content."""
        if self.committed or not frames:
            return frames
        self.committed = True
        identifier = self._id or self._about.request_id
        return [form.opening(identifier, self._model or self._about.model), *frames]

    # -- the pieces of a delta

    def _take(self, delta: Mapping[str, Any], frames: list[Frame]) -> None:
        only_carriable(delta)
        thought = as_text(delta.get("reasoning")) or as_text(delta.get("reasoning_content"))
        if thought and self._shows:
            self._think(thought, frames)
        refusal = as_text(delta.get("refusal"))
        self._refusal += refusal
        text = as_text(delta.get("content")) + refusal
        if text:
            self._say(text, frames)
        calls = maps(delta.get("tool_calls"))
        for call in calls:
            self._hear(call)
        if calls:
            self._release(frames, final=False)

    def _think(self, thought: str, frames: list[Frame]) -> None:
        self._enter("thinking", {"type": "thinking", "thinking": "", "signature": ""}, frames)
        frames.append(form.block_delta(self._index, {"type": "thinking_delta", "thinking": thought}))

    def _say(self, text: str, frames: list[Frame]) -> None:
        if self._queue:
            self._release(frames, final=True)
        self._enter("text", {"type": "text", "text": "", "citations": None}, frames)
        frames.append(form.block_delta(self._index, {"type": "text_delta", "text": text}))

    def _hear(self, piece: Mapping[str, Any]) -> None:
        """Notes a piece of a call. Some servers repeat id and name with every piece; the first ones count."""
        number = as_int(piece.get("index")) or 0
        call = self._calls.get(number)
        if call is None:
            call = self._calls[number] = _Call()
            self._queue.append(call)
        function = as_map(piece.get("function"))
        call.id = call.id or as_text(piece.get("id"))
        call.name = call.name or as_text(function.get("name"))
        call.hear(as_text(function.get("arguments")))

    def _release(self, frames: list[Frame], *, final: bool) -> None:
        """Says what is due of the first call in the queue, and of the next ones once it is complete."""
        while self._queue:
            call = self._queue[0]
            if not (call.id and call.name):
                if final:
                    raise TranslationError("a call without id or name")
                return
            self._speak(call, frames)
            if not final and not (len(self._queue) > 1 and call.end.reached):
                return
            self._queue.pop(0)
            call.closed = True

    def _speak(self, call: _Call, frames: list[Frame]) -> None:
        if not call.opened:
            call.opened = True
            self._close(frames)
            self._open = "tool_use"
            block = {"type": "tool_use", "id": call_id(call.id), "name": call.name, "input": {}}
            frames.append(form.block_start(self._index, block))
        piece = call.say()
        if piece:
            frames.append(form.block_delta(self._index, {"type": "input_json_delta", "partial_json": piece}))

    # -- blocks

    def _enter(self, kind: str, block: dict[str, Any], frames: list[Frame]) -> None:
        if self._open != kind:
            self._close(frames)
            self._open = kind
            frames.append(form.block_start(self._index, block))

    def _close(self, frames: list[Frame]) -> None:
        if self._open is None:
            return
        if self._open == "thinking":
            provider = "groq" if self._profile.wire == "groq_chat" else "openai"
            seal = {"type": "signature_delta", "signature": form.signature(provider)}
            frames.append(form.block_delta(self._index, seal))
        frames.append(form.block_stop(self._index))
        self._index += 1
        self._open = None
