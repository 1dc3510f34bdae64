"""The nouns of one call: what was asked, what one attempt did, what came of it. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from llm_router_middleware.models.spec import ModelSpec

__all__ = [
    "Attempt",
    "Call",
    "Effect",
    "Failure",
    "FailureKind",
    "Limits",
    "Outcome",
    "Pause",
    "Verdict",
    "Wire",
]

Wire = Literal["openai_chat", "groq_chat", "openai_responses", "anthropic_messages"]
"""A dialect as one provider speaks it: Groq is a profile of OpenAI's chat dialect, with its own name."""


class Effect(Enum):
    """What a breaker learns from an outcome."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    COOLDOWN = "cooldown"
    EJECT = "eject"


class FailureKind(Enum):
    """What went wrong, and what follows from it (reliability: failure classes).

    Each value is (name, model breaker, endpoint breaker, retry on the same model, try the next candidate).
    """

    HTML = ("html", Effect.FAILURE, Effect.NEUTRAL, False, True)
    BAD_JSON = ("bad_json", Effect.FAILURE, Effect.NEUTRAL, True, True)
    CONNECT = ("connect", Effect.NEUTRAL, Effect.FAILURE, True, True)
    POOL = ("pool", Effect.NEUTRAL, Effect.NEUTRAL, False, False)
    TIMEOUT = ("timeout", Effect.FAILURE, Effect.FAILURE, False, True)
    CONNECTION_LOST = ("connection_lost", Effect.FAILURE, Effect.FAILURE, False, True)
    SERVER = ("server", Effect.FAILURE, Effect.NEUTRAL, True, True)
    OVERLOADED = ("overloaded", Effect.FAILURE, Effect.NEUTRAL, False, True)
    RATE_LIMIT = ("rate_limit", Effect.COOLDOWN, Effect.NEUTRAL, True, True)
    QUOTA = ("quota", Effect.NEUTRAL, Effect.EJECT, False, True)
    CAPACITY = ("capacity", Effect.COOLDOWN, Effect.NEUTRAL, False, True)
    TOO_LARGE = ("too_large", Effect.NEUTRAL, Effect.NEUTRAL, False, False)
    BAD_REQUEST = ("bad_request", Effect.NEUTRAL, Effect.NEUTRAL, False, False)
    NOT_FOUND = ("not_found", Effect.NEUTRAL, Effect.NEUTRAL, False, False)
    CONFLICT = ("conflict", Effect.NEUTRAL, Effect.NEUTRAL, True, False)
    AUTH = ("auth", Effect.NEUTRAL, Effect.EJECT, False, False)
    REFUSAL = ("refusal", Effect.NEUTRAL, Effect.NEUTRAL, False, False)
    TRUNCATED = ("truncated", Effect.FAILURE, Effect.NEUTRAL, False, True)
    CANCELLED = ("cancelled", Effect.NEUTRAL, Effect.NEUTRAL, False, False)
    TRANSLATION = ("translation", Effect.NEUTRAL, Effect.NEUTRAL, False, True)
    INTERNAL = ("internal", Effect.NEUTRAL, Effect.NEUTRAL, False, False)

    def __init__(self, label: str, model: Effect, endpoint: Effect, retry_same: bool, tries_next: bool) -> None:
        self.label = label
        self.model_effect = model
        self.endpoint_effect = endpoint
        self.retry_same = retry_same
        self.tries_next = tries_next

    @property
    def is_callers_fault(self) -> bool:
        """The request itself was rejected: a rewritten one is retried once as the caller wrote it."""
        return self in _CALLERS_FAULT


_CALLERS_FAULT = frozenset(
    {FailureKind.BAD_REQUEST, FailureKind.NOT_FOUND, FailureKind.TOO_LARGE, FailureKind.AUTH, FailureKind.REFUSAL}
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure, classified.

    Attributes:
        kind: what it means.
        status: the HTTP status, where there was one.
        retry_after_s: seconds that the provider asked to wait.
        sent: whether the request may have reached the provider.
        retry_forbidden: the provider said not to retry here (`x-should-retry: false`).
    """

    kind: FailureKind
    status: int | None = None
    retry_after_s: float | None = None
    sent: bool = True
    retry_forbidden: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What a caller, a scope or the settings allow for one call. None means: not limited here.

    Attributes:
        tier: this tier, whatever the complexity.
        min_tier: never below.
        max_tier: never above, not even on failure.
        max_latency_s: seconds; step up when the chosen model's p95 is above.
        pinned: the caller's own model and nothing else.
        allow_providers: the only providers that may see the request.
        lossy: names of parameters that may be lost in translation.
        deadline_s: seconds for the call and all its attempts.
    """

    tier: str | None = None
    min_tier: str | None = None
    max_tier: str | None = None
    max_latency_s: float | None = None
    pinned: bool = False
    allow_providers: frozenset[str] | None = None
    lossy: frozenset[str] = frozenset()
    deadline_s: float | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came through the door.

    Attributes:
        provider: who the caller's client talks to.
        wire: the dialect of the body.
        body: the JSON body as the caller's SDK shaped it. Never changed; every attempt starts from it.
        stream: whether the caller reads a stream.
        endpoint: provider, origin and credential of the caller's client in one key; the credential as a short hash.
        retries: how often the caller's SDK would have tried again by itself.
        timeout_s: seconds the caller gave one request; None for no limit.
        native_only: only the caller's own client may answer (raw streams, stateful requests, hosted clouds).
        limits: what applies to this call.
    """

    provider: str
    wire: Wire
    body: Mapping[str, Any]
    stream: bool = False
    endpoint: str = ""
    retries: int = 2
    timeout_s: float | None = None
    native_only: str | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def model(self) -> str:
        """The model that the caller named; an empty string when it is not a name."""
        model = self.body.get("model")
        return model if isinstance(model, str) else ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request that the flow wants made.

    Attributes:
        model: whom to ask.
        native: through the caller's own client, with his own body.
        rewritten: the provider sees something else than what the caller wrote.
        timeout_s: seconds for this request; None leaves the caller's timeout as it is.
        first_token_s: seconds until a stream must show content; None for no limit.
        rival: gives a second attempt, to be made beside this one if it takes long; None: there is none now. The first
            success counts.
        rival_after_s: seconds until it is asked for.
    """

    model: ModelSpec
    native: bool
    rewritten: bool
    timeout_s: float | None = None
    first_token_s: float | None = None
    rival: Callable[[], Attempt | None] | None = None
    rival_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Pause:
    """Time that the flow wants to pass before the next attempt.

    Attributes:
        seconds: how long.
    """

    seconds: float


@dataclass(slots=True)
class Outcome:
    """What came of an attempt. A failure of the caller's own provider may carry a value as well: an open stream that
    will raise, when it is read, exactly what the SDK would have raised.

    Attributes:
        value: what the caller's SDK returned.
        error: what it raised.
        failure: the classified failure; None for success.
        watch: of a stream, who follows it to its end.
        served_model: the model that the provider says has answered.
        usage: tokens that the provider reported, in the words of `events.event.Usage`.
        dropped: parameters that an opt-in let the translation lose.
        by: whose outcome it is, where two were asked; None where one was.
        other: what came of the other one; None where it was called off.
    """

    value: Any = None
    error: Exception | None = None
    failure: Failure | None = None
    watch: Any = None
    served_model: str | None = None
    usage: Any = None
    dropped: tuple[str, ...] = ()
    by: Attempt | None = None
    other: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of a call: what the caller gets.

    Attributes:
        value: to be returned, unless there is an error.
        error: to be raised.
    """

    value: Any = None
    error: Exception | None = None

    def deliver(self) -> Any:
        """Returns the value or raises the error, as it came from the caller's SDK."""
        if self.error is not None:
            raise self.error
        return self.value
