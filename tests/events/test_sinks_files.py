"""Events in files and databases: whole lines from many writers, and nothing lost when the file is moved away."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llm_router_middleware.events.encode import line
from llm_router_middleware.events.event import AttemptRecord, RoutingEvent, Usage
from llm_router_middleware.events.jsonl import JsonlSink
from llm_router_middleware.events.sqlite import SqliteSink


def event(request_id: str, **fields: object) -> RoutingEvent:
    return RoutingEvent(request_id, 1_795_000_000.0, **fields)  # type: ignore[arg-type]  # fields of the tests' choice


def ids(path: Path) -> list[str]:
    return [json.loads(text)["request_id"] for text in path.read_text().splitlines() if text]


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


WRITERS = """
import sys, threading
from llm_router_middleware.events.event import RoutingEvent
from llm_router_middleware.events.{module} import {cls}
sink = {cls}(sys.argv[1]{options})
def work(n):
    for i in range({events}):
        sink(RoutingEvent(f"{{sys.argv[2]}}-{{n}}-{{i}}", 0.0, error="x" * (i % 200)))
threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
[t.start() for t in threads]; [t.join() for t in threads]
"""


def write_from_many_processes(path: Path, module: str, cls: str, events: int, options: str = "") -> set[str]:
    code = WRITERS.format(module=module, cls=cls, events=events, options=options)
    started = [subprocess.Popen([sys.executable, "-c", code, str(path), f"p{p}"]) for p in range(3)]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    return {f"p{p}-{n}-{i}" for p in range(3) for n in range(3) for i in range(events)}


def test_lines_of_many_threads_and_processes_stay_whole(tmp_path: Path) -> None:
    """3 processes x 3 threads: every line is one event, every event is one line."""
    path = tmp_path / "events.jsonl"
    expected = write_from_many_processes(path, "jsonl", "JsonlSink", 300)
    found = ids(path)
    assert len(found) == len(expected)
    assert set(found) == expected


def test_nothing_is_lost_when_many_processes_fill_one_file(tmp_path: Path) -> None:
    """The full file is put aside once, under everybody's feet; over both generations no line is missing or torn."""
    path = tmp_path / "events.jsonl"
    whole = len(line(event("p0-0-000", error="x" * 200))) * 3 * 3 * 200
    expected = write_from_many_processes(path, "jsonl", "JsonlSink", 200, f", max_bytes={whole // 2}")
    found = ids(path.with_name("events.jsonl.1")) + ids(path)
    assert len(found) == len(expected)
    assert set(found) == expected


def test_a_full_file_becomes_dot_one_and_no_more_than_two_are_kept(tmp_path: Path) -> None:
    """The disk is bounded by twice the limit and a line."""
    path = tmp_path / "events.jsonl"
    sink = JsonlSink(path, max_bytes=5000)
    for number in range(100):
        sink(event(str(number)))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["events.jsonl", "events.jsonl.1"]
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 2 * 5000 + 2000
    last = ids(path.with_name("events.jsonl.1")) + ids(path)
    assert last == [str(number) for number in range(100 - len(last), 100)]


@pytest.mark.parametrize(
    "take_away", [os.remove, lambda path: os.rename(path, f"{path}.moved")], ids=["removed", "moved"]
)
def test_a_file_that_was_taken_away_is_begun_anew(tmp_path: Path, take_away: Callable[[Path], None]) -> None:
    """logrotate without copytruncate, or a person with rm."""
    path = tmp_path / "events.jsonl"
    sink = JsonlSink(path)
    sink(event("1"))
    take_away(path)
    sink(event("2"))
    assert ids(path) == ["2"]


def test_a_file_that_was_emptied_goes_on(tmp_path: Path) -> None:
    """logrotate with copytruncate: no hole of zeros at the beginning."""
    path = tmp_path / "events.jsonl"
    sink = JsonlSink(path)
    sink(event("1"))
    os.truncate(path, 0)
    sink(event("2"))
    assert ids(path) == ["2"]


def test_a_line_that_a_dead_process_left_torn_does_not_swallow_the_next(tmp_path: Path) -> None:
    """A report loses the torn line alone."""
    path = tmp_path / "events.jsonl"
    path.write_text('{"event":"llm_routing_decision","request')
    JsonlSink(path)(event("1"))
    torn, whole = path.read_text().splitlines()
    assert torn.endswith("request")
    assert json.loads(whole)["request_id"] == "1"


