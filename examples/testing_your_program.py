"""Your own tests of a program that uses the router: scripted providers, no network, no waiting."""

import openai

from llm_router_middleware import Router, wrap
from llm_router_middleware.testing import Behaviour, ManualClock, capture_events, scripted_client, scripted_provider


def summary(client: openai.OpenAI) -> str:
    """The code under test."""
    answer = client.chat.completions.create(
        model="gpt-6.1-sol", messages=[{"role": "user", "content": "Summarise: all is well."}]
    )
    return answer.choices[0].message.content


def test_survives_a_model_that_is_overloaded() -> None:
    clock = ManualClock()
    router = Router(now=clock, scorer="heuristic")
    provider = scripted_provider("openai", clock)
    provider.script("*", Behaviour(error="overloaded"))
    client = wrap(scripted_client(provider, clock=clock), router=router)
    with capture_events(router) as events:
        assert "Summarise" in summary(client)
    first, second = provider.requests
    assert first.model != second.model
    assert [attempt.outcome for attempt in events[0].attempts] == ["overloaded", "ok"]
    assert events[0].selection_reason == "failover"


test_survives_a_model_that_is_overloaded()
print("the test passes")
