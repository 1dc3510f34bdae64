"""Whether a model can honour what a request asks for: features against capabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from llm_router_middleware.dialects.features import Features
from llm_router_middleware.engine.call import Wire
from llm_router_middleware.models.capabilities import Capabilities, capabilities
from llm_router_middleware.models.spec import ModelSpec

__all__ = ["Seat", "refusal"]

Refusal = tuple[str, str]
"""The parameter that can't be honoured, and why."""

_MAX_STOP, _MAX_TOOLS = 4, 128
_CHAT: frozenset[Wire] = frozenset({"openai_chat", "groq_chat"})


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a request would go.

    Attributes:
        model: which model.
        wire: on which wire.
        native: as the caller wrote it, `model` excepted. A translation may choose what the caller left open.
        able: what the model can do.
        lossy: what the caller allows to be lost in translation.
    """

    model: ModelSpec
    wire: Wire
    native: bool
    able: Capabilities
    lossy: frozenset[str] = frozenset()

    @classmethod
    def of(cls, model: ModelSpec, wire: Wire, *, native: bool, lossy: frozenset[str] = frozenset()) -> Seat:
        """A model that nobody described can do all on its own wire, and only what is common when translated for."""
        able = model.capabilities or (Capabilities.permissive() if native else Capabilities.modest())
        return cls(model, wire, native, able, lossy)

    @property
    def described(self) -> bool:
        """Whether it is known what the model can do. If not, it is asked in words that every server understands."""
        return self.model.capabilities is not None

    @property
    def efforts(self) -> frozenset[str]:
        """The reasoning efforts that the model takes on this wire."""
        on_chat = self.able.chat_efforts
        return on_chat if on_chat is not None and self.wire in _CHAT else self.able.efforts

    @property
    def max_output(self) -> int | None:
        """The longest answer, in tokens."""
        return self.model.max_output_tokens or self.able.max_output_tokens


def refusal(asked: Features, seat: Seat) -> Refusal | None:
    """The first thing asked for that the model can't honour; None if there is none.

    Args:
        asked: what the request asks for.
        seat: where it would go.
    """
    return next((found for found in (check(asked, seat) for check in _CHECKS) if found is not None), None)


def _tools(asked: Features, seat: Seat) -> Refusal | None:
    able = seat.able
    if not asked.tools:
        return None
    if not able.tools:
        return "tools", "it takes no tools"
    if seat.wire in _CHAT and asked.tools > _MAX_TOOLS:
        return "tools", f"{asked.tools} tools, it takes {_MAX_TOOLS}"
    if seat.wire in _CHAT and able.chat_tools == "never":
        return "tools", "it takes function tools only on the Responses wire"
    if seat.wire in _CHAT and able.chat_tools == "effort_none" and not _reasoning_off(asked, seat):
        return "tools", "on Chat Completions it takes function tools only with reasoning_effort none"
    if asked.forced_tool and not able.forced_tools:
        return "tool_choice", "a forced tool choice is rejected by this model"
    if asked.forced_tool and asked.thinking == "enabled":
        return "tool_choice", "a tool can't be forced while thinking is enabled"
    if asked.strict_tools and not able.strict_tools:
        return "tools", "strict tool arguments are not guaranteed by this model"
    return None


def _media(asked: Features, seat: Seat) -> Refusal | None:
    able = seat.able
    if asked.images and not able.vision:
        return "messages", "it sees no images"
    if able.max_images is not None and asked.images > able.max_images:
        return "messages", f"{asked.images} images, it takes {able.max_images}"
    if able.max_image_bytes is not None and asked.largest_image > able.max_image_bytes:
        return "messages", f"an image of {asked.largest_image} bytes, it takes {able.max_image_bytes}"
    if asked.pdfs and not able.pdf:
        return "messages", "it reads no documents"
    if asked.audio and not able.audio:
        return "messages", "it hears and speaks no audio"
    return None


def _format(asked: Features, seat: Seat) -> Refusal | None:
    if asked.json_object and not seat.able.json_object:
        return "response_format", "it has no JSON mode without a schema"
    if asked.json_schema and seat.able.json_schema == "no":
        return "response_format", "it does not answer in a JSON schema"
    if asked.json_schema and seat.able.json_schema == "best_effort" and not seat.native:
        return "response_format", "its answer in a JSON schema is not guaranteed"
    return None


def _sampling(asked: Features, seat: Seat) -> Refusal | None:
    able, forgiven = seat.able, not seat.native and "sampling" in seat.lossy
    allowed = able.sampling == "always" or (able.sampling == "effort_none" and _reasoning_off(asked, seat))
    # Claude models without sampling reject even its default values.
    named = asked.names_sampling and seat.native and seat.wire == "anthropic_messages"
    if (asked.sampling or named) and not allowed and not forgiven:
        return "temperature", "temperature, top_p and top_k are rejected by this model"
    if asked.penalties and not (able.penalties and allowed) and not forgiven:
        return "frequency_penalty", "penalties are rejected by this model"
    if asked.logprobs and not (able.logprobs and allowed):
        return "logprobs", "it gives no log probabilities"
    if asked.logit_bias and not (able.logit_bias and allowed):
        return "logit_bias", "it takes no token biases"
    return None


def _reasoning_off(asked: Features, seat: Seat) -> bool:
    """Whether reasoning is off, or, where we word the request, may be turned off because the caller left it open."""
    if asked.thinking is not None:
        return asked.thinking == "disabled"
    if asked.effort is not None and seat.wire != "anthropic_messages":
        return asked.effort == "none"
    return seat.able.reasoning in ("never", "off") or not seat.native


def _choices(asked: Features, seat: Seat) -> Refusal | None:
    if asked.n > 1 and not seat.able.n:
        return "n", "it gives one choice"
    if asked.stop and not seat.able.stop:
        return "stop", "it takes no stop sequences"
    if asked.stop > _MAX_STOP and seat.wire in _CHAT:
        return "stop", f"{asked.stop} stop sequences, it takes {_MAX_STOP}"
    if asked.verbosity and not seat.able.verbosity and (seat.native or "verbosity" not in seat.lossy):
        return "verbosity", "it has no verbosity"
    return None


def _reasoning(asked: Features, seat: Seat) -> Refusal | None:
    """On the caller's own wire only: a translation maps the effort, and refuses by itself."""
    if not seat.native:
        return None
    able = seat.able
    if asked.effort is not None and asked.effort not in seat.efforts:
        return "reasoning_effort", f"reasoning effort {asked.effort} is rejected by this model"
    if asked.thinking is not None and asked.thinking not in able.thinking:
        return "thinking", f"thinking {asked.thinking} is rejected by this model"
    if asked.signatures and able.binds_thinking and seat.model.name != asked.model:
        return "messages", "its history holds thinking that is bound to the model that signed it"
    return None


