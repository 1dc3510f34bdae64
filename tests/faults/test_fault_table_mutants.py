"""The failure table is worth what it catches: every entry of the kinds turned round, and mistakes in the text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from llm_router_middleware.engine.call import Effect, FailureKind
from llm_router_middleware.engine.trail import _SDK_RETRIES
from llm_router_middleware.sandbox import Sandbox
from llm_router_middleware.visit import Visit
from tests.faults.calls import KINDS
from tests.faults.rows import KINDS_OF_FAILURE, ROWS
from tests.faults.table import paused
from tests.faults.test_fault_table import Check
from tests.scoring.mutation import Mutant, in_place

NOT_IN_THE_TABLE = {FailureKind.CANCELLED, FailureKind.TRANSLATION, FailureKind.INTERNAL}
"""What no provider does: a caller who leaves (T7), a form that can't be carried, a bug of ours (T9)."""

ATTRIBUTES = {
    "model_effect": lambda effect: Effect.NEUTRAL if effect is not Effect.NEUTRAL else Effect.FAILURE,
    "endpoint_effect": lambda effect: Effect.NEUTRAL if effect is not Effect.NEUTRAL else Effect.FAILURE,
    "retry_same": lambda flag: not flag,
    "tries_next": lambda flag: not flag,
}

SAME = {
    # Asked again in any case, as the caller's SDK would.
    *((kind, "retry_same") for kind in _SDK_RETRIES),
    # Judged by settings and by how often it came, not by the table.
    (FailureKind.AUTH, "endpoint_effect"),
    (FailureKind.AUTH, "tries_next"),
    (FailureKind.REFUSAL, "tries_next"),
    # A size says nothing of health and is never asked again, whatever kind it is taken for.
    (FailureKind.TOO_LARGE, "model_effect"),
    (FailureKind.TOO_LARGE, "retry_same"),
    # The endpoint is shut for longer than anybody waits.
    (FailureKind.QUOTA, "retry_same"),
    # Judged by whether another model of the endpoint is in use.
    (FailureKind.TIMEOUT, "endpoint_effect"),
    (FailureKind.CONNECTION_LOST, "endpoint_effect"),
}
"""Entries that decide nothing by themselves."""

ENTRIES = [
    (kind, attribute)
    for kind in FailureKind
    for attribute in ATTRIBUTES
    if kind not in NOT_IN_THE_TABLE and (kind, attribute) not in SAME
]

CALLS = [kind for kind in KINDS if not kind.is_async]


@contextmanager
def turned(kind: FailureKind, attribute: str) -> Iterator[None]:
    with patch.object(kind, attribute, ATTRIBUTES[attribute](getattr(kind, attribute))):
        yield


def notices(sandbox: Sandbox, names: set[str]) -> bool:
    """Whether a row of these names fails, for some kind of call."""
    rows = [row for row in ROWS if row.name in names]
    assert len(rows) == len(names)
    try:
        for row in rows:
            for kind in CALLS:
                if kind.sdk in row.sdks:
                    Check(sandbox, row, kind).all()
    except (AssertionError, ValueError):
        return True
    return False


def rows_of(kind: FailureKind) -> set[str]:
    """The first row, not one that waits, that is about this kind of failure."""
    about = [row.name for row in ROWS if kind.label in (row.whole, row.stream) and not row.stalls]
    slow = [row.name for row in ROWS if kind.label in (row.whole, row.stream)]
    return {(about or slow)[0]}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Visit, "_sleep", paused)


@pytest.mark.parametrize(("kind", "attribute"), ENTRIES, ids=str)
def test_every_entry_of_the_table_is_held(sandbox: Sandbox, kind: FailureKind, attribute: str) -> None:
    """Any entry turned round makes a row of its kind fail."""
    with turned(kind, attribute):
        assert notices(sandbox, rows_of(kind))


