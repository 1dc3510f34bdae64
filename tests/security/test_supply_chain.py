"""What is shipped is what is in the repository, and nothing in it runs by itself."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "llm_router_middleware"
KINDS = {".py", ".pyi", ".typed", ".toml", ".jsonl", ".z", ".bin", ""}
"""Endings of what a wheel of ours holds: sources, and data that nothing executes."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    return built(tmp_path_factory.mktemp("wheel"))


def built(folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_wheel_holds_the_packages_files_and_no_others(wheel: Path) -> None:
    """File by file: what stands in the source tree, and the five files that every wheel has."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tree = {f.relative_to(ROOT).as_posix() for f in PACKAGE.rglob("*") if f.is_file() and "__pycache__" not in f.parts}
    info = {name for name in names if ".dist-info/" in name}
    assert names - info == tree
    assert {name.partition("/")[2] for name in info} == {
        "METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE",
    }  # fmt: skip


def test_nothing_in_the_wheel_runs_at_interpreter_start(wheel: Path) -> None:
    """No .pth, nothing at the top level, no compiled code; the one `sitecustomize` lies where no interpreter looks."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert {Path(name).suffix for name in names if ".dist-info/" not in name} <= KINDS
        assert all("/" in name for name in names)
        assert [name for name in names if "customize" in name] == ["llm_router_middleware/auto/path/sitecustomize.py"]
        assert not [
            name for name in names if archive.read(name)[:4] in (b"\x7fELF", b"MZ\x90\x00", b"\xcf\xfa\xed\xfe")
        ]


def test_a_wheel_can_be_built_again(wheel: Path, tmp_path: Path) -> None:
    """Byte for byte: who has the tag can check what was published."""
    assert built(tmp_path).read_bytes() == wheel.read_bytes()


def test_few_are_trusted() -> None:
    """The requirements of the package itself, no more than these."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert {requirement.partition(">")[0] for requirement in project["dependencies"]} == {
        "wrapt", "pydantic-settings", "genai-prices",
    }  # fmt: skip
