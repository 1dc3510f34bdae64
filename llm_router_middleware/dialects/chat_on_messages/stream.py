"""Anthropic's events as the chunks of a chat caller."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm_router_middleware.dialects.base import Answer, Frame
from llm_router_middleware.dialects.chat_form import ChatForm
from llm_router_middleware.dialects.chat_on_messages.answer import SILENT_BLOCKS, explanation, tool_call
from llm_router_middleware.dialects.reading import as_int, as_map, as_text
from llm_router_middleware.dialects.stops import finish_reason
from llm_router_middleware.dialects.usage import StreamUsage
from llm_router_middleware.engine.call import Wire
from llm_router_middleware.errors import TranslationError, TruncatedStreamError

__all__ = ["MessagesToChat"]


@dataclass(slots=True)
class _Block:
    """An open content block of the target's answer."""

    kind: str
    opened: Mapping[str, Any]
    number: int = 0
    spoke: bool = False


class MessagesToChat:
    """One streamed answer. Nothing is said before the first content: until then it may fail unseen."""

    __slots__ = (
        "_about",
        "_blocks",
        "_caller",
        "_calls",
        "_details",
        "_form",
        "_stop",
        "_stopped",
        "_usage",
        "committed",
    )

    def __init__(self, caller: Wire, about: Answer) -> None:
        self.committed = False
        self._caller: Wire = caller
        self._about = about
        self._form: ChatForm | None = None
        self._usage = StreamUsage("anthropic_messages")
        self._blocks: dict[int | None, _Block] = {}
        self._calls = 0
        self._stop: Any = None
        self._details: Any = None
        self._stopped = False

    def feed(self, name: str | None, data: dict[str, Any]) -> Sequence[Frame]:
        """Takes one of Anthropic's events, returns the chunks for it. Unknown events are passed over."""
        take = _EVENTS.get(as_text(data.get("type")) or name or "")
        return () if take is None else self._spoken(take(self, data))

    def end(self) -> Sequence[Frame]:
        """Returns the chunks that close the answer."""
        if not self._stopped:
            raise TruncatedStreamError("the stream ended without message_stop")
        finish = finish_reason(self._stop)
        last = [*self._spoken(self._no_arguments())] if finish == "tool_calls" else []
        refusal = explanation(self._details) if finish == "content_filter" else None
        if refusal and not self.form.groq:
            last.append(self.form.delta({"refusal": refusal}))
        last += self.form.closing(finish, self._usage.counts)
        return [*self._announced(), *last]

    def _no_arguments(self) -> Sequence[Mapping[str, Any]]:
        """Empty arguments for the calls that have none. Of an answer that was cut they stay blank: nobody knows."""
        blank = [block for block in self._blocks.values() if block.kind == "tool_use" and not block.spoke]
        return [delta for block in blank for delta in self._arguments(block, "{}")]

    @property
    def form(self) -> ChatForm:
        """The form of the chunks; without a `message_start` nothing is known of the answer's own id."""
        if self._form is None:
            self._form = ChatForm.of(self._caller, self._about)
        return self._form

    def _spoken(self, deltas: Sequence[Mapping[str, Any]]) -> Sequence[Frame]:
        if not deltas:
            return ()
        return [*self._announced(), *(self.form.delta(delta) for delta in deltas)]

    def _announced(self) -> Sequence[Frame]:
        """The chunk that announces the answer, once, with the first content."""
        if self.committed:
            return ()
        self.committed = True
        return (self.form.opening(),)

    # -- the events

    def _message_start(self, data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        message = as_map(data.get("message"))
        self._usage.feed(data)
        self._form = ChatForm.of(self._caller, self._about, as_text(message.get("id")), as_text(message.get("model")))
        return ()

    def _block_start(self, data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        opened = as_map(data.get("content_block"))
        block = _Block(as_text(opened.get("type")), opened)
        self._blocks[as_int(data.get("index"))] = block
        if block.kind == "text":
            return _text(opened.get("text"))
        if block.kind == "tool_use":
            block.number, self._calls = self._calls, self._calls + 1
            return ({"tool_calls": [{"index": block.number, **tool_call(opened, "")}]},)
        if block.kind not in SILENT_BLOCKS:
            raise TranslationError(f"a block of type {block.kind} has no counterpart")
        return ()

    def _block_delta(self, data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        delta, block = as_map(data.get("delta")), self._blocks.get(as_int(data.get("index")))
        if block is None:
            raise TranslationError("a delta for a block that was never opened")
        kind = delta.get("type")
        if kind == "text_delta":
            return _text(delta.get("text"))
        if kind == "input_json_delta":
            return self._arguments(block, as_text(delta.get("partial_json")))
        if kind == "thinking_delta" and self.form.shows_reasoning and delta.get("thinking"):
            return ({"reasoning": delta["thinking"]},)
        if kind == "citations_delta":
            raise TranslationError("citations have no counterpart")
        return ()

    def _arguments(self, block: _Block, piece: str) -> Sequence[Mapping[str, Any]]:
        if not piece:
            return ()
        block.spoke = True
        return ({"tool_calls": [{"index": block.number, "function": {"arguments": piece}}]},)

    def _block_stop(self, data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """A call without pieces has its input, if any, in the block that opened it."""
        block = self._blocks.get(as_int(data.get("index")))
        if block is None or block.kind != "tool_use" or block.spoke or not block.opened.get("input"):
            return ()
        return self._arguments(block, json.dumps(block.opened["input"], separators=(",", ":")))

    def _message_delta(self, data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        delta = as_map(data.get("delta"))
        self._usage.feed(data)
        self._stop = delta.get("stop_reason") or self._stop
        self._details = delta.get("stop_details") or self._details
        return ()

    def _message_stop(self, _data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        self._stopped = True
        return ()

    def _error(self, data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        raise TranslationError(f"the provider broke its stream off: {as_map(data.get('error')).get('type')}")


_EVENTS = {
    "message_start": MessagesToChat._message_start,
    "content_block_start": MessagesToChat._block_start,
    "content_block_delta": MessagesToChat._block_delta,
    "content_block_stop": MessagesToChat._block_stop,
    "message_delta": MessagesToChat._message_delta,
    "message_stop": MessagesToChat._message_stop,
    "error": MessagesToChat._error,
}


def _text(text: Any) -> Sequence[Mapping[str, Any]]:
    return ({"content": text},) if isinstance(text, str) and text else ()
