"""The six clients as type checkers see them: the SDK's own class, whose constructor also takes `router=`.

Written by `python -m tests.typing.stub` from the SDKs' own constructors; a test keeps it so. There is no such module
at run time: the six are made by `intercept.dropin` when they are first asked for, and their instances are the SDK's.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import anthropic
import anthropic._middleware
import anthropic._types
import anthropic.lib.credentials
import groq
import groq._types
import httpx
import httpx2
import openai
import openai._data_residency
import openai._provider
import openai._types
import openai.auth

from llm_router_middleware.router import Router

class OpenAI(openai.OpenAI):
    def __init__(
        self,
        *,
        api_key: str | Callable[[], str] | None = ...,
        admin_api_key: str | None = ...,
        workload_identity: openai.auth.WorkloadIdentity | openai.auth.X509WorkloadIdentity | None = ...,
        organization: str | None = ...,
        project: str | None = ...,
        webhook_secret: str | None = ...,
        provider: openai._provider._Provider | None = ...,
        base_url: str | httpx2.URL | openai._types.NotGiven | None = ...,
        data_residency: openai._data_residency.DataResidency | None = ...,
        websocket_base_url: str | httpx2.URL | None = ...,
        timeout: float | httpx2.Timeout | openai._types.NotGiven | None = ...,
        max_retries: int = ...,
        default_headers: Mapping[str, str] | None = ...,
        default_query: Mapping[str, object] | None = ...,
        http_client: httpx2.Client | None = ...,
        _strict_response_validation: bool = ...,
        _enforce_credentials: bool = ...,
        router: Router | None = ...,
    ) -> None: ...

class AsyncOpenAI(openai.AsyncOpenAI):
    def __init__(
        self,
        *,
        api_key: str | Callable[[], Awaitable[str]] | None = ...,
        admin_api_key: str | None = ...,
        workload_identity: openai.auth.WorkloadIdentity | openai.auth.X509WorkloadIdentity | None = ...,
        organization: str | None = ...,
        project: str | None = ...,
        webhook_secret: str | None = ...,
        provider: openai._provider._Provider | None = ...,
        base_url: str | httpx2.URL | openai._types.NotGiven | None = ...,
        data_residency: openai._data_residency.DataResidency | None = ...,
        websocket_base_url: str | httpx2.URL | None = ...,
        timeout: float | httpx2.Timeout | openai._types.NotGiven | None = ...,
        max_retries: int = ...,
        default_headers: Mapping[str, str] | None = ...,
        default_query: Mapping[str, object] | None = ...,
        http_client: httpx2.AsyncClient | None = ...,
        _strict_response_validation: bool = ...,
        _enforce_credentials: bool = ...,
        router: Router | None = ...,
    ) -> None: ...

class Anthropic(anthropic.Anthropic):
    def __init__(
        self,
        *,
        api_key: str | None = ...,
        auth_token: str | None = ...,
        credentials: anthropic.lib.credentials.AccessTokenProvider | None = ...,
        config: Mapping[str, Any] | None = ...,
        profile: str | None = ...,
        webhook_key: str | None = ...,
        base_url: str | httpx2.URL | None = ...,
        timeout: float | httpx2.Timeout | anthropic._types.NotGiven | None = ...,
        max_retries: int = ...,
        default_headers: Mapping[str, str] | None = ...,
        default_query: Mapping[str, object] | None = ...,
        open_telemetry: anthropic._types.OpenTelemetryClientOption = ...,
        http_client: httpx2.Client | None = ...,
        middleware: Sequence[anthropic._middleware.MiddlewareInput] | None = ...,
        _strict_response_validation: bool = ...,
        _token_cache: anthropic.lib.credentials.TokenCache | anthropic._types.NotGiven | None = ...,
        router: Router | None = ...,
    ) -> None: ...

class AsyncAnthropic(anthropic.AsyncAnthropic):
    def __init__(
        self,
        *,
        api_key: str | None = ...,
        auth_token: str | None = ...,
        credentials: anthropic.lib.credentials.AccessTokenProvider
        | anthropic.lib.credentials.AsyncAccessTokenProvider
        | None = ...,
        config: Mapping[str, Any] | None = ...,
        profile: str | None = ...,
        webhook_key: str | None = ...,
        base_url: str | httpx2.URL | None = ...,
        timeout: float | httpx2.Timeout | anthropic._types.NotGiven | None = ...,
        max_retries: int = ...,
        default_headers: Mapping[str, str] | None = ...,
        default_query: Mapping[str, object] | None = ...,
        open_telemetry: anthropic._types.OpenTelemetryClientOption = ...,
        http_client: httpx2.AsyncClient | None = ...,
        middleware: Sequence[anthropic._middleware.MiddlewareInput] | None = ...,
        _strict_response_validation: bool = ...,
        _token_cache: anthropic.lib.credentials.TokenCache | anthropic._types.NotGiven | None = ...,
        router: Router | None = ...,
    ) -> None: ...

class Groq(groq.Groq):
    def __init__(
        self,
        *,
        api_key: str | None = ...,
        base_url: str | httpx.URL | None = ...,
        timeout: float | httpx.Timeout | groq._types.NotGiven | None = ...,
        max_retries: int = ...,
        default_headers: Mapping[str, str] | None = ...,
        default_query: Mapping[str, object] | None = ...,
        http_client: httpx.Client | None = ...,
        _strict_response_validation: bool = ...,
        router: Router | None = ...,
    ) -> None: ...

class AsyncGroq(groq.AsyncGroq):
    def __init__(
        self,
        *,
        api_key: str | None = ...,
        base_url: str | httpx.URL | None = ...,
        timeout: float | httpx.Timeout | groq._types.NotGiven | None = ...,
        max_retries: int = ...,
        default_headers: Mapping[str, str] | None = ...,
        default_query: Mapping[str, object] | None = ...,
        http_client: httpx.AsyncClient | None = ...,
        _strict_response_validation: bool = ...,
        router: Router | None = ...,
    ) -> None: ...
