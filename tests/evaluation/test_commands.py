"""`llm-router eval`, `calibrate` and `adapt`, as a user meets them."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from llm_router_middleware.cli.app import app
from llm_router_middleware.models.spec import Tier
from llm_router_middleware.scoring import LearnedScorer

Invoke = Callable[..., Result]

EASY = ["Translate '{}' to Dutch.", "Say hello to {}.", "What is the capital of {}?", "Write a short poem about {}."]
HARD = ["Prove a theorem about {}.", "Debug the deadlock in {}.", "Design a distributed store for {}.", "Derive {}."]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """The command line, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def prompts(count: int, seed: int = 1) -> list[str]:
    rng = random.Random(seed)
    return [rng.choice(EASY + HARD).format(f"thing {rng.randint(1, 10**6)}") for _ in range(count)]


def labelled(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Outcomes of a world in which hard prompts gain."""
    rng = random.Random(seed)
    hard = tuple(frame[:6] for frame in HARD)
    return [
        {"prompt": prompt, "weak": float(rng.random() > (0.7 if prompt.startswith(hard) else 0.1)), "strong": 1.0}
        for prompt in prompts(count, seed)
    ]


def test_eval_judges_own_outcomes(run: Invoke, tmp_path: Path) -> None:
    """A table with intervals, and the same as JSON; where hard prompts gain, the scorer beats every baseline."""
    own = lines(tmp_path / "own.jsonl", labelled(400))
    shown = run("eval", "--outcomes", own, "--draws", 100)
    assert shown.exit_code == 0, shown.output
    assert "own: 400 questions" in shown.stdout
    assert "learned over heuristic: APGR +" in shown.stdout
    found = json.loads(run("eval", "--outcomes", own, "--draws", 100, "--json").stdout)
    row = next(row for row in found["rows"] if row["scorer"] == "learned")
    assert row["apgr"]["low"] > 0.6
    assert all(row["apgr_over"][name]["low"] > 0 for name in ("random", "length", "heuristic"))
    assert found["benchmarks"]["own"]["questions"] == 400


def test_eval_shows_the_published_rows_beside_ours(run: Invoke, table: Path) -> None:
    """RouteLLM's benchmarks, from a path; the published figures are references, never ours."""
    result = run("eval", "--data", table, "--draws", 100, "--scorer", "heuristic")
    assert result.exit_code == 0, result.output
    assert "MF, arena + judge (published)" in result.stdout
    assert result.stdout.count("heuristic") >= 4
    assert "mixed: 2679 questions" in result.stdout


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_eval_draws_the_curves(run: Invoke, tmp_path: Path, ending: str) -> None:
    """As a picture, in either format."""
    pytest.importorskip("matplotlib", reason="plots need the extra `plot`")
    own, picture = lines(tmp_path / "own.jsonl", labelled(60)), tmp_path / f"curves.{ending}"
    assert run("eval", "--outcomes", own, "--draws", 100, "--plot", picture).exit_code == 0
    assert picture.read_bytes().startswith(b"\x89PNG" if ending == "png" else b"<?xml")
    refused = run("eval", "--outcomes", own, "--draws", 100, "--plot", tmp_path / "curves.nonsense")
    assert refused.exit_code == 2
    assert "curves.nonsense" in refused.stderr


def test_eval_refuses_what_the_scorer_was_trained_on(run: Invoke, tmp_path: Path) -> None:
    """A training prompt among the outcomes ends the command; another scorer may be judged on it."""
    known = "Implement a lock-free single-producer single-consumer ring buffer in C++ and explain the memory ordering."
    own = lines(tmp_path / "own.jsonl", [*labelled(50), {"prompt": known, "weak": 0, "strong": 1}])
    refused = run("eval", "--outcomes", own, "--draws", 100)
    assert refused.exit_code == 2
    assert "known to the learned scorer's weights" in refused.stderr
    assert run("eval", "--outcomes", own, "--draws", 100, "--scorer", "heuristic").exit_code == 0


def test_eval_takes_a_scorer_of_ones_own(run: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """module:attribute, as in the settings."""
    (tmp_path / "mine_scorer.py").write_text(
        "from llm_router_middleware.scoring import ComplexityScore\n"
        "def hard_words(text):\n    return ComplexityScore('mid', 0.9 if 'Prove' in text else 0.1)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = lines(tmp_path / "own.jsonl", labelled(80))
    found = json.loads(
        run("eval", "--outcomes", own, "--draws", 100, "--scorer", "mine_scorer:hard_words", "--json").stdout
    )
    assert found["rows"][0]["scorer"] == "mine_scorer:hard_words"


def test_calibrate_shows_a_diff_and_writes_when_told(run: Invoke, tmp_path: Path) -> None:
    """Nothing is changed unasked; what is written is what was shown, and the settings accept it."""
    traffic = lines(tmp_path / "traffic.jsonl", [{"messages": [{"role": "user", "content": p}]} for p in prompts(600)])
    config = tmp_path / "llm_router.toml"
    config.write_text("# ours\nmid_threshold = 0.1\n")
    shown = run("calibrate", "--prompts", traffic, "--target-premium", 0.2, "--target-mid", 0.1)
    assert shown.exit_code == 0, shown.output
    assert "-mid_threshold = 0.1" in shown.stdout
    assert "not written" in shown.stdout
    assert config.read_text() == "# ours\nmid_threshold = 0.1\n"
    assert (
        run("calibrate", "--prompts", traffic, "--target-premium", 0.2, "--target-mid", 0.1, "--write").exit_code == 0
    )
    written = tomllib.loads(config.read_text())
    assert written["share_targets"] == {"budget": 0.7, "mid": 0.1, "premium": 0.2}
    scorer = LearnedScorer(written["mid_threshold"], written["premium_threshold"])
    assert abs(sum(scorer(prompt).tier is Tier.PREMIUM for prompt in prompts(600)) / 600 - 0.2) < 0.05
    again = json.loads(
        run("calibrate", "--prompts", traffic, "--target-premium", 0.2, "--target-mid", 0.1, "--json").stdout
    )
    assert again["diff"] == ""
    seen = again["tiers"]["premium"]
    assert seen["low"] <= seen["held_out"] <= seen["high"]


def test_calibrate_can_leave_the_controller_out(run: Invoke, tmp_path: Path) -> None:
    """Thresholds alone, for those who want them fixed."""
    traffic = tmp_path / "traffic.txt"
    traffic.write_text("\n".join(prompts(100)))
    shown = run("calibrate", "--prompts", traffic, "--target-premium", 0.3, "--no-controller")
    assert "+share_targets" not in shown.stdout
    assert "+premium_threshold" in shown.stdout


def test_calibrate_by_spend(run: Invoke, tmp_path: Path) -> None:
    """A spend becomes shares by the prices of the configured models."""
    traffic = lines(tmp_path / "traffic.jsonl", [{"prompt": prompt} for prompt in prompts(300)])
    found = json.loads(run("calibrate", "--prompts", traffic, "--target-spend", 0.5, "--json").stdout)
    assert 0.1 < found["tiers"]["premium"]["target"] < 0.5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "either --target-premium or --target-spend"),
        (("--target-premium", "0.2", "--target-spend", "0.5"), "either --target-premium or --target-spend"),
        (("--target-premium", "1.5"), "target_premium=1.5"),
        (("--target-spend", "0.5", "--target-mid", "0.1"), "--target-mid"),
        (("--target-premium", "0.2", "--prompts", "none.jsonl"), "none.jsonl"),
    ],
)
def test_calibrate_names_what_is_wrong(run: Invoke, tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    """Exit code 2 and one line that says what to change."""
    traffic = lines(tmp_path / "traffic.jsonl", [{"prompt": prompt} for prompt in prompts(50)])
    result = run("calibrate", "--prompts", traffic, *arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_adapt_writes_on_evidence_and_eval_refuses_its_labels(run: Invoke, tmp_path: Path) -> None:
    """A world against the shipped score: the correction is found, used, and never judged on its own labels."""
    upside_down = [{**row, "weak": 1 - row["weak"]} for row in labelled(300)]
    own = lines(tmp_path / "own.jsonl", upside_down)
    result = run("adapt", "--outcomes", own, "--write")
    assert result.exit_code == 0, result.output
    assert tomllib.loads((tmp_path / "llm_router.toml").read_text()) == {"scorer_correction": "scorer_correction.json"}
    refused = run("eval", "--outcomes", own, "--draws", 100)
    assert refused.exit_code == 2
    assert "known to the correction" in refused.stderr
    fresh = lines(tmp_path / "fresh.jsonl", [{**row, "weak": 1 - row["weak"]} for row in labelled(300, seed=9)])
    found = json.loads(run("eval", "--outcomes", fresh, "--draws", 100, "--json").stdout)
    assert found["rows"][0]["apgr"]["low"] > 0.5


def test_adapt_writes_nothing_without_evidence(run: Invoke, tmp_path: Path) -> None:
    """Coin flips for labels: exit code 1, the words, and no file."""
    rng = random.Random(2)
    own = lines(
        tmp_path / "own.jsonl", [{"prompt": p, "weak": rng.randint(0, 1), "strong": 1} for p in prompts(120, seed=2)]
    )
    result = run("adapt", "--outcomes", own, "--write", "--confidence", 0.99)
    assert result.exit_code == 1, result.output
    assert "not enough evidence: nothing is written" in result.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own.jsonl"]
    found = run("adapt", "--outcomes", own, "--confidence", 0.99, "--json")
    assert json.loads(found.stdout)["enough_evidence"] is False


def test_adapt_names_what_is_wrong(run: Invoke, tmp_path: Path) -> None:
    """Too few labels are an error, not a correction."""
    result = run("adapt", "--outcomes", lines(tmp_path / "own.jsonl", labelled(20)))
    assert result.exit_code == 2
    assert "20 labelled outcomes" in result.stderr
