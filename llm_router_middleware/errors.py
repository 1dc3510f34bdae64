"""The exception tree.

LLMRouterError
├── ConfigurationError          raised at construction, never in the middle of a call
│   └── UnsupportedClientError  wrap() was given something that is not a client of a known SDK
└── TranslationError            internal: another provider's answer can't be carried
    ├── RuledOutError           a request can't be carried; names the parameter
    ├── RefusedAnswerError      the model refused, in a way for which the caller's dialect has no form
    └── TruncatedStreamError    a stream ended without its terminator

A call made through a routed client raises the exceptions of the caller's own SDK, never one of these.
"""

from __future__ import annotations

__all__ = [
    "ConfigurationError",
    "LLMRouterError",
    "RefusedAnswerError",
    "RuledOutError",
    "TranslationError",
    "TruncatedStreamError",
    "UnsupportedClientError",
]


class LLMRouterError(Exception):
    """Base of everything that this package raises."""


class ConfigurationError(LLMRouterError, ValueError):
    """A setting is wrong. The message names the key, the value and what is allowed."""


class UnsupportedClientError(ConfigurationError, TypeError):
    """The object given to `wrap()` is not a client of an SDK that this version knows."""


class TranslationError(LLMRouterError):
    """What another provider said can't be put into the caller's words without loss."""


class RuledOutError(TranslationError):
    """A request can't be carried to a target.

    Args:
        parameter: the request's parameter, in the caller's words ("tool_choice").
        reason: why the target can't honour it, for people.
    """

    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(f"{parameter}: {reason}")
        self.parameter = parameter
        self.reason = reason


class RefusedAnswerError(TranslationError):
    """The model refused, and the caller's dialect has no form for that. A refusal: no other model is asked."""


class TruncatedStreamError(TranslationError):
    """A stream ended without its terminator: half an answer is not an answer."""
