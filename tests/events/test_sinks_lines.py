"""What is written of an event: plain, bounded, one line, and nothing that a stranger could hide in it."""

from __future__ import annotations

import json
import logging
import math
import subprocess
import sys
import threading
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.events.encode import MAX_ITEMS, MAX_TEXT, line, record
from llm_router_middleware.events.event import AttemptRecord, RoutingEvent, Usage
from llm_router_middleware.events.log import LogSink
from llm_router_middleware.events.sink import EventSink, Fenced, safely
from llm_router_middleware.models.spec import Tier

KEYS = ["sk-proj-CANARY0123456789abcdef", "sk-ant-api03-CANARY0123456789", "gsk_CANARY0123456789abcdef"]
PROMPT = "Please tell me about CANARY-PROMPT and nothing else"


def event(**fields: Any) -> RoutingEvent:
    given_ = {
        "request_id": "lr-1-1",
        "timestamp": 1_795_000_000.5,
        "complexity_tier": Tier.MID,
        "complexity_score": 0.41,
        "complexity_signals": ("code_block", "short_prompt"),
        "selected_model": "gpt-6-luna",
        "selected_provider": "openai",
        "selection_reason": "complexity_match",
        "actual_latency_s": 1.25,
        "success": True,
        "requested_model": "gpt-4o",
        "attempts": (AttemptRecord("openai", "gpt-6-luna", "ok", 1.2),),
        "candidates": ("openai/gpt-6-luna",),
        "ruled_out": (("gpt-6-sol", "openai", "above max_tier"),),
        "usage": Usage(120, 30, cached_input_tokens=20),
        "cost_usd": 0.000025,
    }
    return RoutingEvent(**(given_ | fields))


