"""What we know of the three SDKs: their classes, their chat endpoints, and how to read and rewrite a request.

Facts are data; the SDKs themselves are imported by the caller, never by us: a class is recognised by the name of the
package that it comes from.
"""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from llm_router_middleware.engine.call import Wire
from llm_router_middleware.errors import UnsupportedClientError

__all__ = ["NOT_GIVEN", "SDKS", "Request", "Sdk", "concrete_class", "read_request", "rewritten", "sdk_of"]


@dataclass(frozen=True, slots=True)
class Sdk:
    """One SDK.

    Attributes:
        name: of its package, which is also the name of the provider that its client talks to by default.
        roots: its client classes, sync and async.
        endpoints: path of the request, without query, to the wire of its body.
        hosts: of the provider, for clients of another SDK that are pointed there.
    """

    name: str
    roots: tuple[str, str]
    endpoints: Mapping[str, Wire]
    hosts: tuple[str, ...]

    @property
    def module(self) -> ModuleType:
        """The SDK's package, which its own client has imported long before."""
        return sys.modules[self.name]


SDKS: Mapping[str, Sdk] = {
    "openai": Sdk(
        "openai",
        ("OpenAI", "AsyncOpenAI"),
        {"/chat/completions": "openai_chat", "/responses": "openai_responses"},
        ("api.openai.com",),
    ),
    "anthropic": Sdk(
        "anthropic",
        ("Anthropic", "AsyncAnthropic"),
        {"/v1/messages": "anthropic_messages"},
        ("api.anthropic.com",),
    ),
    "groq": Sdk(
        "groq",
        ("Groq", "AsyncGroq"),
        {"/openai/v1/chat/completions": "groq_chat"},
        ("api.groq.com",),
    ),
}

NOT_GIVEN = frozenset({"NotGiven", "Omit"})
"""The SDKs' classes for an argument that was not given; some leave such values in the body until they send it."""

_RAW_HEADER = "x-stainless-raw-response"


def sdk_of(client_class: type) -> Sdk:
    """The SDK that a client's class comes from.

    Raises:
        UnsupportedClientError: it is none that we know, or a version whose `request` differs.
    """
    for cls in client_class.__mro__:
        sdk = SDKS.get(cls.__module__.partition(".")[0])
        if sdk is not None and callable(getattr(cls, "request", None)):
            _check(cls, sdk)
            return sdk
    raise UnsupportedClientError(
        f"{client_class.__module__}.{client_class.__qualname__}: expected a client of the openai, anthropic or groq "
        "SDK, such as openai.OpenAI()"
    )


def _check(client_class: type, sdk: Sdk) -> None:
    parameters = tuple(inspect.signature(client_class.request).parameters)  # type: ignore[attr-defined]
    if parameters[1:3] != ("cast_to", "options") or not {"stream", "stream_cls"} <= set(parameters):
        version = getattr(sdk.module, "__version__", "of unknown version")
        raise UnsupportedClientError(
            f"{sdk.name} {version}: its clients' request{parameters} is not what this package knows; supported are "
            "openai >= 1.66, anthropic >= 0.49 and groq >= 0.13"
        )


def concrete_class(client_class: type) -> type:
    """The class to enter at: the SDK's own client class that this one is, or descends from."""
    ours = [cls for cls in client_class.__mro__ if cls.__module__.partition(".")[0] in SDKS]
    for cls in ours:
        if cls.__name__ in SDKS[cls.__module__.partition(".")[0]].roots:
            return cls
    return ours[0]


@dataclass(frozen=True, slots=True)
class Request:
    """A request on its way through the door.

    Attributes:
        wire: the dialect of its body; None for an endpoint that is not routed.
        body: the JSON body; iterators in it have become lists.
        stream: whether the caller reads a stream of events.
        raw: "", "true" or "stream": which of the SDK's raw response modes the caller uses.
        opaque: why the body can't be read; None if it can.
    """

    wire: Wire | None
    body: dict[str, Any]
    stream: bool
    raw: str = ""
    opaque: str | None = None


def read_request(sdk: Sdk, options: Any, stream: bool) -> Request:
    """Reads the options of a request, whatever the form of the call was that made them."""
    path = str(options.url).partition("?")[0]
    wire = sdk.endpoints.get(path) if str(options.method).lower() == "post" else None
    json_data = getattr(options, "json_data", None)
    extra = getattr(options, "extra_json", None) or {}
    raw = _raw_mode(getattr(options, "headers", None))
    if getattr(options, "content", None) is not None or getattr(options, "files", None):
        return Request(wire, {}, stream, raw, "the body is opaque bytes")
    if not isinstance(json_data, Mapping):
        return Request(wire, dict(extra), stream, raw, None if json_data is None else "the body is not an object")
    if wire is not None:
        _materialise(sdk, options)
    merged = {**options.json_data, **extra}
    body = {key: value for key, value in merged.items() if type(value).__name__ not in NOT_GIVEN}
    return Request(wire, body, stream or extra.get("stream") is True, raw)


def _materialise(sdk: Sdk, options: Any) -> None:
    """What can be read once only is read by us first: it must be there again for the SDK, and for each attempt."""
    if not _holds_one_shot(options.json_data):
        return
    prepare = getattr(sys.modules[f"{sdk.name}._base_client"], "prepare_request_data", None)
    if prepare is not None:
        # Anthropic reads iterators and open files while it sends: its own function says what becomes of them.
        options.json_data = prepare(options.json_data, location="body")
    else:
        once = {key: list(value) for key, value in options.json_data.items() if hasattr(value, "__next__")}
        options.json_data = {**options.json_data, **once}


def _holds_one_shot(value: Any) -> bool:
    """Whether an iterator or an open file is anywhere in a body."""
    if isinstance(value, str):
        return False
    if isinstance(value, Mapping):
        return any(map(_holds_one_shot, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_holds_one_shot, value))
    return hasattr(value, "__next__")


def _raw_mode(headers: Any) -> str:
    if not isinstance(headers, Mapping):
        return ""
    return next((str(value) for key, value in headers.items() if str(key).lower() == _RAW_HEADER), "")


def rewritten(options: Any, *, model: str | None, max_retries: int | None, timeout: Any = None) -> Any:
    """A copy of a request's options with another model; every other byte of its body stays as it is."""
    changed = copy.copy(options)
    if max_retries is not None:
        changed.max_retries = max_retries
    if timeout is not None:
        changed.timeout = timeout
    if model is None:
        return changed
    extra = getattr(options, "extra_json", None)
    if extra and "model" in extra:
        changed.extra_json = {**extra, "model": model}
    if isinstance(options.json_data, Mapping) and ("model" in options.json_data or not (extra and "model" in extra)):
        changed.json_data = {**options.json_data, "model": model}
    return changed
