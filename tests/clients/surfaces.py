"""The surfaces of the three SDKs: which endpoints take a model, which of them are routed, and why not the others."""

from __future__ import annotations

import sys
from pathlib import Path

# The mock's modules are a script's, so that they also run in an SDK's own environment, whose package is named `tests`.
sys.path.insert(0, str(Path(__file__).parents[1] / "sdk_suites"))

from mock_server import Answers, Request
from routes import Route, routes

__all__ = ["MATRIX", "ROUTED", "Answers", "Request", "Route", "routes"]

ROUTED = "routed"
_OTHER = "another kind of work than chat: its models are no tiers of each other"
_STATE = "state at the provider: an object is made there, which names its model for later"
_VOICE = "sound, as it is spoken"

MATRIX: dict[str, dict[str, str]] = {
    "openai": {
        "/chat/completions": ROUTED,
        "/responses": ROUTED,
        "/responses?beta=true": ROUTED,
        "/completions": "the old text completions: no messages to score, and no other provider speaks them",
        "/responses/compact": "part of a conversation that is kept at the provider",
        "/responses/compact?beta=true": "part of a conversation that is kept at the provider",
        "/responses/input_tokens": "counts tokens: the count is the model's own",
        "/responses/input_tokens?beta=true": "counts tokens: the count is the model's own",
        "/decisions": _OTHER,
        "/embeddings": _OTHER,
        "/moderations": _OTHER,
        "/images/edits": _OTHER,
        "/images/generations": _OTHER,
        "/images/variations": _OTHER,
        "/videos": _OTHER,
        "/audio/speech": _VOICE,
        "/audio/transcriptions": _VOICE,
        "/audio/translations": _VOICE,
        "/audio/voices": _VOICE,
        "/realtime/calls/{call_id}/accept": _VOICE,
        "/realtime/sessions": _VOICE,
        "/agents": _STATE,
        "/agents/{agent_id}": _STATE,
        "/assistants": _STATE,
        "/assistants/{assistant_id}": _STATE,
        "/fine_tuning/jobs": _STATE,
        "/threads/runs": _STATE,
        "/threads/{thread_id}/runs": _STATE,
        "/threads/{thread_id}/runs/{run_id}/submit_tool_outputs": _STATE,
    },
    "anthropic": {
        "/v1/messages": ROUTED,
        "/v1/messages/count_tokens": "counts tokens: the count is the model's own",
        "/v1/complete": "the old text completions: no messages to score",
        "/v1/agents": _STATE,
        "/v1/agents/{agent_id}": _STATE,
        "/v1/dreams": _STATE,
    },
    "groq": {
        "/openai/v1/chat/completions": ROUTED,
        "/openai/v1/embeddings": _OTHER,
        "/openai/v1/audio/speech": _VOICE,
        "/openai/v1/audio/transcriptions": _VOICE,
        "/openai/v1/audio/translations": _VOICE,
    },
}
"""Every endpoint that is posted to with a model, or that answers in a stream: routed, or why not."""
