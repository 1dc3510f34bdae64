"""What the pitfall tests share: clients on the sandbox, a router that keeps its events, and asks."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anthropic
import groq
import openai

from llm_router_middleware import Router, RoutingEvent, wrap
from llm_router_middleware.sandbox import Sandbox

ASK = [{"role": "user", "content": "What is the capital of France?"}]
PREMIUM = {"openai": "gpt-6.1-sol", "anthropic": "claude-opus-5-5", "groq": "openai/gpt-oss-120b"}
BUDGET = {"openai": "gpt-6-luna", "anthropic": "claude-haiku-5-5", "groq": "openai/gpt-oss-20b"}
CLASSES: dict[str, tuple[type[Any], type[Any]]] = {
    "openai": (openai.OpenAI, openai.AsyncOpenAI),
    "anthropic": (anthropic.Anthropic, anthropic.AsyncAnthropic),
    "groq": (groq.Groq, groq.AsyncGroq),
}


class Recorded(Router):
    """A router that keeps its events."""

    def __init__(self, **options: Any) -> None:
        self.events: list[RoutingEvent] = []
        super().__init__(sinks=[self.events.append], scorer="heuristic", **options)


def build(sandbox: Sandbox, sdk: str, *, is_async: bool = False, **options: Any) -> Any:
    """A plain client of the sandbox."""
    provider = getattr(sandbox, sdk)
    given = {"api_key": provider.api_key, "base_url": provider.base_url, "max_retries": 2, **options}
    return CLASSES[sdk][is_async](**given)


@contextlib.contextmanager
def routed_client(sandbox: Sandbox, sdk: str, router: Router, **options: Any) -> Iterator[Any]:
    """A wrapped client, closed in the end."""
    client = wrap(build(sandbox, sdk, **options), router=router)
    try:
        yield client
    finally:
        client.close()


@contextlib.asynccontextmanager
async def routed_async_client(sandbox: Sandbox, sdk: str, router: Router, **options: Any) -> AsyncIterator[Any]:
    """A wrapped async client, closed in the end."""
    client = wrap(build(sandbox, sdk, is_async=True, **options), router=router)
    try:
        yield client
    finally:
        await client.close()
