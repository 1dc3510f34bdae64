"""What carrying out an attempt needs from rooms that this one does not know, handed in when a router is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llm_router_middleware.dialects.base import Translator
from llm_router_middleware.engine.call import Failure
from llm_router_middleware.engine.watch import Reader
from llm_router_middleware.models.spec import ModelSpec

__all__ = ["Trade"]


@dataclass(frozen=True, slots=True)
class Trade:
    """The skills that a performer needs, from rooms that this one does not know.

    Attributes:
        backends: clients of other providers.
        shadows: the caller's SDK, fed from memory.
        classify: what an exception means.
        classify_value: what a value that the SDK returned means, if it is a failure.
        classify_body: what an error means that came under a good status; by wire.
        reader: follows the events of a native stream; by wire, content type.
        translating_reader: follows the events of a translated stream.
        translator: the pair of two wires; None where there is none.
        target_wire: on which of a provider's wires a model is to be asked.
        read_usage: tokens and served model of a whole answer, by wire.
        error_response: status, headers and body of an error in a wire's own form.
        usage_filter: a reader that withholds the usage that was not asked for by the caller.
        include_usage: whether to ask OpenAI's own streams for their usage.
        refusal_failover: whether a refusal in an answer is a failure.
        now: monotonic seconds.
        clock: seconds since the epoch.
    """

    backends: Any
    shadows: Any
    classify: Callable[[BaseException], Failure]
    classify_value: Callable[[Any], Failure | None]
    classify_body: Callable[[Any, Mapping[str, Any]], Failure]
    reader: Callable[[str, str], Reader]
    translating_reader: Callable[..., Reader]
    translator: Callable[[Any, Any], Translator | None]
    target_wire: Callable[[Any, Mapping[str, Any], ModelSpec, Any], Any]
    read_usage: Callable[[str, Mapping[str, Any]], tuple[Any, str | None]]
    error_response: Callable[..., tuple[int, dict[str, str], dict[str, Any]]]
    usage_filter: Callable[[], Reader]
    include_usage: bool
    refusal_failover: bool
    now: Callable[[], float]
    clock: Callable[[], float]
