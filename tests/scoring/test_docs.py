"""What docs/scoring.md shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

from llm_router_middleware.models.spec import Tier
from llm_router_middleware.scoring import LearnedScorer, describe

PAGE = (Path(__file__).parents[2] / "docs" / "scoring.md").read_text("utf-8")


def test_the_example_prints_what_the_page_says() -> None:
    """The first example, to the letter."""
    code = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    prompt = re.findall(r'LearnedScorer\(\)\("(.*?)"\)', code)[0]
    score = LearnedScorer()(prompt)
    shown = eval(re.findall(r"^# (\(.*\))$", code, re.MULTILINE)[0], {"Tier": Tier})
    assert (score.tier, round(score.score, 2), score.signals) == shown
    said = " ".join(line.removeprefix("# ") for line in code.splitlines() if line.startswith("# "))
    assert describe(score) in said


def test_every_field_of_the_weights_and_every_signal_has_its_row() -> None:
    """Who brings his own weights finds each field described; who reads a log finds each signal."""
    import json
    import zlib
    from importlib import resources

    file = resources.files("llm_router_middleware.scoring") / "data" / "learned.json.z"
    document = json.loads(zlib.decompress(file.read_bytes()))
    assert [field for field in document if f"`{field}`" not in PAGE] == []
    for signal in ("kind", "gain", "for", "against", "words", "unsure"):
        assert f"`{signal}=" in PAGE
    for kind in document["kinds"]:
        assert kind in PAGE
