"""What the scorer is fitted on: outcomes, prompts of our own writing, and long pastes made from both."""

from __future__ import annotations

import json
import random
import re
import tomllib
import zlib
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet

KINDS = ("question", "exam", "word_problem", "math", "code", "writing", "transform", "explain", "reasoning", "expert")

SOURCE_KINDS = {
    "gsm8k_train_steps": "word_problem",
    "lr_gsm8k": "word_problem",
    "ze_math_l5": "math",
    "lr_math": "math",
    "ze_crux": "code",
    "lr_mbpp": "code",
    "lr_human_eval": "code",
    "lr_natural_qa": "question",
    "lr_trivia_qa": "question",
    "lr_commonsense_qa": "question",
    "lr_openbook_qa": "question",
    "lr_arc_challenge": "question",
    "mmlupro_stemez": "exam",
    "mmlupro_theoremQA": "exam",
    "mmlupro_scibench": "exam",
    "lr_mmlu": "exam",
    "lr_gpqa": "expert",
    "lr_commongen": "writing",
    "lr_agentverse_logicgrid": "reasoning",
}
"""The kind of task of each source. What isn't listed is left out: mixed or a single item."""

EXAM_SOURCES = frozenset(
    {
        "mmlupro_stemez", "mmlupro_theoremQA", "mmlupro_scibench", "lr_mmlu", "lr_gpqa",
        "lr_commonsense_qa", "lr_openbook_qa", "lr_arc_challenge",
    }
)  # fmt: skip
"""Benchmarks that are multiple choice, whether or not the data print the options: their mean gap is the exams'."""

UNMEASURED = frozenset({"writing", "transform", "explain", "reasoning", "expert"})
"""Kinds whose mean gap is our judgement (authored.toml): the data hold no, or no fitting, outcomes."""

PASTES = 600
LONGER = 250
OPTION_STYLES = ("({0})", "{1})", "{0}:", "({1})", "{0})", "json")
SEED = 20261124


_OPTION_LINE = re.compile(r"\n([A-J])\. (.*)")


@dataclass(frozen=True, slots=True)
class Example:
    """One training prompt: where it's from, what kind of task it is, how much a strong model gains, its weight."""

    source: str
    kind: str
    prompt: str
    gap: float
    weight: float


def load(outcomes: Path, own: Path) -> list[Example]:
    """All training prompts, in a fixed order.

    Args:
        outcomes: the table of measured outcomes.
        own: the folder of authored.toml and frames.toml.
    """
    measured = [
        Example(row["source"], kind, _restyled(row["prompt"]), row["gap"], row["weight"])
        for row in pyarrow.parquet.read_table(outcomes).to_pylist()
        if (kind := SOURCE_KINDS.get(row["source"]))
    ]
    written = [
        Example(f"authored_{group['kind']}", group["kind"], prompt, group["gap"], 1.0)
        for group in tomllib.loads((own / "authored.toml").read_text())["group"]
        for prompt in group["prompts"]
    ]
    framed = _framed(own / "frames.toml")
    joined = longer([*written, *framed], own / "frames.toml")
    return [*measured, *written, *framed, *joined, *_pastes(measured, [*written, *framed])]


def _restyled(prompt: str) -> str:
    """Half of the exam questions with their options written in another of the ways that people write them."""
    options = _OPTION_LINE.findall(prompt)
    way = zlib.crc32(prompt.encode()) % (2 * len(OPTION_STYLES))
    if len(options) < 3 or way >= len(OPTION_STYLES):
        return prompt
    stem = prompt.partition("\nA. ")[0]
    if OPTION_STYLES[way] == "json":
        return f"{stem}\n{json.dumps(dict(options))}"
    lines = [OPTION_STYLES[way].format(letter, letter.lower()) + f" {text}" for letter, text in options]
    return "\n".join([stem, *lines])


def longer(short: list[Example], path: Path) -> list[Example]:
    """Several sentences of one kind in one prompt, among sentences that go with any kind."""
    rng = random.Random(SEED)
    neutral = tomllib.loads(path.read_text())["neutral"]
    joined = []
    for kind in KINDS:
        pool = [example for example in short if example.kind == kind]
        for _ in range(LONGER if pool else 0):
            drawn = rng.sample(pool, rng.randint(1, 4))
            filler = rng.sample(neutral, rng.randint(0 if len(drawn) > 1 else 1, 3))
            sentences = [example.prompt for example in drawn[1:]] + filler
            rng.shuffle(sentences)
            sentences.insert(rng.randint(0, 1), drawn[0].prompt)
            text = " ".join(sentences)
            gap = sum(example.gap for example in drawn) / len(drawn)
            joined.append(Example(f"authored_{kind}_longer", kind, text, gap, 0.5))
    return joined


def _framed(path: Path) -> list[Example]:
    """Sentences drawn from frames and word lists."""
    rng = random.Random(SEED)
    table = tomllib.loads(path.read_text())
    slots = re.compile("|".join(f"{{{name}}}" for name in table["slots"]))
    examples: dict[str, Example] = {}
    for frames in table["frames"]:
        for _ in range(frames["draws"]):
            sentence = slots.sub(
                lambda slot: rng.choice(table["slots"][slot[0][1:-1]]), rng.choice(frames["sentences"])
            )
            kind = frames["kind"]
            examples[sentence] = Example(f"authored_{kind}_frames", kind, sentence, frames["gap"], 0.5)
    return list(examples.values())


def _bare(measured: list[Example]) -> list[Example]:
    """Exam questions once more without their options: people ask them like that."""
    return [
        Example(f"bare_{example.source}", "exam", stem, example.gap, example.weight)
        for place, example in enumerate(measured)
        if example.source.startswith("mmlupro") and place % 4 == 0
        if len(stem := example.prompt.partition("\nA. ")[0].strip()) > 20
    ]


def _pastes(measured: list[Example], written: list[Example]) -> list[Example]:
    """Long pastes below or above a small instruction: what the paste is about doesn't make the task harder."""
    rng = random.Random(SEED)
    asks = [example for example in written if example.kind == "transform" and example.gap < 0.05]
    stems = [example.prompt.partition("\nA. ")[0] for example in measured if example.kind != "code"]
    domains = [[example.prompt for example in written if example.kind == kind] for kind in ("expert", "writing")]
    drawn = [" ".join(rng.sample(pool, 12)) for pool in domains for _ in range(150)]
    passages = [stem for stem in stems if len(stem) > 400]
    passages = rng.sample(passages, 900) + drawn
    pastes = []
    for _ in range(PASTES):
        ask = rng.choice(asks)
        paste = " ".join(rng.sample(passages, rng.randint(1, 4)))
        parts = (ask.prompt, paste) if rng.random() < 0.7 else (paste, ask.prompt)
        pastes.append(Example("authored_paste", "transform", "\n\n".join(parts), ask.gap, 1.0))
    return pastes
