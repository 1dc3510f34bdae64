"""`llm-router demo`: every call answered and recorded through the outage, and every number that it prints true."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llm_router_middleware.cli.demo import screen, stage
from llm_router_middleware.cli.demo.asking import FORMS, request
from llm_router_middleware.cli.demo.play import Turn, turns
from llm_router_middleware.cli.demo.prompts import PromptError, bundled, read
from llm_router_middleware.events.event import Usage
from llm_router_middleware.models.prices import cost_usd
from llm_router_middleware.models.registry import ModelRegistry
from tests.cli.conftest import Invoke


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What the demo of the README says as JSON, run as a user runs it, and the events that it wrote."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "llm_router_middleware", "demo", "--json", "--explain", "--events", "e.jsonl"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), [json.loads(line) for line in (folder / "e.jsonl").read_text().splitlines()]


Played = tuple[dict[str, Any], list[dict[str, Any]]]


def test_nothing_fails_and_everything_is_recorded(played: Played) -> None:
    """Every bundled prompt through every SDK in every form: no failed and no unrecorded call, with a provider down."""
    result, events = played
    assert (result["failed"], result["unrecorded"]) == (0, 0)
    assert result["calls"] == 3 * len(bundled()) == len(events)
    assert len({event["request_id"] for event in events}) == len(events)
    assert all(event["success"] for event in events)
    assert len(result["forms"]) == 12
    assert result["outage"]["provider"] == "openai"


def test_the_outage_was_real_and_survived(played: Played) -> None:
    """The provider answered 503, circuits opened and closed again, and others served its callers meanwhile."""
    result, events = played
    failed = [a for e in events for a in e["attempts"] if a["outcome"] != "ok"]
    assert failed
    assert {(a["provider"], a["status"]) for a in failed} == {("openai", 503)}
    first, last = result["outage"]["calls"]
    down = [d["event"] for d in result["decisions"][first + 8 : last - 8] if d["sdk"] == "openai"]
    assert down
    assert {event["selected_provider"] for event in down} <= {"anthropic", "groq"}
    assert {(c["before"], c["after"]) for c in result["breakers"]} >= {
        ("closed", "open"),
        ("open", "half_open"),
        ("half_open", "closed"),
    }
    assert result["figures"]["failovers"] > 10


def test_every_number_is_that_of_the_events(played: Played) -> None:
    """Costs, baselines and savings are the events' own, and the events' are price times usage."""
    result, events = played
    total = result["figures"]["total"]
    assert math.isclose(total["cost_usd"], sum(e["cost_usd"] for e in events), rel_tol=1e-9)
    assert math.isclose(total["savings_usd"], sum(e["savings_usd"] for e in events), rel_tol=1e-9)
    for event in events:
        usage = Usage(**event["usage"])
        assert event["cost_usd"] == cost_usd(f"{event['selected_provider']}/{event['selected_model']}", usage)
    tiers = Counter(tier["name"] for tier in result["figures"]["tiers"] for _ in range(tier["calls"]))
    assert sum(tiers.values()) == len(events)
    assert total["premium_usd"] >= total["baseline_usd"] > total["cost_usd"]


def test_the_report_of_its_events_agrees(played: Played, tmp_path: Path, as_json: Callable[..., Any]) -> None:
    """`llm-router report` on the demo's file gives the figures that the demo printed."""
    result, events = played
    path = tmp_path / "again.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    reported = as_json("report", str(path))
    for key in ("failovers", "reasons", "attempts", "refusals"):
        assert reported[key] == result["figures"][key]
    assert reported["total"]["cost_usd"] == pytest.approx(result["figures"]["total"]["cost_usd"])


