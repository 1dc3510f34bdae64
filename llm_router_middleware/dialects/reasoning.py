"""What to say of reasoning when the caller has said nothing: what he left open is ours to choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_router_middleware.dialects.features import Features
from llm_router_middleware.dialects.fit import Seat
from llm_router_middleware.errors import RuledOutError
from llm_router_middleware.models.capabilities import capabilities

__all__ = ["asked_effort", "unasked_effort"]

_LOWEST_FIRST = ("none", "minimal", "low", "medium")


def asked_effort(given: Mapping[str, Any]) -> str | None:
    """The effort that a chat request names; None if it leaves it open.

    Raises:
        RuledOutError: it is not a word.
    """
    effort = given.get("reasoning_effort")
    if effort in (None, "default"):
        return None
    if not isinstance(effort, str):
        raise RuledOutError("reasoning_effort", "not a word")
    return effort


def unasked_effort(asked: Features, seat: Seat, *, provider: str) -> str | None:
    """The effort to send although the caller named none; None to leave it at the model's default.

    Reasoning is turned off where tools or sampling demand it, and turned down where it would spend an answer limit
    that was set for a model that doesn't reason.

    Args:
        asked: what the request asks for.
        seat: the target.
        provider: who serves the model that the caller named.

    Raises:
        RuledOutError: the limit is too small even for the lowest effort.
    """
    able = seat.able
    if able.reasoning in ("never", "off"):
        return None
    if "none" in seat.efforts and (
        (asked.tools and able.chat_tools == "effort_none" and seat.wire == "openai_chat")
        or ((asked.sampling or asked.penalties or asked.logprobs) and able.sampling == "effort_none")
    ):
        return "none"
    if asked.max_output is None:
        return None
    named = capabilities(provider, asked.model)
    if named is not None and named.reasoning in ("on", "always"):
        return None
    lowest = next((effort for effort in _LOWEST_FIRST if effort in seat.efforts), None)
    if lowest != "none" and asked.max_output < able.headroom:
        raise RuledOutError("max_tokens", f"its reasoning would use up an answer limit of {asked.max_output} tokens")
    return lowest
