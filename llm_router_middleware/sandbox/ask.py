"""What a request asks for, whatever its wire format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Ask", "Rejected", "Tool"]


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the request offers.

    Attributes:
        name: as the answer has to call it.
        schema: JSON schema of its arguments.
    """

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request, understood.

    Attributes:
        model: whom it names.
        body: as it came.
        prompt: the last text that the user wrote.
        results: what tools said since then.
        input_tokens: of the whole request.
        stream: whether a stream is wanted.
        tools: what may be called.
        choice: "auto", "none", "required" or the name of the tool to call.
        parallel: whether several tools may be called at once.
        schema: JSON schema that the answer has to fit.
        json_object: whether the answer has to be any JSON object.
        cap: the most tokens that the answer may have.
        stops: texts that end the answer.
        alternatives: how many answers.
        reasoning: whether reasoning is asked for, and shown.
    """

    model: str
    body: Mapping[str, Any]
    prompt: str
    results: tuple[str, ...] = ()
    input_tokens: int = 0
    stream: bool = False
    tools: tuple[Tool, ...] = ()
    choice: str = "auto"
    parallel: bool = True
    schema: Mapping[str, Any] | None = None
    json_object: bool = False
    cap: int | None = None
    stops: tuple[str, ...] = ()
    alternatives: int = 1
    reasoning: bool = False


class Rejected(Exception):  # noqa: N818 - it is an answer, not a failure of ours
    """The provider would not take this request.

    Args:
        message: the provider's words.
        kind: of error (`errors.KINDS`).
        code: the error's code; None for the kind's own.
        param: the parameter at fault, where the provider says it.
    """

    def __init__(
        self, message: str, *, kind: str = "invalid_request", code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.code = code
        self.param = param
