"""Loopback servers that speak the wire formats of OpenAI, Anthropic and Groq, and fail as told.

The demo, this package's tests and users' own tests run the real SDKs against it. Needs the extra `sandbox` (h11).
"""

from __future__ import annotations

from llm_router_middleware.sandbox.behaviour import BEFORE_HEADERS, Behaviour
from llm_router_middleware.sandbox.provider import Provider
from llm_router_middleware.sandbox.recording import RecordedRequest
from llm_router_middleware.sandbox.sandbox import Sandbox

__all__ = ["BEFORE_HEADERS", "Behaviour", "Provider", "RecordedRequest", "Sandbox"]
