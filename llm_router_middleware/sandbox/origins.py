"""The three providers as rows: keys, paths, models, headers, error bodies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from llm_router_middleware.sandbox.answer import Envelope
from llm_router_middleware.sandbox.behaviour import Behaviour
from llm_router_middleware.sandbox.errors import Fault
from llm_router_middleware.sandbox.wires.anthropic_messages import CountTokensWire, MessagesWire
from llm_router_middleware.sandbox.wires.base import Wire
from llm_router_middleware.sandbox.wires.groq_chat import GroqChatWire
from llm_router_middleware.sandbox.wires.openai_chat import ChatWire
from llm_router_middleware.sandbox.wires.openai_embeddings import EmbeddingsWire
from llm_router_middleware.sandbox.wires.openai_responses import ResponsesWire

__all__ = ["Anthropic", "Groq", "OpenAI", "Origin"]


@dataclass(frozen=True)
class Origin:
    """A provider, as seen from outside.

    Attributes:
        name: of the provider.
        base_path: what its SDK's `base_url` ends with.
        models_path: where its models are listed.
        models: what it lists.
    """

    name: str
    base_path: str
    models_path: str
    models: tuple[str, ...]

    @property
    def key(self) -> str:
        """The one API key that it accepts."""
        return f"sk-sandbox-{self.name}"

    def routes(self) -> dict[str, Wire]:
        """The wire format of each path that takes a POST."""
        raise NotImplementedError

    def given_key(self, headers: Mapping[str, str]) -> str | None:
        """The API key that a request carries."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        return key.strip() or None if scheme.lower() == "bearer" else None

    def missing_key(self) -> str:
        """What it says when a request carries no API key."""
        raise NotImplementedError

    def request_id(self, mark: str) -> str:
        """A request id in its form."""
        return f"req_{mark}"

    def error_body(self, fault: Fault) -> dict[str, Any]:
        """The body of an error."""
        raise NotImplementedError

    def headers(self, envelope: Envelope, behaviour: Behaviour, fault: Fault | None) -> dict[str, str]:
        """The headers of an answer."""
        raise NotImplementedError

    def model(self, name: str) -> dict[str, Any]:
        """A model, as it describes it."""
        return {"id": name, "object": "model", "created": 1793491200, "owned_by": self.name}

    def listing(self, models: tuple[str, ...]) -> dict[str, Any]:
        """Its list of models."""
        return {"object": "list", "data": [self.model(name) for name in models]}


class OpenAI(Origin):
    """api.openai.com."""

    def __init__(self) -> None:
        models = ("gpt-6-luna", "gpt-6.1-terra", "gpt-6-sol", "gpt-6.1-sol", "gpt-6-astra", "text-embedding-3-small")
        super().__init__("openai", "/v1", "/v1/models", models)

    def routes(self) -> dict[str, Wire]:
        """See `Origin.routes`."""
        return {
            "/v1/chat/completions": ChatWire(),
            "/v1/responses": ResponsesWire(),
            "/v1/embeddings": EmbeddingsWire(),
        }

    def missing_key(self) -> str:
        """See `Origin.missing_key`."""
        return "You didn't provide an API key. You need to provide your API key in an Authorization header."

    def error_body(self, fault: Fault) -> dict[str, Any]:
        """See `Origin.error_body`."""
        return {
            "error": {"message": fault.message, "type": fault.type, "param": fault.param, "code": fault.code},
        }

    def headers(self, envelope: Envelope, behaviour: Behaviour, fault: Fault | None) -> dict[str, str]:
        """See `Origin.headers`."""
        return {
            "x-request-id": envelope.request_id,
            "openai-version": "2020-10-01",
            "openai-organization": "org-sandbox",
            "openai-processing-ms": str(int(behaviour.latency_s * 1000) + 1),
            **_limits(behaviour, fault, envelope.serial, requests=30_000, tokens=150_000_000),
        }


