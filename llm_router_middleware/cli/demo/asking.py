"""How each SDK is asked: one prompt, one client, four forms of the call."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from llm_router_middleware.cli.demo.prompts import Prompt
from llm_router_middleware.models.registry import ModelRegistry
from llm_router_middleware.models.spec import ModelSpec, Tier

__all__ = ["FORMS", "SDKS", "Form", "ask", "request"]

SDKS = {
    "openai": ("OpenAI", "AsyncOpenAI"),
    "anthropic": ("Anthropic", "AsyncAnthropic"),
    "groq": ("Groq", "AsyncGroq"),
}
"""Package -> its client classes, sync and async."""

_ANSWER_LIMIT = 1024
"""Tokens: Anthropic's SDK wants a limit to be named."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the call: who waits, and whether the answer comes in pieces."""

    is_async: bool
    stream: bool

    def __str__(self) -> str:
        return f"{'async' if self.is_async else 'sync'} {'stream' if self.stream else 'create'}"


FORMS = (Form(False, False), Form(True, False), Form(False, True), Form(True, True))


def request(sdk: str, form: Form, prompt: Prompt, registry: ModelRegistry) -> dict[str, Any]:
    """The arguments of `create`, with the best model that this SDK's own provider has: what a careful program asks."""
    model = _best(registry, sdk, with_tools=bool(prompt.tools))
    if sdk == "anthropic":
        return {**_for_anthropic(prompt, model), "stream": form.stream}
    asked: dict[str, Any] = {"model": model.name, "messages": list(prompt.messages), "stream": form.stream}
    if form.stream and sdk == "openai":
        # Of a stream OpenAI tells the usage, and we the cost, to those only who ask.
        asked["stream_options"] = {"include_usage": True}
    if prompt.tools:
        asked["tools"] = [{"type": "function", "function": dict(tool)} for tool in prompt.tools]
        if getattr(model.capabilities, "chat_tools", "always") == "effort_none":
            # Of these models OpenAI takes function tools on Chat Completions only while they don't reason.
            asked["reasoning_effort"] = "none"
    return asked


async def ask(client: Any, sdk: str, form: Form, arguments: dict[str, Any]) -> Any:
    """Makes one call and reads its answer to the end.

    Returns:
        The response or the exhausted stream: what `last_event` wants to see.
    """
    create = client.messages.create if sdk == "anthropic" else client.chat.completions.create
    if not form.is_async:
        return await asyncio.to_thread(_read, create, form.stream, arguments)
    answer = await create(**arguments)
    if form.stream:
        async for _ in answer:
            pass
    return answer


def _read(create: Any, stream: bool, arguments: dict[str, Any]) -> Any:
    answer = create(**arguments)
    if stream:
        for _ in answer:
            pass
    return answer


def _for_anthropic(prompt: Prompt, model: ModelSpec) -> dict[str, Any]:
    system = "\n\n".join(message["content"] for message in prompt.messages if message["role"] == "system")
    asked: dict[str, Any] = {
        "model": model.name,
        "max_tokens": _ANSWER_LIMIT,
        "messages": [message for message in prompt.messages if message["role"] != "system"],
    }
    if system:
        asked["system"] = system
    if prompt.tools:
        asked["tools"] = [
            {
                "name": tool["name"],
                "description": tool.get("description", ""),
                "input_schema": tool.get("parameters", {"type": "object"}),
            }
            for tool in prompt.tools
        ]
    return asked


def _best(registry: ModelRegistry, provider: str, *, with_tools: bool) -> ModelSpec:
    """The first model of the provider's highest tier; of those that can be handed tools, where there are any."""
    own = [model for tier in reversed(Tier) for model in registry.tier(tier) if model.provider == provider]
    able = [m for m in own if getattr(m.capabilities, "chat_tools", "always") != "never"] if with_tools else own
    return (able or own)[0]
