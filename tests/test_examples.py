"""Every example runs, as it is, without keys and with them, and says what its docstring promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llm_router_middleware.sandbox import Sandbox

EXAMPLES = Path(__file__).parents[1] / "examples"
FILES = sorted(path.name for path in EXAMPLES.glob("*.py") if path.name != "offline.py")

SAYS = {
    "environment_alone.py": ["openai/gpt-oss-120b was asked for, openai/gpt-oss-120b answered"],
    "events_to_a_file.py": ['{"event":"llm_routing_decision"', "3 calls from", "Where the calls went"],
    "explain_without_calling.py": ["-> budget (", "not openai/gpt-6.1-sol: premium is above max_tier mid"],
    "failover.py": ["1: ChatCompletion of ", "tried openai connect, ", "circuit_fallback", "openai's circuit: open"],
    "own_models.py": ["characters=6: budget -> gpt-6-luna", "premium -> gpt-6.1-sol"],
    "quickstart.py": ["asked for gpt-6.1-sol, gpt-6-luna answered", "cost $0.0000"],
    "scopes.py": ["outside: gpt-6.1-sol", "inside: gpt-6-luna", "premium: gpt-6.1-sol", "pinned: gpt-6.1-sol"],
    "streaming.py": ["gpt-6.1-sol -> ", "claude-opus-5-5 -> ", "first token after", "ok: True"],
    "testing_your_program.py": ["the test passes"],
    "tools.py": ["calls get_weather(", "could answer the follow-up: ['anthropic']"],
    "wrap_any_client.py": ["same object: True | same type: True", "unwrapped: True | claude-opus-5-5"],
}
"""What each prints, besides what may change from run to run."""


def run(name: str, cwd: Path, *before: str, **environ: str) -> str:
    bare = {key: value for key, value in os.environ.items() if not key.startswith("LLM_ROUTER_")}
    command = [sys.executable, *before, str(EXAMPLES / name)]
    done = subprocess.run(
        command, cwd=cwd, env={**bare, **environ}, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("name", FILES)
def test_runs_without_keys(name: str, tmp_path: Path) -> None:
    """Against the sandbox that it starts for itself."""
    said = run(name, tmp_path)
    for words in SAYS[name]:
        assert words in said


def test_runs_with_keys_unchanged(tmp_path: Path, sandbox: Sandbox) -> None:
    """With a key in the environment an example talks to whom the environment names, and starts no sandbox."""
    assert SAYS["quickstart.py"][0] in run("quickstart.py", tmp_path, **sandbox.env())
    assert [request.model for request in sandbox.openai.requests] == ["gpt-6-luna"]


def test_the_plain_program_is_routed_by_its_environment(tmp_path: Path) -> None:
    """`llm-router run` routes the example that knows nothing of us."""
    said = run("environment_alone.py", tmp_path, "-m", "llm_router_middleware", "run")
    assert said == "openai/gpt-oss-120b was asked for, openai/gpt-oss-20b answered\n"


def test_examples_are_short_and_say_what_they_show() -> None:
    """A screen each, with a docstring; each is run above, and each is listed in the README's folder."""
    assert sorted(SAYS) == FILES
    for name in FILES:
        text = (EXAMPLES / name).read_text(encoding="utf-8")
        assert text.startswith('"""')
        assert text.count("\n") <= 50
