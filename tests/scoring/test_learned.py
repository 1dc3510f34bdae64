"""The learned scorer as a piece of software: deterministic, checked, lazy, bounded."""

from __future__ import annotations

import base64
import itertools
import json
import math
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from timeit import repeat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models.spec import Tier
from llm_router_middleware.scoring import HeuristicScorer, LearnedScorer, Scorer, weights
from llm_router_middleware.scoring.reading import read
from llm_router_middleware.scoring.weights import Curve, Weights

DATA = resources.files("llm_router_middleware.scoring") / "data"
PROMPTS = [
    "Prove that there are infinitely many primes.",
    "Translate this to German: the cat sat on the mat.",
    "Which of these is a fruit?\nA. stone\nB. apple\nC. chair\nAnswer:",
    "def f(x):\n    return x + 1\n\nWrite tests for this function.",
    "Tell me a story about an otter who can't swim, and make the ending sad but hopeful.",
]


@pytest.fixture(scope="module")
def scorer() -> LearnedScorer:
    """The shipped one."""
    return LearnedScorer()


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The shipped weights, decoded."""
    decoded: dict[str, Any] = json.loads(zlib.decompress((DATA / "learned.json.z").read_bytes()))
    return decoded


def test_the_same_scores_under_any_hash_seed() -> None:
    """Set order must not matter: three processes with other hash seeds say the same, signals included."""
    code = (
        "import json; from llm_router_middleware.scoring import LearnedScorer; s = LearnedScorer(); "
        f"print(json.dumps([[x.tier, x.score, x.signals] for x in map(s, {PROMPTS!r})]))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(said) == 1


def test_the_fast_path_equals_the_definition(document: dict[str, Any], scorer: LearnedScorer) -> None:
    """Packed lanes and all: the same raw score as a plain reading of the documented formula."""
    words = document["words"].split(" ")
    table, kinds = base64.b85decode(document["table"]), document["kinds"]
    lanes = 2 * len(kinds)
    rows = {
        word: [
            (byte - 128) * scale
            for byte, scale in zip(table[at * lanes : (at + 1) * lanes], document["scales"], strict=True)
        ]
        for at, word in enumerate(words)
    }

    def heads(tokens: frozenset[str], endings: bool) -> list[float]:
        found = {token for token in tokens if token in rows}
        if endings:
            found |= {f"~{t[-4:]}" for t in tokens if t not in rows and len(t) >= 6 and f"~{t[-4:]}" in rows}
        share = max(len(found), 1) ** -0.5
        return [share * sum(rows[token][lane] for token in found) for lane in range(lanes)]

    for prompt in PROMPTS:
        reading = read(prompt)
        body, edge = heads(reading.tokens, True), heads(reading.edges, False)
        logits = [b + body[k] + document["edge_weight"] * edge[k] for k, b in enumerate(document["gate_bias"])]
        logits[kinds.index(document["options_kind"])] += document["options_bonus"] * reading.options
        odds = [math.exp(logit) for logit in logits]
        log_words = math.log1p(min(reading.words, document["longest"]))
        z = (log_words - document["length"][0]) / document["length"][1]
        gains = [
            document["gains"][k] + z * document["length_gains"][k] + body[len(kinds) + k] for k in range(len(kinds))
        ]
        expected = sum(odd * gain for odd, gain in zip(odds, gains, strict=True)) / sum(odds)
        assert scorer.load().look(reading).raw == pytest.approx(expected, abs=1e-9)


def test_importing_and_constructing_read_no_weights() -> None:
    """The file is read at the first score; importing scoring stays within the standard library."""
    code = (
        "import sys; import llm_router_middleware.scoring as s; scorer = s.LearnedScorer(); "
        "assert scorer._weights is None; "
        "mine = {n.partition('.')[0] for n in sys.modules} - set(sys.stdlib_module_names); print(sorted(mine)); "
        "scorer('x'); assert scorer._weights is not None; "
        "print('numpy' in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True
    )
    assert out.stdout.split("\n")[:2] == ["['__main__', 'llm_router_middleware']", "False"]


def test_threads_load_the_weights_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen first scores at once are one load and one result."""
    loads: list[int] = []
    original = Weights.load

    def counted(path: Any = None) -> Weights:
        loads.append(1)
        return original(path)

    monkeypatch.setattr(Weights, "load", counted)
    fresh = LearnedScorer()
    with ThreadPoolExecutor(16) as pool:
        scores = set(pool.map(fresh, [PROMPTS[0]] * 64))
    assert (len(loads), len(scores)) == (1, 1)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=400))
