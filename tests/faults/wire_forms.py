"""Good answers in the two wire forms, whole and as events."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["chat_events", "chat_whole", "messages_events", "messages_whole"]

Speech = tuple[bytes, list[bytes], list[bytes]]
"""What comes before the first content, the contents, and what comes after."""

_CHAT_USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def chat_whole(body: dict[str, Any], text: str) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    head = {"id": "c", "object": "chat.completion", "created": 1, "model": body["model"]}
    return {**head, "choices": [choice], "usage": _CHAT_USAGE}


def chat_events(body: dict[str, Any], words: list[str]) -> Speech:
    def chunk(delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> bytes:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
        return _event({**head, "choices": choices, **more})

    asked = (body.get("stream_options") or {}).get("include_usage")
    usage = [chunk(None, usage=_CHAT_USAGE)] if asked else []
    contents = [chunk({"content": word}) for word in words]
    return chunk({"role": "assistant", "content": ""}), contents, [chunk({}, "stop"), *usage, _event("[DONE]")]


def _message(body: dict[str, Any], content: list[Any], stop: str | None, output: int) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": output},
    }


def messages_whole(body: dict[str, Any], text: str) -> dict[str, Any]:
    return _message(body, [{"type": "text", "text": text}], "end_turn", 5)


def messages_events(body: dict[str, Any], words: list[str]) -> Speech:
    def event(kind: str, **fields: Any) -> bytes:
        return _event({"type": kind, **fields}, kind)

    opening = event("message_start", message=_message(body, [], None, 1))
    opening += event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    contents = [event("content_block_delta", index=0, delta={"type": "text_delta", "text": word}) for word in words]
    closing = [
        event("content_block_stop", index=0),
        event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 5}),
        event("message_stop"),
    ]
    return opening, contents, closing


def _event(payload: Any, name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {payload if isinstance(payload, str) else json.dumps(payload)}\n\n".encode()
