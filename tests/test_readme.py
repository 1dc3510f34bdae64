"""README and tutorial are true: their blocks are run, in order, and print what stands beneath them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
DOCS = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "--- block"


def blocks(text: str) -> list[tuple[str, str]]:
    """(language, content) of every fenced block."""
    return _BLOCK.findall(text)


def matches(expected: str, got: str) -> bool:
    """Whether an output is the one that was written down; `...` stands for anything, blanks are not counted."""
    parts = [" ".join(part.split()) for part in expected.split("...")]
    return re.fullmatch(r"\s*.*?\s*".join(map(re.escape, parts)), " ".join(got.split())) is not None


def test_the_tutorial_prints_what_it_says(tmp_path: Path) -> None:
    """Every Python and console block of the tutorial, one after the other, as one program in an empty folder."""
    wanted = blocks(TUTORIAL)
    done = subprocess.run(
        [sys.executable, "-c", _program(wanted)],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split(f"{_MARK}\n")[1:]
    expected = _expected(wanted)
    assert len(printed) == len(expected)
    for (source, text), got in zip(expected, printed, strict=True):
        assert matches(text, got), f"{source}\n--- should print\n{text}\n--- but printed\n{got}"


def _program(wanted: list[tuple[str, str]]) -> str:
    """One program of all blocks, which prints a mark before each."""
    parts = ["import subprocess as _s, sys as _y"]
    for language, content in wanted:
        if language == "python":
            parts += [f"print({_MARK!r}, flush=True)", content]
        for command in _commands(content) if language == "console" else []:
            shell = command.replace("llm-router ", f"{sys.executable} -m llm_router_middleware ", 1)
            shell = re.sub(r"(^|\s)python ", rf"\g<1>{sys.executable} ", shell, count=1)
            parts += [f"print({_MARK!r}, flush=True)", f"_s.run({shell!r}, shell=True, check=True, stderr=_s.STDOUT)"]
    return "\n".join(parts)


def _commands(content: str) -> list[str]:
    return [line[2:] for line in content.splitlines() if line.startswith("$ ")]


def _expected(wanted: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """(block or command, what it prints), as the page has it."""
    found: list[tuple[str, str]] = []
    for language, content in wanted:
        if language == "python":
            found.append((content, ""))
        elif language == "text":
            found[-1] = (found[-1][0], content)
        elif language == "console":
            for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                found.append((command, output))
    return found


def test_every_python_block_of_the_readme_runs(tmp_path: Path) -> None:
    """The README's code, as it stands there, against the sandbox; the first block prints the model that it says."""
    python = [content for language, content in blocks(README) if language == "python"]
    setup = """
        import os, openai
        from llm_router_middleware import explain, last_event, routed, wrap
        from llm_router_middleware.sandbox import Sandbox
        sandbox = Sandbox().start()
        os.environ.update(sandbox.env() | {"AZURE_OPENAI_API_KEY": "k", "OPENAI_API_VERSION": "1"})
        messages = [{"role": "user", "content": "Hello."}]
    """
    program = textwrap.dedent(setup) + "\n".join(python).replace(
        "AzureOpenAI(...)", "AzureOpenAI(azure_endpoint='http://127.0.0.1:9')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    shown = re.search(r"print\(answer\.model\)\s+# (\S+)", README)
    assert shown is not None
    assert done.stdout.splitlines()[0] == shown[1]


def line_after(text: str, start: str) -> str:
    """The one line of the first shell block after a sentence."""
    (line,) = blocks(text[text.index(start) :])[0][1].splitlines()
    return line


def test_ci_runs_the_readmes_test_line() -> None:
    """What a newcomer is told to type is what the build runs, word for word, as its last command."""
    commands = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line and not line.startswith("#")]
    assert commands[-1] == line_after(README, "passes the tests")


def test_the_setup_lines_name_what_exists() -> None:
    """The demo line and the test line install extras that pyproject.toml has, without options that old pips lack."""
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for start in ("runs the demo", "passes the tests"):
        line = line_after(README, start)
        (extra,) = re.findall(r"'\.\[(\w+)\]'", line)
        assert extra in extras
        assert line.startswith("python3 -m venv .venv && ")
        assert "--group" not in line


def test_the_readme_is_a_screen_or_two() -> None:
    """Problem, promise and first example before line 20, all of it within 120 lines."""
    lines = README.splitlines()
    assert len(lines) < 120
    assert any(line.startswith("```python") for line in lines[:20])


@pytest.mark.parametrize("page", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of every page names a file or folder that is there."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[\w-]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_index_lists_every_page() -> None:
    """No page of the documentation is an orphan."""
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert [page for page in sorted(pages) if f"({page})" not in index] == []
