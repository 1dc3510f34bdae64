"""Retry-After as providers, proxies and attackers write it."""

from __future__ import annotations

import email.utils
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_router_middleware.resilience.retry_after import LONGEST_S, parse_retry_after

NOW = 1_800_000_000.0


def parse(**headers: str) -> float | None:
    return parse_retry_after({name.replace("_", "-"): value for name, value in headers.items()}, lambda: NOW)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("20", 20.0),
        ("0", 0.0),
        ("1.5", 1.5),
        (" 7 ", 7.0),
        ("86401", LONGEST_S),
        ("1e308", LONGEST_S),
        ("inf", LONGEST_S),
        ("-1", None),
        ("-inf", None),
        ("nan", None),
        ("", None),
        ("soon", None),
        ("20, 30", None),
        (email.utils.formatdate(NOW + 90, usegmt=True), 90.0),
        (email.utils.formatdate(NOW, usegmt=True), 0.0),
        (email.utils.formatdate(NOW - 1, usegmt=True), None),
        (email.utils.formatdate(NOW + 10**8, usegmt=True), LONGEST_S),
        ("Wed, 99 Foo 99999999999 99:99:99 GMT", None),
        ("Wed, 21 Oct 99999 07:28:00 +9999999999999999", None),
    ],
)
def test_what_is_said(said: str, seconds: float | None) -> None:
    """Seconds or a date ahead; nonsense is the same as nothing; never more than a day."""
    assert parse(retry_after=said) == seconds


def test_milliseconds_come_first() -> None:
    """`retry-after-ms` is the finer figure; where it is nonsense, the other one counts."""
    assert parse(retry_after_ms="250", retry_after="20") == 0.25
    assert parse(retry_after_ms="0", retry_after="20") == 0.0
    assert parse(retry_after_ms="1e308") == LONGEST_S
    assert parse(retry_after_ms="soon", retry_after="20") == 20.0
    assert parse(retry_after_ms="-5", retry_after="20") == 20.0
    assert parse() is None


def test_values_that_are_no_text() -> None:
    """A mapping that holds something else than text says nothing."""
    assert parse_retry_after({"retry-after": 5}) is None  # type: ignore[dict-item]  # the point
    assert parse_retry_after({"retry-after": None, "retry-after-ms": []}) is None  # type: ignore[dict-item]  # the point


@given(st.text() | st.floats().map(str) | st.integers().map(str) | st.datetimes().map(email.utils.format_datetime))
def test_any_text_gives_a_usable_figure_or_none(said: str) -> None:
    """Nothing raises, and what comes out can be waited for."""
    for seconds in (parse(retry_after=said), parse(retry_after_ms=said)):
        assert seconds is None or (math.isfinite(seconds) and 0 <= seconds <= LONGEST_S)
