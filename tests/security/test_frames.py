"""Who shows a traceback with its variables (Sentry, rich) finds no key of ours in them."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

import llm_router_middleware
from llm_router_middleware import Router
from llm_router_middleware.sandbox import Behaviour, Sandbox
from tests.faults.calls import KINDS, Kind
from tests.providers.test_failover import ask, client_of

OURS = llm_router_middleware.__file__.rpartition("/")[0]


def variables(error: BaseException) -> list[str]:
    """The variables of our frames in a traceback and in those of its causes, as a crash reporter writes them down."""
    found, seen = [], set()
    chain: Any = error
    while chain is not None and id(chain) not in seen:
        seen.add(id(chain))
        frames = [frame for frame, _ in traceback.walk_tb(chain.__traceback__)]
        ours = [frame for frame in frames if frame.f_code.co_filename.startswith(OURS)]
        found += [f"{name}={value!r}" for frame in ours for name, value in frame.f_locals.items()]
        chain = chain.__cause__ or chain.__context__
    return found


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_no_key_stands_in_a_frame_of_ours(sandbox_keys: Sandbox, kind: Kind) -> None:
    """Everybody is down, and the error goes up through the door: no variable on its way shows a key."""
    for provider in sandbox_keys.providers:
        provider.outage(Behaviour(status=503))
    async with client_of(kind.sdk, kind.is_async, Router(scorer="heuristic")) as client:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - of three SDKs
            await ask(client, kind.sdk, is_async=kind.is_async, stream=kind.stream)
    shown = variables(caught.value)
    assert shown, "frames of ours are in it"
    assert not [text[:200] for text in shown if "sk-sandbox" in text]
    assert "sk-sandbox" not in "".join(traceback.format_exception(caught.value))
