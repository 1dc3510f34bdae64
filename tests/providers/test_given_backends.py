"""Clients that are given to a router answer for their providers, as they are."""

from __future__ import annotations

from typing import Any

import groq
import openai
import pytest

from llm_router_middleware import Router, wrap
from llm_router_middleware.sandbox import Behaviour, Sandbox

ASK: Any = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture
def clients(sandbox: Sandbox) -> Any:
    with (
        openai.OpenAI(api_key="sk-sandbox-openai", base_url=sandbox.openai.base_url, max_retries=0) as one,
        groq.Groq(api_key="sk-sandbox-groq", base_url=sandbox.groq.base_url, max_retries=0) as two,
    ):
        yield one, two


def test_a_given_client_answers_without_a_key_in_the_environment(sandbox: Sandbox, clients: Any) -> None:
    """No environment is needed: the client is the credential and the address."""
    mine, other = clients
    sandbox.openai.outage(Behaviour(status=500))
    answer = wrap(mine, router=Router(scorer="heuristic", backends=[other])).chat.completions.create(
        model="gpt-6.1-sol", messages=ASK
    )
    assert answer.model == "openai/gpt-oss-20b"
    assert len(sandbox.groq.requests) == 1


def test_one_server_has_one_circuit_whoever_asks_it(sandbox: Sandbox, clients: Any) -> None:
    """What is learnt of a client as a backend is known of it as a caller's own."""
    mine, other = clients
    router = Router(scorer="heuristic", backends=[other])
    sandbox.openai.outage(Behaviour(status=500))
    wrap(mine, router=router).chat.completions.create(model="gpt-6.1-sol", messages=ASK)
    wrap(other, router=router).chat.completions.create(model="openai/gpt-oss-120b", messages=ASK)
    endpoints = {name for name in router.breakers if name.startswith("groq@") and "/openai/" not in name}
    assert len(endpoints) == 1