def test_prompts_are_many_and_varied() -> None:
    """At least 60, of at least 12 kinds, with tools, several turns, long pastes and other scripts among them."""
    prompts = bundled()
    assert len(prompts) >= 60
    assert len({prompt.kind for prompt in prompts}) >= 12
    assert len({prompt.ask for prompt in prompts}) == len(prompts)
    assert sum(bool(prompt.tools) for prompt in prompts) >= 3
    assert sum(len(prompt.messages) > 2 for prompt in prompts) >= 3
    assert sum(len(prompt.ask) > 2000 for prompt in prompts) >= 3
    assert sum(not prompt.ask.isascii() for prompt in prompts) >= 5


@pytest.mark.parametrize(
    ("name", "text", "asks"),
    [
        ("mine.jsonl", '{"prompt": "one"}\n\n{"messages": [{"role": "user", "content": "two"}]}\n', ["one", "two"]),
        ("mine.txt", "\ufeffone\n\n  two  \n", ["one", "two"]),
        ("mine", '{"prompt": "one"}\n', ["one"]),
    ],
)
def test_reads_your_own_prompts(tmp_path: Path, name: str, text: str, asks: list[str]) -> None:
    """JSON lines or plain text, told apart by name and first line; blank lines are nothing."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert [prompt.ask for prompt in read(tmp_path / name)] == asks


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[]", "expected an object"),
        ("{}", "expected 'prompt'"),
        ('{"prompt": 3}', "expected 'prompt'"),
        ('{"messages": []}', "expected 'prompt'"),
        ('{"messages": [{"role": "robot", "content": "x"}]}', "expected 'prompt'"),
        ('{"messages": [{"role": "assistant", "content": "x"}]}', "must be the user's"),
        ('{"messages": [{"role": "user", "content": "x"}], "tools": [1]}', "expected 'tools'"),
    ],
)
def test_a_line_that_is_no_prompt_is_named(tmp_path: Path, llm_router: Invoke, line: str, said: str) -> None:
    """The file, the line, and what is expected; code 2."""
    (tmp_path / "mine.jsonl").write_text('{"prompt": "fine"}\n' + line)
    result = llm_router("demo", "--prompts", "mine.jsonl")
    assert result.exit_code == 2
    assert "mine.jsonl:2: " in result.stderr
    assert said in result.stderr


def test_files_that_hold_no_prompts(tmp_path: Path, llm_router: Invoke) -> None:
    """A missing, an empty and a binary file are errors for people."""
    (tmp_path / "empty.txt").write_text("\n\n")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    for name in ("missing.txt", "empty.txt", "binary.txt"):
        result = llm_router("demo", "--prompts", name)
        assert result.exit_code == 2
        assert name in result.stderr
    with pytest.raises(PromptError):
        read(tmp_path / "empty.txt")


def test_other_prompts_with_tables_and_decisions(tmp_path: Path, llm_router: Invoke) -> None:
    """`--prompts` and `--explain` together, for people: every decision, every table, and where the events are."""
    (tmp_path / "mine.txt").write_text("What day is it?\nCompare tea and coffee step by step.\n")
    result = llm_router("demo", "--prompts", "mine.txt", "--explain", "--events", "e.jsonl", "--scorer", "heuristic")
    assert result.exit_code == 0, result.output
    for part in (
        "2 prompts, 6 calls through openai, anthropic, groq",
        "scripted",
        "What day is it?",
        "signals: complex_keyword",
        "Where the calls went",
        "all-premium",
        "Latency of answered calls",
        "6 calls in",
        "0 failed, 0 unrecorded",
        "llm-router report e.jsonl",
    ):
        assert part in result.stdout
    assert len((tmp_path / "e.jsonl").read_text().splitlines()) == 6


def test_a_failed_call_makes_the_exit_code_1(
    as_json: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """When every provider is down at once calls fail, are recorded as failed, and the demo says so."""

    def all_down(self: stage.Stage) -> None:
        assert self.sandbox is not None
        for provider in self.sandbox.providers:
            provider.outage()

    monkeypatch.setattr(stage.Stage, "knock_over", all_down)
    monkeypatch.setattr(stage.Stage, "put_up", lambda _self: None)
    (tmp_path / "mine.txt").write_text("a\nb\n")
    found = as_json("demo", "--prompts", "mine.txt", "--scorer", "heuristic", code=1)
    assert found["failed"] > 0
    assert found["unrecorded"] == 0
    assert found["figures"]["failed"] == found["failed"]


def test_an_unrecorded_call_is_not_good(tmp_path: Path, llm_router: Invoke) -> None:
    """A call whose event is missing is counted, whatever its answer was."""
    from llm_router_middleware import Router
    from llm_router_middleware.cli.demo.prompts import Prompt

    prompt = Prompt("text", ({"role": "user", "content": "x"},))
    set_ = stage.Stage(Router(scorer="heuristic"), {}, ("openai",), None, [])
    result = screen.Result(set_, [Turn(1, prompt, "openai", FORMS[0])], range(0), [], 0.1, tmp_path / "e.jsonl")
    assert result.unrecorded == 1
    assert not result.is_good


def test_live_needs_a_key(llm_router: Invoke) -> None:
    """`--live` without any key is an error that names the variables."""
    result = llm_router("demo", "--live")
    assert result.exit_code == 2
    assert "OPENAI_API_KEY" in result.stderr


def test_live_asks_each_prompt_once_with_the_keys_there_are(
    as_json: Callable[..., Any], sandbox_keys: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Keys, addresses and settings of the environment, SDKs in turn, no outage. (The environment points here.)"""
    monkeypatch.delenv("GROQ_API_KEY")
    monkeypatch.setenv("LLM_ROUTER_MAX_TIER", "budget")
    (tmp_path / "mine.txt").write_text("a\nb\nc\nd\n")
    found = as_json("demo", "--live", "--prompts", "mine.txt")
    assert (found["live"], found["outage"], found["calls"], found["failed"]) == (True, None, 4, 0)
    assert [tier["name"] for tier in found["figures"]["tiers"]] == ["budget"]
    assert {form.partition(" ")[0] for form in found["forms"]} == {"openai", "anthropic"}
    assert sandbox_keys.groq.requests == []


