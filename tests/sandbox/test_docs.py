"""The pages about the sandbox and about testing: their examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("sandbox.md", "testing.md")
EXAMPLES = [
    (page, number, code)
    for page in PAGES
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL), 1)
]


@pytest.mark.parametrize(("page", "number", "code"), EXAMPLES, ids=[f"{page}-{number}" for page, number, _ in EXAMPLES])
def test_an_example_runs(page: str, number: int, code: str) -> None:
    """Every example in Python runs as it stands, and what it asserts holds."""
    exec(compile(code, f"{page} example {number}", "exec"), {"__name__": "example"})
