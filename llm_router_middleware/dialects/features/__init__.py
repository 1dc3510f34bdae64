"""What a request asks for, in words that belong to no dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from llm_router_middleware.dialects.features import chat, messages, responses
from llm_router_middleware.dialects.features.base import OUR_SIGNATURE, Features
from llm_router_middleware.dialects.features.plain import plain
from llm_router_middleware.engine.call import Wire

__all__ = ["OUR_SIGNATURE", "Features", "features"]

_READERS: Mapping[Wire, Callable[[Mapping[str, Any]], Features]] = MappingProxyType(
    {
        "openai_chat": chat.read,
        "groq_chat": chat.read,
        "anthropic_messages": messages.read,
        "openai_responses": responses.read,
    }
)


def features(wire: Wire, body: Mapping[str, Any]) -> Features:
    """Reads what a request asks for. Never raises: what can't be read is not asked for.

    Args:
        wire: the dialect of the body.
        body: the JSON body.
    """
    return plain(wire, body) or _READERS[wire](body)
