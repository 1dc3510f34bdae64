"""What a request needs of whoever answers it, asked of every candidate before the first request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_router_middleware.dialects.features import Features
from llm_router_middleware.dialects.fit import Seat, refusal
from llm_router_middleware.dialects.request import Request
from llm_router_middleware.dialects.table import translator
from llm_router_middleware.engine.call import Wire
from llm_router_middleware.errors import RuledOutError
from llm_router_middleware.models.spec import ModelSpec

__all__ = ["Requirements", "requirements"]

_OWN_MARGIN, _FOREIGN_MARGIN = 1.1, 1.35
"""How much larger than our estimate a prompt may turn out: by the caller's tokenizer, and by another one (their
counts of the same text differ by up to 35 %)."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """What one request needs.

    Attributes:
        request: the request, as it was read.
        prompt_tokens: the estimated size of the prompt.
    """

    request: Request = field(repr=False)
    prompt_tokens: int

    @property
    def wire(self) -> Wire:
        """The dialect of the body."""
        return self.request.caller

    @property
    def asked(self) -> Features:
        """What it asks for."""
        return self.request.asked

    @property
    def bound(self) -> str | None:
        """Why the call must stay with its provider; None if it need not."""
        return self.asked.bound

    def unmet_by(self, spec: ModelSpec, wire: Wire, lossy: frozenset[str] = frozenset()) -> str | None:
        """Why a model can't honour the request; None if it can.

        Args:
            spec: the model.
            wire: the wire on which it would be asked. On the caller's own the body goes as it is, `model` excepted.
            lossy: parameters that may be lost in translation.

        Returns:
            The reason, in words that name the parameter.
        """
        native = wire == self.wire
        seat = Seat.of(spec, wire, native=native, lossy=lossy)
        too_long = self._too_long(seat)
        if too_long is not None:
            return too_long
        if native:
            found = refusal(self.asked, seat)
            return None if found is None else "{}: {}".format(*found)
        return self._untranslatable(spec, wire, lossy)

    def _too_long(self, seat: Seat) -> str | None:
        window = seat.model.context_window or seat.able.context_window
        if window is None:
            return None
        margin = _OWN_MARGIN if seat.native else _FOREIGN_MARGIN
        wanted = self.asked.max_output or 0
        answer = wanted if seat.max_output is None else min(wanted, seat.max_output)
        if self.prompt_tokens * margin + answer <= window:
            return None
        return f"messages: about {self.prompt_tokens} tokens and an answer of {answer} don't fit its {window}"

    def _untranslatable(self, spec: ModelSpec, wire: Wire, lossy: frozenset[str]) -> str | None:
        pair = translator(self.wire, wire)
        if pair is None:
            return f"no translation from {self.wire} to {wire}"
        try:
            pair.worded(self.request, spec, lossy)
        except RuledOutError as out:
            return str(out)
        return None


def requirements(body: Mapping[str, Any], wire: Wire, *, prompt_tokens: int) -> Requirements:
    """Reads what a request needs. Never raises: what can't be read is left to the provider to judge.

    Args:
        body: the JSON body as the caller's SDK shaped it.
        wire: its dialect.
        prompt_tokens: the estimated size of the prompt.
    """
    return Requirements(Request(wire, body), prompt_tokens)
