"""RouteLLM's benchmarks: MT-Bench, MMLU and GSM8K with the outcomes of Mixtral-8x7B and GPT-4-1106.

The outcomes are read from a copy of the public repository lm-sys/RouteLLM (Apache-2.0), decontaminated with its own
lists as its own evaluation does, and checked by a hash of every row: whatever the copy's origin, the figures are about
the same questions. Nothing of them is part of this package.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tarfile
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.evaluation.outcomes import Outcome

__all__ = ["BENCHMARKS", "PUBLISHED", "URL", "download", "fingerprint", "from_archive", "from_folder", "verified"]

WEAK, STRONG = "mixtral-8x7b-instruct-v0.1", "gpt-4-1106-preview"

URL = "https://codeload.github.com/lm-sys/RouteLLM/tar.gz/0b64fda"
"""The archive of the commit that the hashes belong to."""

BENCHMARKS = {
    "mt-bench": "3cf876bb74bb19da40b88fb4ea08e4436631bde8f30a0733fb85636728cfd684",
    "mmlu": "32efb05efb63327f960aecaaeeab8542daf069689efd1366c8dbb6689dcbd4c5",
    "gsm8k": "406a9d9f92c65444dac9f8812486d250cd95a94ff53ad3058ce6578ba8fc81e7",
}
"""Of each benchmark the hash of its rows, see `fingerprint`."""

PUBLISHED: dict[str, tuple[tuple[str, float, float, float], ...]] = {
    "mt-bench": (
        ("MF, arena + judge", 13.4, 31.3, 0.802),
        ("SW ranking, arena + judge", 23.2, 36.0, 0.759),
        ("BERT, arena + judge", 19.6, 34.0, 0.751),
        ("Causal LLM, arena + judge", 31.5, 48.8, 0.679),
        ("SW ranking, arena", 37.9, 59.0, 0.610),
        ("MF, arena", 25.3, 74.3, 0.580),
    ),
    "mmlu": (
        ("SW ranking, arena + 1,500 MMLU labels", 35.4, 71.6, 0.603),
        ("Causal LLM, arena + 1,500 MMLU labels", 35.5, 70.3, 0.600),
        ("MF, arena + 1,500 MMLU labels", 35.5, 71.4, 0.597),
        ("BERT, arena + 1,500 MMLU labels", 41.3, 72.2, 0.572),
        ("MF, arena", 45.0, 76.9, 0.524),
    ),
    "gsm8k": (
        ("Causal LLM, arena + judge", 33.6, 63.3, 0.622),
        ("SW ranking, arena + judge", 41.2, 72.2, 0.568),
        ("MF, arena + judge", 38.8, 72.6, 0.565),
        ("BERT, arena + judge", 44.8, 79.1, 0.531),
        ("MF, arena", 53.6, 85.2, 0.475),
    ),
}
"""Published rows (router, CPT50, CPT80, APGR): arXiv 2406.18665, tables 1 to 3. A different training set per benchmark,
and an embedding or model call per request; no single router holds all of the best figures."""

_EVALS = PurePosixPath("routellm/evals")
_TIMEOUT_S = 60.0
_LARGEST = 200_000_000
"""Bytes that an archive, or a file in it, may have."""

Files = Callable[[str], str]
"""A file of `routellm/evals/` by its name; KeyError where it isn't there."""

Opener = Callable[[str, float], AbstractContextManager[IO[bytes]]]
"""Opens a URL, with seconds to wait."""


def fingerprint(outcomes: Iterable[Outcome]) -> str:
    """A hash of every row, whatever their order."""
    rows = sorted(f"{outcome.weak:g}\t{outcome.strong:g}\t{outcome.prompt}" for outcome in outcomes)
    return hashlib.sha256("\0".join(rows).encode("utf-8", "surrogatepass")).hexdigest()


def verified(outcomes: dict[str, list[Outcome]], origin: str) -> dict[str, list[Outcome]]:
    """The same outcomes, in the order of `BENCHMARKS`, once their hashes are found right.

    Raises:
        ConfigurationError: these aren't the rows that the published figures are about.
    """
    for name, expected in BENCHMARKS.items():
        found = fingerprint(outcomes.get(name, ()))
        if found != expected:
            rows = len(outcomes.get(name, ()))
            raise ConfigurationError(f"{origin}: {name}: {rows} rows with hash {found[:12]}, expected {expected[:12]}")
    return {name: outcomes[name] for name in BENCHMARKS}


