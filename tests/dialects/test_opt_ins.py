"""Losses by name: what a caller may allow, each of them used, documented and listed when it happens."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

import llm_router_middleware.dialects
from llm_router_middleware.dialects.parameters import OPT_INS
from llm_router_middleware.errors import RuledOutError
from tests.dialects.kit import (
    ANTHROPIC,
    CHAT,
    CLAUDE,
    GPT4,
    GROQ,
    LUNA,
    MESSAGES,
    OPENAI,
    QWEN,
    RESPONSES,
    SOL,
    USER,
    translate,
)

ROOT = Path(__file__).parents[2]
FOLDER = Path(llm_router_middleware.dialects.__file__).parent


def used() -> set[str]:
    """The names that the room's code takes a loss by: `losses.take(name, ...)`, and `lossy` rows of tables."""
    found: set[str] = set()
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("losses.take", "self._losses.take", "_lossy"):
                first = node.args[0]
                found |= {first.value} if isinstance(first, ast.Constant) else set()
            if isinstance(node, ast.keyword) and node.arg == "opt_in" and isinstance(node.value, ast.Constant):
                found.add(node.value.value)
    return found - {""}


def test_the_opt_ins_are_those_that_are_used_and_documented() -> None:
    """No name does nothing, and none is a secret."""
    text = (ROOT / "docs" / "translation.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `(\w+)` \| [^`]", text.split("| Opt-in |")[1].split("\n\n")[0], re.MULTILINE))
    assert used() == documented == OPT_INS


PDF = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}}
CASES: list[tuple[str, Any, Any, str, dict[str, Any], tuple[str, ...]]] = [
    (
        "sampling",
        OPENAI,
        ANTHROPIC,
        CLAUDE,
        {**CHAT, "top_p": 0.5, "presence_penalty": 1},
        ("top_p", "presence_penalty"),
    ),
    ("sampling", ANTHROPIC, OPENAI, SOL, {**MESSAGES, "temperature": 0.5, "top_k": 3}, ("top_k", "temperature")),
    ("sampling", GROQ, OPENAI, LUNA, {**CHAT, "frequency_penalty": 1}, ("frequency_penalty",)),
    ("sampling", OPENAI, GROQ, QWEN, {**CHAT, "frequency_penalty": 1}, ("frequency_penalty",)),
    ("stop_detail", ANTHROPIC, GROQ, QWEN, {**MESSAGES, "stop_sequences": ["END"]}, ("stop_sequences",)),
    ("message_name", OPENAI, ANTHROPIC, CLAUDE, {**CHAT, "messages": [{**USER, "name": "jo"}]}, ("messages[0].name",)),
    ("message_name", OPENAI, GROQ, QWEN, {**CHAT, "messages": [{**USER, "name": "jo"}]}, ("messages[0].name",)),
    ("reasoning_level", OPENAI, ANTHROPIC, CLAUDE, {**CHAT, "reasoning_effort": "minimal"}, ("reasoning_effort",)),
    ("reasoning_level", OPENAI, GROQ, QWEN, {**CHAT, "reasoning_effort": "minimal"}, ("reasoning_effort",)),
    (
        "reasoning_level",
        ANTHROPIC,
        OPENAI,
        LUNA,
        {**MESSAGES, "thinking": {"type": "disabled"}, "output_config": {"effort": "low"}},
        ("output_config",),
    ),
    (
        "reasoning_budget",
        ANTHROPIC,
        OPENAI,
        LUNA,
        {**MESSAGES, "thinking": {"type": "enabled", "budget_tokens": 2000}},
        ("thinking",),
    ),
    (
        "document_as_text",
        ANTHROPIC,
        OPENAI,
        GPT4,
        {**MESSAGES, "messages": [{"role": "user", "content": [PDF]}]},
        ("messages[0].content",),
    ),
    ("verbosity", OPENAI, ANTHROPIC, CLAUDE, {**CHAT, "verbosity": "low"}, ("verbosity",)),
    ("verbosity", OPENAI, RESPONSES, GPT4, {**CHAT, "verbosity": "low"}, ("verbosity",)),
]


@pytest.mark.parametrize(("name", "caller", "target", "model", "body", "dropped"), CASES)
def test_a_loss_needs_its_name_and_is_listed(
    name: str, caller: Any, target: Any, model: str, body: dict[str, Any], dropped: tuple[str, ...]
) -> None:
    """Without the opt-in the target is ruled out, whatever else is allowed; with it, what was lost is said."""
    with pytest.raises(RuledOutError):
        translate(caller, target, model, body, OPT_INS - {name})
    translation = translate(caller, target, model, body, {name})
    assert translation.dropped == dropped


def test_every_opt_in_has_a_case() -> None:
    """So that each is shown to work."""
    assert {case[0] for case in CASES} == OPT_INS
