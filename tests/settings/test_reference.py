"""docs/configuration.md says what the settings say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from llm_router_middleware.settings import RouterSettings
from llm_router_middleware.settings.sections import ProviderTable

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
TABLES = ("breaker", "latency", "sinks")


def shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if value not in ((), {}) else "–"


def rows(table: type[BaseModel], prefix: str = "") -> list[str]:
    return [
        f"| `{prefix}{name}` | {shown(field.get_default(call_default_factory=True))} | {field.description} |"
        for name, field in table.model_fields.items()
        if name not in TABLES
    ]


EXPECTED = [
    *rows(RouterSettings),
    *(row for name in TABLES for row in rows(type(getattr(RouterSettings(), name)), f"{name}.")),
    *rows(ProviderTable, "providers.NAME."),
]


@pytest.mark.parametrize("row", EXPECTED, ids=lambda row: row.split("`")[1])
def test_every_setting_stands_in_the_reference_with_its_default(row: str) -> None:
    """A setting that is added, renamed or has another default fails here until the page says so."""
    assert row in PAGE.read_text(encoding="utf-8").splitlines()


def test_the_reference_knows_no_setting_that_is_gone() -> None:
    """Every row of the page is one of the settings'."""
    table = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert [line for line in table if line not in EXPECTED and not line.startswith("| `LLM_ROUTER_CONFIG`")] == []


def test_the_example_file_of_the_page_loads(tmp_path: Path) -> None:
    """What is shown works as it is shown."""
    text = PAGE.read_text(encoding="utf-8")
    examples = [block.split("```")[0] for block in text.split("```toml\n")[1:]]
    assert examples
    for number, example in enumerate(examples):
        path = tmp_path / f"{number}.toml"
        path.write_text(example, encoding="utf-8")
        assert RouterSettings.load(path, environ={}).warnings == ()


if __name__ == "__main__":
    print("\n".join(EXPECTED))
