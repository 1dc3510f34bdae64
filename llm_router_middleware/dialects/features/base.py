"""The words for what a request asks for. They belong to no dialect."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OUR_SIGNATURE", "Features"]

OUR_SIGNATURE = "lrm1:"
"""How the signature of a thinking block begins that we made up for another provider's reasoning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What a request asks for. What it does not mention is not asked for.

    Attributes:
        model: the model that it names.
        tools: how many function tools.
        forced_tool: a call is demanded.
        strict_tools: how many tools with guaranteed arguments.
        images: how many images.
        largest_image: bytes of the largest image sent along; 0 if none is.
        pdfs: how many documents.
        audio: audio, in or out.
        json_object: JSON without a schema.
        json_schema: an answer in a schema.
        sampling: temperature or top_p (or top_k), other than the default.
        names_sampling: one of them is said, be it at its default.
        penalties: frequency or presence penalty, other than 0.
        stop: how many stop sequences.
        n: how many choices.
        logprobs: log probabilities.
        logit_bias: token biases.
        verbosity: how talkative.
        effort: the reasoning effort.
        thinking: the form of Anthropic's `thinking`.
        late_system: system messages after the first turn.
        assistant_first: the conversation starts with the assistant.
        prefill: it ends with the assistant.
        max_output: the answer's limit, in tokens.
        old_max_tokens: the limit stands under its old name.
        bound: why the call must stay with its provider; None if it need not.
        signatures: signed thinking in the history that is not ours.
        open_loop: the last word has a tool, whose result the model waits for.
    """

    model: str = ""
    tools: int = 0
    forced_tool: bool = False
    strict_tools: int = 0
    images: int = 0
    largest_image: int = 0
    pdfs: int = 0
    audio: bool = False
    json_object: bool = False
    json_schema: bool = False
    sampling: bool = False
    names_sampling: bool = False
    penalties: bool = False
    stop: int = 0
    n: int = 1
    logprobs: bool = False
    logit_bias: bool = False
    verbosity: bool = False
    effort: str | None = None
    thinking: str | None = None
    late_system: bool = False
    assistant_first: bool = False
    prefill: bool = False
    max_output: int | None = None
    old_max_tokens: bool = False
    bound: str | None = None
    signatures: tuple[str, ...] = ()
    open_loop: bool = False
