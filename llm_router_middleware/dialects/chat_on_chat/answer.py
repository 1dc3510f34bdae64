"""A chat provider's answer in the form of the other: whole, and chunk by chunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm_router_middleware.dialects.base import Answer, Frame
from llm_router_middleware.dialects.chat_form import ChatForm
from llm_router_middleware.dialects.ids import call_id
from llm_router_middleware.dialects.reading import as_int, as_map, as_text, maps
from llm_router_middleware.dialects.usage import StreamUsage, read_usage
from llm_router_middleware.engine.call import Wire
from llm_router_middleware.errors import RefusedAnswerError, TranslationError, TruncatedStreamError

__all__ = ["ChatToChat", "answer"]

_FINISH = frozenset({"stop", "length", "tool_calls", "content_filter"})
_NOT_CARRIED = ("audio", "function_call", "executed_tools", "annotations")


def answer(caller: Wire, wire: Wire, payload: Mapping[str, Any], about: Answer) -> dict[str, Any]:
    """Puts a whole chat answer into the caller's form.

    Args:
        caller: whose form.
        wire: who answered.
        payload: the answer.
        about: what else is known of it.

    Raises:
        TranslationError: it can't be carried.
    """
    choices = maps(payload.get("choices"))
    if len(choices) != 1:
        raise TranslationError(f"{len(choices)} choices where one was asked for")
    spoken = as_map(choices[0].get("message"))
    _only_carriable(spoken)
    form = ChatForm.of(caller, about, as_text(payload.get("id")), as_text(payload.get("model")))
    calls = [_tool_call(call) for call in maps(spoken.get("tool_calls"))]
    finish, refusal = _finish(choices[0].get("finish_reason"), bool(calls)), as_text(spoken.get("refusal"))
    if form.groq and (refusal or finish == "content_filter"):
        raise RefusedAnswerError("a refusal has no form in Groq's whole answers")
    content = spoken.get("content")
    return form.whole(
        content=content if isinstance(content, str) else None,
        tool_calls=calls,
        finish_reason=finish,
        usage=read_usage(wire, payload),
        refusal=refusal or None,
    )


def _only_carriable(spoken: Mapping[str, Any]) -> None:
    for field in _NOT_CARRIED:
        if spoken.get(field):
            raise TranslationError(f"{field} of an answer has no counterpart")


def _finish(reason: Any, calls: bool) -> str:
    if not isinstance(reason, str) or reason not in _FINISH:
        raise TranslationError(f"finish_reason {reason!r} has no counterpart")
    return "tool_calls" if calls and reason == "stop" else reason


def _tool_call(call: Mapping[str, Any]) -> dict[str, Any]:
    function = as_map(call.get("function"))
    if call.get("type", "function") != "function" or not function.get("name"):
        raise TranslationError("a call that is not one of a function has no counterpart")
    arguments = as_text(function.get("arguments"))
    return {
        "id": call_id(as_text(call.get("id"))),
        "type": "function",
        "function": {"name": function["name"], "arguments": arguments if arguments.strip() else "{}"},
    }


@dataclass(slots=True)
class _Call:
    """A call in the making."""

    id: str = ""
    name: str = ""
    unsaid: str = ""
    told: bool = False


class ChatToChat:
    """One streamed answer. Nothing is said before the first content: until then it may fail unseen."""

    __slots__ = ("_about", "_caller", "_calls", "_finish", "_form", "_refused", "_usage", "committed")

    def __init__(self, caller: Wire, wire: Wire, about: Answer) -> None:
        self.committed = False
        self._caller: Wire = caller
        self._about = about
        self._form: ChatForm | None = None
        self._usage = StreamUsage(wire)
        self._calls: dict[int, _Call] = {}
        self._finish: Any = None
        self._refused = False

    def feed(self, name: str | None, data: dict[str, Any]) -> Sequence[Frame]:  # noqa: ARG002 - the protocol has it
        """Takes a chunk, returns the caller's chunks for it."""
        if data.get("error") or as_map(data.get("x_groq")).get("error"):
            raise TranslationError("the provider broke its stream off")
        if self._form is None and data.get("id"):
            self._form = ChatForm.of(self._caller, self._about, as_text(data["id"]), as_text(data.get("model")))
        self._usage.feed(data)
        frames: list[Frame] = []
        for choice in maps(data.get("choices")):
            if choice.get("index", 0) != 0:
                raise TranslationError("several choices where one was asked for")
            delta = self._delta(as_map(choice.get("delta")))
            if delta:
                frames.append(self.form.delta(delta))
            self._finish = choice.get("finish_reason") or self._finish
        return self._announced(frames)

    def end(self) -> Sequence[Frame]:
        """Returns the chunks that close the answer."""
        if self._finish is None:
            raise TruncatedStreamError("the stream ended without finish_reason")
        if not all(call.told for call in self._calls.values()):
            raise TranslationError("a call without id or name")
        # Groq's form has no field for a refusal: its words are content, and the end says what they were.
        refused = self.form.groq and self._refused
        finish = "content_filter" if refused else _finish(self._finish, bool(self._calls))
        return self._announced(self.form.closing(finish, self._usage.counts))

    @property
    def form(self) -> ChatForm:
        """The form of the chunks."""
        if self._form is None:
            self._form = ChatForm.of(self._caller, self._about)
        return self._form

    def _announced(self, frames: list[Frame]) -> Sequence[Frame]:
        if self.committed or not frames:
            return frames
        self.committed = True
        return [self.form.opening(), *frames]

    def _delta(self, delta: Mapping[str, Any]) -> dict[str, Any]:
        _only_carriable(delta)
        out: dict[str, Any] = {}
        refusal = as_text(delta.get("refusal"))
        self._refused = self._refused or bool(refusal)
        if refusal and not self.form.groq:
            out["refusal"] = refusal
        text = as_text(delta.get("content")) + (refusal if self.form.groq else "")
        if text:
            out["content"] = text
        calls = [told for told in map(self._call, maps(delta.get("tool_calls"))) if told]
        if calls:
            out["tool_calls"] = calls
        return out

    def _call(self, piece: Mapping[str, Any]) -> dict[str, Any] | None:
        """A piece of a call. Id and name are told once, together, however often and however late they come."""
        index = as_int(piece.get("index")) or 0
        function = as_map(piece.get("function"))
        call = self._calls.setdefault(index, _Call())
        call.id = call.id or as_text(piece.get("id"))
        call.name = call.name or as_text(function.get("name"))
        call.unsaid += as_text(function.get("arguments"))
        if not (call.id and call.name):
            return None
        arguments, call.unsaid = call.unsaid, ""
        if call.told:
            return {"index": index, "function": {"arguments": arguments}}
        call.told = True
        named = {"name": call.name, "arguments": arguments}
        return {"index": index, "id": call_id(call.id), "type": "function", "function": named}
