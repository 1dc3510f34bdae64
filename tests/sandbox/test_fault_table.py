"""What every kind of fault looks like from the bare SDKs: over loopback, and in memory."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from llm_router_middleware.sandbox import Sandbox
from llm_router_middleware.testing import scripted_client
from tests.sandbox.faults import BODY, FAULTS, HOLLOW, SHORT, TEXT, Fault
from tests.sandbox.sdks import SDK, SDKS

CASES = [(sdk, fault) for sdk in SDKS for fault in FAULTS if sdk.name in fault.sdks]
READ_TIMEOUT_S = 0.2


def seen(sdk: SDK, call: Any, *, stream: bool) -> tuple[str, int | None]:
    """The name of what was raised, or a word for what came back; and the status."""
    try:
        answer = call()
    except json.JSONDecodeError:
        return "JSONDecodeError", None
    except (sdk.module.APIError, sdk.http.HTTPError) as error:
        where = "http." if isinstance(error, sdk.http.HTTPError) else ""
        return where + type(error).__name__, getattr(error, "status_code", None)
    if isinstance(answer, str):
        return TEXT, None
    return (BODY if is_whole(sdk, answer, stream=stream) else SHORT if stream else HOLLOW), None


def is_whole(sdk: SDK, answer: Any, *, stream: bool) -> bool:
    if sdk.name == "anthropic":
        return bool(answer and answer[-1].type == "message_stop") if stream else bool(answer.content)
    if stream:
        return bool(answer and answer[-1].choices and answer[-1].choices[0].finish_reason)
    return bool(answer.choices)


def expected(table: dict[str, Any], sdk: SDK) -> Any:
    return table.get(sdk.name, table.get("*"))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(("sdk", "fault"), CASES, ids=[f"{sdk.name}-{fault.name}" for sdk, fault in CASES])
def test_every_fault_is_seen_as_what_it_is(
    sandbox: Sandbox, sdk: SDK, fault: Fault, is_async: bool, stream: bool
) -> None:
    """Over real sockets each fault raises the class, with the status, that this SDK makes of it; in one request."""
    provider = sdk.provider(sandbox)
    provider.default("*", fault.behaviour)
    arguments = {"stream": stream, "client": {"timeout": READ_TIMEOUT_S if "stall_" in fault.name else 30}}
    name, status = seen(sdk, lambda: sdk.run(provider, is_async=is_async, **arguments), stream=stream)
    assert name == expected(fault.stream if stream else fault.whole, sdk)
    if fault.status:
        assert status == expected(fault.status, sdk)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(("sdk", "fault"), CASES, ids=[f"{sdk.name}-{fault.name}" for sdk, fault in CASES])
def test_in_memory_a_fault_is_seen_as_over_sockets(sdk: SDK, fault: Fault, is_async: bool, stream: bool) -> None:
    """The in-memory transport raises what loopback raises, without waiting."""

    async def acall() -> Any:
        async with scripted_client(sdk.name, fault.behaviour, asynchronous=True, max_retries=0) as client:
            answer = await sdk.create(client, stream=stream)
            return [chunk async for chunk in answer] if stream and not isinstance(answer, str) else answer

    def call() -> Any:
        if is_async:
            return asyncio.run(acall())
        with scripted_client(sdk.name, fault.behaviour, max_retries=0) as client:
            answer = sdk.create(client, stream=stream)
            return list(answer) if stream and not isinstance(answer, str) else answer

    assert seen(sdk, call, stream=stream)[0] == expected(fault.stream if stream else fault.whole, sdk)