def test_a_disk_that_is_full_costs_the_line_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was cut short is ended; the next line is whole."""
    path = tmp_path / "events.jsonl"
    sink = JsonlSink(path)
    sink(event("1"))
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: write(fd, data[: max(1, len(data) // 2)]))
        with pytest.raises(OSError, match="cut short"):
            sink(event("2"))
    sink(event("3"))
    first, torn, last = path.read_text().splitlines()
    assert [json.loads(first)["request_id"], json.loads(last)["request_id"]] == ["1", "3"]
    assert not torn.endswith("}")


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions")
def test_files_are_for_their_owner_alone_and_folders_are_made(tmp_path: Path) -> None:
    """Who talks to which model is nobody else's business."""
    path = tmp_path / "a" / "b" / "events.jsonl"
    JsonlSink(path)(event("1"))
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_a_closed_sink_opens_again(tmp_path: Path) -> None:
    """Closing is for tests and for the end; it is never an error."""
    for sink in (JsonlSink(tmp_path / "x.jsonl"), SqliteSink(tmp_path / "x.db")):
        sink.close()
        sink(event("1"))
        sink.close()
        sink(event("2"))
        sink.close()
    assert ids(tmp_path / "x.jsonl") == ["1", "2"]
    assert rows(tmp_path / "x.db", "SELECT request_id FROM routing_events ORDER BY 1") == [("1",), ("2",)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("cls", [JsonlSink, SqliteSink])
def test_a_forked_child_writes_through_files_of_its_own_even_when_a_lock_was_held(
    tmp_path: Path, cls: type[JsonlSink] | type[SqliteSink]
) -> None:
    """Nothing that was open or locked in the parent is used in the child."""
    path = tmp_path / "events"
    sink = cls(path)
    sink(event("parent"))
    state = (sink._files if isinstance(sink, JsonlSink) else sink._databases).get()
    with state._lock:
        child = os.fork()
        if child == 0:
            try:
                sink(event("child"))
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
    assert status == 0
    sink(event("parent again"))
    if cls is JsonlSink:
        assert ids(path) == ["parent", "child", "parent again"]
    else:
        assert len(rows(path, "SELECT 1 FROM routing_events")) == 3
    sink.close()


def test_a_row_has_the_columns_that_reports_ask_for_and_the_whole_event(tmp_path: Path) -> None:
    """Numbers as numbers, the rest as JSON."""
    path = tmp_path / "events.db"
    sink = SqliteSink(path)
    sink(
        event(
            "1",
            selected_provider="openai",
            selected_model="gpt-6-luna",
            selection_reason="failover",
            success=True,
            cost_usd=0.5,
            usage=Usage(100, 20, cached_input_tokens=10),
            attempts=(
                AttemptRecord("groq", "x", "server", 0.1, status=500),
                AttemptRecord("openai", "gpt-6-luna", "ok", 1),
            ),
        )
    )
    query = (
        "SELECT selected_model, success, cost_usd, savings_usd, attempts, input_tokens, output_tokens, "
        "cached_input_tokens, stream, json_extract(event, '$.attempts[0].status') FROM routing_events"
    )
    assert rows(path, query) == [("gpt-6-luna", 1, 0.5, None, 2, 100, 20, 10, 0, 500)]
    sink.close()


def test_rows_of_many_threads_and_processes_all_arrive(tmp_path: Path) -> None:
    """3 processes x 3 threads, and a reader meanwhile."""
    path = tmp_path / "events.db"
    SqliteSink(path)(event("first"))
    expected = write_from_many_processes(path, "sqlite", "SqliteSink", 60, ", timeout_s=20")
    found = {str(row[0]) for row in rows(path, "SELECT request_id FROM routing_events")}
    assert found == expected | {"first"}


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT sum(cost_usd) FROM routing_events WHERE timestamp > 1", "routing_events_time"),
        (
            "SELECT count(*) FROM routing_events WHERE selected_provider = 'x' AND selected_model = 'y'",
            "routing_events_model",
        ),
        ("SELECT count(*) FROM routing_events WHERE selection_reason = 'failover'", "routing_events_reason"),
    ],
)
def test_the_usual_questions_are_answered_from_an_index(tmp_path: Path, query: str, index: str) -> None:
    """A report over a million rows reads no table."""
    path = tmp_path / "events.db"
    sink = SqliteSink(path)
    sink(event("1"))
    ((*_, plan),) = rows(path, f"EXPLAIN QUERY PLAN {query}")
    assert index in str(plan)
    sink.close()


def test_an_event_twice_is_one_row_and_no_error(tmp_path: Path) -> None:
    """The first one stands."""
    sink = SqliteSink(tmp_path / "events.db")
    sink(event("1", error="a"))
    sink(event("1", error="b"))
    assert rows(tmp_path / "events.db", "SELECT error FROM routing_events") == [("a",)]
    sink.close()


def test_a_file_that_is_no_database_is_an_error_each_time_and_left_alone(tmp_path: Path) -> None:
    """The fence counts them; the file is not ours to mend."""
    path = tmp_path / "events.db"
    path.write_text("precious" * 1000)
    sink = SqliteSink(path)
    for _ in range(2):
        with pytest.raises(sqlite3.DatabaseError):
            sink(event("1"))
    assert path.read_text() == "precious" * 1000
    sink.close()


def test_the_queries_in_the_documentation_run(tmp_path: Path) -> None:
    """docs/events.md shows SQL that works on what the sink writes."""
    page = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
    queries = [query for query in page.split("```sql\n")[1].split("```")[0].split(";") if "SELECT" in query]
    path = tmp_path / "events.db"
    sink = SqliteSink(path)
    attempts = (AttemptRecord("groq", "x", "server", 0.1), AttemptRecord("openai", "gpt-6-luna", "ok", 1))
    sink(event("1", savings_usd=0.125, attempts=attempts))
    assert [rows(path, query) for query in queries] == [[("2026-11-18", 0.13)], [("groq", 1)]]
    sink.close()
