"""An Anthropic request in the chat dialect's words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from llm_router_middleware.dialects.base import Translation
from llm_router_middleware.dialects.features import Features
from llm_router_middleware.dialects.fit import Seat, refusal
from llm_router_middleware.dialects.ids import pseudonym
from llm_router_middleware.dialects.messages_on_chat import knobs
from llm_router_middleware.dialects.messages_on_chat.conversation import conversation
from llm_router_middleware.dialects.messages_on_chat.profile import Profile
from llm_router_middleware.dialects.parameters import MESSAGES_TO_CHAT, Losses, settle
from llm_router_middleware.dialects.reading import as_list, as_map
from llm_router_middleware.dialects.request import Request
from llm_router_middleware.errors import RuledOutError
from llm_router_middleware.models.spec import ModelSpec

__all__ = ["request"]


def request(profile: Profile, asking: Request, target: ModelSpec, lossy: frozenset[str]) -> Translation:
    """Puts an Anthropic request into the chat dialect's words.

    Args:
        profile: which chat wire.
        asking: the request.
        target: whom to ask.
        lossy: what may be lost.

    Raises:
        RuledOutError: the target can't honour a parameter.
    """
    losses = Losses(lossy)
    given = settle(asking.body, MESSAGES_TO_CHAT, losses)
    seat = Seat.of(target, profile.wire, native=False, lossy=lossy)
    found = refusal(asking.asked, seat)
    if found is not None:
        raise RuledOutError(*found)
    spoken = profile if seat.described else profile.plain()
    messages = asking.draft(spoken, losses, partial(conversation, given, spoken))
    return Translation(_body(given, asking.asked, messages, profile, seat, losses), losses.dropped)


def _body(
    given: Mapping[str, Any],
    asked: Features,
    messages: list[dict[str, Any]],
    profile: Profile,
    seat: Seat,
    losses: Losses,
) -> dict[str, Any]:
    choice, parallel = knobs.tool_choice(given)
    tools = knobs.tools(given, losses)
    stops = list(as_list(given.get("stop_sequences")))
    if stops:
        losses.take("stop_detail", "stop_sequences", "which sequence matched is not told there")
    user = as_map(given.get("metadata")).get("user_id")
    optional: dict[str, Any] = {
        "tools": tools,
        "tool_choice": choice if tools else None,
        "stop": stops,
        "response_format": knobs.response_format(given),
        "stream": given.get("stream"),
    }
    body = {
        "model": seat.model.name,
        "messages": messages,
        "max_completion_tokens" if seat.described else "max_tokens": knobs.answer_limit(given, seat, profile),
        **knobs.sampling(given, seat, losses),
        **knobs.reasoning(given, asked, seat, profile, losses),
        **{name: value for name, value in optional.items() if value},
    }
    if tools and not parallel and seat.able.parallel_tools:
        body["parallel_tool_calls"] = False
    if isinstance(user, str) and user:
        body["user" if profile.wire == "groq_chat" else "safety_identifier"] = pseudonym(user)
    if given.get("stream") and profile.wire == "openai_chat":
        body["stream_options"] = {"include_usage": True}
    return body