MUTANTS: list[tuple[Mutant, str]] = [
    (Mutant("resilience.failures", "_out_of_credit(body) or kind_of_code(_words(body)) or", ""), "error_quota"),
    (Mutant("resilience.failures", '_inner(getattr(exc, "body", None))', "{}"), "error_quota"),
    (Mutant("resilience.failures", 'headers.get("x-should-retry") == "false" or', ""), "status_500_not_to_be_retried"),
    (Mutant("resilience.failures", "parse_retry_after(headers)", "None"), "status_429_after_7_s"),
    (Mutant("resilience.failures", "if isinstance(value, (str, bytes)) else None", "if False else None"), "html"),
    (Mutant("resilience.failures", "FAMILIES[name], sent", "FailureKind.TIMEOUT, sent"), "refused"),
    (Mutant("resilience.breakers", "if failure.status == 413 else", "if False else"), "status_413"),
    (
        Mutant(
            "resilience.breakers",
            "circuit.settle(admission.of_model, effect, None if",
            "circuit.settle(None, effect, None if",
        ),
        "status_500",
    ),
    (
        Mutant(
            "resilience.breakers",
            "place.circuit.settle(admission.of_endpoint, effect, ejection_s,",
            "place.circuit.settle(admission.of_endpoint, NEUTRAL, ejection_s,",
        ),
        "error_quota",
    ),
    (Mutant("resilience.breakers", "NEUTRAL else failure.retry_after_s", "NEUTRAL else None"), "status_429_after_7_s"),
    (
        Mutant(
            "engine.trail", "if attempt.rewritten and (failure.kind.is_callers_fault or not tries_next):", "if False:"
        ),
        "status_400",
    ),
    (Mutant("engine.trail", "if tries_next and not (", "if not ("), "status_409"),
    (
        Mutant("engine.trail", "        self.queue.clear()\n        return may_recover", "        return True"),
        "status_400",
    ),
    (Mutant("engine.trail", "            self.again[attempt.model] = failure\n", "            pass\n"), "status_500"),
    (
        Mutant("engine.trail", "if may_recover and not failure.retry_forbidden:", "if may_recover:"),
        "status_500_not_to_be_retried",
    ),
    (
        Mutant("engine.trail", "if self.rounds >= self.call.retries:", "if self.rounds > self.call.retries:"),
        "status_500",
    ),
    (Mutant("engine.trail", "or self.kit.tries_next(failure) or self._only_own()", "or True"), "error_content_policy"),
    (
        Mutant(
            "engine.flow",
            "    _settle(kit, admission, outcome.failure)\n",
            "    _settle(kit, admission, outcome.failure, neutral=True)\n",
        ),
        "status_500",
    ),
    (
        Mutant("engine.flow", "_settle(trail.kit, admission, end.failure,", "_settle(trail.kit, admission, None,"),
        "truncated",
    ),
    (
        Mutant("engine.flow", "success=end.failure is None, error=end.error", "success=True, error=end.error"),
        "truncated",
    ),
    (
        Mutant("engine.flow", "    log.attempted(model, outcome, seconds, _state(admission))\n    if", "    if"),
        "status_500",
    ),
    (
        Mutant("engine.streams", "None if watch.reader.finished else Failure(FailureKind.TRUNCATED)", "None"),
        "truncated_at_once",
    ),
    (
        Mutant(
            "engine.streams", "            tap.stop_at(exc)\n            return tap.classify(exc)", "            raise"
        ),
        "reset_after_headers",
    ),
    (
        Mutant("engine.watch", 'Failure(FailureKind.TRUNCATED) if otherwise == "truncated" else None', "None"),
        "truncated",
    ),
    (
        Mutant("engine.watch", "if verdict.complete and reader.sealed:", "if verdict.complete:"),
        "half_closed_at_the_end",
    ),
    (
        Mutant("providers.perform", "return self._trade.classify_body(self._call.wire, error)", "return None"),
        "error_event_at_once",
    ),
    (
        Mutant("providers.perform", "if self._call.stream and content_type(response) in _NO_STREAMS:", "if False:"),
        "html",
    ),
    (
        Mutant("providers.readers", "            self.failure = self._classify_body(self._wire, payload)\n", ""),
        "error_event_midway",
    ),
    (
        Mutant(
            "providers.readers",
            '        if not self.committed:\n            return b""\n        message',
            '        return b""\n        message',
        ),
        "truncated",
    ),
    (
        Mutant("kit", "return pause if pause <= _LONGEST_WAIT_S else None", "return pause"),
        "status_429_after_2_h",
    ),
]


@pytest.mark.parametrize(("mutant", "row"), MUTANTS, ids=[str(mutant) for mutant, _ in MUTANTS])
def test_the_table_kills(sandbox: Sandbox, mutant: Mutant, row: str) -> None:
    """The row notices this mistake."""
    with in_place(mutant):
        assert notices(sandbox, {row})


def test_the_table_lets_the_package_live(sandbox: Sandbox) -> None:
    """Without a change nothing fails: it is not the running without pytest that is noticed."""
    assert not notices(sandbox, {row for _, row in MUTANTS} | {"refused"})


def test_every_kind_is_in_the_table() -> None:
    """No kind of failure is forgotten."""
    listed = {name.partition(",")[0] for name in KINDS_OF_FAILURE}
    assert listed == {kind.label for kind in FailureKind if kind not in NOT_IN_THE_TABLE} | {"ok"}
    used: set[Any] = set()
    for row in ROWS:
        for sdk in row.sdks:
            used |= {*row.of(sdk, stream=False), *row.of(sdk, stream=True)}
    assert set(KINDS_OF_FAILURE) == used - {""}