def _conversation(asked: Features, seat: Seat) -> Refusal | None:
    able = seat.able
    if asked.late_system and not able.late_system:
        return "messages", "a system message after the first turn is not heeded by this model"
    if asked.assistant_first and not able.assistant_first and not seat.native:
        return "messages", "a conversation that starts with the assistant is not known to be accepted"
    if asked.prefill and not able.prefill:
        return "messages", "a conversation that ends with the assistant is rejected by this model"
    return None


def _length(asked: Features, seat: Seat) -> Refusal | None:
    limit = asked.max_output
    if limit is None or not seat.native:
        return None
    if asked.old_max_tokens and not seat.able.max_tokens:
        return "max_tokens", "it takes max_completion_tokens only"
    if seat.max_output is not None and limit > seat.max_output:
        return "max_tokens", f"an answer of {limit} tokens, its longest is {seat.max_output}"
    if limit < seat.able.headroom and _reasons_unasked(asked, seat):
        return "max_tokens", f"its reasoning would use up an answer limit of {limit} tokens"
    return None


def _reasons_unasked(asked: Features, seat: Seat) -> bool:
    """Whether the model would reason although nobody asked for it, and the model that the caller named would not."""
    if asked.effort is not None or asked.thinking is not None or seat.able.reasoning not in ("on", "always"):
        return False
    named = capabilities(seat.model.provider, asked.model)
    return named is None or named.reasoning in ("never", "off")


_CHECKS: tuple[Callable[[Features, Seat], Refusal | None], ...] = (
    _tools,
    _media,
    _format,
    _sampling,
    _choices,
    _reasoning,
    _conversation,
    _length,
)
