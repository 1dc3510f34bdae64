"""One call of any SDK, sync or async, whole or streamed, and what it came to in words that can be compared."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

__all__ = ["ASK", "ASKED", "KINDS", "SERVED", "Kind", "come_to", "start"]

ASKED = {"openai": "gpt-6.1-sol", "anthropic": "claude-opus-5-5", "groq": "openai/gpt-oss-120b"}
"""The models that the tests' callers name, all premium but Groq's."""

SERVED = {"openai": "gpt-6-luna", "anthropic": "claude-haiku-5-5", "groq": "openai/gpt-oss-20b"}
"""The models that a simple question is routed to."""

ASK = [{"role": "user", "content": "What is the capital of France?"}]

_DIFFERS = frozenset({"id", "created", "model", "system_fingerprint", "seed"})
"""What two good answers to the same question need not have in common."""


_REQUEST_ID = re.compile(r"req_\w+")


@dataclass(frozen=True)
class Kind:
    """A kind of call.

    Attributes:
        sdk: whose client makes it.
        is_async: awaited.
        stream: read as a stream.
    """

    sdk: str
    is_async: bool
    stream: bool

    def __str__(self) -> str:
        return f"{self.sdk}-{'async' if self.is_async else 'sync'}-{'stream' if self.stream else 'whole'}"


KINDS = [Kind(*each) for each in product(("openai", "anthropic", "groq"), (False, True), (False, True))]
"""All twelve."""


def start(client: Any, kind: Kind, **params: Any) -> Any:
    """Begins the call: its answer or, of an async client, a coroutine."""
    params = {"model": ASKED[kind.sdk], "messages": ASK, **params}
    if kind.stream:
        params["stream"] = True
    if kind.sdk == "anthropic":
        return client.messages.create(**{"max_tokens": 1000, **params})
    return client.chat.completions.create(**params)


def come_to(client: Any, kind: Kind, **params: Any) -> tuple[str, Any]:
    """Makes the call, reads it to its end and closes the client: ("returned", the answer) or ("raised", the error)."""

    async def awaited() -> Any:
        async with client:
            answer = await start(client, kind, **params)
            return [_plain(part) async for part in answer] if _is_stream(answer) else _plain(answer)

    def blocking() -> Any:
        with client:
            answer = start(client, kind, **params)
            return [_plain(part) for part in answer] if _is_stream(answer) else _plain(answer)

    run: Callable[[], Any] = (lambda: asyncio.run(awaited())) if kind.is_async else blocking
    try:
        return "returned", run()
    except Exception as exc:
        return "raised", (type(exc).__name__, _REQUEST_ID.sub("req_", str(exc))[:200])


def _is_stream(answer: Any) -> bool:
    return hasattr(type(answer), "__next__") or hasattr(type(answer), "__anext__")


def _plain(answer: Any) -> Any:
    dump = getattr(answer, "model_dump", None)
    return type(answer).__name__, _stripped(dump()) if dump else answer


def _stripped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stripped(item) for key, item in value.items() if key not in _DIFFERS}
    return [_stripped(item) for item in value] if isinstance(value, list) else value
