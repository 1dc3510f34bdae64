"""What strict providers refuse beyond the obvious: parameters that they don't know, tool calls without their results.

The lists are the parameters of openai 3.57, anthropic 2.13 and groq 1.7, beta ones included.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llm_router_middleware.sandbox.ask import Rejected
from llm_router_middleware.sandbox.wires.reading import parts

__all__ = [
    "ANTHROPIC_COUNT",
    "ANTHROPIC_MESSAGES",
    "GROQ_CHAT",
    "OPENAI_CHAT",
    "OPENAI_EMBEDDINGS",
    "OPENAI_RESPONSES",
    "SAMPLING",
    "chat_pairs",
    "message_pairs",
    "refuse_unknown",
    "unknown",
]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


OPENAI_CHAT = _names(
    """audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages
    metadata modalities model moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key
    prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier
    stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity
    web_search_options"""
)
OPENAI_RESPONSES = _names(
    """access_programs background background_options context_management conversation image include input instructions
    max_output_tokens max_tool_calls metadata model moderation parallel_tool_calls previous_response_id prompt
    prompt_cache_key prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier store stream
    stream_options temperature text tool_choice tools top_logprobs top_p truncation user"""
)
OPENAI_EMBEDDINGS = _names("dimensions encoding_format input model user")
GROQ_CHAT = _names(
    """citation_options compound_custom disable_tool_validation documents exclude_domains frequency_penalty
    function_call functions include_domains include_reasoning logit_bias logprobs max_completion_tokens max_tokens
    messages metadata model n parallel_tool_calls presence_penalty reasoning_effort reasoning_format response_format
    search_settings seed service_tier stop store stream stream_options temperature tool_choice tools top_logprobs top_p
    user"""
)
ANTHROPIC_COUNT = _names(
    """billing_policy cache_control compaction context_management mcp_servers messages model output_config
    output_format speed system thinking tool_choice tools user_profile_id workspace_id"""
)
ANTHROPIC_MESSAGES = ANTHROPIC_COUNT | _names(
    """container diagnostics fallback_credit_token fallbacks inference_geo max_tokens metadata service_tier
    stop_sequences stream thread"""
)
SAMPLING = frozenset({"temperature", "top_p", "top_k"})
"""Gone from Anthropic's API with the version of 2026-10-21."""


def unknown(body: Mapping[str, Any], known: Iterable[str]) -> str | None:
    """The first parameter that is not known."""
    return next(iter(sorted(set(body) - set(known))), None)


def refuse_unknown(body: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuses a parameter that is not known, in OpenAI's words.

    Raises:
        Rejected: there is one.
    """
    name = unknown(body, known)
    if name is not None:
        raise Rejected(f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)


def chat_pairs(messages: list[Mapping[str, Any]]) -> None:
    """Every tool message answers a call of the assistant before it, and every call is answered.

    Raises:
        Rejected: one does not.
    """
    waiting: set[str] = set()
    for i, message in enumerate(messages):
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in waiting:
                text = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
                raise Rejected(f"Invalid parameter: {text}", param=f"messages.[{i}].role")
            waiting.discard(str(message.get("tool_call_id")))
            continue
        _all_answered(waiting, i)
        waiting = {str(call.get("id")) for call in parts(message.get("tool_calls"))}
    _all_answered(waiting, len(messages))


def _all_answered(waiting: set[str], at: int) -> None:
    if waiting:
        text = "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
        missing = "'tool_call_id'. The following tool_call_ids did not have response messages: "
        raise Rejected(text + missing + ", ".join(sorted(waiting)), param=f"messages.[{at}].role")


def message_pairs(messages: list[Mapping[str, Any]]) -> None:
    """The results of an assistant's tool uses stand in the very next message, and nowhere else.

    Raises:
        Rejected: they do not.
    """
    waiting: set[str] = set()
    for i, message in enumerate(messages):
        blocks = parts(message.get("content"))
        results = {str(block.get("tool_use_id")) for block in blocks if block.get("type") == "tool_result"}
        if waiting - results:
            text = "`tool_use` ids were found without `tool_result` blocks immediately after: "
            raise Rejected(f"messages.{i - 1}: {text}{', '.join(sorted(waiting - results))}")
        if results - waiting:
            text = "unexpected `tool_use_id` found in `tool_result` blocks: "
            raise Rejected(f"messages.{i}.content.0: {text}{', '.join(sorted(results - waiting))}")
        waiting = {str(block.get("id")) for block in blocks if block.get("type") == "tool_use"}
    if waiting:
        text = "`tool_use` ids were found without `tool_result` blocks immediately after: "
        raise Rejected(f"messages.{len(messages) - 1}: {text}{', '.join(sorted(waiting))}")
