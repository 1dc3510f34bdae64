"""Events of the Responses wire as the chunks of a chat caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm_router_middleware.dialects.base import Answer, Frame
from llm_router_middleware.dialects.chat_form import ChatForm
from llm_router_middleware.dialects.chat_on_responses.answer import finish_reason
from llm_router_middleware.dialects.ids import call_id
from llm_router_middleware.dialects.reading import as_int, as_map, as_text
from llm_router_middleware.dialects.usage import StreamUsage
from llm_router_middleware.errors import TranslationError, TruncatedStreamError

__all__ = ["ResponsesToChat"]

_SHELLS = frozenset({"message", "reasoning"})


@dataclass(slots=True)
class _Call:
    """A call in the making: its number among the calls, and how many characters of its arguments were said."""

    number: int
    said: int = 0


class ResponsesToChat:
    """One streamed answer. Nothing is said before the first content: until then it may fail unseen."""

    __slots__ = ("_about", "_calls", "_form", "_response", "_usage", "committed")

    def __init__(self, about: Answer) -> None:
        self.committed = False
        self._about = about
        self._form: ChatForm | None = None
        self._usage = StreamUsage("openai_responses")
        self._calls: dict[int | None, _Call] = {}
        self._response: Mapping[str, Any] | None = None

    def feed(self, name: str | None, data: dict[str, Any]) -> Sequence[Frame]:
        """Takes an event, returns the chunks for it. Events that carry nothing new are passed over."""
        take = _EVENTS.get(as_text(data.get("type")) or name or "")
        deltas = () if take is None else take(self, data)
        return [*self._announced(), *map(self.form.delta, deltas)] if deltas else ()

    def end(self) -> Sequence[Frame]:
        """Returns the chunks that close the answer."""
        if self._response is None:
            raise TruncatedStreamError("the stream ended without response.completed")
        finish = finish_reason(self._response, calls=bool(self._calls))
        return [*self._announced(), *self.form.closing(finish, self._usage.counts)]

    @property
    def form(self) -> ChatForm:
        """The form of the chunks."""
        if self._form is None:
            self._form = ChatForm.of("openai_chat", self._about)
        return self._form

    def _announced(self) -> Sequence[Frame]:
        if self.committed:
            return ()
        self.committed = True
        return (self.form.opening(),)

    # -- the events

    def _created(self, data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        response = as_map(data.get("response"))
        identifier, model = as_text(response.get("id")), as_text(response.get("model"))
        self._form = ChatForm.of("openai_chat", self._about, identifier, model)
        return ()

    def _item_added(self, data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        item = as_map(data.get("item"))
        kind = as_text(item.get("type"))
        if kind in _SHELLS:
            return ()
        if kind != "function_call":
            raise TranslationError(f"an item of type {kind} has no counterpart")
        call = self._calls[as_int(data.get("output_index"))] = _Call(len(self._calls))
        named = {"name": as_text(item.get("name")), "arguments": ""}
        identifier = call_id(as_text(item.get("call_id")))
        return ({"tool_calls": [{"index": call.number, "id": identifier, "type": "function", "function": named}]},)

    def _arguments(self, data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        return self._say(data, as_text(data.get("delta")))

    def _arguments_done(self, data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """The whole arguments: what the pieces left out of them is said now."""
        call = self._calls.get(as_int(data.get("output_index")))
        return () if call is None else self._say(data, as_text(data.get("arguments"))[call.said :])

    def _say(self, data: Mapping[str, Any], piece: str) -> Sequence[Mapping[str, Any]]:
        call = self._calls.get(as_int(data.get("output_index")))
        if call is None:
            raise TranslationError("arguments for a call that was never begun")
        if not piece:
            return ()
        call.said += len(piece)
        return ({"tool_calls": [{"index": call.number, "function": {"arguments": piece}}]},)

    def _text(self, data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        return ({"content": data["delta"]},) if data.get("delta") else ()

    def _refusal(self, data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        return ({"refusal": data["delta"]},) if data.get("delta") else ()

    def _annotation(self, _data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        raise TranslationError("citations have no counterpart")

    def _ended(self, data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        self._response = as_map(data.get("response"))
        self._usage.feed(data)
        return ()

    def _failed(self, _data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        raise TranslationError("the provider broke its stream off")


_EVENTS = {
    "response.created": ResponsesToChat._created,
    "response.output_item.added": ResponsesToChat._item_added,
    "response.function_call_arguments.delta": ResponsesToChat._arguments,
    "response.function_call_arguments.done": ResponsesToChat._arguments_done,
    "response.output_text.delta": ResponsesToChat._text,
    "response.output_text.annotation.added": ResponsesToChat._annotation,
    "response.refusal.delta": ResponsesToChat._refusal,
    "response.completed": ResponsesToChat._ended,
    "response.incomplete": ResponsesToChat._ended,
    "response.failed": ResponsesToChat._failed,
    "error": ResponsesToChat._failed,
}