def test_the_sandbox_play_ignores_the_environment(
    as_json: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without `--live` neither keys nor settings of the environment matter, and nobody but the sandbox is asked."""
    for name in ("OPENAI", "ANTHROPIC", "GROQ"):
        monkeypatch.setenv(f"{name}_API_KEY", "sk-real-looking-key-000000000000")
        monkeypatch.setenv(f"{name}_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("LLM_ROUTER_MAX_TIER", "nonsense")
    (tmp_path / "mine.txt").write_text("a\nb\n")
    found = as_json("demo", "--prompts", "mine.txt", "--scorer", "heuristic")
    assert found["failed"] == 0


def test_turns_alternate() -> None:
    """Every prompt meets every SDK, and every SDK meets every form."""
    order = turns(bundled(), ("openai", "anthropic", "groq"), each=True)
    assert {(turn.sdk, turn.form) for turn in order} == {(s, f) for s in ("openai", "anthropic", "groq") for f in FORMS}
    assert [turn.number for turn in order] == list(range(1, len(order) + 1))


def test_requests_are_such_as_the_providers_take() -> None:
    """Tools in each SDK's own form, and on OpenAI's chat endpoint only with a model that takes them there."""
    registry = ModelRegistry.default(("openai", "anthropic", "groq"))
    prompt = next(prompt for prompt in bundled() if prompt.tools)
    asked = request("openai", FORMS[2], prompt, registry)
    spec = registry.find("openai", asked["model"])
    assert spec is not None
    assert spec.capabilities is not None
    assert spec.capabilities.chat_tools == "effort_none"
    assert asked["reasoning_effort"] == "none"
    assert asked["tools"][0]["function"]["name"] == prompt.tools[0]["name"]
    assert request("anthropic", FORMS[0], prompt, registry)["tools"][0]["input_schema"]["type"] == "object"
    assert request("groq", FORMS[0], prompt, registry)["model"] == "openai/gpt-oss-120b"
