"""Which behaviour a call meets, and what is recorded of it."""

from __future__ import annotations

import threading

import pytest

from llm_router_middleware.sandbox import BEFORE_HEADERS, Behaviour, Sandbox
from llm_router_middleware.testing import ManualClock, scripted_client, scripted_provider
from tests.sandbox.sdks import GROQ, MESSAGES, OPENAI, SDKS


def statuses(client: object, *models: str) -> list[int]:
    """Asks each model in turn, and returns the statuses that came back."""
    seen = []
    for model in models:
        try:
            client.chat.completions.create(model=model, messages=MESSAGES)  # type: ignore[attr-defined] # an SDK client
            seen.append(200)
        except OPENAI.module.APIStatusError as error:
            seen.append(error.status_code)
    return seen


@pytest.fixture
def scripted():
    """A provider in memory on a clock of its own, and a client of it."""
    clock = ManualClock()
    provider = scripted_provider("openai", clock)
    with scripted_client(provider, clock=clock, max_retries=0) as client:
        yield provider, client, clock


def test_a_queue_is_played_in_order_and_then_the_default(scripted) -> None:
    """Each call takes one behaviour of its model's queue; queues of models don't touch each other."""
    provider, client, _ = scripted
    provider.script("a", Behaviour(status=500), Behaviour(), Behaviour(status=429))
    provider.default("a", Behaviour(status=503))
    assert statuses(client, "b", "a", "a", "b", "a", "a", "a") == [200, 500, 200, 200, 429, 503, 503]


def test_what_is_more_particular_wins(scripted) -> None:
    """Outage, window, call number, queue of the model, queue of any, default of the model, default of any."""
    provider, client, _ = scripted
    provider.default("*", Behaviour(status=521))
    assert statuses(client, "a") == [521]
    provider.default("a", Behaviour(status=522))
    assert statuses(client, "a", "b") == [522, 521]
    provider.script("*", *[Behaviour(status=523)] * 3)
    assert statuses(client, "a") == [523]
    provider.script("a", *[Behaviour(status=524)] * 3)
    assert statuses(client, "a", "b") == [524, 523]
    provider.at_call(5, Behaviour(status=525), "a")
    assert statuses(client, "a") == [525]
    provider.between(0, 10, Behaviour(status=526))
    assert statuses(client, "a") == [526]
    provider.outage(Behaviour(status=527))
    assert statuses(client, "a", "b") == [527, 527]
    provider.recover()
    assert statuses(client, "b") == [526]


def test_a_call_number_counts_the_models_calls_or_all(scripted) -> None:
    """The n-th call of a model, or of the provider, fails; the others don't."""
    provider, client, _ = scripted
    provider.at_call(2, Behaviour(status=500), "a")
    provider.at_call(5, Behaviour(status=502))
    assert statuses(client, "b", "a", "b", "a", "b", "a") == [200, 200, 200, 500, 502, 200]


def test_a_window_lasts_as_long_as_it_says(scripted) -> None:
    """Windows count seconds since the start or the last reset, on the sandbox's clock."""
    provider, client, clock = scripted
    provider.between(10, 20, Behaviour(status=503), "a")
    seen = []
    for _ in range(5):
        seen += statuses(client, "a", "b")
        clock.advance(5)
    assert seen == [200, 200, 200, 200, 503, 200, 503, 200, 200, 200]
    provider.reset()
    provider.between(0, 1, Behaviour(status=503))
    assert statuses(client, "a") == [503]


def test_an_outage_of_one_model_leaves_the_others(scripted) -> None:
    """Outages are per model or of the whole provider, need no valid request, and take nothing from the queue."""
    provider, client, _ = scripted
    provider.script("a", Behaviour(status=500))
    provider.outage(model="a")
    assert statuses(client, "a", "b", "a") == [503, 200, 503]
    provider.recover("a")
    assert statuses(client, "a", "a") == [500, 200]
    provider.outage()
    with pytest.raises(OPENAI.module.InternalServerError):
        client.with_options(api_key="wrong").models.list()