def download(url: str = URL, *, opener: Opener | None = None) -> dict[str, list[Outcome]]:
    """Fetches the repository's archive, reads the outcomes and checks their hashes.

    Raises:
        ConfigurationError: it can't be fetched or read, or isn't what was expected.
    """
    try:
        with (opener or _open)(url, _TIMEOUT_S) as response:
            content = response.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigurationError(f"{url}: can't be fetched: {error}") from error
    if len(content) > _LARGEST:
        raise ConfigurationError(f"{url}: larger than {_LARGEST} bytes")
    return from_archive(content, url)


def _open(url: str, timeout: float) -> AbstractContextManager[IO[bytes]]:
    if not url.startswith("https://"):
        raise ConfigurationError(f"{url}: expected an https address")
    response: AbstractContextManager[IO[bytes]] = urllib.request.urlopen(url, timeout=timeout)  # noqa: S310 - https only
    return response


def from_archive(content: bytes, origin: str) -> dict[str, list[Outcome]]:
    """Reads the outcomes from a tar archive of the repository. Nothing is unpacked to disk."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            members = {_inside(member.name): member for member in archive if member.isfile()}

            def read(name: str) -> str:
                member = members[str(_EVALS / name)]
                file = archive.extractfile(member)
                if file is None or member.size > _LARGEST:
                    raise KeyError(name)
                return file.read().decode("utf-8")

            return verified(_parsed(read, [PurePosixPath(name) for name in members]), origin)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ConfigurationError(f"{origin}: not an archive: {error}") from error


def _inside(name: str) -> str:
    """The path in the repository: without the archive's own top folder."""
    return str(PurePosixPath(*PurePosixPath(name).parts[1:]))


def from_folder(folder: Path) -> dict[str, list[Outcome]]:
    """Reads the outcomes from a checkout of the repository."""
    names = [PurePosixPath(path.relative_to(folder).as_posix()) for path in folder.glob(f"{_EVALS}/**/*.*")]

    def read(name: str) -> str:
        try:
            return (folder / _EVALS / name).read_text("utf-8")
        except FileNotFoundError:
            raise KeyError(name) from None

    return verified(_parsed(read, names), str(folder))


def _parsed(read: Files, names: Sequence[PurePosixPath]) -> dict[str, list[Outcome]]:
    try:
        subjects = sorted(name.name for name in names if name.parent == _EVALS / "mmlu/responses")
        mmlu = [outcome for name in subjects for outcome in _answers(read(f"mmlu/responses/{name}"), name)]
        return {
            "mt-bench": _mt_bench(read),
            "mmlu": _clean(mmlu, read("mmlu/contaminated_prompts.jsonl")),
            "gsm8k": _clean(
                _answers(read("gsm8k/gsm8k_responses.csv"), "gsm8k"), read("gsm8k/contaminated_prompts.jsonl")
            ),
        }
    except (KeyError, ValueError, csv.Error, UnicodeDecodeError) as error:
        raise ConfigurationError(f"RouteLLM's evaluation data: can't be read: {error!r}") from error


def _answers(text: str, name: str) -> list[Outcome]:
    category = name.removeprefix("mmlu_").removesuffix(".csv")
    return [
        Outcome(row["prompt"], float(row[WEAK] == "True"), float(row[STRONG] == "True"), category)
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ]


def _clean(outcomes: list[Outcome], contaminated: str) -> list[Outcome]:
    known = {row["eval_prompt"] for row in _lines(contaminated)}
    return [outcome for outcome in outcomes if outcome.prompt not in known]


def _mt_bench(read: Files) -> list[Outcome]:
    """Mean judgement of both turns, on a scale of 0 to 1; the first turn is what is routed."""
    known = {row["eval_prompt"] for row in _lines(read("mt_bench/contaminated_prompts.jsonl"))}
    scores: dict[tuple[int, str], list[float]] = {}
    for row in _lines(read("mt_bench/judgements.jsonl")):
        scores.setdefault((row["question_id"], row["model"]), []).append(row["score"])
    mean = {key: sum(values) / len(values) for key, values in scores.items()}
    return [
        Outcome(
            row["turns"][0], mean[row["question_id"], WEAK] / 10, mean[row["question_id"], STRONG] / 10, row["category"]
        )
        for row in _lines(read("mt_bench/question.jsonl"))
        if known.isdisjoint(row["turns"])
    ]


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.strip()]
