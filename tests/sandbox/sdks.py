"""The three SDKs in one table, so that a test can be written once for all of them, sync and async."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anthropic
import groq
import httpx
import httpx2
import openai

from llm_router_middleware.sandbox import Provider, Sandbox

MESSAGES = [{"role": "user", "content": "Where does the river rise?"}]


@dataclass(frozen=True)
class SDK:
    """One SDK.

    Attributes:
        name: of the SDK and its provider.
        module: the SDK itself.
        http: the HTTP library under it.
        clients: its client classes, sync and async.
        model: a model to ask.
        create: makes the simplest call.
        text: the text of an answer; of a list of chunks when it was streamed.
    """

    name: str
    module: Any
    http: Any
    clients: tuple[type[Any], type[Any]]
    model: str
    create: Callable[..., Any]
    text: Callable[[Any], str]

    def provider(self, sandbox: Sandbox) -> Provider:
        provider: Provider = getattr(sandbox, self.name)
        return provider

    def client(self, provider: Provider, *, is_async: bool = False, **arguments: Any) -> Any:
        # Loading the certificates takes 18 ms per client, and nothing here speaks TLS.
        http_client = self.module.DefaultAsyncHttpxClient if is_async else self.module.DefaultHttpxClient
        defaults = {
            "base_url": provider.base_url,
            "api_key": provider.api_key,
            "max_retries": 0,
            "http_client": http_client(verify=False),
        }
        return self.clients[is_async](**{**defaults, **arguments})

    def run(self, provider: Provider, *, is_async: bool, **arguments: Any) -> Any:
        """Makes the call and reads it to its end. A stream comes back as the list of its chunks."""
        options = arguments.pop("client", {})
        if is_async:
            return asyncio.run(self._arun(provider, options, arguments))
        with self.client(provider, **options) as client:
            answer = self.create(client, **arguments)
            return list(answer) if arguments.get("stream") and not isinstance(answer, str) else answer

    async def _arun(self, provider: Provider, options: dict[str, Any], arguments: dict[str, Any]) -> Any:
        async with self.client(provider, is_async=True, **options) as client:
            answer = await self.create(client, **arguments)
            if arguments.get("stream") and not isinstance(answer, str):
                return [chunk async for chunk in answer]
            return answer


def _chat(model: str) -> Callable[..., Any]:
    def create(client: Any, **arguments: Any) -> Any:
        return client.chat.completions.create(**{"model": model, "messages": MESSAGES, **arguments})

    return create


def _messages(client: Any, **arguments: Any) -> Any:
    return client.messages.create(
        **{"model": "claude-haiku-5-5", "messages": MESSAGES, "max_tokens": 4096, **arguments}
    )


def _chat_text(answer: Any) -> str:
    if isinstance(answer, list):
        return "".join(choice.delta.content or "" for chunk in answer for choice in chunk.choices)
    return answer.choices[0].message.content or ""


def _messages_text(answer: Any) -> str:
    if isinstance(answer, list):
        deltas = (event.delta for event in answer if event.type == "content_block_delta")
        return "".join(delta.text for delta in deltas if delta.type == "text_delta")
    return "".join(block.text for block in answer.content if block.type == "text")


OPENAI = SDK(
    "openai", openai, httpx2, (openai.OpenAI, openai.AsyncOpenAI), "gpt-6-luna", _chat("gpt-6-luna"), _chat_text
)
ANTHROPIC = SDK(
    "anthropic",
    anthropic,
    httpx2,
    (anthropic.Anthropic, anthropic.AsyncAnthropic),
    "claude-haiku-5-5",
    _messages,
    _messages_text,
)
GROQ = SDK(
    "groq",
    groq,
    httpx,
    (groq.Groq, groq.AsyncGroq),
    "openai/gpt-oss-20b",
    _chat("openai/gpt-oss-20b"),
    _chat_text,
)
SDKS = (OPENAI, ANTHROPIC, GROQ)
