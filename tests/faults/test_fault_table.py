"""T6: every row of the failure table, over real sockets, with the three SDKs, sync and async, whole and streamed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from llm_router_middleware.sandbox import Behaviour, Sandbox
from llm_router_middleware.visit import Visit
from tests.faults.calls import ASKED, KINDS, SERVED, Kind
from tests.faults.rows import KINDS_OF_FAILURE, ROWS, Row
from tests.faults.table import BY_NAME, Call, bare_call, others, paused, routed_call

PATIENCE_S = 0.5
"""What the callers of the rows that stall allow between two bytes."""

CASES = [(row, kind) for row in ROWS for kind in KINDS if kind.sdk in row.sdks]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Visit, "_sleep", paused)


@contextlib.contextmanager
def trouble(sandbox: Sandbox, row: Row, at: str, model: str) -> Iterator[dict[str, Any]]:
    """Fresh providers, one of them with this fault; gives the options of the caller's client."""
    sandbox.reset()
    provider = getattr(sandbox, at)
    if row.behaviour is not None:
        provider.default(model, row.behaviour)
        yield {"timeout": PATIENCE_S} if row.stalls else {}
    elif row.name == "refused":
        provider.refuse()
        yield {}
    else:
        yield {"one_connection": True}


class Check:
    """One row and one kind of call, in three situations."""

    def __init__(self, sandbox: Sandbox, row: Row, kind: Kind) -> None:
        self.sandbox, self.row, self.kind = sandbox, row, kind
        self.before, self.after = row.of(kind.sdk, stream=kind.stream)
        self.lesson = KINDS_OF_FAILURE[self.before]
        self.own = SERVED[kind.sdk]

    def all(self) -> None:
        bare = self.make(bare_call)
        self.others_are_well(self.make(routed_call), bare)
        self.nobody_else(self.make(routed_call, retries=1, allow_providers=[self.kind.sdk]), bare)
        self.only_the_rewritten(self.make(routed_call, model=self.own, rewritten=True), bare)
        if self.row.name != "own_pool_exhausted" and others(self.kind)[0] in self.row.sdks:
            self.at_another()

    def make(self, make: Callable[..., Call], model: str = "*", **settings: Any) -> Call:
        with trouble(self.sandbox, self.row, self.kind.sdk, model) as options:
            return make(self.sandbox, self.kind, options=options, **settings)

    def others_are_well(self, call: Call, bare: Call) -> None:
        """(a): the kind, what the circuits learn, who answers in the end."""
        self.the_record_is_right(call)
        assert call.event.attempts[0].outcome == self.before.partition(",")[0]
        assert call.lessons(self.kind.sdk, self.own) == self.taught()
        assert len(call.event.attempts) == 1 + self.lesson.elsewhere
        if self.lesson.elsewhere:
            self.somebody_else_answered(call)
        else:
            self.as_bare(call, bare)

    def nobody_else(self, call: Call, bare: Call) -> None:
        """(b): one provider and one retry: the caller sees what his SDK alone would have shown him."""
        self.the_record_is_right(call)
        assert len(call.event.attempts) == 1 + self.lesson.again
        assert {attempt.provider for attempt in call.event.attempts} == {self.kind.sdk}
        assert len(call.pauses) == self.lesson.again
        self.as_bare(call, bare)

    def only_the_rewritten(self, call: Call, bare: Call) -> None:
        """(c): only the model that he did not ask for has the fault: he gets an answer, of his own if nobody else's."""
        self.the_record_is_right(call)
        assert call.event.requested_model == ASKED[self.kind.sdk]
        assert call.event.attempts[0].model == self.own
        if self.row.name == "own_pool_exhausted":
            assert [attempt.outcome for attempt in call.event.attempts] == ["pool", "pool"]
        elif self.lesson.elsewhere:
            self.somebody_else_answered(call)
        elif self.before != "ok":
            assert (call.event.selected_model, call.event.selection_reason) == (ASKED[self.kind.sdk], "capability")
            assert call.seen.is_whole(self.kind)
            assert call.event.success is True
        else:
            self.as_bare(call, bare)

    def at_another(self) -> None:
        """(d): the caller's provider is down, and the next one has the fault: the third answers, if that is allowed."""
        first = others(self.kind)[0]
        with trouble(self.sandbox, self.row, first, "*") as options:
            getattr(self.sandbox, self.kind.sdk).outage(Behaviour(status=500))
            call = routed_call(self.sandbox, self.kind, options=options)
        self.before, self.after = self.row.of_another(first, self.kind)
        self.lesson = KINDS_OF_FAILURE[self.before]
        self.the_record_is_right(call, silent=first)
        outcomes = [attempt.outcome for attempt in call.event.attempts]
        assert outcomes[:2] == ["server", self.before.partition(",")[0]]
        assert call.lessons(first, SERVED[first]) == self.taught()
        if self.before not in ("ok", "refusal"):
            self.somebody_else_answered(call)
        elif self.after or self.before == "refusal":
            assert len(outcomes) == 2
            self.in_his_own_words(call)
        else:
            assert (len(outcomes), call.event.success) == (2, True)
            assert call.seen.is_whole(self.kind)

    def in_his_own_words(self, call: Call) -> None:
        """Another provider's failure that can't be hidden: an exception of the caller's own SDK."""
        module = BY_NAME[self.kind.sdk].module
        assert call.event.success is False
        assert call.seen.raised is not None
        package, _, name = call.seen.raised.partition(".")
        assert package == self.kind.sdk
        assert issubclass(getattr(module, name), module.APIError)
        if self.after:
            assert call.event.error == self.after
            assert call.seen.parts

    # -- what is the same in all of them

    def the_record_is_right(self, call: Call, *, silent: str | None = None) -> None:
        """One event; as many attempts as requests that the servers counted, the same ones in the same order."""
        said = [(attempt.provider, attempt.model) for attempt in call.event.attempts]
        reached = said if self.row.sent else [each for each in said if each[0] != (silent or self.kind.sdk)]
        assert call.requests == reached
        assert call.router._kit.bugs == 0

    def taught(self) -> tuple[str, str]:
        """What the circuits of the model and of the endpoint must have learnt of one attempt."""
        lesson = KINDS_OF_FAILURE[self.after] if self.after else self.lesson
        return lesson.model, lesson.endpoint

    def as_bare(self, call: Call, bare: Call) -> None:
        """The caller saw the class, the status, the words and the chunks that he sees without us."""
        assert call.seen == bare.seen
        good = self.before == "ok" and not self.after
        assert call.event.success is good
        assert (call.event.error is None) is good
        if self.after:
            assert call.event.error == self.after

    def somebody_else_answered(self, call: Call) -> None:
        """Another provider's answer, whole, and nothing of the fault in it."""
        *_, last = call.event.attempts
        assert last.outcome == "ok"
        assert last.provider != self.kind.sdk
        assert call.event.success is True
        assert (call.event.selected_model, call.event.selection_reason) == (last.model, "failover")
        assert call.seen.is_whole(self.kind)
        assert last.model in repr(call.seen.parts)


@pytest.mark.parametrize(("row", "kind"), [each for each in CASES if not each[0].stalls], ids=str)
def test_every_row_of_the_table(sandbox: Sandbox, row: Row, kind: Kind) -> None:
    """Kind, circuits, retry, failover, requests, event and what the caller saw, each exactly as the table says."""
    Check(sandbox, row, kind).all()


@pytest.mark.parametrize("row", [row for row in ROWS if row.stalls], ids=str)
def test_every_row_that_stalls(row: Row) -> None:
    """The same for providers that fall silent, all kinds of call at once: each waits for its timeout."""

    def alone(kind: Kind) -> None:
        with Sandbox() as sandbox:
            Check(sandbox, row, kind).all()

    with ThreadPoolExecutor(len(KINDS)) as pool:
        for each in [pool.submit(alone, kind) for kind in KINDS]:
            each.result()
