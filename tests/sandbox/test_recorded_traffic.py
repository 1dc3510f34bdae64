"""The sandbox against real traffic: it takes every recorded request, and its answers have the recorded ones' members.

The recordings are not part of the project; without them these tests are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from llm_router_middleware.sandbox import Behaviour
from llm_router_middleware.sandbox.provider import ScriptedProvider
from llm_router_middleware.testing import scripted_provider

RECORDED = Path(__file__).parents[2].parent / "shared" / "cassettes"
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded traffic (../shared/cassettes) is not here")

APIS = (
    ("openai", "chat.completions"),
    ("openai", "responses"),
    ("anthropic", "messages"),
    ("groq", "chat.completions"),
)


@cache
def recorded(kind: str = "recorded") -> list[dict[str, Any]]:
    """Every recording of a kind: its row of the index and the exchange itself."""
    with (RECORDED / "index.jsonl").open(encoding="utf-8") as index:
        rows = [json.loads(line) for line in index]
    return [{**row, **json.loads((RECORDED / row["file"]).read_text("utf-8"))} for row in rows if row["kind"] == kind]


def ask(provider: ScriptedProvider, exchange: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """Sends a recorded request to a scripted provider."""
    request = exchange["request"]
    headers = {"authorization": f"Bearer {provider.api_key}", "anthropic-version": "2023-06-01"}
    body = json.dumps(request.get("json")).encode()
    path = "/" + request["path"].partition("?")[0].lstrip("/")
    _, steps = provider.respond(request["method"], path, headers, body)
    head, *rest = steps
    return head.status, dict(head.headers), b"".join(getattr(step, "data", b"") for step in rest)  # type: ignore[union-attr] # a head


def members(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all members of a JSON value."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"{path}.{key}"
            yield from members(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from members(item, path + "[]")


def events(raw: str | bytes) -> list[dict[str, Any]]:
    text = raw.decode() if isinstance(raw, bytes) else raw
    lines = (line[5:].strip() for line in text.splitlines() if line.startswith("data:"))
    return [json.loads(line) for line in lines if line != "[DONE]"]


@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
@pytest.mark.parametrize("provider", ["openai", "anthropic", "groq"])
def test_every_recorded_request_is_taken(provider: str, strict: bool) -> None:
    """What the providers have answered with 200 is a valid request here as well, streamed or not."""
    sandbox = scripted_provider(provider, strict=strict)  # type: ignore[arg-type] # one of the three names
    taken = [row for row in recorded() if row["provider"] == provider and row["status"] == 200]
    assert len(taken) > 40
    refused = []
    for exchange in taken:
        status, headers, body = ask(sandbox, exchange)
        kind = "text/event-stream" if exchange["stream"] else "application/json"
        if status != 200 or not headers["content-type"].startswith(kind):
            refused.append((exchange["id"], status, body[:200]))
    assert refused == []


@pytest.mark.parametrize(("provider", "api"), APIS)
def test_answers_have_every_member_that_recorded_ones_always_have(provider: str, api: str) -> None:
    """Members that are in every recorded answer are in the sandbox's answers to the same requests."""
    sandbox = scripted_provider(provider)  # type: ignore[arg-type] # one of the three names
    exchanges = [
        row
        for row in recorded()
        if (row["provider"], row["api"], row["status"], row["stream"]) == (provider, api, 200, False)
    ]
    always = set.intersection(*(set(members(row["response"]["json"])) for row in exchanges))
    assert len(always) > 8
    for exchange in exchanges:
        said = json.loads(ask(sandbox, exchange)[2])
        assert always - set(members(said)) == set(), exchange["id"]


@pytest.mark.parametrize(("provider", "api"), APIS)
def test_streams_use_the_words_of_recorded_ones(provider: str, api: str) -> None:
    """Event types, or members of the chunks, that the sandbox sends have all been seen on the real wire."""
    sandbox = scripted_provider(provider)  # type: ignore[arg-type] # one of the three names
    exchanges = [
        row
        for row in recorded()
        if (row["provider"], row["api"], row["status"], row["stream"]) == (provider, api, 200, True)
    ]
    real = [item for row in exchanges for item in events(row["response"]["sse"])]
    ours = [item for row in exchanges for item in events(ask(sandbox, row)[2])]
    if provider == "anthropic" or api == "responses":
        assert {item["type"] for item in ours} - {item["type"] for item in real} == set()
    else:
        newer = {".usage.prompt_tokens_details.cache_write_tokens"}
        assert {path for item in ours for path in members(item)} - {
            path for item in real for path in members(item)
        } <= newer


@pytest.mark.parametrize("kind", ["recorded", "reported"])
def test_errors_have_the_form_of_real_ones(kind: str) -> None:
    """For every real error, the sandbox's of that status has the same members."""
    seen = 0
    for exchange in recorded(kind):
        if exchange["status"] < 400 or exchange["api"] == "embeddings":
            continue
        provider = scripted_provider(exchange["provider"])
        real = exchange["response"]["json"]
        code = real["error"].get("code")
        provider.outage(Behaviour(status=exchange["status"], error_code=code, error_type=real["error"]["type"]))
        status, _, body = ask(provider, exchange)
        ours = json.loads(body)
        assert status == exchange["status"]
        optional = {".request_id", ".error.failed_generation", ".error.details", ".type"}
        assert set(members(real)) ^ set(members(ours)) <= optional, exchange["id"]
        seen += 1
    assert seen > 15
