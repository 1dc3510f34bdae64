"""`llm-router report`: a file of events in, figures out, whatever state the file is in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llm_router_middleware.events.event import AttemptRecord, RoutingEvent, Usage
from llm_router_middleware.events.jsonl import JsonlSink
from tests.cli.conftest import Invoke


def recorded(number: int, **changes: Any) -> RoutingEvent:
    values: dict[str, Any] = {
        "selected_provider": "openai",
        "selected_model": "gpt-6-luna",
        "requested_model": "gpt-6.1-sol",
        "selection_reason": "complexity_match",
        "success": True,
        "actual_latency_s": number / 10,
        "cost_usd": 0.001,
        "baseline_cost_usd": 0.02,
        "savings_usd": 0.019,
        "usage": Usage(100, 50),
        "attempts": (AttemptRecord("openai", "gpt-6-luna", "ok", 0.1),),
    }
    return RoutingEvent(f"id-{number}", 1_000.0 + number, **{**values, **changes})


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Twenty events as the JSONL sink writes them: eighteen cheap, one failover, one failure."""
    sink = JsonlSink(tmp_path / "events.jsonl")
    for number in range(1, 19):
        sink(recorded(number))
    refused = (("gpt-6-luna", "openai", "model circuit open"),)
    served = {"selected_provider": "anthropic", "selected_model": "claude-opus-5-5", "cost_usd": 0.03}
    sink(recorded(19, **served, savings_usd=-0.01, selection_reason="circuit_fallback", ruled_out=refused))
    sink(recorded(20, success=False, error="APITimeoutError", cost_usd=None, baseline_cost_usd=None, savings_usd=None))
    sink.close()
    return tmp_path / "events.jsonl"


def test_figures_are_those_of_the_events(events: Path, as_json: Callable[..., Any]) -> None:
    """Cost, signed savings, shares, failovers, percentiles and refusals, from the sink's own lines."""
    found = as_json("report", str(events))
    total = found["total"]
    assert total["calls"] == 20
    assert total["cost_usd"] == pytest.approx(18 * 0.001 + 0.03)
    assert total["savings_usd"] == pytest.approx(18 * 0.019 - 0.01)
    assert {tier["name"]: tier["calls"] for tier in found["tiers"]} == {"budget": 19, "premium": 1}
    assert found["failed"] == 1
    assert found["failovers"] == 1
    assert found["failover_share"] == 0.05
    assert total["p50_s"] == pytest.approx(1.0)
    assert total["p95_s"] == pytest.approx(1.9)
    assert found["errors"] == [["APITimeoutError", 1]]
    assert found["refusals"] == [["openai/gpt-6-luna", "model circuit open", 1]]
    assert found["torn_lines"] == 0


def test_tables_name_every_part(events: Path, llm_router: Invoke) -> None:
    """For people: the same in tables, and the money that is not known is pointed out."""
    result = llm_router("report", str(events))
    assert result.exit_code == 0
    for part in ("20 calls", "1 failed", "budget", "premium", "circuit_fallback", "p95", "without 1 calls", "5.0 %"):
        assert part in result.stdout


def test_a_torn_last_line_is_left_out_and_told(events: Path, llm_router: Invoke, as_json: Callable[..., Any]) -> None:
    """A process that was killed in the middle of a line costs that line, not the report."""
    whole = events.read_bytes()
    events.write_bytes(whole + whole.splitlines()[0][:200])
    assert as_json("report", str(events))["total"]["calls"] == 20
    assert as_json("report", str(events))["torn_lines"] == 1
    assert "1 unreadable line left out (21)" in " ".join(llm_router("report", str(events)).stdout.split())


@pytest.mark.parametrize("junk", [b"\xff\xfe\x00", b"[" * 100_000, b"42", b"null", b'{"a": 1}', b"2026 INFO started"])
def test_foreign_lines_do_no_harm(events: Path, as_json: Callable[..., Any], junk: bytes) -> None:
    """Other programs' lines, binary rubbish and other JSON in the same file are no events."""
    events.write_bytes(junk + b"\n" + events.read_bytes())
    assert as_json("report", str(events))["total"]["calls"] == 20


def test_reads_standard_input(events: Path, as_json: Callable[..., Any]) -> None:
    """`llm-router report -` reads a pipe."""
    assert as_json("report", "-", stdin=events.read_bytes())["total"]["calls"] == 20


def test_reads_the_log_lines_too(tmp_path: Path, as_json: Callable[..., Any]) -> None:
    """The line that goes to the logger is the line of the file."""
    from llm_router_middleware.events.encode import line

    path = tmp_path / "log"
    transition = json.dumps({"event": "llm_circuit_transition", "circuit": "x", "before": "closed", "after": "open"})
    path.write_text(f"{line(recorded(1))}\n{transition}\n")
    assert as_json("report", str(path))["total"]["calls"] == 1


@pytest.mark.parametrize("content", [None, ""])
def test_nothing_to_report_is_an_error_for_people(tmp_path: Path, llm_router: Invoke, content: str | None) -> None:
    """No file and an empty file end with one line that names the file, and code 2."""
    path = tmp_path / "none.jsonl"
    if content is not None:
        path.write_text(content)
    result = llm_router("report", str(path))
    assert result.exit_code == 2
    assert result.stderr.startswith("llm-router: ")
    assert "none.jsonl" in result.stderr
    assert result.stderr.count("\n") == 1
