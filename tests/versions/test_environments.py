"""Environments for other packages: made once, never out of somebody's folder, and honest about what is missing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import tests.environments as environments
from tests.environments import REPO, UnobtainableError, environment, package_of
from tests.frameworks import run as frameworks
from tests.frameworks.programs import PROGRAMS
from tests.versions import run as versions

NO_INDEX = ("--no-index", "--dry-run")


def test_a_package_that_no_index_has_is_named() -> None:
    """pip's "no matching distribution" is a finding, with the package in it."""
    with pytest.raises(UnobtainableError, match=r"no index of this machine has nowhere-to-be-found==1") as caught:
        environments._install(Path(sys.executable), (*NO_INDEX, "nowhere-to-be-found==1"))
    assert caught.value.wanted_by == "nowhere-to-be-found"


def test_any_other_failure_of_pip_is_a_failure() -> None:
    """Nothing else is taken for a missing package."""
    with pytest.raises(RuntimeError, match="pip install"):
        environments._install(Path(sys.executable), (*NO_INDEX, "not a requirement"))


def test_what_is_made_is_kept_and_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    """The same wish finds the same environment; a folder with something else in it is never emptied."""
    made = tmp_path / "made"
    made.mkdir()
    (made / "made-of.json").write_text(environments._made_of(sys.executable, ("a",)))
    assert environment(made, ("a",)) == made / "bin" / "python"
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("Dear")
    with pytest.raises(RuntimeError, match="is there and no environment"):
        environment(tmp_path / "letters", ("a",))
    assert (tmp_path / "letters" / "dear.txt").read_text() == "Dear"


@pytest.mark.parametrize(
    ("requirement", "name"),
    [("A_b.c>=1,<2", "a-b-c"), ("pydantic-ai-slim[openai]", "pydantic-ai-slim"), ("x @ y", "x")],
)
def test_the_package_of_a_requirement(requirement: str, name: str) -> None:
    """As indexes spell it."""
    assert package_of(requirement) == name


def test_the_sets_end_where_the_package_says_that_they_begin() -> None:
    """The oldest set is what pyproject.toml declares."""
    text = (REPO / "pyproject.toml").read_text(encoding="utf-8")
    for sdk, version in versions.SETS["oldest"].items():
        assert f'{sdk} = ["{sdk}>={version.removesuffix(".0")}"]' in text


def test_a_version_that_is_not_to_be_had_is_named_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A machine without it says so, and does not fail."""

    def missing(*_args: Any, **_kwargs: Any) -> Path:
        raise UnobtainableError("groq==0.13.0", "groq")

    monkeypatch.setattr(versions, "environment", missing)
    assert versions.main(["--set", "oldest", "--cache", str(tmp_path)]) == 0
    assert "NOT RUN: no index of this machine has groq==0.13.0" in capsys.readouterr().out


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_has_an_environment(name: str) -> None:
    """No program is left out because nobody installs what it is about."""
    (package,) = [package for start, package in frameworks.PACKAGES.items() if name.startswith(start)]
    lists = [list(map(package_of, frameworks.requirements(each))) for each in frameworks.ENVIRONMENTS]
    assert any(package in each and PROGRAMS[name].sdk in each for each in lists)


def test_a_framework_that_is_not_to_be_had_is_left_out_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others run; its own programs say what is missing."""

    def one_is_missing(_folder: Path, wanted: tuple[str, ...]) -> Path:
        if "langfuse" in wanted:
            raise UnobtainableError("langfuse", "langfuse")
        return Path(sys.executable)

    monkeypatch.setattr(frameworks, "environment", one_is_missing)
    made = frameworks.prepared("newest", tmp_path)
    assert made.python == Path(sys.executable)
    said = frameworks.measured("langfuse_above", given=True, sdk="openai", environments=[made])
    assert said == {"missing": "no index of this machine has langfuse"}


def test_where_nothing_is_to_be_had_nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package beneath all of them: every program says so, and the search ends."""

    def nothing(_folder: Path, wanted: tuple[str, ...]) -> Path:
        raise UnobtainableError("hatchling", "hatchling")

    monkeypatch.setattr(frameworks, "environment", nothing)
    made = frameworks.prepared("openai-2", tmp_path)
    assert made.python is None
    assert set(made.missing.values()) == {"no index of this machine has hatchling"}


@pytest.mark.parametrize(
    ("got", "said"),
    [
        ({"result": "Paris", "asked": ["small"], "events": [["big", "small", "match", True, None]]}, "ok"),
        ({"result": "Rome", "asked": ["small"], "events": [["big", "small", "match", True, None]]}, "another result"),
        ({"result": "Paris", "asked": ["big"], "events": [["big", "big", "match", True, None]]}, "not all routed"),
        ({"result": "Paris", "asked": ["small"], "events": []}, "1 requests bare"),
        ({"result": "Paris", "asked": ["small"], "events": [["big", "small", "match", False, "x"]]}, "not all routed"),
        ({"error": "Traceback\nKeyError"}, "failed: KeyError"),
    ],
)
def test_a_verdict_is_ok_only_where_all_of_it_holds(got: dict[str, Any], said: str) -> None:
    """The same result, each call with another model, one good event each."""
    bare = {"result": "Paris", "asked": ["big"], "events": []}
    assert frameworks.verdict(bare, got).startswith(said)
