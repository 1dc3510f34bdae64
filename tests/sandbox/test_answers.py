"""What is answered: the same whole and streamed, with the tokens that are billed, as the request wants it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llm_router_middleware.sandbox import Behaviour, Sandbox
from llm_router_middleware.sandbox.text import count
from tests.sandbox.sdks import ANTHROPIC, GROQ, MESSAGES, OPENAI, SDK, SDKS

each_sdk = pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.name)

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def tokens(sdk: SDK, answer: Any) -> tuple[int, int]:
    """Input and output tokens of an answer, or of the chunks of a streamed one."""
    if sdk.name == "anthropic":
        usage = answer[-2].usage if isinstance(answer, list) else answer.usage
        return usage.input_tokens, usage.output_tokens
    if isinstance(answer, list):
        usage = answer[-1].x_groq.usage if sdk.name == "groq" else answer[-1].usage
    else:
        usage = answer.usage
    return usage.prompt_tokens, usage.completion_tokens


def tools(sdk: SDK, *names: str) -> list[dict[str, Any]]:
    if sdk.name == "anthropic":
        return [{"name": name, "input_schema": SCHEMA} for name in names]
    return [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in names]


def called(sdk: SDK, answer: Any) -> list[tuple[str, dict[str, Any]]]:
    if sdk.name == "anthropic":
        return [(block.name, block.input) for block in answer.content if block.type == "tool_use"]
    calls = answer.choices[0].message.tool_calls or []
    return [(call.function.name, json.loads(call.function.arguments)) for call in calls]


def finish(sdk: SDK, answer: Any) -> str:
    reason: str = answer.stop_reason if sdk.name == "anthropic" else answer.choices[0].finish_reason
    return reason


def ask(sdk: SDK, sandbox: Sandbox, **arguments: Any) -> Any:
    return sdk.run(sdk.provider(sandbox), is_async=False, **arguments)


def user(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


@each_sdk
def test_a_stream_says_what_the_whole_answer_says(sandbox: Sandbox, sdk: SDK) -> None:
    """Text and usage are the same, streamed or not, and the output tokens are those of the text."""
    options = {"stream_options": {"include_usage": True}} if sdk is OPENAI else {}
    whole, stream = ask(sdk, sandbox), ask(sdk, sandbox, stream=True, **options)
    assert sdk.text(whole) == sdk.text(stream)
    assert tokens(sdk, whole) == tokens(sdk, stream)
    assert tokens(sdk, whole)[1] == count(sdk.text(whole))


@each_sdk
def test_the_answer_depends_on_model_and_prompt_alone(sandbox: Sandbox, sdk: SDK) -> None:
    """Asked twice the same comes back, another model or prompt gives another text, and the model is named."""
    first, again = ask(sdk, sandbox), ask(sdk, sandbox)
    assert sdk.text(first) == sdk.text(again)
    assert sdk.model in sdk.text(first)
    assert "Where does the river rise?" in sdk.text(first)
    assert first.id != again.id
    assert sdk.text(ask(sdk, sandbox, model="another-model")) != sdk.text(first)
    assert sdk.text(ask(sdk, sandbox, messages=user("And the other one?"))) != sdk.text(first)


@each_sdk
def test_longer_prompts_cost_more(sandbox: Sandbox, sdk: SDK) -> None:
    """Input tokens grow with the prompt and with the tools that are sent along."""
    short, long = (tokens(sdk, ask(sdk, sandbox, messages=user("word " * n)))[0] for n in (10, 1000))
    offered = tokens(sdk, ask(sdk, sandbox, messages=user("word " * 10), tools=tools(sdk, "look_up")))[0]
    assert 900 < long - short < 1100
    assert offered > short


def test_anthropic_counts_tokens_as_it_bills_them(sandbox: Sandbox) -> None:
    """`count_tokens` foretells `usage.input_tokens`."""
    arguments = {
        "model": "claude-haiku-5-5",
        "messages": MESSAGES,
        "system": "Be brief.",
        "tools": tools(ANTHROPIC, "f"),
    }
    with ANTHROPIC.client(sandbox.anthropic) as client:
        counted = client.messages.count_tokens(**arguments).input_tokens
        assert client.messages.create(max_tokens=100, **arguments).usage.input_tokens == counted


@each_sdk
def test_the_cap_is_kept_and_told(sandbox: Sandbox, sdk: SDK) -> None:
    """An answer longer than `max_tokens` is cut there, with the finish reason that says so."""
    cut = ask(sdk, sandbox, max_tokens=5)
    assert tokens(sdk, cut)[1] == 5
    assert finish(sdk, cut) == ("max_tokens" if sdk is ANTHROPIC else "length")
    assert sdk.text(ask(sdk, sandbox)).startswith(sdk.text(cut))


@each_sdk
def test_a_stop_text_ends_the_answer_and_is_not_said(sandbox: Sandbox, sdk: SDK) -> None:
    """The answer ends before the stop text; Anthropic names it."""
    stops = {"stop_sequences": ["answers"]} if sdk is ANTHROPIC else {"stop": ["answers", "never"]}
    cut = ask(sdk, sandbox, **stops)
    assert sdk.text(cut) == f"{sdk.model} "
    assert finish(sdk, cut) == ("stop_sequence" if sdk is ANTHROPIC else "stop")
    if sdk is ANTHROPIC:
        assert cut.stop_sequence == "answers"


@each_sdk
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_chunks_say_how_finely_a_text_is_streamed(sandbox: Sandbox, sdk: SDK, stream: bool) -> None:
    """`chunks` is the number of content deltas; the text does not change."""
    plain = sdk.text(ask(sdk, sandbox))
    sdk.provider(sandbox).default("*", Behaviour(chunks=3))
    answer = ask(sdk, sandbox, stream=stream)
    assert sdk.text(answer) == plain
    if stream and sdk is ANTHROPIC:
        assert sum(event.type == "content_block_delta" for event in answer) == 3
    elif stream:
        assert sum(bool(choice.delta.content) for chunk in answer for choice in chunk.choices) == 3


@each_sdk
def test_a_tool_is_called_when_the_prompt_names_it(sandbox: Sandbox, sdk: SDK) -> None:
    """Offered tools are called if they are asked for, with arguments that fit their schema."""
    offered = tools(sdk, "get_weather", "get_time")
    answer = ask(sdk, sandbox, messages=user("Call get_weather, please"), tools=offered)
    assert [name for name, _ in called(sdk, answer)] == ["get_weather"]
    assert all(isinstance(arguments["city"], str) for _, arguments in called(sdk, answer))
    assert finish(sdk, answer) == ("tool_use" if sdk is ANTHROPIC else "tool_calls")
    assert called(sdk, ask(sdk, sandbox, messages=user("Hello"), tools=offered)) == []
    both = ask(sdk, sandbox, messages=user("get weather and get time"), tools=offered)
    assert [name for name, _ in called(sdk, both)] == ["get_weather", "get_time"]


@each_sdk
def test_tool_choice_is_obeyed(sandbox: Sandbox, sdk: SDK) -> None:
    """Forced, named, forbidden and one at a time."""
    offered = tools(sdk, "first", "second")

    def names(choice: Any, text: str = "Hello", **more: Any) -> list[str]:
        answer = ask(sdk, sandbox, messages=user(text), tools=offered, tool_choice=choice, **more)
        return [name for name, _ in called(sdk, answer)]

    if sdk is ANTHROPIC:
        assert names({"type": "any"}) == ["first"]
        assert names({"type": "tool", "name": "second"}) == ["second"]
        assert names({"type": "none"}, "first") == []
        assert names({"type": "auto", "disable_parallel_tool_use": True}, "first and second") == ["first"]
    else:
        assert names("required") == ["first"]
        assert names({"type": "function", "function": {"name": "second"}}) == ["second"]
        assert names("none", "first") == []
        assert names("auto", "first and second", parallel_tool_calls=False) == ["first"]


@each_sdk
def test_a_tool_loop_comes_to_an_end(sandbox: Sandbox, sdk: SDK) -> None:
    """After the tool's result the model speaks, and says what the tool said."""
    asked = user("Call get_weather")
    answer = ask(sdk, sandbox, messages=asked, tools=tools(sdk, "get_weather"))
    if sdk is ANTHROPIC:
        use = next(block for block in answer.content if block.type == "tool_use")
        result = {"type": "tool_result", "tool_use_id": use.id, "content": "It rains in Lyon"}
        turn = [{"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    else:
        message = answer.choices[0].message
        said = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "It rains in Lyon"}
        turn = [message.model_dump(exclude_none=True), said]
    end = ask(sdk, sandbox, messages=[*asked, *turn], tools=tools(sdk, "get_weather"))
    assert called(sdk, end) == []
    assert "It rains in Lyon" in sdk.text(end)


@each_sdk
def test_scripted_tool_calls_are_said_whatever_is_offered(sandbox: Sandbox, sdk: SDK) -> None:
    """`tool_calls` overrides what the request would have led to; empty arguments are an empty object."""
    scripted = (("search", {"query": "Ω “x”", "limit": 3}), ("stop", {}))
    sdk.provider(sandbox).script("*", Behaviour(tool_calls=scripted, text="One moment."))
    answer = ask(sdk, sandbox)
    assert called(sdk, answer) == [("search", {"query": "Ω “x”", "limit": 3}), ("stop", {})]
    assert sdk.text(answer) == "One moment."


@pytest.mark.parametrize("arguments", [{"query": "Ω", "limit": 3}, {}], ids=["some", "none"])
def test_streamed_tool_calls_add_up(sandbox: Sandbox, arguments: dict[str, Any]) -> None:
    """The helpers of the SDKs put the deltas of a call together again."""
    for provider in (sandbox.openai, sandbox.anthropic):
        provider.default("*", Behaviour(tool_calls=(("search", arguments), ("again", arguments))))
    with OPENAI.client(sandbox.openai) as client:
        with client.chat.completions.stream(model="m", messages=MESSAGES) as stream:
            calls = stream.get_final_completion().choices[0].message.tool_calls
        assert [json.loads(call.function.arguments) for call in calls] == [arguments, arguments]
        with client.responses.stream(model="m", input="x") as stream:
            items = stream.get_final_response().output
        assert [json.loads(item.arguments) for item in items] == [arguments, arguments]
    with (
        ANTHROPIC.client(sandbox.anthropic) as client,
        client.messages.stream(model="m", messages=MESSAGES, max_tokens=10) as stream,
    ):
        assert [block.input for block in stream.get_final_message().content] == [arguments, arguments]


def test_scripted_texts_refusals_and_usage(sandbox: Sandbox) -> None:
    """What the script says is said, in each provider's form."""
    used = {"input": 100, "output": 20, "cached": 60, "cache_write": 10, "reasoning": 5}
    for provider in (sandbox.openai, sandbox.anthropic, sandbox.groq):
        provider.script(
            "*", Behaviour(text="Ça y est: 東京 ☕", usage=used), Behaviour(refusal="I can't help with that.")
        )
    for sdk in SDKS:
        answer = ask(sdk, sandbox)
        assert sdk.text(answer) == "Ça y est: 東京 ☕"
        if sdk is ANTHROPIC:
            usage = answer.usage
            assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (
                30,
                60,
                10,
            )
        else:
            assert answer.usage.prompt_tokens == 100
            assert answer.usage.prompt_tokens_details.cached_tokens == 60
            assert answer.usage.completion_tokens_details.reasoning_tokens == 5
    openai_, anthropic_ = ask(OPENAI, sandbox), ask(ANTHROPIC, sandbox)
    assert (openai_.choices[0].message.refusal, openai_.choices[0].message.content) == ("I can't help with that.", None)
    assert (anthropic_.stop_reason, anthropic_.stop_details.explanation) == ("refusal", "I can't help with that.")
    assert GROQ.text(ask(GROQ, sandbox)) == "I can't help with that."


def test_reasoning_is_counted_and_shown_where_the_provider_shows_it(sandbox: Sandbox) -> None:
    """Anthropic and Groq show it, OpenAI only bills it; the cap includes it."""
    openai_ = ask(OPENAI, sandbox, reasoning_effort="high")
    groq_ = ask(GROQ, sandbox, reasoning_format="parsed")
    anthropic_ = ask(ANTHROPIC, sandbox, thinking={"type": "adaptive"})
    assert openai_.usage.completion_tokens_details.reasoning_tokens > 0
    assert groq_.choices[0].message.reasoning
    assert anthropic_.content[0].type == "thinking"
    starved = ask(OPENAI, sandbox, reasoning_effort="high", max_completion_tokens=3)
    assert (OPENAI.text(starved), starved.choices[0].finish_reason, starved.usage.completion_tokens) == (
        "",
        "length",
        3,
    )


def test_json_object_mode_answers_an_object(sandbox: Sandbox) -> None:
    """`json_object` gives parsable JSON on the wires that have it."""
    for sdk in (OPENAI, GROQ):
        answer = ask(sdk, sandbox, response_format={"type": "json_object"})
        assert sdk.model in json.loads(sdk.text(answer))["answer"]
    with OPENAI.client(sandbox.openai) as client:
        answer = client.responses.create(model="m", input="x", text={"format": {"type": "json_object"}})
    assert json.loads(answer.output_text)["answer"]


def test_responses_tell_an_incomplete_answer(sandbox: Sandbox) -> None:
    """A capped response is incomplete, whole and streamed; previous results are read from the input items."""
    with OPENAI.client(sandbox.openai) as client:
        cut = client.responses.create(model="m", input="x", max_output_tokens=4)
        last = list(client.responses.create(model="m", input="x", max_output_tokens=4, stream=True))[-1]
        said = client.responses.create(
            model="m",
            input=[
                {"role": "user", "content": "Call f"},
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": "It rains"},
            ],
            tools=[{"type": "function", "name": "f", "parameters": SCHEMA, "strict": True}],
        )
    assert (cut.status, cut.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert (last.type, last.response.status) == ("response.incomplete", "incomplete")
    assert "It rains" in said.output_text