def test_any_text_has_a_score(text: str) -> None:
    """In [0, 1], with signals, and never an exception."""
    found = SHIPPED(text)
    assert 0 <= found.score <= 1
    assert found.signals
    assert isinstance(found.tier, Tier)


SHIPPED = LearnedScorer()


@pytest.mark.parametrize("text", [None, b"bytes", 3, ["a"]])
def test_what_is_no_text_is_neutral(text: Any, scorer: LearnedScorer) -> None:
    """A caller's odd value can't break a call."""
    assert scorer(text).signals == ("unsure=no_text",)


HOSTILE = [
    "a" * 100_000, "\n" * 100_000, "a. b. c. " * 12_000, "(" * 100_000, '"a"' * 30_000, "?" * 100_000, "é" * 100_000,
    "\ud800" * 100_000, "汉" * 100_000, "word " * 20_000, "~" * 100_000, "a b c " * 20_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=[repr(text[:6]) for text in HOSTILE])
def test_hostile_text_costs_no_more_than_prose(text: str, scorer: LearnedScorer) -> None:
    """Constant beyond the cap: 100,000 hostile characters cost at most a small multiple of capped prose."""
    prose = "Some plain words, one after another, as people write them. " * 200
    cost = min(repeat(lambda: scorer(text), number=1, repeat=7))
    usual = min(repeat(lambda: scorer(prose), number=1, repeat=7))
    assert cost < 12 * usual


def test_signals_are_readable_and_hold_no_words_but_the_vocabularys(scorer: LearnedScorer) -> None:
    """Kind, gain, words for and against, length; a secret in the prompt can't reach a log."""
    found = scorer("Prove the theorem about canaryx7 with a deadlock in the compiler, secretword.")
    names = [signal.partition("=")[0] for signal in found.signals]
    assert names[:2] == ["kind", "gain"]
    assert "for" in names
    assert "words" in names
    shown = ",".join(signal for signal in found.signals if signal.startswith(("for=", "against=")))
    assert "canary" not in shown
    assert "secret" not in shown


def test_dropping_the_strongest_words_moves_the_score_as_they_say(scorer: LearnedScorer) -> None:
    """The words "for" lower the score when they go, the words "against" raise it: on most prompts, summed over all."""
    moved = 0.0
    for prompt in [*PROMPTS, "Debug the deadlock in this compiler.", "Write a poem about the garden for my teacher."]:
        found = scorer(prompt)
        for signal in found.signals:
            name, _, words = signal.partition("=")
            if name in ("for", "against"):
                rest = " ".join(w for w in prompt.split() if w.strip(".,:?").lower() not in words.split(","))
                moved += (found.score - scorer(rest).score) * (1 if name == "for" else -1)
    assert moved > 0


@pytest.mark.parametrize(
    ("given_thresholds", "tiers"),
    [
        ((None, None), (0.4, 0.8)),
        ((0.2, None), (0.2, 0.8)),
        ((None, 0.3), (0.3, 0.3)),
        ((0.9, None), (0.9, 0.9)),
        ((0.1, 0.6), (0.1, 0.6)),
    ],
)
def test_thresholds_are_the_callers_or_the_weights(given_thresholds: Any, tiers: tuple[float, float]) -> None:
    """One of them alone is enough; the other gives way rather than contradict it."""
    made = LearnedScorer(*given_thresholds)
    for _ in range(2):
        assert (made._thresholds.mid, made._thresholds.premium) == tiers
        made("hello")


