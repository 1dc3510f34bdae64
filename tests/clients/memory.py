"""SDK clients over an in-memory transport that records what reaches the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anthropic
import groq
import httpx
import httpx2
import openai

CLASSES: dict[str, tuple[type[Any], type[Any]]] = {
    "openai": (openai.OpenAI, openai.AsyncOpenAI),
    "anthropic": (anthropic.Anthropic, anthropic.AsyncAnthropic),
    "groq": (groq.Groq, groq.AsyncGroq),
}
LIBRARY: dict[str, Any] = {"openai": httpx2, "anthropic": httpx2, "groq": httpx}


def answer(sdk: str, model: str) -> dict[str, Any]:
    """A whole answer in the wire form of an SDK's provider."""
    if sdk == "anthropic":
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [{"type": "text", "text": f"from {model}"}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 10, "output_tokens": 5},
        }
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": f"from {model}"}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }


class Wire:
    """What has reached the wire, and how it is answered.

    Args:
        sdk: whose client.
        reply: makes the HTTP response of a request; the default is a whole answer.
    """

    def __init__(self, sdk: str, reply: Callable[[Any, dict[str, Any]], Any] | None = None) -> None:
        self.sdk = sdk
        self.requests: list[Any] = []
        self.bodies: list[dict[str, Any]] = []
        self._reply = reply

    def handle(self, request: Any) -> Any:
        """The transport's handler."""
        body = json.loads(request.content) if request.content else {}
        self.requests.append(request)
        self.bodies.append(body)
        if self._reply is not None:
            return self._reply(request, body)
        return LIBRARY[self.sdk].Response(200, json=answer(self.sdk, str(body.get("model"))))

    async def ahandle(self, request: Any) -> Any:
        """The same for async transports."""
        return self.handle(request)

    def client(self, *, is_async: bool = False, **options: Any) -> Any:
        """A real SDK client on this wire."""
        http = LIBRARY[self.sdk]
        transport = http.MockTransport(self.ahandle if is_async else self.handle)
        http_client = (http.AsyncClient if is_async else http.Client)(transport=transport)
        return CLASSES[self.sdk][is_async](**{"api_key": "sk-test", "http_client": http_client, **options})


def ask(client: Any, sdk: str, **params: Any) -> Any:
    """The plainest call of an SDK; a coroutine for an async client."""
    if sdk == "anthropic":
        return client.messages.create(**{"max_tokens": 100, **params})
    return client.chat.completions.create(**params)
