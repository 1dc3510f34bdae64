"""Anthropic messages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from llm_router_middleware.sandbox.answer import Answer, Choice, Tokens, ToolCall
from llm_router_middleware.sandbox.ask import Ask, Rejected
from llm_router_middleware.sandbox.errors import Fault
from llm_router_middleware.sandbox.text import count_in, digest, pieces
from llm_router_middleware.sandbox.wires.base import Frame, Wire, event
from llm_router_middleware.sandbox.wires.reading import (
    function_tools,
    parts,
    positive,
    require,
    table,
    text_of,
    texts,
)
from llm_router_middleware.sandbox.wires.strictness import (
    ANTHROPIC_COUNT,
    ANTHROPIC_MESSAGES,
    SAMPLING,
    message_pairs,
    unknown,
)

__all__ = ["CountTokensWire", "MessagesWire"]

_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}


_WITHOUT_SAMPLING = "2026-10-21"
"""The version of the API that took `temperature`, `top_p` and `top_k` away."""


class MessagesWire(Wire):
    """`POST /v1/messages`."""

    known = ANTHROPIC_MESSAGES

    ping = b'event: ping\ndata: {"type": "ping"}\n\n'
    broken_frame = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"ty\n\n'

    def read(self, body: Mapping[str, Any]) -> Ask:
        """See `Wire.read`."""
        require(positive(body.get("max_tokens")) is not None, "max_tokens: Field required", param="max_tokens")
        return self.understand(body)

    def strictly(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        """See `Wire.strictly`."""
        version = headers.get("anthropic-version")
        if version is None:
            raise Rejected("anthropic-version: header is required")
        known = self.known if version >= _WITHOUT_SAMPLING else self.known | SAMPLING
        name = unknown(body, known)
        if name is not None:
            raise Rejected(f"{name}: Extra inputs are not permitted", param=name)
        message_pairs(self.messages(body))

    def understand(self, body: Mapping[str, Any]) -> Ask:
        """Reads what `messages` and `count_tokens` have in common."""
        messages = self.messages(body)
        user = [message for message in messages if message.get("role") == "user"]
        form = table(body.get("output_format") or table(body.get("output_config")).get("format"))
        choice = table(body.get("tool_choice"))
        return Ask(
            model=body["model"],
            body=body,
            prompt=next((said for message in reversed(user) if (said := text_of(message.get("content")))), ""),
            results=_results(messages),
            input_tokens=3
            + 4 * len(messages)
            + count_in([messages, body.get("system"), body.get("tools"), dict(form)]),
            stream=bool(body.get("stream")),
            tools=function_tools(parts(body.get("tools")), "input_schema"),
            choice=_choice(choice),
            parallel=not choice.get("disable_parallel_tool_use"),
            schema=table(form.get("schema")) if form.get("type") == "json_schema" else None,
            cap=positive(body.get("max_tokens")),
            stops=texts(body.get("stop_sequences")),
            reasoning=table(body.get("thinking")).get("type") in ("enabled", "adaptive"),
        )

    def messages(self, body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The messages, once the provider would take them."""
        messages = body.get("messages")
        require(bool(body.get("model")) and isinstance(body["model"], str), "model: Field required", param="model")
        require("messages" in body, "messages: Field required", param="messages")
        require(isinstance(messages, list), "messages: Input should be a valid array", param="messages")
        require(bool(messages), "messages: at least one message is required", param="messages")
        for i, message in enumerate(messages or ()):
            role = message.get("role") if isinstance(message, Mapping) else None
            require(
                role in ("user", "assistant", "system"),
                f"messages.{i}.role: Input should be 'user' or 'assistant'",
                param=f"messages.{i}.role",
            )
            require("content" in message, f"messages.{i}.content: Field required", param=f"messages.{i}.content")
        return list(messages or ())

    def whole(self, answer: Answer) -> dict[str, Any]:
        """See `Wire.whole`."""
        choice = answer.first
        return {
            **self._opening(answer),
            "content": [*self._thinking(choice), *self._text(choice), *map(self._call, choice.calls)],
            **self._ending(choice),
            "usage": {**self.usage(answer.usage), "output_tokens": answer.usage.output},
        }

    def frames(self, answer: Answer) -> Iterator[Frame]:
        """See `Wire.frames`."""
        choice = answer.first
        opening = self._opening(answer)
        yield _frame("message_start", message=opening)
        for i, (block, deltas) in enumerate(self._blocks(choice)):
            yield _frame("content_block_start", index=i, content_block=block)
            if i == 0:
                yield Frame(self.ping)
            for delta in deltas:
                yield _frame("content_block_delta", content=True, index=i, delta=delta)
            yield _frame("content_block_stop", index=i)
        yield _frame("message_delta", delta=self._ending(choice), usage=self._final_usage(answer.usage))
        yield _frame("message_stop")

    def error_frame(self, fault: Fault) -> bytes:
        """See `Wire.error_frame`."""
        error = {"details": None, "type": fault.type, "message": fault.message}
        return event({"type": "error", "error": error}, "error")

    def usage(self, used: Tokens) -> dict[str, Any]:
        """The `usage` object as a stream opens with it: the parts of the input are disjoint."""
        return {
            "input_tokens": max(0, used.input - used.cached - used.cache_write),
            "cache_creation_input_tokens": used.cache_write,
            "cache_read_input_tokens": used.cached,
            "cache_creation": {"ephemeral_5m_input_tokens": used.cache_write, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 1,
            "service_tier": "standard",
            "inference_geo": "not_available",
        }

    def _final_usage(self, used: Tokens) -> dict[str, Any]:
        known = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        return {
            **{key: value for key, value in self.usage(used).items() if key in known},
            "output_tokens": used.output,
            "output_tokens_details": {"thinking_tokens": used.reasoning},
        }

    def _opening(self, answer: Answer) -> dict[str, Any]:
        return {
            "model": answer.ask.model,
            "id": f"msg_01{answer.envelope.mark[:22]}",
            "type": "message",
            "role": "assistant",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "stop_details": None,
            "container": None,
            "usage": self.usage(answer.usage),
        }

    def _ending(self, choice: Choice) -> dict[str, Any]:
        refused = {"type": "refusal", "category": None, "explanation": choice.refusal}
        return {
            "stop_reason": _STOP_REASONS.get(choice.finish, choice.finish),
            "stop_sequence": choice.stop,
            "stop_details": refused if choice.finish == "content_filter" else None,
        }

    def _blocks(self, choice: Choice) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        for block in self._thinking(choice):
            deltas: list[dict[str, Any]] = [{"type": "thinking_delta", "thinking": part} for part in choice.thinking]
            signature = {"type": "signature_delta", "signature": block["signature"]}
            yield {**block, "thinking": "", "signature": ""}, [*deltas, signature]
        for block in self._text(choice):
            yield {**block, "text": ""}, [{"type": "text_delta", "text": chunk} for chunk in choice.chunks]
        for call in choice.calls:
            parts_ = [] if call.arguments == "{}" else pieces(call.arguments)
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in ("", *parts_)]
            yield {**self._call(call), "input": {}}, deltas

    def _thinking(self, choice: Choice) -> list[dict[str, Any]]:
        thought = "".join(choice.thinking)
        signature = f"{digest(thought):032x}"
        return [{"type": "thinking", "thinking": thought, "signature": signature}] if thought else []

    def _text(self, choice: Choice) -> list[dict[str, Any]]:
        return [{"type": "text", "text": choice.text}] if choice.text else []

    def _call(self, call: ToolCall) -> dict[str, Any]:
        return {
            "type": "tool_use",
            "id": call.id("toolu_01"),
            "name": call.name,
            "input": json.loads(call.arguments),
            "caller": {"type": "direct"},
        }


def _choice(choice: Mapping[str, Any]) -> str:
    kind = str(choice.get("type") or "auto")
    return {"any": "required", "tool": str(choice.get("name"))}.get(kind, kind)


def _frame(kind: str, *, content: bool = False, **data: Any) -> Frame:
    return Frame(event({"type": kind, **data}, kind), content)


def _results(messages: list[Mapping[str, Any]]) -> tuple[str, ...]:
    """What the tools said in the last message."""
    last = parts(messages[-1].get("content")) if messages else []
    return tuple(text_of(part.get("content")) for part in last if part.get("type") == "tool_result")


class CountTokensWire(MessagesWire):
    """`POST /v1/messages/count_tokens`: the same count as the message's own usage."""

    known = ANTHROPIC_COUNT

    def read(self, body: Mapping[str, Any]) -> Ask:
        """See `Wire.read`."""
        return replace(self.understand(body), stream=False)

    def whole(self, answer: Answer) -> dict[str, Any]:
        """See `Wire.whole`."""
        return {"input_tokens": answer.usage.input, "context_management": None}