def test_an_outage_may_be_slow_or_silent_as_well(scripted) -> None:
    """An outage that is no error slows or breaks the usual answer, until it ends."""
    provider, client, clock = scripted
    provider.script("*", Behaviour(status=500))
    provider.outage(Behaviour(latency_s=30, text="Still here."))
    before = clock()
    assert OPENAI.text(OPENAI.create(client)) == "Still here."
    assert clock() - before == 30
    provider.outage(Behaviour(truncate_after=1))
    assert len(list(OPENAI.create(client, stream=True))) == 2
    provider.outage(Behaviour(stall_after=BEFORE_HEADERS))
    with pytest.raises(OPENAI.module.APITimeoutError):
        OPENAI.create(client)
    with pytest.raises(OPENAI.module.APITimeoutError):
        client.models.list()
    provider.recover()
    assert statuses(client, "a", "a") == [500, 200]


def test_reset_forgets_everything(scripted) -> None:
    """After a reset the provider is as new."""
    provider, client, _ = scripted
    provider.script("a", Behaviour(status=500))
    provider.default("*", Behaviour(status=500))
    provider.at_call(1, Behaviour(status=500))
    provider.outage()
    provider.serve("b")
    provider.reset()
    assert statuses(client, "a") == [200]
    assert len(provider.requests) == 1


def test_a_refused_request_takes_nothing_from_the_queue(scripted) -> None:
    """Only a valid request meets the script."""
    provider, client, _ = scripted
    provider.script("*", Behaviour(status=500))
    with pytest.raises(OPENAI.module.BadRequestError):
        client.chat.completions.create(model="a", messages=[])
    assert statuses(client, "a", "a") == [500, 200]


@pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.name)
def test_requests_are_recorded_as_they_came(sandbox: Sandbox, sdk) -> None:
    """Path, query, headers, bytes, model, stream, time, status and end of every request, in order."""
    provider = sdk.provider(sandbox)
    with sdk.client(provider) as client:
        for stream in (False, True):
            answer = sdk.create(client, stream=stream, extra_query={"beta": "true"}, extra_headers={"X-Mark": "17"})
            list(answer)
    whole, streamed = provider.requests
    paths = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages", "groq": "/openai/v1/chat/completions"}
    assert (whole.method, whole.path, whole.query) == ("POST", paths[sdk.name], "beta=true")
    assert whole.headers["x-mark"] == "17"
    assert provider.api_key in (whole.headers.get("x-api-key"), whole.headers.get("authorization", "")[7:])
    assert whole.json["messages"] == MESSAGES
    assert whole.body.startswith(b"{")
    assert (whole.model, whole.stream, streamed.stream) == (sdk.model, False, True)
    assert (whole.status, whole.ended, whole.number, streamed.number) == (200, "complete", 1, 2) or whole.number > 2
    assert whole.monotonic <= streamed.monotonic


def test_the_record_can_be_read_while_requests_come_in(sandbox: Sandbox) -> None:
    """`requests` is a snapshot; scripts may be changed from any thread."""
    sandbox.groq.default("*", Behaviour(text="x"))
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            with GROQ.client(sandbox.groq) as client:
                for _ in range(10):
                    GROQ.create(client)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        sandbox.groq.script("other", Behaviour(status=500))
        before = sandbox.groq.requests
        assert all(request.path for request in before)
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(sandbox.groq.requests) == 80
    assert len({request.number for request in sandbox.groq.requests}) == 80


def test_an_abandoned_stream_is_noticed(sandbox: Sandbox) -> None:
    """When the client closes early, the request ends as abandoned."""
    sandbox.openai.script("*", Behaviour(stall_after=1))
    with OPENAI.client(sandbox.openai) as client:
        stream = OPENAI.create(client, stream=True)
        next(stream)
        assert sandbox.openai.requests[0].ended is None
        stream.close()
        assert sandbox.openai.requests[0].wait(10) == "abandoned"
