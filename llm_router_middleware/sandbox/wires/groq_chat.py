"""Groq's chat completions: OpenAI's, with reasoning shown, its own usage and its own `x_groq`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llm_router_middleware.sandbox.answer import Answer, Choice, Tokens
from llm_router_middleware.sandbox.ask import Rejected
from llm_router_middleware.sandbox.errors import Fault
from llm_router_middleware.sandbox.text import digest
from llm_router_middleware.sandbox.wires.base import event
from llm_router_middleware.sandbox.wires.openai_chat import ChatWire
from llm_router_middleware.sandbox.wires.strictness import GROQ_CHAT, chat_pairs, unknown

__all__ = ["GroqChatWire"]


class GroqChatWire(ChatWire):
    """`POST /openai/v1/chat/completions`."""

    def strictly(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:  # noqa: ARG002 - see Wire
        """See `Wire.strictly`."""
        name = unknown(body, GROQ_CHAT)
        if name is not None:
            raise Rejected(f"property '{name}' is unsupported")
        chat_pairs(self.messages(body))

    def reasons(self, body: Mapping[str, Any]) -> bool:
        """Groq shows reasoning when it is asked for, by effort or by format."""
        asked = body.get("reasoning_effort") not in (None, "none") or body.get("include_reasoning") is True
        return asked or body.get("reasoning_format") == "parsed"

    def message(self, choice: Choice) -> dict[str, Any]:
        """The assistant's message: no refusal, no annotations."""
        message = super().message(choice)
        del message["refusal"], message["annotations"]
        if choice.refusal is not None:
            message["content"] = choice.refusal
        if choice.thinking:
            message["reasoning"] = "".join(choice.thinking)
        return message

    def deltas(self, choice: Choice) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
        """The reasoning comes first; a refusal is content."""
        for thought in choice.thinking:
            yield {"reasoning": thought, "channel": "analysis"}, ()
        for delta, tokens in super().deltas(choice):
            yield {"content": delta["refusal"]} if "refusal" in delta else delta, tokens

    def usage(self, used: Tokens) -> dict[str, Any]:
        """The `usage` object: seconds beside tokens, details only where there are any."""
        prompt_time, completion_time = used.input * 1e-5, used.output * 1e-3
        usage: dict[str, Any] = {
            "queue_time": 0.01,
            "prompt_tokens": used.input,
            "prompt_time": prompt_time,
            "completion_tokens": used.output,
            "completion_time": completion_time,
            "total_tokens": used.input + used.output,
            "total_time": prompt_time + completion_time,
        }
        if used.cached:
            usage["prompt_tokens_details"] = {"cached_tokens": used.cached}
        if used.reasoning:
            usage["completion_tokens_details"] = {"reasoning_tokens": used.reasoning}
        return usage

    def id(self, mark: str) -> str:
        """The answer's id."""
        return f"chatcmpl-{mark[:8]}-{mark[8:12]}-{mark[12:16]}-{mark[16:20]}-{mark[20:32]}"

    def whole_tail(self, answer: Answer) -> dict[str, Any]:
        """What a whole answer ends with."""
        return {
            **self.chunk_tail(answer),
            "usage_breakdown": None,
            "x_groq": {"id": answer.envelope.request_id, "seed": digest(answer.envelope.mark) % 2**31},
            "service_tier": "on_demand",
        }

    def chunk_tail(self, answer: Answer) -> dict[str, Any]:
        """What every chunk carries."""
        return {"system_fingerprint": f"fp_{digest(answer.ask.model):032x}"[:13]}

    def first_tail(self, answer: Answer) -> dict[str, Any]:
        """The request's id comes with the first chunk."""
        return {"x_groq": {"id": answer.envelope.request_id, "seed": digest(answer.envelope.mark) % 2**31}}

    def last_tail(self, answer: Answer) -> dict[str, Any]:
        """The usage comes with the finishing chunk."""
        return {"x_groq": {"id": answer.envelope.request_id, "usage": self.usage(answer.usage)}}

    def error_frame(self, fault: Fault) -> bytes:
        """See `Wire.error_frame`. Groq names the event, and puts the status into it."""
        error = {"message": fault.message, "type": fault.type, "code": fault.code, **dict(fault.extra)}
        return event({"error": {**error, "status_code": fault.status}}, "error")
