"""A client that was built elsewhere is routed as it is: it stays the same object, of the same type."""

import anthropic
from offline import keys_or_sandbox

from llm_router_middleware import is_wrapped, unwrap, wrap

keys_or_sandbox()


def model_of(client: anthropic.Anthropic) -> str:
    message = client.messages.create(
        model="claude-opus-5-5", max_tokens=200, messages=[{"role": "user", "content": "Say hello."}]
    )
    return message.model


built_elsewhere = anthropic.Anthropic(timeout=30, max_retries=1)
client = wrap(built_elsewhere)
print("same object:", client is built_elsewhere, "| same type:", type(client) is anthropic.Anthropic)
print("wrapped:", is_wrapped(client), "|", model_of(client))
print("a copy is routed too:", model_of(client.with_options(timeout=5)))
unwrap(client)
print("unwrapped:", not is_wrapped(client), "|", model_of(client))
