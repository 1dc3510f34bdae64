"""Every form in which a call can be made, per SDK, sync and async, as one table.

A form takes a client and a model and returns (what the call gave, the answer's text).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pydantic

ASK = [{"role": "user", "content": "What is the capital of France?"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


class City(pydantic.BaseModel):
    """A structured answer."""

    name: str
    people: int


@dataclass(frozen=True)
class Form:
    """One way to make a call.

    Attributes:
        name: of the form.
        sdk: whose.
        call: makes it, with a sync client.
        acall: makes it, with an async client.
        provider: which sandbox provider answers.
    """

    name: str
    sdk: str
    call: Callable[[Any, str], Any]
    acall: Callable[[Any, str], Any]


FORMS: list[Form] = []


def form(sdk: str) -> Callable[[Any], Any]:
    """Registers a pair of functions `name` and `a_name` given as a class body."""

    def register(pair: Any) -> Any:
        FORMS.append(Form(pair.__name__, sdk, staticmethod(pair.call), staticmethod(pair.acall)))
        return pair

    return register


# ---------------------------------------------------------------- openai


def chat(client: Any) -> Any:
    return client.chat.completions


@form("openai")
class create:  # noqa: N801
    def call(self, model):
        answer = self.chat.completions.create(model=model, messages=ASK)
        return answer, answer.choices[0].message.content

    async def acall(self, model):
        answer = await self.chat.completions.create(model=model, messages=ASK)
        return answer, answer.choices[0].message.content


@form("openai")
class stream:  # noqa: N801
    def call(self, model):
        answer = self.chat.completions.create(model=model, messages=ASK, stream=True)
        return answer, "".join(c.choices[0].delta.content or "" for c in answer if c.choices)

    async def acall(self, model):
        answer = await self.chat.completions.create(model=model, messages=ASK, stream=True)
        return answer, "".join([c.choices[0].delta.content or "" async for c in answer if c.choices])


@form("openai")
class stream_as_context:  # noqa: N801
    def call(self, model):
        with self.chat.completions.create(model=model, messages=ASK, stream=True) as answer:
            return answer, "".join(c.choices[0].delta.content or "" for c in answer if c.choices)

    async def acall(self, model):
        async with await self.chat.completions.create(model=model, messages=ASK, stream=True) as answer:
            return answer, "".join([c.choices[0].delta.content or "" async for c in answer if c.choices])


@form("openai")
class stream_helper:  # noqa: N801
    def call(self, model):
        with self.chat.completions.stream(model=model, messages=ASK) as answer:
            return answer, answer.get_final_completion().choices[0].message.content

    async def acall(self, model):
        async with self.chat.completions.stream(model=model, messages=ASK) as answer:
            return answer, (await answer.get_final_completion()).choices[0].message.content


@form("openai")
class parse:  # noqa: N801
    def call(self, model):
        answer = self.chat.completions.parse(model=model, messages=ASK, response_format=City)
        return answer, type(answer.choices[0].message.parsed).__name__

    async def acall(self, model):
        answer = await self.chat.completions.parse(model=model, messages=ASK, response_format=City)
        return answer, type(answer.choices[0].message.parsed).__name__


@form("openai")
class raw:  # noqa: N801
    def call(self, model):
        answer = self.chat.completions.with_raw_response.create(model=model, messages=ASK)
        return answer, answer.parse().choices[0].message.content

    async def acall(self, model):
        answer = await self.chat.completions.with_raw_response.create(model=model, messages=ASK)
        return answer, answer.parse().choices[0].message.content


@form("openai")
class raw_stream:  # noqa: N801
    def call(self, model):
        answer = self.chat.completions.with_raw_response.create(model=model, messages=ASK, stream=True)
        return answer, "".join(c.choices[0].delta.content or "" for c in answer.parse() if c.choices)

    async def acall(self, model):
        answer = await self.chat.completions.with_raw_response.create(model=model, messages=ASK, stream=True)
        return answer, "".join([c.choices[0].delta.content or "" async for c in answer.parse() if c.choices])


@form("openai")
class raw_parse:  # noqa: N801
    def call(self, model):
        answer = self.chat.completions.with_raw_response.parse(model=model, messages=ASK, response_format=City)
        return answer, type(answer.parse().choices[0].message.parsed).__name__

    async def acall(self, model):
        answer = await self.chat.completions.with_raw_response.parse(model=model, messages=ASK, response_format=City)
        return answer, type(answer.parse().choices[0].message.parsed).__name__


@form("openai")
class streaming_response:  # noqa: N801
    def call(self, model):
        with self.chat.completions.with_streaming_response.create(model=model, messages=ASK) as answer:
            return answer, answer.parse().choices[0].message.content

    async def acall(self, model):
        async with self.chat.completions.with_streaming_response.create(model=model, messages=ASK) as answer:
            return answer, (await answer.parse()).choices[0].message.content


@form("openai")
class streaming_response_lines:  # noqa: N801
    def call(self, model):
        with self.chat.completions.with_streaming_response.create(model=model, messages=ASK, stream=True) as answer:
            return answer, str(any("[DONE]" in line for line in answer.iter_lines()))

    async def acall(self, model):
        manager = self.chat.completions.with_streaming_response.create(model=model, messages=ASK, stream=True)
        async with manager as answer:
            return answer, str(any(["[DONE]" in line async for line in answer.iter_lines()]))


@form("openai")
class with_options:  # noqa: N801
    def call(self, model):
        return create.call(self.with_options(timeout=20), model)

    async def acall(self, model):
        return await create.acall(self.with_options(timeout=20), model)


@form("openai")
class copied:  # noqa: N801
    def call(self, model):
        return create.call(self.copy(max_retries=0), model)

    async def acall(self, model):
        return await create.acall(self.copy(max_retries=0), model)


@form("openai")
class context_manager:  # noqa: N801
    def call(self, model):
        with self.copy() as inner:
            return create.call(inner, model)

    async def acall(self, model):
        inner = self.copy()
        return await create.acall(inner, model)


@form("openai")
class extra_arguments:  # noqa: N801
    def call(self, model):
        answer = self.chat.completions.create(
            model=model, messages=ASK, extra_headers={"x-a": "b"}, extra_query={"q": "1"}, extra_body={"seed": 1}
        )
        return answer, answer.choices[0].message.content

    async def acall(self, model):
        answer = await self.chat.completions.create(
            model=model, messages=ASK, extra_headers={"x-a": "b"}, extra_query={"q": "1"}, extra_body={"seed": 1}
        )
        return answer, answer.choices[0].message.content


@form("openai")
class model_in_extra_body:  # noqa: N801
    def call(self, model):
        answer = self.chat.completions.create(model="ignored", messages=ASK, extra_body={"model": model})
        return answer, answer.choices[0].message.content

    async def acall(self, model):
        answer = await self.chat.completions.create(model="ignored", messages=ASK, extra_body={"model": model})
        return answer, answer.choices[0].message.content


@form("openai")
class messages_from_a_generator:  # noqa: N801
    def call(self, model):
        answer = self.chat.completions.create(model=model, messages=(m for m in ASK))
        return answer, answer.choices[0].message.content

    async def acall(self, model):
        answer = await self.chat.completions.create(model=model, messages=(m for m in ASK))
        return answer, answer.choices[0].message.content


@form("openai")
class client_post:  # noqa: N801
    def call(self, model):
        answer = self.post("/chat/completions", body={"model": model, "messages": ASK}, cast_to=object)
        return answer, answer["choices"][0]["message"]["content"]

    async def acall(self, model):
        answer = await self.post("/chat/completions", body={"model": model, "messages": ASK}, cast_to=object)
        return answer, answer["choices"][0]["message"]["content"]


@form("openai")
class responses_create:  # noqa: N801
    def call(self, model):
        answer = self.responses.create(model=model, input="What is the capital of France?")
        return answer, answer.output_text

    async def acall(self, model):
        answer = await self.responses.create(model=model, input="What is the capital of France?")
        return answer, answer.output_text


@form("openai")
class responses_stream:  # noqa: N801
    def call(self, model):
        answer = self.responses.create(model=model, input=ASK, stream=True)
        return answer, "".join(e.delta for e in answer if e.type == "response.output_text.delta")

    async def acall(self, model):
        answer = await self.responses.create(model=model, input=ASK, stream=True)
        return answer, "".join([e.delta async for e in answer if e.type == "response.output_text.delta"])


@form("openai")
class responses_helper:  # noqa: N801
    def call(self, model):
        with self.responses.stream(model=model, input=ASK) as answer:
            return answer, answer.get_final_response().output_text

    async def acall(self, model):
        async with self.responses.stream(model=model, input=ASK) as answer:
            return answer, (await answer.get_final_response()).output_text


@form("openai")
class responses_parse:  # noqa: N801
    def call(self, model):
        answer = self.responses.parse(model=model, input=ASK, text_format=City)
        return answer, type(answer.output_parsed).__name__

    async def acall(self, model):
        answer = await self.responses.parse(model=model, input=ASK, text_format=City)
        return answer, type(answer.output_parsed).__name__


@form("openai")
class responses_raw:  # noqa: N801
    def call(self, model):
        answer = self.responses.with_raw_response.create(model=model, input=ASK)
        return answer, answer.parse().output_text

    async def acall(self, model):
        answer = await self.responses.with_raw_response.create(model=model, input=ASK)
        return answer, answer.parse().output_text


# ---------------------------------------------------------------- groq


@form("groq")
class groq_create:  # noqa: N801
    call, acall = create.call, create.acall


@form("groq")
class groq_stream:  # noqa: N801
    call, acall = stream.call, stream.acall


@form("groq")
class groq_raw:  # noqa: N801
    def call(self, model):
        answer = self.chat.completions.with_raw_response.create(model=model, messages=ASK)
        return answer, answer.parse().choices[0].message.content

    async def acall(self, model):
        answer = await self.chat.completions.with_raw_response.create(model=model, messages=ASK)
        return answer, (await answer.parse()).choices[0].message.content


@form("groq")
class groq_streaming_response:  # noqa: N801
    call, acall = streaming_response.call, streaming_response.acall


@form("groq")
class groq_with_options:  # noqa: N801
    call, acall = with_options.call, with_options.acall


# ---------------------------------------------------------------- anthropic


@form("anthropic")
class messages_create:  # noqa: N801
    def call(self, model):
        answer = self.messages.create(model=model, max_tokens=100, messages=ASK)
        return answer, answer.content[0].text

    async def acall(self, model):
        answer = await self.messages.create(model=model, max_tokens=100, messages=ASK)
        return answer, answer.content[0].text


@form("anthropic")
class messages_stream:  # noqa: N801
    def call(self, model):
        answer = self.messages.create(model=model, max_tokens=100, messages=ASK, stream=True)
        return answer, "".join(e.delta.text for e in answer if e.type == "content_block_delta")

    async def acall(self, model):
        answer = await self.messages.create(model=model, max_tokens=100, messages=ASK, stream=True)
        return answer, "".join([e.delta.text async for e in answer if e.type == "content_block_delta"])


@form("anthropic")
class messages_stream_helper:  # noqa: N801
    def call(self, model):
        with self.messages.stream(model=model, max_tokens=100, messages=ASK) as answer:
            return answer, answer.get_final_text()

    async def acall(self, model):
        async with self.messages.stream(model=model, max_tokens=100, messages=ASK) as answer:
            return answer, await answer.get_final_text()


@form("anthropic")
class messages_parse:  # noqa: N801
    def call(self, model):
        answer = self.messages.parse(model=model, max_tokens=100, messages=ASK, output_format=City)
        return answer, type(answer.parsed_output).__name__

    async def acall(self, model):
        answer = await self.messages.parse(model=model, max_tokens=100, messages=ASK, output_format=City)
        return answer, type(answer.parsed_output).__name__


@form("anthropic")
class messages_raw:  # noqa: N801
    def call(self, model):
        answer = self.messages.with_raw_response.create(model=model, max_tokens=100, messages=ASK)
        return answer, answer.parse().content[0].text

    async def acall(self, model):
        answer = await self.messages.with_raw_response.create(model=model, max_tokens=100, messages=ASK)
        parsed = answer.parse()
        return answer, (await parsed if hasattr(parsed, "__await__") else parsed).content[0].text


@form("anthropic")
class messages_streaming_response:  # noqa: N801
    def call(self, model):
        with self.messages.with_streaming_response.create(model=model, max_tokens=100, messages=ASK) as answer:
            return answer, answer.parse().content[0].text

    async def acall(self, model):
        manager = self.messages.with_streaming_response.create(model=model, max_tokens=100, messages=ASK)
        async with manager as answer:
            return answer, (await answer.parse()).content[0].text


@form("anthropic")
class messages_with_options:  # noqa: N801
    def call(self, model):
        return messages_create.call(self.with_options(timeout=20), model)

    async def acall(self, model):
        return await messages_create.acall(self.with_options(timeout=20), model)


@form("anthropic")
class messages_copied:  # noqa: N801
    def call(self, model):
        return messages_create.call(self.copy(max_retries=0), model)

    async def acall(self, model):
        return await messages_create.acall(self.copy(max_retries=0), model)


@form("anthropic")
class beta_create:  # noqa: N801
    def call(self, model):
        answer = self.beta.messages.create(model=model, max_tokens=100, messages=ASK)
        return answer, answer.content[0].text

    async def acall(self, model):
        answer = await self.beta.messages.create(model=model, max_tokens=100, messages=ASK)
        return answer, answer.content[0].text


@form("anthropic")
class beta_stream_helper:  # noqa: N801
    def call(self, model):
        with self.beta.messages.stream(model=model, max_tokens=100, messages=ASK) as answer:
            return answer, answer.get_final_text()

    async def acall(self, model):
        async with self.beta.messages.stream(model=model, max_tokens=100, messages=ASK) as answer:
            return answer, await answer.get_final_text()


@form("anthropic")
class beta_parse:  # noqa: N801
    def call(self, model):
        answer = self.beta.messages.parse(model=model, max_tokens=100, messages=ASK, output_format=City)
        return answer, type(answer.parsed_output).__name__

    async def acall(self, model):
        answer = await self.beta.messages.parse(model=model, max_tokens=100, messages=ASK, output_format=City)
        return answer, type(answer.parsed_output).__name__


@form("anthropic")
class tool_runner:  # noqa: N801
    def call(self, model):
        answer = self.beta.messages.tool_runner(model=model, max_tokens=100, messages=ASK, tools=[]).until_done()
        return answer, answer.content[0].text

    async def acall(self, model):
        runner = self.beta.messages.tool_runner(model=model, max_tokens=100, messages=ASK, tools=[])
        answer = await runner.until_done()
        return answer, answer.content[0].text
