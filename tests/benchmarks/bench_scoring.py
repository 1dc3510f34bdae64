"""What scoring costs, as multiples of the tutorial's scorer: `python -m tests.benchmarks.bench_scoring`.

Blocks of each scorer and of the tutorial's, interleaved; CPU time of the calling thread; the median of the paired
ratios and, for orientation only, of the microseconds. An A/A row (the tutorial's scorer against itself) shows the
noise. Beyond the caps the learned and the heuristic scorer cost the same for any length. The history table shows what
a conversation of n turns costs: only the ask is scored, and a router's cache knows it from the turn before.
Nothing is asserted here; tests/scoring/test_speed.py holds the ratios that must not grow.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import time
from collections.abc import Callable
from typing import Any

from llm_router_middleware.scoring import CachedScorer, HeuristicScorer, LearnedScorer, ask, estimate_tokens

LENGTHS = (20, 200, 2_000, 20_000)
TURNS = (1, 10, 50, 100)

_COMPLEX = {
    "analyze", "compare", "explain why", "pros and cons", "tradeoffs", "step by step", "debug", "refactor",
    "write a function", "evaluate", "summarize", "synthesize", "argue", "critique",
}  # fmt: skip
_SIMPLE = {
    "translate", "spell check", "convert", "list", "what is", "define", "extract", "yes or no", "true or false",
}  # fmt: skip


COMMON = """
the of and a to in is you that it he was for on are as with his they I at be this have from or one had by word but not
what all were we when your can said there use an each which she do how their if will up other about out many then them
these so some her would make like him into time has look two more write go see number no way could people my than first
water been call who oil its now find long down day did get come made may part server query function integral protein
contract deadline painting
"""


def tutorial(prompt: str) -> float:
    """The scorer of the tutorial that this package started from, bugs included: the unit."""
    score, lower = 0.0, prompt.lower()
    if any(keyword in lower for keyword in _COMPLEX):
        score += 0.4
    if any(keyword in lower for keyword in _SIMPLE):
        score -= 0.2
    words = len(prompt.split())
    score += 0.3 if words > 500 else -0.1 if words < 50 else 0
    if "```" in prompt or re.search(r"\bdef \w+\b|\bclass \w+\b", prompt):
        score += 0.2
    if prompt.count("?") > 2:
        score += 0.1
    return max(0.0, min(1.0, score))


def prompts(words: int, count: int = 40) -> list[str]:
    """Prose of common English words, with marks and numbers in it."""
    rng, common = random.Random(words), COMMON.split()
    ends = ["", "", "", "", "", "", ",", ".", "?", ":"]
    return [
        " ".join(
            f"{rng.choice(common)}{rng.choice(ends)}" if rng.random() > 0.03 else str(rng.randint(1, 999))
            for _ in range(words)
        )
        for _ in range(count)
    ]


def microseconds(work: Callable[[str], object], texts: list[str]) -> float:
    began = time.thread_time_ns()
    for text in texts:
        work(text)
    return (time.thread_time_ns() - began) / len(texts) / 1_000


def paired(works: dict[str, Callable[[str], object]], texts: list[str], rounds: int) -> dict[str, tuple[float, float]]:
    """Per work (median microseconds, median ratio to the tutorial's scorer in the same round)."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(rounds):
        unit = microseconds(tutorial, texts)
        for name, work in works.items():
            took = microseconds(work, texts)
            seen[name].append((took, took / unit))
    return {name: (statistics.median(t for t, _ in s), statistics.median(r for _, r in s)) for name, s in seen.items()}


def conversation(turns: int, text: str) -> dict[str, Any]:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[place % 2], "content": f"{place} {text}"} for place in range(2 * turns - 1)]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    learned = LearnedScorer()
    learned.load()
    works: dict[str, Callable[[str], object]] = {
        "tutorial (A/A)": tutorial,
        "heuristic": HeuristicScorer(),
        "learned": learned,
    }
    print("one text never seen before: median CPU microseconds, and the ratio to the tutorial's scorer")
    print(f"{'words':>8}" + "".join(f"{name:>24}" for name in works))
    for words in LENGTHS:
        row = paired(works, prompts(words), max(5, rounds * 200 // max(words, 200)))
        print(f"{words:>8}" + "".join(f"{took:>14.1f} {ratio:>8.2f}x" for took, ratio in row.values()))
    print("\na conversation of n turns of 200 words: median CPU microseconds per call")
    print(f"{'turns':>8}{'ask':>12}{'size':>12}{'score, cold':>14}{'score, seen':>14}")
    text, cached = prompts(200, 1)[0], CachedScorer(learned)
    for turns in TURNS:
        body = conversation(turns, text)
        steps = (
            ask,
            estimate_tokens,
            lambda b: learned(ask(b)),
            lambda b: cached(ask(b)),
        )
        times = [statistics.median(_per_call(step, body) for _ in range(rounds)) for step in steps]
        print(
            f"{turns:>8}" + "".join(f"{took:>{width}.1f}" for took, width in zip(times, (12, 12, 14, 14), strict=True))
        )


def _per_call(work: Callable[[dict[str, Any]], object], body: dict[str, Any], calls: int = 20) -> float:
    began = time.thread_time_ns()
    for _ in range(calls):
        work(body)
    return (time.thread_time_ns() - began) / calls / 1_000


if __name__ == "__main__":
    main()
