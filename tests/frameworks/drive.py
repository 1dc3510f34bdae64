"""Runs one program of a framework's user in a process of its own, and says what it did.

    python drive.py NAME bare | client | scope | ambient

`bare` is without us; `client` hands over a wrapped client; `scope` runs the program inside `routed()`, where the
framework builds its own plain clients; `late` wraps the client after a tracer has, or before: whichever comes last.
"""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any

from programs import PROGRAMS

from llm_router_middleware import Router, routed, wrap
from llm_router_middleware.sandbox import Sandbox


def client_of(sdk: str) -> Any:
    """A plain client, configured by the environment."""
    if sdk == "openai":
        import openai

        return openai.OpenAI()
    import anthropic

    return anthropic.Anthropic()


def run(name: str, way: str) -> dict[str, Any]:
    """Runs a program; what it gave, the models that were asked, and the events."""
    import os

    sdk, function = PROGRAMS[name]
    events: list[Any] = []
    with Sandbox() as sandbox:
        os.environ.update(sandbox.env())
        os.environ.update({"LANGSMITH_TRACING": "false", "LANGFUSE_TRACING_ENABLED": "false"})
        client = client_of(sdk)
        router = Router(sinks=[events.append], scorer="heuristic")
        scope: Any = contextlib.nullcontext()
        if way == "client":
            client = wrap(client, router=router)
        elif way == "scope":
            scope = routed(router=router)
        with scope:
            result = function(client)
        asked = [request.model for provider in sandbox.providers for request in provider.requests]
        client.close()
    kept = [[e.requested_model, e.selected_model, e.selection_reason, e.success, e.error] for e in events]
    return {"result": result, "asked": asked, "events": kept}


if __name__ == "__main__":
    print("RESULT " + json.dumps(run(sys.argv[1], sys.argv[2])))
