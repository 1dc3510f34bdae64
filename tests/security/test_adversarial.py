"""T14: prompts crafted to be answered by the premium tier: however well they are crafted, the cap holds.

Gadgets are found with the scorer's own weights in hand, as by an attacker who has installed the package: words put
before or behind a prompt, chosen one after another for what they add to the scores of a few prompts, tried on others.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from importlib import resources
from statistics import fmean
from typing import Any

import pytest

from llm_router_middleware import Router, wrap
from llm_router_middleware.models.spec import Tier
from llm_router_middleware.scoring import LearnedScorer
from llm_router_middleware.testing import scripted_client

CAP, BURST = 0.2, 10
"""The share that may be premium, and how many may come ahead of it (`PremiumCap`)."""

LINES = (resources.files("llm_router_middleware.cli") / "demo" / "prompts.jsonl").read_text("utf-8").splitlines()
PROMPTS = [str(entry["prompt"]) for line in LINES if "prompt" in (entry := json.loads(line))]
SEEN, HELD_OUT = PROMPTS[::8], [prompt for place, prompt in enumerate(PROMPTS) if place % 8]
SCORER = LearnedScorer()

Gadget = Callable[[str], str]


def before(words: list[str]) -> Gadget:
    return lambda prompt: " ".join((*words, prompt))


def behind(words: list[str]) -> Gadget:
    return lambda prompt: " ".join((prompt, *words))


def around(words: list[str]) -> Gadget:
    half = len(words) // 2
    return lambda prompt: " ".join((*words[:half], prompt, *words[half:]))


PLACES = (before, behind, around)


def crafted(seed: int, *, length: int, choices: int) -> Gadget:
    """A gadget of so many words, each the best of so many that the weights know."""
    draw, place = random.Random(seed), PLACES[seed % 3]
    vocabulary = sorted(word for word in SCORER.load().table if word.isalpha())
    best = sorted(draw.sample(vocabulary, 40 * choices), key=lambda word: -SCORER(f"{SEEN[0]} {word}").score)
    words: list[str] = []
    for _ in range(length):
        options = [[*words, word] for word in draw.sample(best[: 4 * choices], choices)]
        words = max(options, key=lambda option: fmean(SCORER(place(option)(prompt)).score for prompt in SEEN[:4]))
    return place(words)


def upgraded(gadget: Gadget) -> float:
    """The share of prompts that were not premium and are with the gadget."""
    plain = [prompt for prompt in HELD_OUT if SCORER(prompt).tier is not Tier.PREMIUM]
    return fmean(SCORER(gadget(prompt)).tier is Tier.PREMIUM for prompt in plain)


def served(prompts: list[str]) -> list[Any]:
    """The events of these prompts, sent through a router with a cap."""
    events: list[Any] = []
    router = Router(scorer=SCORER, premium_cap=CAP, sinks=[events.append])
    with wrap(scripted_client("openai"), router=router) as client:
        for prompt in prompts:
            client.chat.completions.create(model="auto", messages=[{"role": "user", "content": prompt}])
    return events


def attack(gadgets: list[Gadget], prompts: int) -> None:
    rates = [upgraded(gadget) for gadget in gadgets]
    print(f"\nT14: {len(gadgets)} gadgets raise {min(rates):.0%} to {max(rates):.0%}, {fmean(rates):.0%} on average")
    assert max(rates) > 0.5, "the attack works; else the cap was not tried"
    strongest = [gadget for _, gadget in sorted(zip(rates, gadgets, strict=True), key=lambda pair: -pair[0])]
    flood = [gadget(prompt) for gadget in strongest[:5] for prompt in HELD_OUT]
    events = served((flood * (prompts // len(flood) + 1))[:prompts])
    premium = 0
    for number, event in enumerate(events, 1):
        premium += event.selected_model in PREMIUM
        assert premium <= CAP * number + BURST, f"after {number} calls"
    capped = [event for event in events if event.selection_reason == "budget_cap"]
    wanted = [event for event in events if event.complexity_tier == "premium"]
    assert len(wanted) == len(capped) + premium
    assert len(wanted) > 2 * CAP * len(events), "far more than the cap was asked for"


PREMIUM = {model.name for model in Router().registry if model.tier is Tier.PREMIUM}


def test_the_cap_holds_against_crafted_prompts() -> None:
    """After every call the premium share is within the cap and its burst; what was capped says so in its event."""
    attack([crafted(seed, length=8, choices=20) for seed in range(20)], 600)


@pytest.mark.nightly
def test_the_cap_holds_against_a_long_search() -> None:
    """The same at the long size."""
    attack([crafted(seed, length=12, choices=40) for seed in range(100)], 5_000)


def test_who_asks_for_little_premium_is_not_capped() -> None:
    """The defence costs innocent traffic nothing: where one call in ten is premium, none is answered lower."""
    by_tier = sorted(PROMPTS, key=lambda prompt: SCORER(prompt).score)
    mixed = [prompt for place in range(60) for prompt in (*by_tier[:9], by_tier[-1 - place % 5])]
    events = served(mixed)
    assert any(event.complexity_tier == "premium" for event in events)
    assert not [event for event in events if event.selection_reason == "budget_cap"]
