"""Programs of the frameworks' users, unchanged: each makes calls through its framework and returns what it got."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pydantic

PROMPT = "What is the capital of France?"
OPENAI, ANTHROPIC = "gpt-6.1-sol", "claude-opus-5-5"


class City(pydantic.BaseModel):
    """A structured answer."""

    name: str
    people: int


@dataclass(frozen=True)
class Program:
    """One program.

    Attributes:
        sdk: whose client it uses.
        run: is given `make`, which gives a client, and returns what the framework gave.
        given: whether it hands a client to its framework; else the framework builds its own.
        says: what the providers answer: "text", "tool" (one call of `weather`), "loop" (the call, then the text) or
            "structured" (whatever the request demands).
    """

    sdk: str
    run: Callable[[Any], Any]
    given: bool
    says: str


PROGRAMS: dict[str, Program] = {}


def program(sdk: str, *, given: bool = False, says: str = "text") -> Callable[[Any], Any]:
    """Registers a program."""

    def register(function: Any) -> Any:
        PROGRAMS[function.__name__] = Program(sdk, function, given, says)
        return function

    return register


# -- instructor


@program("openai", given=True, says="structured")
def instructor_structured(make: Any) -> Any:
    """Pydantic models out of chat completions."""
    import instructor

    made = instructor.from_openai(make(), mode=instructor.Mode.TOOLS)
    answer = made.chat.completions.create(
        model=OPENAI, response_model=City, messages=[{"role": "user", "content": PROMPT}]
    )
    return type(answer).__name__


@program("openai", given=True, says="structured")
def instructor_json(make: Any) -> Any:
    """The same in JSON mode."""
    import instructor

    made = instructor.from_openai(make(), mode=instructor.Mode.JSON_SCHEMA)
    answer = made.chat.completions.create(
        model=OPENAI, response_model=City, messages=[{"role": "user", "content": PROMPT}]
    )
    return type(answer).__name__


# -- langchain: builds its own clients


@program("openai")
def langchain_openai_invoke(make: Any) -> Any:
    """One question."""
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model=OPENAI).invoke(PROMPT).content


@program("openai")
def langchain_openai_stream(make: Any) -> Any:
    """Streamed."""
    from langchain_openai import ChatOpenAI

    return "".join(str(chunk.content) for chunk in ChatOpenAI(model=OPENAI, use_responses_api=False).stream(PROMPT))


@program("openai")
def langchain_openai_async(make: Any) -> Any:
    """Awaited."""
    from langchain_openai import ChatOpenAI

    return asyncio.run(ChatOpenAI(model=OPENAI).ainvoke(PROMPT)).content


@program("openai", says="structured")
def langchain_openai_structured(make: Any) -> Any:
    """A structured answer."""
    from langchain_openai import ChatOpenAI

    return type(ChatOpenAI(model=OPENAI).with_structured_output(City).invoke(PROMPT)).__name__


@program("openai", says="tool")
def langchain_openai_tools(make: Any) -> Any:
    """A tool call."""
    from langchain_openai import ChatOpenAI

    def weather(city: str) -> str:
        """Tells the weather of a city."""
        return f"sunny in {city}"

    return [call["name"] for call in ChatOpenAI(model=OPENAI).bind_tools([weather]).invoke(PROMPT).tool_calls]


@program("openai")
def langchain_openai_responses(make: Any) -> Any:
    """By the Responses API."""
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model=OPENAI, use_responses_api=True).invoke(PROMPT).text


@program("anthropic")
def langchain_anthropic_invoke(make: Any) -> Any:
    """One question."""
    from langchain_anthropic import ChatAnthropic

    return ChatAnthropic(model=ANTHROPIC, max_tokens=99).invoke(PROMPT).content


@program("anthropic")
def langchain_anthropic_stream(make: Any) -> Any:
    """Streamed."""
    from langchain_anthropic import ChatAnthropic

    chunks = ChatAnthropic(model=ANTHROPIC, max_tokens=99).stream(PROMPT)
    return "".join(chunk.text if isinstance(chunk.text, str) else chunk.text() for chunk in chunks)


@program("anthropic", says="tool")
def langchain_anthropic_tools(make: Any) -> Any:
    """A tool call."""
    from langchain_anthropic import ChatAnthropic

    def weather(city: str) -> str:
        """Tells the weather of a city."""
        return f"sunny in {city}"

    model = ChatAnthropic(model=ANTHROPIC, max_tokens=99).bind_tools([weather])
    return [call["name"] for call in model.invoke(PROMPT).tool_calls]


# -- pydantic-ai


@program("openai")
def pydantic_ai_openai(make: Any) -> Any:
    """An agent on chat completions."""
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel

    return Agent(OpenAIChatModel(OPENAI)).run_sync(PROMPT).output


@program("openai", says="structured")
def pydantic_ai_structured(make: Any) -> Any:
    """An agent that answers in a type, by a tool call."""
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel

    return type(Agent(OpenAIChatModel(OPENAI), output_type=City).run_sync(PROMPT).output).__name__


@program("openai")
def pydantic_ai_responses(make: Any) -> Any:
    """An agent on the Responses API, streamed."""
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIResponsesModel

    async def run() -> Any:
        async with Agent(OpenAIResponsesModel(OPENAI)).run_stream(PROMPT) as result:
            return await result.get_output()

    return asyncio.run(run())


@program("anthropic")
def pydantic_ai_anthropic(make: Any) -> Any:
    """An agent on messages."""
    from pydantic_ai import Agent
    from pydantic_ai.models.anthropic import AnthropicModel

    return Agent(AnthropicModel(ANTHROPIC)).run_sync(PROMPT).output


# -- openai-agents


@program("openai")
def openai_agents_chat(make: Any) -> Any:
    """An agent on chat completions."""
    from agents import Agent, Runner, set_default_openai_api, set_tracing_disabled

    set_tracing_disabled(True)
    set_default_openai_api("chat_completions")
    return asyncio.run(Runner.run(Agent(name="a", model=OPENAI), PROMPT)).final_output


@program("openai")
def openai_agents_responses(make: Any) -> Any:
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


@program("openai", says="loop")
def openai_agents_tools(make: Any) -> Any:
    """An agent that calls a tool, and answers with what it learnt."""
    from agents import Agent, Runner, function_tool, set_default_openai_api, set_tracing_disabled

    set_tracing_disabled(True)
    set_default_openai_api("chat_completions")

    @function_tool
    def weather(city: str) -> str:
        """Tells the weather of a city."""
        return f"sunny in {city}"

    return asyncio.run(Runner.run(Agent(name="a", model=OPENAI, tools=[weather]), PROMPT)).final_output


# -- llama-index


@program("openai")
def llama_index_chat(make: Any) -> Any:
    """A chat. Its model table is older than our models: the name is given past it."""
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


@program("openai", given=True)
def langsmith_above(make: Any) -> Any:
    """langsmith's wrap_openai around a client that is wrapped already."""
    from langsmith.wrappers import wrap_openai

    traced = wrap_openai(make())
    return [_ask(traced), _stream(traced)]


