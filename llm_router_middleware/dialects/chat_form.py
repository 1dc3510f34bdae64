"""Answers in the chat dialect, in OpenAI's form and in Groq's: whole ones and the chunks of a stream.

The fields are those that the providers themselves always send; they pass the SDKs' strict validation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm_router_middleware.dialects.base import Answer, Frame
from llm_router_middleware.dialects.ids import answer_id
from llm_router_middleware.dialects.reading import as_map
from llm_router_middleware.dialects.usage import TokenCounts, chat_usage
from llm_router_middleware.engine.call import Wire

__all__ = ["ChatForm"]


@dataclass(frozen=True, slots=True)
class ChatForm:
    """The form of one answer.

    Attributes:
        groq: Groq's form, else OpenAI's.
        id: the answer's id, the same in every chunk.
        model: the model that served.
        created: seconds since the epoch.
        request_id: the id of the target's request.
        include_usage: the caller asked for a chunk with the usage.
        shows_reasoning: the caller asked to read the reasoning.
    """

    groq: bool
    id: str
    model: str
    created: int
    request_id: str
    include_usage: bool
    shows_reasoning: bool

    @classmethod
    def of(cls, caller: Wire, answer: Answer, identifier: str = "", model: str | None = None) -> ChatForm:
        """The form that a caller's request asks for.

        Args:
            caller: "openai_chat" or "groq_chat".
            answer: what is known of the answer.
            identifier: the target's id of the answer; without one, its request id serves.
            model: the model that the target says has served.
        """
        groq, request = caller == "groq_chat", answer.request
        return cls(
            groq=groq,
            id=answer_id("chatcmpl-", identifier or answer.request_id),
            model=model or answer.model,
            created=answer.created,
            request_id=answer.request_id or identifier,
            include_usage=not groq and as_map(request.get("stream_options")).get("include_usage") is True,
            shows_reasoning=groq
            and (request.get("reasoning_format") == "parsed" or request.get("include_reasoning") is True),
        )

    def whole(
        self,
        *,
        content: str | None,
        tool_calls: Sequence[Mapping[str, Any]],
        finish_reason: str,
        usage: TokenCounts | None,
        refusal: str | None = None,
        reasoning: str = "",
    ) -> dict[str, Any]:
        """A whole answer. What it says of refusals and reasoning stands where the form has a place for it."""
        message: dict[str, Any] = {"role": "assistant", "content": content}
        if not self.groq:
            message |= {"refusal": refusal, "annotations": []}
        elif reasoning and self.shows_reasoning:
            message["reasoning"] = reasoning
        if tool_calls:
            message["tool_calls"] = list(tool_calls)
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}
        return self._envelope("chat.completion", [choice]) | {"usage": chat_usage(usage, groq=self.groq)}

    def opening(self) -> Frame:
        """The chunk that announces the answer."""
        delta: dict[str, Any] = {"role": "assistant", "content": ""}
        if not self.groq:
            delta["refusal"] = None
        return self._chunk(delta)

    def delta(self, delta: Mapping[str, Any]) -> Frame:
        """A chunk with a piece of the answer."""
        return self._chunk(delta, bare=self.groq)

    def closing(self, finish_reason: str, usage: TokenCounts | None) -> list[Frame]:
        """The chunks that end the answer: why it ended, and the usage where this caller looks for it."""
        name, last = self._chunk({}, finish_reason)
        counted = chat_usage(usage, groq=self.groq)
        if self.groq:
            if counted is not None:
                last["x_groq"]["usage"] = counted
            return [(name, last)]
        if not self.include_usage:
            return [(name, last)]
        return [(name, last), (None, self._envelope("chat.completion.chunk", []) | {"usage": counted})]

    def _chunk(self, delta: Mapping[str, Any], finish_reason: str | None = None, *, bare: bool = False) -> Frame:
        choice = {"index": 0, "delta": dict(delta), "logprobs": None, "finish_reason": finish_reason}
        chunk = self._envelope("chat.completion.chunk", [choice], bare=bare)
        if self.include_usage:
            chunk["usage"] = None
        return None, chunk

    def _envelope(self, kind: str, choices: list[Any], *, bare: bool = False) -> dict[str, Any]:
        envelope: dict[str, Any] = {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": None,
            "choices": choices,
        }
        if not self.groq:
            envelope["service_tier"] = "default"
            return envelope
        if not bare:
            envelope["x_groq"] = {"id": self.request_id}
        if kind == "chat.completion":
            envelope["service_tier"] = "on_demand"
        return envelope
