"""Function tools are part of what a model must be able to do: the call goes to the cheapest one that can."""

import json

from offline import keys_or_sandbox

from llm_router_middleware import Anthropic, explain, last_event

keys_or_sandbox()

WEATHER = {
    "name": "get_weather",
    "description": "Current weather in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
request = {
    "model": "claude-opus-5-5",
    "max_tokens": 500,
    "tools": [WEATHER],
    "messages": [{"role": "user", "content": "Use get_weather: do I need an umbrella in Bergen?"}],
}
message = Anthropic().messages.create(**request)
for block in message.content:
    if block.type == "tool_use":
        print(f"{message.model} calls {block.name}({json.dumps(block.input)})")
print("recorded:", last_event(message).selection_reason)

# The answer to a tool call goes back to the model that asked: an open tool loop stays with its provider.
result = {"type": "tool_result", "tool_use_id": message.content[-1].id, "content": "rain, 9 degrees"}
followed_up = [
    *request["messages"],
    {"role": "assistant", "content": message.content},
    {"role": "user", "content": [result]},
]
decision = explain({**request, "messages": followed_up}, provider="anthropic")
print("could answer the follow-up:", sorted({model.provider for model in decision.candidates}))
