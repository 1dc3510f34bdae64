"""The page of compatibility says what was measured, and nothing else."""

from __future__ import annotations

import json

from tests.compatibility.render import DOCUMENT, RESULTS, document
from tests.frameworks.programs import PROGRAMS
from tests.sdk_suites.run import LAPS, MUTANTS
from tests.versions.run import SETS

RESULT = json.loads(RESULTS.read_text(encoding="utf-8"))


def test_the_page_is_what_the_results_render_to() -> None:
    """No figure on the page is written by hand."""
    assert DOCUMENT.read_text(encoding="utf-8") == document(RESULT)


def test_no_test_that_passes_bare_fails_wrapped_without_a_reason() -> None:
    """In every lap of every suite: none broken but those that are listed, and no request lost, changed or made up."""
    assert {result["sdk"] for result in RESULT["suites"]} == {"openai", "anthropic", "groq"}
    for result in RESULT["suites"]:
        for name, lap in result["laps"].items():
            assert lap.get("broken", []) == [], (result["sdk"], name)
            assert lap["gave_up"] == 0, "calls that went through as written have shown nothing"
            assert (lap.get("requests_only_bare", 0), lap.get("requests_only_here", 0)) == (0, 0)


def test_every_lap_of_every_suite_was_run() -> None:
    """Four laps of each, and every chat request of the wrapped ones was counted beneath us."""
    for result in RESULT["suites"]:
        assert list(result["laps"]) == list(LAPS), result["sdk"]
        for lap in result["laps"].values():
            assert lap["counts"]["beneath.chat"] >= lap["counts"].get("visited.chat", 0)


def test_every_version_and_every_framework_holds() -> None:
    """The rest of the page has no failure either, and nothing was left out."""
    assert [row["set"] for row in RESULT["versions"]] == list(SETS)
    assert all(row["ok"] and "missing" not in row for row in RESULT["versions"])
    assert list(RESULT["frameworks"]) == list(PROGRAMS)
    for name, row in RESULT["frameworks"].items():
        assert set(row["ways"].values()) == {"ok"}, name
        assert {"scope", "no change"} <= set(row["ways"])


def test_most_mistakes_in_the_wrap_are_noticed() -> None:
    """The harness can fail; what it does not notice, the page says."""
    rows = RESULT["mutants"]
    assert list(rows) == list(MUTANTS)
    assert sum(row["noticed"] for row in rows.values()) >= 6