@program("openai", given=True)
def langsmith_beneath(make: Any) -> Any:
    """A client that langsmith has wrapped before."""
    from langsmith.wrappers import wrap_openai

    traced = make(wrap_openai)
    return [_ask(traced), _stream(traced)]


@program("openai", given=True)
def langfuse_above(make: Any) -> Any:
    """langfuse patches the SDK's methods when it is imported: here after the client was wrapped."""
    client = make()
    import langfuse.openai  # noqa: F401

    return [_ask(client), _stream(client)]


@program("openai", given=True)
def langfuse_beneath(make: Any) -> Any:
    """And here before."""
    import langfuse.openai  # noqa: F401

    client = make()
    return [_ask(client), _stream(client)]


@program("openai", given=True)
def opentelemetry_openai_above(make: Any) -> Any:
    """OpenTelemetry's instrumentation, after the client was wrapped; its spans are part of the result."""
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

    client = make()
    spans = _spans(OpenAIInstrumentor())
    return [_ask(client), _stream(client), _names(spans)]


@program("openai", given=True)
def opentelemetry_openai_beneath(make: Any) -> Any:
    """And before."""
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

    spans = _spans(OpenAIInstrumentor())
    client = make()
    return [_ask(client), _stream(client), _names(spans)]


@program("anthropic", given=True)
def opentelemetry_anthropic(make: Any) -> Any:
    """OpenTelemetry's instrumentation of the Anthropic SDK."""
    from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor

    spans = _spans(AnthropicInstrumentor())
    ask = [{"role": "user", "content": PROMPT}]
    answer = make().messages.create(model=ANTHROPIC, max_tokens=99, messages=ask)
    return [answer.content[0].text, _names(spans)]


def _names(spans: Any) -> list[str]:
    return [str(span.attributes["gen_ai.operation.name"]) for span in spans.get_finished_spans()]


def _spans(instrumentor: Any) -> Any:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor.instrument(tracer_provider=provider)
    return exporter
