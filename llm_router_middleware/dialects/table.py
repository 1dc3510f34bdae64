"""The pairs of wires that translate into each other."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from llm_router_middleware.dialects.chat_on_chat import answer as chat_answer
from llm_router_middleware.dialects.chat_on_chat import request as chat_request
from llm_router_middleware.dialects.chat_on_chat.same import SameWire
from llm_router_middleware.dialects.chat_on_messages import answer as from_messages
from llm_router_middleware.dialects.chat_on_messages import request as to_messages
from llm_router_middleware.dialects.chat_on_messages.stream import MessagesToChat
from llm_router_middleware.dialects.chat_on_responses import answer as from_responses
from llm_router_middleware.dialects.chat_on_responses import request as to_responses
from llm_router_middleware.dialects.chat_on_responses.stream import ResponsesToChat
from llm_router_middleware.dialects.features import features
from llm_router_middleware.dialects.messages_on_chat import answer as messages_answer
from llm_router_middleware.dialects.messages_on_chat import request as messages_request
from llm_router_middleware.dialects.messages_on_chat.profile import GROQ, OPENAI, RICH, Profile
from llm_router_middleware.dialects.messages_on_chat.stream import ChatToMessages
from llm_router_middleware.dialects.pair import Chain, Pair, Wording
from llm_router_middleware.engine.call import Wire
from llm_router_middleware.models.spec import ModelSpec

__all__ = ["target_wire", "translator"]


def _chat_on_messages(caller: Wire) -> Pair:
    return Pair(
        caller,
        partial(to_messages.request, caller),
        partial(from_messages.answer, caller),
        partial(MessagesToChat, caller),
    )


def _messages_on_chat(profile: Profile, spoken: Profile) -> Pair:
    return Pair(
        "anthropic_messages",
        partial(messages_request.request, profile),
        partial(messages_answer.answer, spoken),
        partial(ChatToMessages, spoken),
    )


def _chat_on_chat(caller: Wire, wire: Wire, spoken: Wire) -> Pair:
    return Pair(
        caller,
        partial(chat_request.request, caller, wire),
        partial(chat_answer.answer, caller, spoken),
        partial(chat_answer.ChatToChat, caller, spoken),
    )


def _on_responses(near: Pair) -> Chain:
    """By way of the chat dialect: the request of the near pair is worded for Responses, its answers are chat."""
    return Chain(near, _CHAT_ON_RESPONSES)


_CHAT_ON_RESPONSES = Pair("openai_chat", to_responses.request, from_responses.answer, ResponsesToChat)

_PAIRS: Mapping[tuple[Wire, Wire], Wording] = MappingProxyType(
    {
        ("openai_chat", "openai_chat"): SameWire("openai_chat"),
        ("openai_chat", "groq_chat"): _chat_on_chat("openai_chat", "groq_chat", "groq_chat"),
        ("openai_chat", "anthropic_messages"): _chat_on_messages("openai_chat"),
        ("openai_chat", "openai_responses"): _CHAT_ON_RESPONSES,
        ("groq_chat", "groq_chat"): SameWire("groq_chat"),
        ("groq_chat", "openai_chat"): _chat_on_chat("groq_chat", "openai_chat", "openai_chat"),
        ("groq_chat", "anthropic_messages"): _chat_on_messages("groq_chat"),
        ("groq_chat", "openai_responses"): _on_responses(_chat_on_chat("groq_chat", "openai_responses", "openai_chat")),
        ("anthropic_messages", "anthropic_messages"): SameWire("anthropic_messages"),
        ("anthropic_messages", "openai_chat"): _messages_on_chat(OPENAI, OPENAI),
        ("anthropic_messages", "groq_chat"): _messages_on_chat(GROQ, GROQ),
        ("anthropic_messages", "openai_responses"): _on_responses(_messages_on_chat(RICH, OPENAI)),
    }
)


def translator(caller: Wire, target: Wire) -> Wording | None:
    """The translator of a pair of wires; None where there is none.

    A wire with itself is a pair, too: another provider that speaks the caller's dialect.

    Args:
        caller: the wire of the caller's body.
        target: the wire of whom to ask.
    """
    return _PAIRS.get((caller, target))


def target_wire(caller: Wire, body: Mapping[str, Any], target: ModelSpec, usual: Wire) -> Wire:
    """The wire on which to ask a model: its provider's usual one, or Responses where only that takes the request.

    Args:
        caller: the wire of the caller's body.
        body: the request.
        target: whom to ask.
        usual: the wire of its provider.
    """
    able = target.capabilities
    if usual != "openai_chat" or able is None or able.chat_tools == "always":
        return usual
    asked = features(caller, body)
    if not asked.tools or (able.chat_tools == "effort_none" and _no_effort(asked.effort, asked.thinking)):
        return usual
    return "openai_responses"


def _no_effort(effort: str | None, thinking: str | None) -> bool:
    """Whether reasoning may be off: the caller turned it off, or left it open."""
    if thinking is not None:
        return thinking == "disabled"
    return effort in (None, "none", "default")
