"""Runs one program of a framework's user, and says what it gave, which models were asked, and which events there were.

    python drive.py NAME bare | client | scope

`bare` is without us; `client` hands over a wrapped client; `scope` runs the program inside `routed()`, where a
framework that builds its own plain clients is routed too.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any

from programs import PROGRAMS

from llm_router_middleware.sandbox import Behaviour, Sandbox

TEXT = Behaviour(text="Paris is the capital of France.")
TOOL = Behaviour(tool_calls=(("weather", {"city": "Paris"}),))


def script(sandbox: Sandbox, says: str) -> None:
    """Makes every model of every provider say the same, so that results can be compared."""
    for provider in sandbox.providers:
        if says in ("text", "loop"):
            provider.default("*", TEXT)
        if says == "tool":
            provider.default("*", TOOL)
        if says == "loop":
            provider.at_call(1, TOOL)


def plain_client(sdk: str) -> Any:
    """A client, configured by the environment."""
    if sdk == "openai":
        import openai

        return openai.OpenAI()
    import anthropic

    return anthropic.Anthropic()


def run(name: str, way: str) -> dict[str, Any]:
    """Runs a program in one way."""
    program, events = PROGRAMS[name], []
    scope: Any = contextlib.nullcontext()
    with Sandbox() as sandbox:
        os.environ.update(sandbox.env(), OPENAI_API_BASE=sandbox.openai.base_url)
        script(sandbox, program.says)
        finish: Any = lambda client: client  # noqa: E731 - replaced below
        if way != "bare":
            from llm_router_middleware import Router, routed, wrap

            router = Router(sinks=[events.append], scorer="heuristic")
            if way == "scope":
                scope = routed(router=router)
            else:
                finish = lambda client: wrap(client, router=router)  # noqa: E731
        with scope:
            result = program.run(lambda first=None: finish((first or _same)(plain_client(program.sdk))))
        asked = [request.model for provider in sandbox.providers for request in provider.requests]
    kept = [[e.requested_model, e.selected_model, e.selection_reason, e.success, e.error] for e in events]
    return {"result": result, "asked": asked, "events": kept}


def _same(client: Any) -> Any:
    return client


if __name__ == "__main__":
    print("RESULT " + json.dumps(run(sys.argv[1], sys.argv[2])))
