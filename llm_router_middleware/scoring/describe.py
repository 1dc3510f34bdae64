"""A score in a sentence, for people."""

from __future__ import annotations

from llm_router_middleware.scoring.base import ComplexityScore

__all__ = ["describe"]

_KINDS = {
    "question": "a short question",
    "exam": "an exam question",
    "word_problem": "a word problem",
    "math": "mathematics",
    "code": "code",
    "writing": "writing or small talk",
    "transform": "a change to a given text",
    "explain": "an explanation",
    "reasoning": "a puzzle",
    "expert": "a question for an expert",
}

_UNSURE = {
    "language": "it isn't in English, so only its length was scored",
    "vocabulary": "most of its words are unknown",
    "kind": "no kind of task stands out",
    "no_text": "there is no text to score",
}


def describe(score: ComplexityScore) -> str:
    """Says in plain words what a score rests on.

    Args:
        score: of any scorer; signals that aren't the learned scorer's are listed by name.

    Returns:
        one or two sentences: "Looks like code, 9 words; a strong model is expected to do 28 in 100 such prompts better.
        Raised by rust. Score 0.84: premium."
    """
    pairs = (signal.split("=", 1) for signal in score.signals if "=" in signal)
    named = {name: value for name, value in pairs}  # noqa: C416 - pyright can't see that each list is a pair
    parts = [sentence for sentence in (_looks(named), _words(named), _unsure(named)) if sentence]
    if plain := [signal.replace("_", " ") for signal in score.signals if "=" not in signal]:
        parts.append(f"Seen: {', '.join(plain)}.")
    return " ".join([*parts, f"Score {score.score:.2f}: {score.tier}."])


def _looks(named: dict[str, str]) -> str:
    if "kind" not in named:
        return ""
    kind, length = _KINDS.get(named["kind"], named["kind"]), named.get("words", "?")
    sentence = f"Looks like {kind}, {length} word{'' if length == '1' else 's'}"
    gain = round(100 * float(named.get("gain", "0")))
    if gain > 0:
        return f"{sentence}; a strong model is expected to do {gain} in 100 such prompts better."
    return f"{sentence}; a strong model is expected to do such prompts no better."


def _words(named: dict[str, str]) -> str:
    said = [
        f"{verb} by {named[name].replace(',', ', ')}"
        for name, verb in (("for", "raised"), ("against", "lowered"))
        if name in named
    ]
    return f"{'; '.join(said).capitalize()}." if said else ""


def _unsure(named: dict[str, str]) -> str:
    if "unsure" not in named:
        return ""
    return f"Unsure, so a step up: {_UNSURE.get(named['unsure'], named['unsure'])}."
