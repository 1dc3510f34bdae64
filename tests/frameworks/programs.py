"""Programs of the frameworks' users, unchanged: each makes calls through its framework and returns what it got."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pydantic

PROMPT = "What is the capital of France?"
OPENAI, ANTHROPIC = "gpt-6.1-sol", "claude-opus-5-5"


class City(pydantic.BaseModel):
    """A structured answer."""

    name: str
    people: int


PROGRAMS: dict[str, tuple[str, Callable[[Any], Any]]] = {}
"""Name -> (SDK, the program). A program is given a client to hand to its framework, or None to let it build its own."""


def program(sdk: str) -> Callable[[Any], Any]:
    """Registers a program."""

    def register(function: Any) -> Any:
        PROGRAMS[function.__name__] = (sdk, function)
        return function

    return register


# -- instructor


@program("openai")
def instructor_structured(client: Any) -> Any:
    """Pydantic models out of chat completions."""
    import instructor

    made = instructor.from_openai(client, mode=instructor.Mode.TOOLS)
    answer = made.chat.completions.create(
        model=OPENAI, response_model=City, messages=[{"role": "user", "content": PROMPT}]
    )
    return type(answer).__name__


@program("openai")
def instructor_json(client: Any) -> Any:
    """The same in JSON mode."""
    import instructor

    made = instructor.from_openai(client, mode=instructor.Mode.JSON_SCHEMA)
    answer = made.chat.completions.create(
        model=OPENAI, response_model=City, messages=[{"role": "user", "content": PROMPT}]
    )
    return type(answer).__name__


# -- langchain: builds its own clients


@program("openai")
def langchain_openai_invoke(client: Any) -> Any:
    """One question."""
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model=OPENAI).invoke(PROMPT).content


@program("openai")
def langchain_openai_stream(client: Any) -> Any:
    """Streamed."""
    from langchain_openai import ChatOpenAI

    return "".join(str(chunk.content) for chunk in ChatOpenAI(model=OPENAI, use_responses_api=False).stream(PROMPT))


@program("openai")
def langchain_openai_async(client: Any) -> Any:
    """Awaited."""
    from langchain_openai import ChatOpenAI

    return asyncio.run(ChatOpenAI(model=OPENAI).ainvoke(PROMPT)).content


@program("openai")
def langchain_openai_structured(client: Any) -> Any:
    """A structured answer."""
    from langchain_openai import ChatOpenAI

    return type(ChatOpenAI(model=OPENAI).with_structured_output(City).invoke(PROMPT)).__name__


@program("openai")
def langchain_openai_tools(client: Any) -> Any:
    """A tool call."""
    from langchain_openai import ChatOpenAI

    def weather(city: str) -> str:
        """Tells the weather of a city."""
        return f"sunny in {city}"

    return [call["name"] for call in ChatOpenAI(model=OPENAI).bind_tools([weather]).invoke(PROMPT).tool_calls]


@program("openai")
def langchain_openai_responses(client: Any) -> Any:
    """By the Responses API."""
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model=OPENAI, use_responses_api=True).invoke(PROMPT).text


@program("anthropic")
def langchain_anthropic_invoke(client: Any) -> Any:
    """One question."""
    from langchain_anthropic import ChatAnthropic

    return ChatAnthropic(model=ANTHROPIC, max_tokens=99).invoke(PROMPT).content


@program("anthropic")
def langchain_anthropic_stream(client: Any) -> Any:
    """Streamed."""
    from langchain_anthropic import ChatAnthropic

    chunks = ChatAnthropic(model=ANTHROPIC, max_tokens=99).stream(PROMPT)
    return "".join(chunk.text if isinstance(chunk.text, str) else chunk.text() for chunk in chunks)


@program("anthropic")
def langchain_anthropic_tools(client: Any) -> Any:
    """A tool call."""
    from langchain_anthropic import ChatAnthropic

    def weather(city: str) -> str:
        """Tells the weather of a city."""
        return f"sunny in {city}"

    model = ChatAnthropic(model=ANTHROPIC, max_tokens=99).bind_tools([weather])
    return [call["name"] for call in model.invoke(PROMPT).tool_calls]


# -- pydantic-ai


@program("openai")
def pydantic_ai_openai(client: Any) -> Any:
    """An agent on chat completions."""
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel

    return Agent(OpenAIChatModel(OPENAI)).run_sync(PROMPT).output


@program("openai")
def pydantic_ai_structured(client: Any) -> Any:
    """An agent that answers in a type, by a tool call."""
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel

    return type(Agent(OpenAIChatModel(OPENAI), output_type=City).run_sync(PROMPT).output).__name__


@program("openai")
def pydantic_ai_responses(client: Any) -> Any:
    """An agent on the Responses API, streamed."""
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIResponsesModel

    async def run() -> Any:
        async with Agent(OpenAIResponsesModel(OPENAI)).run_stream(PROMPT) as result:
            return await result.get_output()

    return asyncio.run(run())


@program("anthropic")
def pydantic_ai_anthropic(client: Any) -> Any:
    """An agent on messages."""
    from pydantic_ai import Agent
    from pydantic_ai.models.anthropic import AnthropicModel

    return Agent(AnthropicModel(ANTHROPIC)).run_sync(PROMPT).output


# -- openai-agents


@program("openai")
def openai_agents_chat(client: Any) -> Any:
    """An agent on chat completions."""
    from agents import Agent, Runner, set_default_openai_api, set_tracing_disabled

    set_tracing_disabled(True)
    set_default_openai_api("chat_completions")
    return asyncio.run(Runner.run(Agent(name="a", model=OPENAI), PROMPT)).final_output


@program("openai")
def openai_agents_responses(client: Any) -> Any:
    """An agent on the Responses API, streamed."""
    from agents import Agent, Runner, set_default_openai_api, set_tracing_disabled

    set_tracing_disabled(True)
    set_default_openai_api("responses")

    async def run() -> Any:
        result = Runner.run_streamed(Agent(name="a", model=OPENAI), PROMPT)
        async for _ in result.stream_events():
            pass
        return result.final_output

    return asyncio.run(run())


# -- llama-index


@program("openai")
def llama_index_chat(client: Any) -> Any:
    """A chat."""
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai import OpenAI

    llm = OpenAI(model="gpt-4o", additional_kwargs={"model": OPENAI})
    return llm.chat([ChatMessage(role="user", content=PROMPT)]).message.content


# -- tracers, beneath and above


def _ask(client: Any) -> str:
    answer = client.chat.completions.create(model=OPENAI, messages=[{"role": "user", "content": PROMPT}])
    return str(answer.choices[0].message.content)


def _stream(client: Any) -> str:
    chunks = client.chat.completions.create(model=OPENAI, messages=[{"role": "user", "content": PROMPT}], stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


@program("openai")
def langsmith_wrapped(client: Any) -> Any:
    """langsmith's wrap_openai around the client."""
    from langsmith.wrappers import wrap_openai

    traced = wrap_openai(client)
    return _ask(traced) + _stream(traced)


@program("openai")
def langfuse_drop_in(client: Any) -> Any:
    """langfuse patches the SDK's methods when it is imported."""
    import langfuse.openai  # noqa: F401

    return _ask(client) + _stream(client)


@program("openai")
def opentelemetry_genai_openai(client: Any) -> Any:
    """OpenTelemetry's instrumentation of the OpenAI SDK; its spans are part of the result."""
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

    spans = _spans(OpenAIInstrumentor())
    text = _ask(client) + _stream(client)
    return text, [str(span.attributes["gen_ai.operation.name"]) for span in spans.get_finished_spans()]


@program("anthropic")
def opentelemetry_genai_anthropic(client: Any) -> Any:
    """OpenTelemetry's instrumentation of the Anthropic SDK."""
    from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor

    spans = _spans(AnthropicInstrumentor())
    answer = client.messages.create(model=ANTHROPIC, max_tokens=99, messages=[{"role": "user", "content": PROMPT}])
    return answer.content[0].text, [
        str(span.attributes["gen_ai.operation.name"]) for span in spans.get_finished_spans()
    ]


def _spans(instrumentor: Any) -> Any:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor.instrument(tracer_provider=provider)
    return exporter
