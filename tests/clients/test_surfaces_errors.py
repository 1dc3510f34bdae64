"""What a failure costs: a call that is not routed fails once, as it would without us."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from llm_router_middleware import Router, last_event, wrap
from llm_router_middleware.sandbox import Behaviour, Sandbox


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_a_failing_passthrough_is_asked_once(sandbox: Sandbox, is_async: bool) -> None:
    """An unknown model whose provider rejects it: one request, one event, the SDK's own exception."""
    events: list[Any] = []
    sandbox.openai.default("my-fine-tune", Behaviour(status=400))
    cls: Any = openai.AsyncOpenAI if is_async else openai.OpenAI
    client = wrap(
        cls(api_key="sk-sandbox-openai", base_url=sandbox.openai.base_url),
        router=Router(sinks=[events.append], scorer="heuristic"),
    )
    ask: dict[str, Any] = {"model": "my-fine-tune", "messages": [{"role": "user", "content": "hi"}]}
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(**ask) if is_async else client.chat.completions.create(**ask)
    await client.close() if is_async else client.close()
    assert len(sandbox.openai.requests) == 1
    assert caught.value.__context__ is None or "httpx" in type(caught.value.__context__).__module__
    (event,) = events
    assert (event.success, event.selection_reason) == (False, "passthrough")
    assert last_event(caught.value) is event
