"""The house keeps its rooms apart: who may import whom, what happens at import, and where the environment is read."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "llm_router_middleware"
NAME = "llm_router_middleware"

BASE = {"errors", "models.spec", "engine.call"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "models": {"errors", "models", "engine.call"},
    "engine": {"errors", "engine", "models.spec"},
    "scoring": {"errors", "models.spec", "scoring"},
    "routing": BASE | {"routing", "scoring.base", "models", "dialects"},
    "resilience": BASE | {"resilience"},
    "dialects": BASE | {"dialects", "models"},
    "events": {"errors", "events"},
    "settings": BASE | {"settings", "models"},
    "providers": BASE | {"providers", "engine", "dialects", "events.event", "models"},
    "intercept": BASE | {"intercept", "engine", "router"},
    "evaluation": {"errors", "evaluation", "scoring", "models"},
}
"""Room -> rooms and modules that it may import. What is not listed (router and its parts, cli, sandbox) joins."""

SDKS = {"openai", "anthropic", "groq"}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py"))


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> list[tuple[str, ast.AST, bool]]:
    """(imported module, node, only for type checkers)"""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for child in node.body
        for inner in ast.walk(child)
    }
    found: list[tuple[str, ast.AST, bool]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node, id(node) in typing_only) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(f"{node.module}.{alias.name}", node, id(node) in typing_only) for alias in node.names]
    return found


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_a_room_imports_only_the_rooms_below_it(path: Path) -> None:
    """The import table holds."""
    allowed = ALLOWED.get(dotted(path).partition(".")[0])
    if allowed is None:
        return
    for name, node, typing_only in imports(path):
        if not name.startswith(NAME + ".") or typing_only:
            continue
        inner = name.removeprefix(NAME + ".")
        assert any(inner == room or inner.startswith(room + ".") for room in allowed), (
            f"{dotted(path)}:{node.lineno} imports {inner}"  # type: ignore[attr-defined]
        )


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_sdks_are_imported_by_providers_alone_and_inside_functions(path: Path) -> None:
    """No SDK is imported that the user has not imported, but to fail over to it."""
    top_level = {id(node) for node in ast.parse(path.read_text(encoding="utf-8")).body}
    room = dotted(path).partition(".")[0]
    for name, node, typing_only in imports(path):
        if name.partition(".")[0] not in SDKS or typing_only:
            continue
        assert room in {"providers", "sandbox", "testing", "cli"}, dotted(path)
        assert id(node) not in top_level
        assert node.col_offset > 0, f"{dotted(path)} imports {name} at module level"  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_the_environment_is_read_in_one_room(path: Path) -> None:
    """`os.environ` stands in the settings' room, and in the command that prepares a child's environment."""
    if dotted(path).startswith("settings.") or dotted(path) == "cli.run":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        reads = isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
        assert not reads, f"{dotted(path)}:{node.lineno}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_no_module_changes_its_own_globals(path: Path) -> None:
    """Two routers in one process share nothing by accident."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not isinstance(node, ast.Global), f"{dotted(path)}:{node.lineno}"


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_files_stay_small_enough_to_hold_one_idea(path: Path) -> None:
    """No file over 350 lines."""
    assert path.read_text(encoding="utf-8").count("\n") <= 350


def test_import_loads_no_sdk_no_pydantic_and_starts_nothing() -> None:
    """`import llm_router_middleware` is free: nothing third-party, no thread, no asyncio."""
    code = (
        "import sys, threading; before = set(sys.modules); import llm_router_middleware; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names))); print(threading.active_count())"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert out == ["['llm_router_middleware']", "1"]


def test_every_exported_name_resolves() -> None:
    """`__all__` is the table of contents, and nothing in it dangles."""
    import llm_router_middleware as package

    missing = [name for name in package.__all__ if getattr(package, name, None) is None]
    assert missing == []
    assert sorted(package.__all__) == sorted(dir(package))