class Logged(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def logger() -> logging.Logger:
    return logging.Logger("llm_router.test", logging.INFO)


def test_a_line_holds_the_whole_event_under_the_tutorial_s_name() -> None:
    """`{"event": "llm_routing_decision", ...}` and every field in the order of the class."""
    values = json.loads(line(event()))
    assert list(values) == ["event", *event().to_dict()]
    assert values["event"] == "llm_routing_decision"
    assert values == {"event": "llm_routing_decision", **json.loads(json.dumps(event().to_dict()))}


def test_what_is_recorded_is_what_to_dict_says_of_an_innocent_event() -> None:
    """Cleaning changes nothing where there is nothing to clean."""
    assert record(event()) == {"event": "llm_routing_decision", **event().to_dict()}


hostile = st.one_of(
    st.text(max_size=600),
    st.text(alphabet='\n\r\u2028\u2029\x00\x1b"\\\ud800{}', max_size=40),
    st.sampled_from([*KEYS, PROMPT, "A" * 100_000, "gpt\nllm_routing_decision", "🎯" * 400, "\ud800"]),
    st.builds("{}{}{}".format, st.text(max_size=9), st.sampled_from(KEYS), st.text(max_size=9)),
)
scalars = st.one_of(
    hostile, st.none(), st.booleans(), st.integers(), st.floats(), st.binary(max_size=9), st.builds(object)
)


@given(
    st.fixed_dictionaries(
        {
            "requested_model": hostile,
            "selected_model": hostile,
            "selected_provider": hostile,
            "served_model": st.one_of(st.none(), hostile),
            "error": hostile,
            "complexity_signals": st.lists(scalars, max_size=80).map(tuple),
            "ruled_out": st.lists(st.tuples(hostile, hostile, hostile), max_size=3).map(tuple),
            "attempts": st.lists(st.builds(AttemptRecord, hostile, hostile, hostile, st.floats()), max_size=3).map(
                tuple
            ),
            "actual_latency_s": st.floats(),
            "cost_usd": st.one_of(st.none(), st.floats()),
        }
    )
)
def test_no_input_breaks_a_line_or_gets_a_key_through(fields: dict[str, Any]) -> None:
    """One ASCII line of strict JSON, bounded in size, without a key, whatever the names and errors are."""
    text = line(event(**fields))
    assert text.isascii()
    assert text.isprintable()
    assert len(text.splitlines()) == 1
    assert len(text) < 400_000
    values = json.loads(text, parse_constant=pytest.fail)
    assert not any(key in text for key in KEYS)
    for name in ("requested_model", "selected_model", "served_model", "selected_provider"):
        assert values[name] is None or len(values[name]) <= MAX_TEXT
        assert PROMPT not in str(values[name])
    assert len(values["complexity_signals"]) <= MAX_ITEMS


@pytest.mark.parametrize("before", [0, 240, 250, 253, 255])
def test_a_key_is_cut_out_before_the_text_is_cut_off(before: int) -> None:
    """Half a key is still half a key."""
    text = record(event(error="x" * before + " " + KEYS[0] * 3))["error"]
    assert "CANARY" not in text
    assert len(text) <= MAX_TEXT


@pytest.mark.parametrize("field", ["requested_model", "selected_model", "served_model", "selected_provider"])
@pytest.mark.parametrize("name", [PROMPT, "a\nb", "", "\x00", "x" * 257, "ä", "-x"])
def test_what_is_no_name_is_not_written_as_one(field: str, name: str) -> None:
    """A prompt passed as a model does not reach a log; an absent name stays absent."""
    assert record(event(**{field: name}))[field] == ("(not a name)" if name else "")


@pytest.mark.parametrize(
    "name",
    [
        "gpt-6-luna",
        "openai/gpt-oss-20b",
        "ft:gpt-4o-mini:acme::Abc_1",
        "claude@2026",
        "arn:aws:bedrock:us-east-1:1:x/y",
        "auto",
    ],
)
def test_names_are_written_as_they_are(name: str) -> None:
    """Fine-tunes, deployments and ARNs are names."""
    assert record(event(requested_model=name))["requested_model"] == name


def test_numbers_that_json_does_not_know_are_null() -> None:
    """NaN and infinity would make the line unreadable to everybody but Python."""
    values = record(event(cost_usd=math.nan, actual_latency_s=math.inf, savings_usd=-math.inf))
    assert (values["cost_usd"], values["actual_latency_s"], values["savings_usd"]) == (None, None, None)


def test_subclasses_are_written_as_what_they_are_and_strangers_as_their_class() -> None:
    """An enum of strings is a string; an object's repr may tell a secret, its class doesn't."""

    class Word(StrEnum):
        SHORT = "short"

    class Secret:
        def __repr__(self) -> str:
            return KEYS[0]

    class Flag(int):
        pass

    signals = record(event(complexity_signals=(Word.SHORT, Secret(), Flag(3), b"bytes")))["complexity_signals"]
    assert signals == ["short", "Secret", 3, "bytes"]
    assert type(signals[0]) is str


def test_the_log_sink_logs_a_line_and_the_dict(logger: logging.Logger) -> None:
    """For people who read text, and for formatters that read `extra`."""
    handler = Logged()
    logger.addHandler(handler)
    LogSink(logger=logger)(event())
    (found,) = handler.records
    assert found.levelno == logging.INFO
    assert found.getMessage() == line(event())
    assert found.__dict__["routing_event"] == record(event())


def test_percent_signs_are_no_format(logger: logging.Logger) -> None:
    """A model named %s is a model named %s."""
    handler = Logged()
    logger.addHandler(handler)
    LogSink(logger=logger)(event(error="100%s %d %(x)s"))
    assert json.loads(handler.records[0].getMessage())["error"] == "100%s %d %(x)s"


def test_a_silenced_logger_formats_nothing(logger: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Off means that no event is even looked at."""
    from llm_router_middleware.events import log

    monkeypatch.setattr(log, "record", lambda _: pytest.fail("formatted"))
    logger.setLevel(logging.WARNING)
    LogSink(logger=logger)(event())
    LogSink("DEBUG", logger=logger)(event())


def test_the_level_is_the_one_that_was_asked_for(logger: logging.Logger) -> None:
    """By name or number; anything else is a configuration error."""
    handler = Logged()
    logger.addHandler(handler)
    LogSink("WARNING", logger)(event())
    LogSink(logging.ERROR, logger)(event())
    assert [found.levelname for found in handler.records] == ["WARNING", "ERROR"]
    with pytest.raises(ConfigurationError, match="LOUD"):
        LogSink("LOUD", logger)


def test_a_program_without_logging_sees_nothing_and_ours_sets_nothing_up() -> None:
    """One NullHandler however many sinks there are; levels and root are untouched."""
    code = """
import logging
from llm_router_middleware.events.log import LogSink
from llm_router_middleware.events.event import RoutingEvent
for _ in range(3): LogSink("ERROR")(RoutingEvent("r", 0.0))
logger = logging.getLogger("llm_router")
print([type(h).__name__ for h in logger.handlers], logger.level, logger.propagate, logging.getLogger().handlers)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "['NullHandler'] 0 True []\n"
    assert run.stderr == ""


class Broken:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __call__(self, event: RoutingEvent) -> None:
        raise self.error


def test_a_broken_sink_is_counted_told_once_and_felt_by_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """The fence holds; what the exception says stays inside."""
    sink = safely(Broken(RuntimeError(f"{PROMPT} {KEYS[0]}")))
    with caplog.at_level(logging.WARNING, "llm_router.sinks"):
        for _ in range(5):
            sink(event())
    assert sink.failures == 5
    assert [found.getMessage() for found in caplog.records] == ["Broken lost an event: RuntimeError"]
    assert not caplog.records[0].exc_info


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)])
def test_a_fence_does_not_hold_back_the_end_of_the_program(error: BaseException) -> None:
    """Ctrl-C is not a sink's failure."""
    with pytest.raises(type(error)):
        safely(Broken(error))(event())


def test_a_fence_counts_from_all_threads() -> None:
    """No failure is lost between two threads."""
    sink = safely(Broken(ValueError()))
    logging.getLogger("llm_router.sinks").disabled = True
    try:
        threads = [threading.Thread(target=lambda: [sink(event()) for _ in range(200)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        logging.getLogger("llm_router.sinks").disabled = False
    assert sink.failures == 1600


def test_a_function_is_a_sink_and_a_fence_is_not_fenced_again() -> None:
    """Nothing to subclass."""
    seen: list[RoutingEvent] = []
    sink = safely(seen.append)
    sink(event())
    assert len(seen) == 1
    assert sink.failures == 0
    assert safely(sink) is sink
    assert isinstance(sink, Fenced)
    assert isinstance(sink, EventSink)
    assert isinstance(LogSink(), EventSink)
    assert "append" in repr(sink)


def test_the_files_of_this_test_are_not_in_the_way(tmp_path: Path) -> None:
    """Importing the sinks creates no file and opens no database."""
    code = (
        "import os, sys; from llm_router_middleware.events import jsonl, sqlite, otel, prometheus; "
        "from llm_router_middleware.events.jsonl import JsonlSink; JsonlSink('a/b.jsonl'); print(os.listdir('.')); "
        "print([m for m in ('opentelemetry', 'prometheus_client') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert run.stdout == "[]\n[]\n"