class Groq(Origin):
    """api.groq.com."""

    def __init__(self) -> None:
        models = ("openai/gpt-oss-20b", "openai/gpt-oss-120b", "qwen/qwen3.8-27b")
        super().__init__("groq", "", "/openai/v1/models", models)

    def routes(self) -> dict[str, Wire]:
        """See `Origin.routes`."""
        return {"/openai/v1/chat/completions": GroqChatWire()}

    def missing_key(self) -> str:
        """See `Origin.missing_key`."""
        return "Invalid API Key"

    def error_body(self, fault: Fault) -> dict[str, Any]:
        """See `Origin.error_body`. Members without a value are left out."""
        error = {"message": fault.message, "type": fault.type, "code": fault.code, **dict(fault.extra)}
        return {"error": {key: value for key, value in error.items() if value is not None}}

    def headers(self, envelope: Envelope, behaviour: Behaviour, fault: Fault | None) -> dict[str, str]:
        """See `Origin.headers`."""
        return {
            "x-request-id": envelope.request_id,
            "x-groq-region": "sandbox",
            "cache-control": "private, max-age=0, no-store, no-cache, must-revalidate",
            **_limits(behaviour, fault, envelope.serial, requests=14_400, tokens=18_000),
        }


class Anthropic(Origin):
    """api.anthropic.com."""

    def __init__(self) -> None:
        models = ("claude-haiku-5-5", "claude-haiku-4-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-fable-5-2")
        super().__init__("anthropic", "", "/v1/models", models)

    def routes(self) -> dict[str, Wire]:
        """See `Origin.routes`."""
        return {"/v1/messages": MessagesWire(), "/v1/messages/count_tokens": CountTokensWire()}

    def given_key(self, headers: Mapping[str, str]) -> str | None:
        """The API key stands in a header of its own; a bearer token serves as well."""
        return headers.get("x-api-key") or super().given_key(headers)

    def missing_key(self) -> str:
        """See `Origin.missing_key`."""
        return "x-api-key header is required"

    def request_id(self, mark: str) -> str:
        """See `Origin.request_id`."""
        return f"req_011{mark[:21]}"

    def error_body(self, fault: Fault) -> dict[str, Any]:
        """See `Origin.error_body`."""
        error = {"type": fault.type, "message": fault.message}
        return {"type": "error", "error": error, "request_id": fault.request_id}

    def headers(self, envelope: Envelope, behaviour: Behaviour, fault: Fault | None) -> dict[str, str]:
        """See `Origin.headers`."""
        limited = fault is not None and fault.status == 429
        at = datetime.fromtimestamp(envelope.created, UTC) + timedelta(seconds=_wait(behaviour))
        reset = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        headers = {"request-id": envelope.request_id, "anthropic-organization-id": "org-sandbox"}
        limits = {"requests": 4_000, "input-tokens": 200_000, "output-tokens": 80_000, "tokens": 280_000}
        for name, limit in limits.items():
            left = 0 if limited and name != "requests" else limit - envelope.serial % limit
            headers[f"anthropic-ratelimit-{name}-limit"] = str(limit)
            headers[f"anthropic-ratelimit-{name}-remaining"] = str(left)
            headers[f"anthropic-ratelimit-{name}-reset"] = reset
        if fault is not None:
            headers["x-should-retry"] = "true" if fault.status in (408, 409, 429) or fault.status >= 500 else "false"
        return headers

    def model(self, name: str) -> dict[str, Any]:
        """See `Origin.model`."""
        return {
            "type": "model",
            "id": name,
            "display_name": name.replace("-", " ").title(),
            "created_at": "2026-11-01T00:00:00Z",
            "lifecycle": "active",
        }

    def listing(self, models: tuple[str, ...]) -> dict[str, Any]:
        """See `Origin.listing`."""
        data = [self.model(name) for name in models]
        return {"data": data, "has_more": False, "first_id": models[0], "last_id": models[-1]}


def _limits(behaviour: Behaviour, fault: Fault | None, serial: int, requests: int, tokens: int) -> dict[str, str]:
    """The `x-ratelimit-*` headers, which OpenAI and Groq share; durations as Go writes them."""
    limited = fault is not None and fault.status == 429
    return {
        "x-ratelimit-limit-requests": str(requests),
        "x-ratelimit-limit-tokens": str(tokens),
        "x-ratelimit-remaining-requests": str(requests - serial % requests),
        "x-ratelimit-remaining-tokens": "0" if limited else str(tokens - serial % tokens),
        "x-ratelimit-reset-requests": "120ms",
        "x-ratelimit-reset-tokens": f"{_wait(behaviour):g}s",
    }


def _wait(behaviour: Behaviour) -> float:
    asked = behaviour.retry_after
    return asked if isinstance(asked, (int, float)) and math.isfinite(asked) and 0 <= asked < 1e6 else 0
