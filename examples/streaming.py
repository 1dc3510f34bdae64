"""Streams of all three SDKs, asynchronously. A stream's event is complete when the stream has ended."""

import asyncio

from offline import keys_or_sandbox

from llm_router_middleware import AsyncAnthropic, AsyncGroq, AsyncOpenAI, last_event

keys_or_sandbox()
ASK = [{"role": "user", "content": "Write one line about rain."}]


async def chat(client, model: str) -> None:
    async with client:
        stream = await client.chat.completions.create(model=model, messages=ASK, stream=True)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
        tell(stream, text)


async def messages(client, model: str) -> None:
    async with client, client.messages.stream(model=model, max_tokens=500, messages=ASK) as stream:
        text = "".join([piece async for piece in stream.text_stream])
        tell(stream, text)


def tell(stream, text: str) -> None:
    event = last_event(stream)
    first = f"first token after {1000 * event.time_to_first_token_s:.0f} ms"
    print(f"{event.requested_model} -> {event.selected_model}: {len(text)} characters, {first}, ok: {event.success}")


async def main() -> None:
    await asyncio.gather(
        chat(AsyncOpenAI(), "gpt-6.1-sol"),
        messages(AsyncAnthropic(), "claude-opus-5-5"),
        chat(AsyncGroq(), "openai/gpt-oss-120b"),
    )


asyncio.run(main())
