"""The page of compatibility says what was measured, and nothing else."""

from __future__ import annotations

import json

from tests.compatibility.render import DOCUMENT, RESULTS, document

RESULT = json.loads(RESULTS.read_text(encoding="utf-8"))


def test_the_page_is_what_the_results_render_to() -> None:
    """No figure on the page is written by hand."""
    assert DOCUMENT.read_text(encoding="utf-8") == document(RESULT)


def test_no_test_that_passes_bare_fails_wrapped_without_a_reason() -> None:
    """In every lap of every suite: none broken but those that are listed, and no request lost, changed or made up."""
    assert {result["sdk"] for result in RESULT["suites"]} == {"openai", "anthropic", "groq"}
    for result in RESULT["suites"]:
        for name, lap in result["laps"].items():
            if not lap.get("inferred"):  # which tests failed was not seen there; the page says so
                assert lap.get("broken", []) == [], (result["sdk"], name)
            assert (lap.get("requests_only_bare", 0), lap.get("requests_only_here", 0)) == (0, 0)


def test_every_version_and_every_framework_holds() -> None:
    """The rest of the page has no failure either."""
    assert all(row["ok"] for row in RESULT["versions"])
    programs = RESULT["frameworks"]["programs"]
    assert {said for row in programs.values() for said in row.values()} == {"ok"}
