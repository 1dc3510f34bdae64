"""OpenAI chat completions. Groq's is a profile of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llm_router_middleware.sandbox.answer import Answer, Choice, Tokens, ToolCall
from llm_router_middleware.sandbox.ask import Ask
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
from llm_router_middleware.sandbox.wires.strictness import OPENAI_CHAT, chat_pairs, refuse_unknown

__all__ = ["ChatWire", "finish_reason"]

_ROLES = ("developer", "system", "user", "assistant", "tool", "function")


_MOST_ALTERNATIVES = 128


class ChatWire(Wire):
    """`POST /v1/chat/completions`."""

    ping = b": keep-alive\n\n"
    broken_frame = b'data: {"id":"chatcmpl-broken","choices":[{"index":0,"delta":{"content":"\n\n'

    def read(self, body: Mapping[str, Any]) -> Ask:
        """See `Wire.read`."""
        messages = self.messages(body)
        turn = _last_turn(messages)
        tools = [
            tool.get("function") for tool in parts(body.get("tools")) if tool.get("type", "function") == "function"
        ]
        form = table(body.get("response_format"))
        return Ask(
            model=body["model"],
            body=body,
            prompt=next((text_of(m.get("content")) for m in reversed(messages) if m.get("role") == "user"), ""),
            results=tuple(text_of(m.get("content")) for m in turn if m.get("role") in ("tool", "function")),
            input_tokens=3 + 4 * len(messages) + count_in([messages, body.get("tools"), dict(form)]),
            stream=bool(body.get("stream")),
            tools=function_tools(tools, "parameters"),
            choice=_choice(body.get("tool_choice")),
            parallel=body.get("parallel_tool_calls") is not False,
            schema=table(table(form.get("json_schema")).get("schema")) if form.get("type") == "json_schema" else None,
            json_object=form.get("type") == "json_object",
            cap=positive(body.get("max_completion_tokens"), body.get("max_tokens")),
            stops=texts(body.get("stop")),
            alternatives=min(positive(body.get("n")) or 1, _MOST_ALTERNATIVES),
            reasoning=self.reasons(body),
        )

    def strictly(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:  # noqa: ARG002 - see Wire
        """See `Wire.strictly`."""
        refuse_unknown(body, OPENAI_CHAT)
        chat_pairs(self.messages(body))

    def messages(self, body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The messages, once the provider would take them."""
        messages = body.get("messages")
        require(bool(body.get("model")) and isinstance(body["model"], str), "you must provide a model parameter")
        require(
            "messages" in body,
            "Missing required parameter: 'messages'.",
            code="missing_required_parameter",
            param="messages",
        )
        require(
            isinstance(messages, list),
            "Invalid type for 'messages': expected an array of objects.",
            code="invalid_type",
            param="messages",
        )
        require(
            bool(messages),
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            code="empty_array",
            param="messages",
        )
        for i, message in enumerate(messages or ()):
            role = message.get("role") if isinstance(message, Mapping) else None
            require(
                role in _ROLES,
                f"Invalid value: {role!r}. Supported values are: {', '.join(map(repr, _ROLES))}.",
                code="invalid_value",
                param=f"messages[{i}].role",
            )
        return list(messages or ())

    def reasons(self, body: Mapping[str, Any]) -> bool:
        """Whether reasoning is counted (OpenAI's chat counts it and never shows it)."""
        return body.get("reasoning_effort") not in (None, "none")

    def whole(self, answer: Answer) -> dict[str, Any]:
        """See `Wire.whole`."""
        ask = answer.ask
        return {
            "id": self.id(answer.envelope.mark),
            "object": "chat.completion",
            "created": answer.envelope.created,
            "model": ask.model,
            "choices": [
                {
                    "index": i,
                    "message": self.message(choice),
                    "logprobs": _logprobs(ask, choice.tokens),
                    "finish_reason": finish_reason(choice),
                }
                for i, choice in enumerate(answer.choices)
            ],
            "usage": self.usage(answer.usage),
            **self.whole_tail(answer),
        }

    def frames(self, answer: Answer) -> Iterator[Frame]:
        """See `Wire.frames`."""
        ask = answer.ask
        with_usage = bool(table(ask.body.get("stream_options")).get("include_usage"))
        head = {
            "id": self.id(answer.envelope.mark),
            "object": "chat.completion.chunk",
            "created": answer.envelope.created,
            "model": ask.model,
            **self.chunk_tail(answer),
        }
        if with_usage:
            head["usage"] = None
        for i, choice in enumerate(answer.choices):
            yield self.chunk(head, i, {"role": "assistant", "content": ""}, **self.first_tail(answer))
            for delta, tokens in self.deltas(choice):
                yield Frame(self.chunk(head, i, delta, logprobs=_logprobs(ask, tokens)).data, content=True)
            yield self.chunk(head, i, {}, finish=finish_reason(choice), **self.last_tail(answer))
        if with_usage:
            yield Frame(event({**head, "choices": [], "usage": self.usage(answer.usage)}))
        yield Frame(b"data: [DONE]\n\n")

    def chunk(
        self, head: dict[str, Any], index: int, delta: dict[str, Any], finish: str | None = None, **more: Any
    ) -> Frame:
        """One chunk, of one alternative."""
        logprobs = more.pop("logprobs", None)
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return Frame(event({**head, "choices": [choice], **more}))

    def deltas(self, choice: Choice) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
        """The content, delta by delta, each with its tokens."""
        key = "refusal" if choice.refusal is not None else "content"
        for chunk in choice.chunks:
            yield {key: chunk}, tuple(pieces(chunk))
        for i, call in enumerate(choice.calls):
            start = {"index": i, **self.call(call)}
            start["function"] = {"name": call.name, "arguments": ""}
            yield {"tool_calls": [start]}, ()
            for piece in pieces(call.arguments):
                yield {"tool_calls": [{"index": i, "function": {"arguments": piece}}]}, ()

    def message(self, choice: Choice) -> dict[str, Any]:
        """The assistant's message; a refusal has no content."""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": choice.text or None if choice.calls else choice.text,
            "refusal": None,
            "annotations": [],
        }
        if choice.refusal is not None:
            message.update(content=None, refusal=choice.refusal)
        if choice.calls:
            message["tool_calls"] = [self.call(call) for call in choice.calls]
        return message

    def call(self, call: ToolCall) -> dict[str, Any]:
        """A call of a tool."""
        return {
            "id": call.id("call_"),
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }

    def usage(self, used: Tokens) -> dict[str, Any]:
        """The `usage` object."""
        return {
            "prompt_tokens": used.input,
            "completion_tokens": used.output,
            "total_tokens": used.input + used.output,
            "prompt_tokens_details": {
                "cached_tokens": used.cached,
                "audio_tokens": 0,
                "cache_write_tokens": used.cache_write,
            },
            "completion_tokens_details": {
                "reasoning_tokens": used.reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }

    def id(self, mark: str) -> str:
        """The answer's id."""
        return f"chatcmpl-{mark[:29]}"

    def whole_tail(self, answer: Answer) -> dict[str, Any]:
        """What a whole answer ends with."""
        return {"service_tier": "default", "system_fingerprint": _fingerprint(answer.ask.model)}

    def chunk_tail(self, answer: Answer) -> dict[str, Any]:
        """What every chunk carries."""
        return {"service_tier": "default", "system_fingerprint": _fingerprint(answer.ask.model)}

    def first_tail(self, answer: Answer) -> dict[str, Any]:  # noqa: ARG002 - for Groq
        """What only the first chunk carries."""
        return {}

    def last_tail(self, answer: Answer) -> dict[str, Any]:  # noqa: ARG002 - for Groq
        """What only the finishing chunk carries."""
        return {}

    def error_frame(self, fault: Fault) -> bytes:
        """See `Wire.error_frame`."""
        error = {"message": fault.message, "type": fault.type, "param": fault.param, "code": fault.code}
        return event({"error": error})


def finish_reason(choice: Choice) -> str:
    """Why the answer ended, in OpenAI's words. A refusal by the model itself ends with "stop"."""
    if choice.finish == "content_filter" and choice.refusal is not None:
        return "stop"
    return "stop" if choice.finish == "stop_sequence" else choice.finish


def _last_turn(messages: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The messages after the user's last one."""
    last = max((i for i, message in enumerate(messages) if message.get("role") == "user"), default=-1)
    return messages[last + 1 :]


def _choice(choice: Any) -> str:
    if isinstance(choice, Mapping):
        function = choice.get("function")
        return str(function.get("name")) if isinstance(function, Mapping) else "auto"
    return choice if isinstance(choice, str) else "auto"


def _fingerprint(model: str) -> str:
    return f"fp_{digest(model):032x}"[:13]


def _logprobs(ask: Ask, tokens: tuple[str, ...]) -> dict[str, Any] | None:
    if not ask.body.get("logprobs"):
        return None
    return {
        "content": [_logprob(token, positive(ask.body.get("top_logprobs")) or 0) for token in tokens],
        "refusal": None,
    }


def _logprob(token: str, top: int) -> dict[str, Any]:
    alternative = {"token": token, "logprob": -0.01, "bytes": list(token.encode("utf-8", "replace"))}
    return {**alternative, "top_logprobs": [alternative] if top else []}
