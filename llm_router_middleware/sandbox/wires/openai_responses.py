"""OpenAI responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from llm_router_middleware.sandbox.answer import Answer, Choice, Envelope, Tokens, ToolCall
from llm_router_middleware.sandbox.ask import Ask
from llm_router_middleware.sandbox.errors import Fault
from llm_router_middleware.sandbox.text import count_in, pieces
from llm_router_middleware.sandbox.wires.base import Frame, Wire, event
from llm_router_middleware.sandbox.wires.reading import function_tools, parts, positive, require, table, text_of
from llm_router_middleware.sandbox.wires.strictness import OPENAI_RESPONSES, refuse_unknown

__all__ = ["ResponsesWire"]

_ECHOED: dict[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}


class ResponsesWire(Wire):
    """`POST /v1/responses`."""

    ping = b": keep-alive\n\n"
    broken_frame = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","del\n\n'

    def read(self, body: Mapping[str, Any]) -> Ask:
        """See `Wire.read`."""
        require(
            bool(body.get("model")) and isinstance(body["model"], str),
            "Missing required parameter: 'model'.",
            code="missing_required_parameter",
            param="model",
        )
        require(
            isinstance(body.get("input"), (str, list)) or bool(body.get("prompt")),
            "Missing required parameter: 'input'.",
            code="missing_required_parameter",
            param="input",
        )
        given = body.get("input")
        items = [{"role": "user", "content": given}] if isinstance(given, str) else parts(given)
        user = [i for i, item in enumerate(items) if item.get("role") == "user"]
        since = items[user[-1] + 1 :] if user else items
        form = table(table(body.get("text")).get("format"))
        choice = body.get("tool_choice")
        return Ask(
            model=body["model"],
            body=body,
            prompt=text_of(items[user[-1]].get("content")) if user else "",
            results=tuple(text_of(i.get("output")) for i in since if i.get("type") == "function_call_output"),
            input_tokens=3
            + 4 * len(items)
            + count_in([given, body.get("instructions"), body.get("tools"), dict(form)]),
            stream=bool(body.get("stream")),
            tools=function_tools((t for t in parts(body.get("tools")) if t.get("type") == "function"), "parameters"),
            choice=str(choice.get("name", "auto")) if isinstance(choice, Mapping) else str(choice or "auto"),
            parallel=body.get("parallel_tool_calls") is not False,
            schema=table(form.get("schema")) if form.get("type") == "json_schema" else None,
            json_object=form.get("type") == "json_object",
            cap=positive(body.get("max_output_tokens")),
            reasoning=table(body.get("reasoning")).get("effort") not in (None, "none"),
        )

    def strictly(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:  # noqa: ARG002 - see Wire
        """See `Wire.strictly`."""
        refuse_unknown(body, OPENAI_RESPONSES)

    def whole(self, answer: Answer) -> dict[str, Any]:
        """See `Wire.whole`."""
        choice = answer.first
        reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(choice.finish)
        reason = None if choice.refusal is not None else reason
        return {
            **self._opening(answer),
            "status": "incomplete" if reason else "completed",
            "completed_at": answer.envelope.created,
            "incomplete_details": {"reason": reason} if reason else None,
            "output": [item for item, _ in self._items(choice, answer.envelope)],
            "usage": self.usage(answer.usage),
        }

    def frames(self, answer: Answer) -> Iterator[Frame]:
        """See `Wire.frames`."""
        numbers = count()

        def frame(kind: str, content: bool = False, **data: Any) -> Frame:
            return Frame(event({"type": kind, "sequence_number": next(numbers), **data}, kind), content)

        opening, whole = self._opening(answer), self.whole(answer)
        yield frame("response.created", response=opening)
        yield frame("response.in_progress", response=opening)
        for i, (item, deltas) in enumerate(self._items(answer.first, answer.envelope)):
            yield frame("response.output_item.added", output_index=i, item=_unfilled(item))
            for kind, data in self._within(item, deltas):
                yield frame(kind, kind.endswith(".delta"), output_index=i, item_id=item["id"], **data)
            yield frame("response.output_item.done", output_index=i, item=item)
        yield frame(f"response.{whole['status']}", response=whole)

    def error_frame(self, fault: Fault) -> bytes:
        """See `Wire.error_frame`."""
        error = {"type": fault.type, "code": fault.code, "message": fault.message, "param": fault.param}
        return event({"type": "error", "sequence_number": 2, "error": error}, "error")

    def usage(self, used: Tokens) -> dict[str, Any]:
        """The `usage` object."""
        return {
            "input_tokens": used.input,
            "input_tokens_details": {"cached_tokens": used.cached, "cache_write_tokens": used.cache_write},
            "output_tokens": used.output,
            "output_tokens_details": {"reasoning_tokens": used.reasoning},
            "total_tokens": used.input + used.output,
        }

    def _opening(self, answer: Answer) -> dict[str, Any]:
        ask, envelope = answer.ask, answer.envelope
        asked = {key: ask.body[key] for key in _ECHOED if ask.body.get(key) is not None}
        effort = table(ask.body.get("reasoning"))
        return {
            "id": f"resp_{envelope.mark}",
            "object": "response",
            "created_at": envelope.created,
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "model": ask.model,
            "output": [],
            "reasoning": {"effort": effort.get("effort"), "summary": effort.get("summary")},
            "service_tier": "default",
            "text": {"format": {"type": "text"}, "verbosity": "medium", **table(ask.body.get("text"))},
            "tools": [{"strict": True, **tool} for tool in parts(ask.body.get("tools"))],
            "usage": None,
            **_ECHOED,
            **asked,
        }

    def _items(self, choice: Choice, envelope: Envelope) -> Iterator[tuple[dict[str, Any], list[str]]]:
        """The output items, each with its deltas."""
        if choice.thinking:
            yield {"id": f"rs_{envelope.mark}", "type": "reasoning", "summary": []}, []
        status = "incomplete" if choice.finish == "length" else "completed"
        if choice.text or not choice.calls:
            message = {"id": f"msg_{envelope.mark}", "type": "message", "status": status, "role": "assistant"}
            yield {**message, "content": [_part(choice)]}, list(choice.chunks)
        for i, call in enumerate(choice.calls):
            yield self._call(call, f"fc_{envelope.mark}{i}"), pieces(call.arguments)

    def _call(self, call: ToolCall, id: str) -> dict[str, Any]:
        return {
            "id": id,
            "type": "function_call",
            "status": "completed",
            "arguments": call.arguments,
            "call_id": call.id("call_"),
            "name": call.name,
        }

    def _within(self, item: dict[str, Any], deltas: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """What happens between an item's start and its end."""
        if item["type"] == "function_call":
            for delta in deltas:
                yield "response.function_call_arguments.delta", {"delta": delta}
            done = {"arguments": item["arguments"], "name": item["name"]}
            yield "response.function_call_arguments.done", done
        elif item["type"] == "message":
            yield from _message_events(item["content"][0], deltas)


def _message_events(part: dict[str, Any], deltas: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    refused = part["type"] == "refusal"
    key, kind = ("refusal", "response.refusal") if refused else ("text", "response.output_text")
    more: dict[str, Any] = {} if refused else {"logprobs": []}
    yield "response.content_part.added", {"content_index": 0, "part": {**part, key: ""}}
    for delta in deltas:
        yield f"{kind}.delta", {"content_index": 0, "delta": delta, **more}
    yield f"{kind}.done", {"content_index": 0, key: part[key], **more}
    yield "response.content_part.done", {"content_index": 0, "part": part}


def _part(choice: Choice) -> dict[str, Any]:
    if choice.refusal is not None:
        return {"type": "refusal", "refusal": choice.refusal}
    return {"type": "output_text", "text": choice.text, "annotations": [], "logprobs": []}


def _unfilled(item: dict[str, Any]) -> dict[str, Any]:
    """An item as it is when it begins."""
    empty = {"content": [], "arguments": "", "status": "in_progress"}
    return {key: empty.get(key, value) for key, value in item.items()}
