"""A chat request in Anthropic's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_router_middleware.dialects.base import Translation
from llm_router_middleware.dialects.chat_on_messages import knobs
from llm_router_middleware.dialects.chat_on_messages.conversation import conversation
from llm_router_middleware.dialects.features import Features
from llm_router_middleware.dialects.fit import Seat, refusal
from llm_router_middleware.dialects.ids import pseudonym
from llm_router_middleware.dialects.parameters import CHAT_TO_MESSAGES, GROQ_TO_MESSAGES, Losses, settle
from llm_router_middleware.dialects.schema import Budget
from llm_router_middleware.engine.call import Wire
from llm_router_middleware.errors import RuledOutError
from llm_router_middleware.models.spec import ModelSpec

__all__ = ["request"]


def request(
    caller: Wire, body: Mapping[str, Any], asked: Features, target: ModelSpec, lossy: frozenset[str]
) -> Translation:
    """Puts a chat request into Anthropic's words.

    Args:
        caller: "openai_chat" or "groq_chat".
        body: the request.
        asked: what it asks for.
        target: whom to ask.
        lossy: what may be lost.

    Raises:
        RuledOutError: the target can't honour a parameter.
    """
    losses = Losses(lossy)
    given = settle(body, GROQ_TO_MESSAGES if caller == "groq_chat" else CHAT_TO_MESSAGES, losses)
    seat = Seat.of(target, "anthropic_messages", native=False, lossy=lossy)
    found = refusal(asked, seat)
    if found is not None:
        raise RuledOutError(*found)
    return Translation(_body(caller, given, seat, losses), losses.dropped)


def _body(caller: Wire, given: Mapping[str, Any], seat: Seat, losses: Losses) -> dict[str, Any]:
    budget = Budget()
    system, messages = conversation(given.get("messages"), losses)
    thinking = knobs.reasoning(given, seat, losses, provider="groq" if caller == "groq_chat" else "openai")
    shape = knobs.output_format(given, budget)
    output = {**thinking.pop("output_config", {}), **({} if shape is None else {"format": shape})}
    user = given.get("safety_identifier") or given.get("user")
    optional: dict[str, Any] = {
        "system": system,
        "tools": knobs.tools(given, losses, budget),
        "tool_choice": knobs.tool_choice(given),
        "stop_sequences": knobs.stop_sequences(given),
        **thinking,
        "output_config": output,
        "metadata": {"user_id": pseudonym(user)} if isinstance(user, str) and user else None,
        "stream": given.get("stream"),
    }
    return {
        "model": seat.model.name,
        "max_tokens": knobs.answer_limit(given, seat),
        "messages": messages,
        **{name: value for name, value in optional.items() if value},
    }
