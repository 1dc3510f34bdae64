"""The training manifest: what was trained on is found again."""

from __future__ import annotations

import random

import pytest

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.evaluation import manifest as module
from llm_router_middleware.evaluation.benchmarks import benchmark
from llm_router_middleware.evaluation.judge import refuse_known
from llm_router_middleware.evaluation.manifest import Manifest, shingles
from llm_router_middleware.evaluation.outcomes import Outcome

RNG = random.Random(4)
WORDS = ["".join(RNG.choices("abcdefghij", k=5)) for _ in range(900)]


def prompt(words: int) -> str:
    return " ".join(RNG.choices(WORDS, k=words))


TRAINED = [prompt(RNG.randint(3, 80)) for _ in range(300)]


def test_every_training_prompt_is_found_however_it_is_written() -> None:
    """Case, spacing, punctuation and a text around it hide nothing."""
    found = Manifest.of(TRAINED)
    assert found.overlap(TRAINED) == TRAINED
    assert len(found.overlap(text.upper().replace(" ", ",\n ") for text in TRAINED)) == len(TRAINED)
    long = [text for text in TRAINED if len(text.split()) >= 12]
    assert len(found.overlap(f"Question: {text} Answer:" for text in long)) == len(long)


def test_other_prompts_are_not_found() -> None:
    """10,000 prompts from the same words meet none by chance."""
    assert Manifest.of(TRAINED).overlap(prompt(40) for _ in range(10_000)) == []


def test_half_a_prompt_is_found_three_times_out_of_four() -> None:
    """The stated power: two of its hashes are kept, so a half is missed one time in four."""
    long = [prompt(80) for _ in range(400)]
    halves = [" ".join(text.split()[:45]) for text in long]
    assert 0.65 <= len(Manifest.of(long).overlap(halves)) / 400 <= 0.85


def test_a_manifest_survives_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """What is written is what is read, and a damaged file is refused."""
    content = Manifest.of(TRAINED).encoded()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "manifest.bin").write_bytes(content)
    monkeypatch.setattr(module.resources, "files", lambda _package: tmp_path)
    monkeypatch.setattr(module, "MANIFEST_SHA256", module.hashlib.sha256(content).hexdigest())
    assert Manifest.shipped().overlap(TRAINED) == TRAINED
    (tmp_path / "data" / "manifest.bin").write_bytes(content[:-5])
    with pytest.raises(ConfigurationError, match="damaged"):
        Manifest.shipped()
    (tmp_path / "data" / "manifest.bin").unlink()
    with pytest.raises(ConfigurationError, match="can't be read"):
        Manifest.shipped()


def test_the_shipped_manifest_knows_its_own_prompts() -> None:
    """A sentence of the authored training prompts is refused by the eval."""
    known = "Implement a lock-free single-producer single-consumer ring buffer in C++ and explain the memory ordering."
    bench = benchmark("own", [Outcome(known, 0, 1), Outcome(prompt(20), 0, 1)])
    with pytest.raises(ConfigurationError, match=r"own: 1 of 2 prompts \(50.0%\) are known to the weights"):
        refuse_known([bench], Manifest.shipped(), "the weights")


def test_texts_without_words_have_no_shingles() -> None:
    """Nothing meets nothing."""
    assert shingles("") == shingles("?! 你好") == frozenset()
    assert Manifest.of([""]).overlap(["", "!"]) == []


def test_the_training_prompts_are_in_the_manifest(training_table) -> None:
    """Nearly every prompt of the training table is found: all but the few that were left out."""
    import pyarrow.parquet

    prompts = pyarrow.parquet.read_table(training_table)["prompt"].to_pylist()[::10]
    assert len(Manifest.shipped().overlap(prompts)) / len(prompts) > 0.98
