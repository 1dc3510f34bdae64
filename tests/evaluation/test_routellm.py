"""RouteLLM's outcomes from archives and folders: parsed as its own evaluation does, and checked."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.evaluation import routellm as module
from llm_router_middleware.evaluation.outcomes import Outcome
from llm_router_middleware.evaluation.routellm import STRONG, WEAK, download, fingerprint, from_archive, from_folder
from llm_router_middleware.evaluation.sources import routellm_outcomes

SMALL = {
    "mt-bench": [Outcome("Write a poem.", 0.45, 0.9, "writing"), Outcome("Add 1.", 0.5, 1.0, "math")],
    "mmlu": [Outcome("Q?\nA. 1\nB. 2\nAnswer:", 0, 1, "law"), Outcome('"Say" so, x?', 1, 1, "virology")],
    "gsm8k": [Outcome("How many?", 1, 1, "gsm8k"), Outcome("How\nmuch?", 0, 1, "gsm8k")],
}


def files(outcomes: dict[str, list[Outcome]]) -> dict[str, str]:
    """The repository's files that would hold these outcomes, and a contaminated one of each benchmark."""
    mmlu: dict[str, list[Outcome]] = {}
    for outcome in [*outcomes["mmlu"], Outcome("leaked", 0, 1, outcomes["mmlu"][0].category)]:
        mmlu.setdefault(outcome.category, []).append(outcome)
    leaked = json.dumps({"eval_prompt": "leaked", "train_prompt": "leaked"}) + "\n"
    questions, judgements = [], []
    for number, outcome in enumerate([*outcomes["mt-bench"], Outcome("second", 0, 1)]):
        turns = [outcome.prompt, "leaked" if outcome.prompt == "second" else "And now?"]
        questions.append(json.dumps({"question_id": number, "category": outcome.category, "turns": turns}))
        for model, mean in ((WEAK, outcome.weak), (STRONG, outcome.strong)):
            scores = (10 * mean - 0.5, 10 * mean + 0.5)
            judgements += [json.dumps({"question_id": number, "model": model, "score": score}) for score in scores]
    return {
        **{f"mmlu/responses/mmlu_{subject}.csv": table(part) for subject, part in mmlu.items()},
        "gsm8k/gsm8k_responses.csv": table([*outcomes["gsm8k"], Outcome("leaked", 1, 1)]),
        "mt_bench/question.jsonl": "\n".join(questions),
        "mt_bench/judgements.jsonl": "\n".join(judgements),
        **{f"{name}/contaminated_prompts.jsonl": leaked for name in ("mmlu", "gsm8k", "mt_bench")},
    }


def table(outcomes: list[Outcome]) -> str:
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow(["prompt", WEAK, STRONG])
    writer.writerows([outcome.prompt, bool(outcome.weak), bool(outcome.strong)] for outcome in outcomes)
    return lines.getvalue()


def archive(content: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for name, text in content.items():
            member = tarfile.TarInfo(f"RouteLLM-0b64fda/routellm/evals/{name}")
            member.size = len(text.encode())
            packed.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.fixture
def _small_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BENCHMARKS", {name: fingerprint(part) for name, part in SMALL.items()})


@contextmanager
def served(content: bytes) -> Iterator[io.BytesIO]:
    yield io.BytesIO(content)


@pytest.mark.usefixtures("_small_hashes")
def test_an_archive_a_folder_and_a_download_hold_the_same(tmp_path: Path) -> None:
    """Both models' outcomes, both turns' mean, contaminated prompts left out; whatever the way."""
    content = files(SMALL)
    for name, text in content.items():
        path = tmp_path / "repo" / "routellm" / "evals" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="")
    packed = archive(content)
    (tmp_path / "repo.tar.gz").write_bytes(packed)
    found = from_archive(packed, "test")
    assert found == SMALL
    assert from_folder(tmp_path / "repo") == routellm_outcomes(tmp_path / "repo") == SMALL
    assert routellm_outcomes(tmp_path / "repo.tar.gz") == SMALL
    assert download("https://x", opener=lambda _url, _timeout: served(packed)) == SMALL


@pytest.mark.usefixtures("_small_hashes")
def test_a_changed_row_is_refused() -> None:
    """One outcome of one question is enough."""
    changed = {**SMALL, "gsm8k": [*SMALL["gsm8k"][:1], Outcome("How\nmuch?", 1, 1, "gsm8k")]}
    with pytest.raises(ConfigurationError, match="gsm8k: 2 rows with hash"):
        from_archive(archive(files(changed)), "test")


@pytest.mark.parametrize("name", sorted(files(SMALL)))
def test_a_missing_file_is_refused(name: str) -> None:
    """Half a repository is not the benchmark."""
    content = files(SMALL)
    del content[name]
    with pytest.raises(ConfigurationError):
        from_archive(archive(content), "test")


@pytest.mark.parametrize("content", [b"", b"not an archive", archive(files(SMALL))[:200]])
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    """A proxy's error page, an empty or a cut file."""
    with pytest.raises(ConfigurationError, match="test: not an archive"):
        from_archive(content, "test")


def test_a_download_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, plain http, or endless content: an error in our words."""

    def broken(_url: str, _timeout: float):
        raise OSError("no route to host")

    with pytest.raises(ConfigurationError, match="no route to host"):
        download(opener=broken)
    with pytest.raises(ConfigurationError, match="https"):
        download("http://example.org/x")
    monkeypatch.setattr(module, "_LARGEST", 10)
    with pytest.raises(ConfigurationError, match="larger than"):
        download(opener=lambda _url, _timeout: served(b"x" * 100))


def test_the_real_outcomes_pass_through_an_archive(routellm: dict[str, list[Outcome]]) -> None:
    """All 15,416 rows, written as the repository writes them and read again, have the pinned hashes."""
    assert from_archive(archive(files(routellm)), "test").keys() == routellm.keys()
    assert sum(map(len, routellm.values())) == 15_416


@pytest.mark.parametrize("name", ["none.parquet", "none.tar.gz"])
def test_a_path_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    """Whatever it should have been."""
    with pytest.raises(ConfigurationError, match=name):
        routellm_outcomes(tmp_path / name)
