"""A chat request in Anthropic's words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from llm_router_middleware.dialects.base import Translation
from llm_router_middleware.dialects.chat_on_messages import knobs
from llm_router_middleware.dialects.chat_on_messages.conversation import conversation
from llm_router_middleware.dialects.fit import Seat, refusal
from llm_router_middleware.dialects.ids import pseudonym
from llm_router_middleware.dialects.parameters import CHAT_TO_MESSAGES, GROQ_TO_MESSAGES, Losses, settle
from llm_router_middleware.dialects.request import Request
from llm_router_middleware.dialects.schema import Budget
from llm_router_middleware.engine.call import Wire
from llm_router_middleware.errors import RuledOutError
from llm_router_middleware.models.spec import ModelSpec

__all__ = ["request"]


def request(caller: Wire, asking: Request, target: ModelSpec, lossy: frozenset[str]) -> Translation:
    """Puts a chat request into Anthropic's words.

    Args:
        caller: "openai_chat" or "groq_chat".
        asking: the request.
        target: whom to ask.
        lossy: what may be lost.

    Raises:
        RuledOutError: the target can't honour a parameter.
    """
    losses = Losses(lossy)
    given = settle(asking.body, GROQ_TO_MESSAGES if caller == "groq_chat" else CHAT_TO_MESSAGES, losses)
    seat = Seat.of(target, "anthropic_messages", native=False, lossy=lossy)
    found = refusal(asking.asked, seat)
    if found is not None:
        raise RuledOutError(*found)
    spoken = asking.draft("messages", losses, partial(conversation, given.get("messages")))
    return Translation(_body(caller, given, spoken, seat, losses), losses.dropped)


def _body(
    caller: Wire,
    given: Mapping[str, Any],
    spoken: tuple[list[Any], list[Any]],
    seat: Seat,
    losses: Losses,
) -> dict[str, Any]:
    budget = Budget()
    system, messages = spoken
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
