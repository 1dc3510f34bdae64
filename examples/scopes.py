"""`routed` routes plain clients inside a function or a block, and says what may happen there. Outside, nothing does."""

import asyncio

import openai
from offline import keys_or_sandbox

from llm_router_middleware import routed

keys_or_sandbox()
client = openai.OpenAI()
ASK = {"model": "gpt-6.1-sol", "messages": [{"role": "user", "content": "Name a colour."}]}


@routed(max_latency_s=5)
def cheap() -> str:
    return client.chat.completions.create(**ASK).model


@routed(min_tier="mid")
async def at_least_mid() -> str:
    async with openai.AsyncOpenAI() as asynchronous:
        return (await asynchronous.chat.completions.create(**ASK)).model


@routed
def words():
    for chunk in client.chat.completions.create(stream=True, **ASK):
        if chunk.choices and chunk.choices[0].delta.content:
            yield chunk.model


print("outside:", client.chat.completions.create(**ASK).model)
print("inside:", cheap())
print("at least mid:", asyncio.run(at_least_mid()))
print("streamed by:", set(words()))
with routed(tier="premium"):
    print("premium:", client.chat.completions.create(**ASK).model)
    with routed(pinned=True):
        print("pinned:", client.chat.completions.create(**ASK).model)