def test_contradicting_thresholds_are_refused() -> None:
    """At construction, by name."""
    with pytest.raises(ConfigurationError, match=r"mid_threshold=0\.9"):
        LearnedScorer(0.9, 0.1)


def damaged(change: dict[str, Any], document: dict[str, Any], path: Path) -> Path:
    path.write_bytes(zlib.compress(json.dumps({**document, **change}).encode()))
    return path


def test_weights_of_ones_own_are_used(document: dict[str, Any], tmp_path: Path) -> None:
    """Another file with the same format: its thresholds, its kinds, no hash asked for."""
    path = damaged({"thresholds": [0.1, 0.2], "kinds": [f"my {kind}" for kind in document["kinds"]],
                    "options_kind": f"my {document['options_kind']}"}, document, tmp_path / "mine.z")  # fmt: skip
    found = LearnedScorer(weights=path)(PROMPTS[0])
    assert found.signals[0] == "kind=my math"
    assert found.tier is Tier.PREMIUM


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"table": "zz"},
        {"scales": None},
        {"kinds": ["one"]},
        {"score_curve": [[0, 0], [0.1, 0.2]]},
        {"score_curve": [[0, 1], [0.0, 0.2]]},
        {"options_kind": "nothing"},
        {"words": 7},
    ],
)
def test_a_malformed_weights_file_is_refused(change: dict[str, Any], document: dict[str, Any], tmp_path: Path) -> None:
    """A clear error at load, never a wrong score."""
    with pytest.raises(ConfigurationError, match=r"weights|calibration"):
        LearnedScorer(weights=damaged(change, document, tmp_path / "bad.z")).load()


@pytest.mark.parametrize("content", [b"", b"no zlib", zlib.compress(b"not json"), zlib.compress(b"[]"), None])
def test_an_unreadable_weights_file_is_refused(content: bytes | None, tmp_path: Path) -> None:
    """Missing, cut, or something else."""
    path = tmp_path / "bad.z"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="weights"):
        LearnedScorer(weights=path).load()


def test_the_shipped_file_is_checked_by_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that isn't the released one is refused, however well-formed."""
    monkeypatch.setattr(weights, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(ConfigurationError, match="damaged"):
        LearnedScorer().load()


def test_the_weights_hold_no_code(document: dict[str, Any]) -> None:
    """Numbers and words: nothing in scoring can unpickle, evaluate or import what a file says."""
    assert set(map(type, document.values())) <= {int, float, str, list}
    for source in Path(weights.__file__).parent.glob("*.py"):
        text = source.read_text("utf-8")
        assert not any(word in text for word in ("pickle", "marshal", "eval(", "exec(", "__import__", "yaml"))


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=40, unique=True))
def test_the_curve_keeps_the_order_and_stays_between_its_ends(points: list[float]) -> None:
    """Strictly rising everywhere, beyond its knots too: calibration makes no ties and reorders nothing."""
    curve = Curve((-1.0, -0.5, 0.25, 1.0), (0.1, 0.4, 0.6, 0.9))
    xs = sorted({round(point, 3) for point in points})
    ys = [curve(x) for x in xs]
    assert all(0 < y < 1 for y in ys)
    assert all(a < b for a, b in itertools.pairwise(ys))


def test_it_is_a_scorer(scorer: LearnedScorer) -> None:
    """The Protocol, like every other."""
    assert isinstance(scorer, Scorer)
    assert isinstance(HeuristicScorer(), Scorer)


@pytest.mark.parametrize(
    ("text", "doubted"),
    [("Estimate how many piano tuners work in Chicago.", True), ("What are the side effects of ibuprofen?", False)],
)
def test_a_doubt_about_the_kind_steps_up_where_a_demanding_kind_is_possible(
    scorer: LearnedScorer, text: str, doubted: bool
) -> None:
    """Between two easy kinds there is nothing to be careful about."""
    score = scorer(text)
    assert score.score < 0.4
    assert ("unsure=kind" in score.signals) is doubted
    assert score.tier is (Tier.MID if doubted else Tier.BUDGET)
