"""Clients of hosted clouds and of other addresses: routed among the models declared for them, else left alone."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from anthropic.lib.bedrock import AnthropicBedrock
from anthropic.lib.vertex import AnthropicVertex

from llm_router_middleware import ModelSpec, Router, wrap
from llm_router_middleware.sandbox import Sandbox
from tests.clients.pitfalls import ASK, BUDGET, PREMIUM, Recorded


class Cloud:
    """A cloud that answers from memory and keeps what it was sent: path and body."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self._answer = answer

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append((request.url.path, json.loads(request.content)))
        return httpx2.Response(200, json=self._answer)

    @property
    def http(self) -> httpx2.Client:
        """A client of it."""
        return httpx2.Client(transport=httpx2.MockTransport(self))


CHOICE = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Paris"}}
COMPLETION = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [CHOICE]}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Paris"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 9, "output_tokens": 1},
}


def azure(http: Any, **options: Any) -> Any:
    return openai.AzureOpenAI(
        api_key="k", api_version="2025-01-01", azure_endpoint="https://a.test", http_client=http, **options
    )


def bedrock(http: Any) -> Any:
    return AnthropicBedrock(api_key="k", aws_region="us-east-1", http_client=http)


def vertex(http: Any) -> Any:
    return AnthropicVertex(access_token="t", region="us-east5", project_id="p", http_client=http)


def ask(client: Any, model: str) -> Any:
    if isinstance(client, openai.OpenAI):
        return client.chat.completions.create(model=model, messages=ASK)
    return client.messages.create(model=model, max_tokens=9, messages=ASK)


CLOUDS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "azure": (azure, COMPLETION, "/deployments/{}/"),
    "bedrock": (bedrock, MESSAGE, "/model/{}/"),
    "vertex": (vertex, MESSAGE, "/models/{}:"),
}


@pytest.mark.parametrize("name", CLOUDS)
def test_a_cloud_is_routed_among_the_models_declared_for_it(name: str) -> None:
    """The model goes where the cloud's client puts it, into the address; the object is of the client's own type."""
    make, answer, place = CLOUDS[name]
    cloud = Cloud(answer)
    models = [ModelSpec("big", name, "premium"), ModelSpec("small", name, "budget")]
    router = Recorded(models=models)
    bare = make(cloud.http)
    client = wrap(make(cloud.http), router=router)
    expected = ask(bare, "big")
    assert type(ask(client, "big")) is type(expected)
    assert place.format("big") in cloud.sent[0][0]
    assert place.format("small") in cloud.sent[1][0]
    (event,) = router.events
    assert (event.selected_provider, event.selected_model, event.selection_reason) == (
        name,
        "small",
        "complexity_match",
    )
    assert type(client) is type(bare)


@pytest.mark.parametrize("name", CLOUDS)
def test_a_cloud_of_which_nothing_is_declared_is_left_alone(name: str) -> None:
    """Same address and body as a bare client's, and an event that says passthrough."""
    make, answer, _ = CLOUDS[name]
    cloud, router = Cloud(answer), Recorded()
    ask(make(cloud.http), "mine")
    ask(wrap(make(cloud.http), router=router), "mine")
    assert cloud.sent[0] == cloud.sent[1]
    assert [event.selection_reason for event in router.events] == ["passthrough"]


def test_a_client_that_is_pointed_at_another_provider_belongs_to_it() -> None:
    """OpenAI's SDK with Groq's address: the host says whose models they are."""
    cloud = Cloud(COMPLETION)
    router = Recorded()
    base_url = "https://api.groq.com/openai/v1"
    client = wrap(openai.OpenAI(api_key="k", base_url=base_url, http_client=cloud.http), router=router)
    client.chat.completions.create(model=PREMIUM["groq"], messages=ASK)  # type: ignore[arg-type]
    assert [(path, body["model"]) for path, body in cloud.sent] == [("/openai/v1/chat/completions", BUDGET["groq"])]
    assert router.events[0].selected_provider == "groq"


def test_a_custom_address_and_http_client_are_used_for_every_attempt(sandbox: Sandbox) -> None:
    """`base_url=` and `http_client=` of the caller's: nothing goes anywhere else."""
    seen: list[str] = []

    def note(request: httpx2.Request) -> None:
        seen.append(str(request.url))

    http = httpx2.Client(event_hooks={"request": [note]})
    options: dict[str, Any] = {"api_key": sandbox.openai.api_key, "base_url": sandbox.openai.base_url}
    with wrap(openai.OpenAI(http_client=http, **options), router=Router(scorer="heuristic")) as client:
        ask(client, PREMIUM["openai"])
    assert seen == [f"{sandbox.openai.base_url}/chat/completions"]
    assert [request.model for request in sandbox.openai.requests] == [BUDGET["openai"]]


@pytest.mark.parametrize("make", [anthropic.AsyncAnthropicBedrock, anthropic.AsyncAnthropicVertex])
def test_async_clouds_are_known(make: Any) -> None:
    """`wrap()` takes their async clients too."""
    options = {"api_key": "k", "aws_region": "us-east-1"} if "Bedrock" in make.__name__ else {}
    options = options or {"access_token": "t", "region": "us-east5", "project_id": "p"}
    client = make(**options)
    assert wrap(client, router=Router(scorer="heuristic")) is client


@pytest.mark.parametrize("derive", ["copy", "with_options"])
def test_copies_of_the_sdks_own_subclasses_stay_wrapped(derive: str) -> None:
    """A client class that builds its copies itself, as Foundry's does: the binding goes along, and is the same."""
    router = Router(scorer="heuristic")
    for client in (
        anthropic.AnthropicFoundry(api_key="k", resource="r"),
        anthropic.AsyncAnthropicFoundry(api_key="k", resource="r"),
        azure(None),
        anthropic.Anthropic(api_key="k"),
    ):
        wrap(client, router=router)
        derived = getattr(client, derive)(max_retries=1)
        assert derived.__dict__["_llm_router"] is router
        assert type(derived) is type(client)
