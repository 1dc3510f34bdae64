"""What lets the examples run without keys: a sandbox on this machine in place of the providers. Not an example."""

import atexit
import os

from llm_router_middleware.sandbox import Sandbox


def keys_or_sandbox() -> None:
    """Changes nothing if a provider's key is in the environment; else starts the sandbox and points the SDKs at it."""
    if any(os.environ.get(f"{provider}_API_KEY") for provider in ("OPENAI", "ANTHROPIC", "GROQ")):
        return
    sandbox = Sandbox().start()
    atexit.register(sandbox.close)
    os.environ.update(sandbox.env())
