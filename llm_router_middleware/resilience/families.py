"""Families of exceptions, by the names of their classes: openai, anthropic, groq, httpx, httpx2, httpcore, anyio."""

from __future__ import annotations

from llm_router_middleware.engine.call import FailureKind

__all__ = ["CANCELLED", "FAMILIES", "UNSENT", "WRAPPERS"]

CANCELLED = "CancelledError"
"""A caller who no longer waits. Whatever is no `Exception` (GeneratorExit, KeyboardInterrupt) counts as well."""

FAMILIES: dict[str, FailureKind] = {
    # ours
    "TruncatedStreamError": FailureKind.TRUNCATED,
    "TranslationError": FailureKind.TRANSLATION,
    # nothing was sent
    "PoolTimeout": FailureKind.POOL,
    "ConnectTimeout": FailureKind.CONNECT,
    "ConnectError": FailureKind.CONNECT,
    "ProxyError": FailureKind.CONNECT,
    "ConnectionRefusedError": FailureKind.CONNECT,
    "gaierror": FailureKind.CONNECT,
    "SSLCertVerificationError": FailureKind.CONNECT,
    "UnsupportedProtocol": FailureKind.BAD_REQUEST,
    "InvalidURL": FailureKind.BAD_REQUEST,
    "LocalProtocolError": FailureKind.BAD_REQUEST,
    # something was
    "TimeoutException": FailureKind.TIMEOUT,
    "TimeoutError": FailureKind.TIMEOUT,
    "TransportError": FailureKind.CONNECTION_LOST,
    "NetworkError": FailureKind.CONNECTION_LOST,
    "RemoteProtocolError": FailureKind.CONNECTION_LOST,
    "ConnectionError": FailureKind.CONNECTION_LOST,
    "SSLError": FailureKind.CONNECTION_LOST,
    "BrokenResourceError": FailureKind.CONNECTION_LOST,
    "ClosedResourceError": FailureKind.CONNECTION_LOST,
    "EndOfStream": FailureKind.CONNECTION_LOST,
    # an answer came, and it is not what it should be
    "TooManyRedirects": FailureKind.HTML,
    "DecodingError": FailureKind.BAD_JSON,
    "JSONDecodeError": FailureKind.BAD_JSON,
    "UnicodeDecodeError": FailureKind.BAD_JSON,
    "LengthFinishReasonError": FailureKind.BAD_REQUEST,
    "ContentFilterFinishReasonError": FailureKind.REFUSAL,
    "ValidationError": FailureKind.BAD_REQUEST,
    # raised in the caller's own middleware, to be tried again: nobody is to blame
    "RetryableError": FailureKind.CONFLICT,
    # no credential to send
    "CredentialsError": FailureKind.AUTH,
    "SubjectTokenProviderError": FailureKind.AUTH,
}
"""The first class of an exception's MRO that is listed here decides."""

UNSENT = frozenset(
    {
        "TranslationError",
        "PoolTimeout",
        "ConnectTimeout",
        "ConnectError",
        "ProxyError",
        "ConnectionRefusedError",
        "gaierror",
        "SSLCertVerificationError",
        "UnsupportedProtocol",
        "InvalidURL",
        "LocalProtocolError",
        "CredentialsError",
        "SubjectTokenProviderError",
    }
)
"""Families whose request never left: asking again can't ask twice."""

WRAPPERS: dict[str, FailureKind] = {
    "APITimeoutError": FailureKind.TIMEOUT,
    "APIConnectionError": FailureKind.CONNECTION_LOST,
}
"""An SDK's words for what its HTTP library has raised: the cause says more, and these count only where there is none.
In all three SDKs a timeout is also a connection error, so it stands first in the MRO."""
