"""The caller's own client, as the engine sees it: what it would do by itself, and one request at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from llm_router_middleware.intercept.sdk import NOT_GIVEN, SDKS, Request, Sdk, rewritten

__all__ = ["NativeClient", "endpoint_of", "provider_of"]

ENTRANCE = "_llm_router_entrance"
"""The attribute by which a patched client class describes itself."""

_CLOUDS = ("Azure", "Bedrock", "Vertex", "Foundry", "AWS")
"""Words in the class names of clients for hosted clouds, where models have other names and requests are signed."""


_RETRIES_HEADER = "x-stainless-retry-count"


def provider_of(client: Any) -> str:
    """Whom a client talks to: a hosted cloud, another provider by its host, else the SDK's own provider."""
    name = type(client).__name__
    cloud = next((cloud for cloud in _CLOUDS if cloud in name), None)
    if cloud is not None:
        return cloud.lower()
    host = client.base_url.host
    for sdk in SDKS.values():
        if host in sdk.hosts:
            return sdk.name
    return getattr(type(client), ENTRANCE).sdk.name  # type: ignore[no-any-return]


def endpoint_of(client: Any) -> str:
    """Provider, origin and credential of a client in one key, the name of its circuit.

    The credential is told from others of this process by 16 bits of a hash that is keyed per process.
    """
    url, key = client.base_url, getattr(client, "api_key", None)
    netloc = url.netloc.decode() if isinstance(url.netloc, bytes) else url.netloc
    credential = f"#{hash(key) & 0xFFFF:04x}" if isinstance(key, str) else ""
    return f"{provider_of(client)}@{url.scheme}://{netloc}{credential}"


class NativeClient:
    """One call of one client.

    Args:
        client: the caller's own object.
        entrance: what the door knows of its class.
        beneath: its `request` beneath us.
        request: the call, read.
        cast_to: what the SDK shall build.
        options: the SDK's options of the request.
        stream: whether the SDK was asked for a stream.
        rest: the other arguments of the request.
    """

    __slots__ = ("beneath", "cast_to", "client", "is_async", "options", "request", "rest", "sdk", "stream")

    def __init__(
        self,
        client: Any,
        entrance: Any,
        beneath: Callable[..., Any],
        request: Request,
        cast_to: Any,
        options: Any,
        stream: bool,
        rest: dict[str, Any],
    ) -> None:
        self.client = client
        self.sdk: Sdk = entrance.sdk
        self.is_async: bool = entrance.is_async
        self.beneath = beneath
        self.request = request
        self.cast_to = cast_to
        self.options = options
        self.stream = stream
        self.rest = rest

    # -- what the caller's client would do by itself

    @property
    def provider(self) -> str:
        """Whom the client talks to."""
        return provider_of(self.client)

    @property
    def identity(self) -> tuple[Any, Any]:
        """What `endpoint` is made of: as long as these are the same objects, it is the same."""
        return getattr(self.client, "_base_url", None), getattr(self.client, "api_key", None)

    @property
    def endpoint(self) -> str:
        """Provider, origin and credential in one key."""
        return endpoint_of(self.client)

    @property
    def retries(self) -> int:
        """How often the SDK would try again."""
        return max(int(self.options.get_max_retries(self.client.max_retries)), 0)

    @property
    def timeout_s(self) -> float | None:
        """Seconds that one request may take; None for no limit."""
        given = self.options.timeout
        timeout = self.client.timeout if type(given).__name__ in NOT_GIVEN else given
        read = getattr(timeout, "read", timeout)
        return float(read) if isinstance(read, (int, float)) and math.isfinite(read) else None

    @property
    def strict(self) -> bool:
        """Whether the client validates what it receives."""
        return bool(getattr(self.client, "_strict_response_validation", False))

    @property
    def pinned(self) -> str | None:
        """Why the model can't be changed: a deployment in the URL answers whatever the body says."""
        if getattr(self.client, "_azure_deployment", None) is not None:
            return "azure_deployment fixes the model"
        return None

    # -- one request at a time

    def unchanged(self) -> Callable[[], Any]:
        """The call exactly as the caller made it, the SDK's own retries included."""
        return partial(self.beneath, self.cast_to, self.options, stream=self.stream, **self.rest)

    def attempt(
        self, model: str | None, timeout_s: float | None, retries: int = 0, *, with_usage: bool = False
    ) -> Callable[[], Any]:
        """One request: with another model, if one is given, and never retried beneath us.

        Args:
            model: to be asked in place of the caller's; None leaves the body as it is.
            timeout_s: for this request; None leaves the caller's timeout as it is.
            retries: how often the same was asked before in this call. The SDK would have said so in a header.
            with_usage: ask the stream for its usage.
        """
        options = rewritten(self.options, model=model, max_retries=0, timeout=timeout_s)
        if with_usage:
            options.json_data = {**options.json_data, "stream_options": {"include_usage": True}}
        if retries:
            options.headers = _with_default(options.headers, _RETRIES_HEADER, str(retries))
        return partial(self.beneath, self.cast_to, options, stream=self.stream, **self.rest)

    def has_renewed(self, error: Exception) -> bool:
        """Whether the SDK has thrown away the token that a 401 was about, so that the same request may now be let in.

        Anthropic's clients do that where they decide whether to retry; they don't come to it when each request is one.
        """
        if getattr(error, "status_code", None) != 401 or not self.retries:
            return False
        decide = getattr(self.client, "_should_retry", None)
        return decide is not None and bool(decide(error.response))  # type: ignore[attr-defined]  # has a status: has one

    def detached(self, headers: dict[str, str]) -> Any:
        """The options of the request without its body, for a client that answers from memory."""
        options = rewritten(self.options, model=None, max_retries=0)
        given = self.options.headers
        options.headers = {**(given if isinstance(given, dict) else {}), **headers}
        options.json_data = {}
        options.extra_json = None
        return options


def _with_default(headers: Any, name: str, value: str) -> dict[str, Any]:
    """Headers with one more, unless the caller has given, or taken away, the same one himself."""
    given = dict(headers) if isinstance(headers, Mapping) else {}
    return given if any(key.lower() == name for key in given) else {**given, name: value}
