"""The prompts of the demo: the bundled ones, or those of a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

__all__ = ["Prompt", "PromptError", "bundled", "read"]

_ROLES = ("system", "user", "assistant")


class PromptError(ValueError):
    """A line is not a prompt. The message names the line and what is expected."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One conversation to be answered.

    Attributes:
        kind: what sort of prompt it is, for people.
        messages: role and text of each, the user's ask last.
        tools: functions on offer: name, description, parameters (a JSON schema).
    """

    kind: str
    messages: tuple[Mapping[str, str], ...]
    tools: tuple[Mapping[str, Any], ...] = ()

    @property
    def ask(self) -> str:
        """The text of the last message."""
        return self.messages[-1]["content"]


def bundled() -> list[Prompt]:
    """The prompts that ship with the package, written for it."""
    text = resources.files("llm_router_middleware.cli.demo").joinpath("prompts.jsonl").read_text(encoding="utf-8")
    return _parsed(text.splitlines(), "prompts.jsonl", as_json=True)


def read(path: Path) -> list[Prompt]:
    """The prompts of a file: JSON lines with `prompt` or `messages` (and `tools`, `kind`), or plain text, one a line.

    Args:
        path: the file; JSON if its name ends in .jsonl or .json, or if its first line is a JSON object.

    Raises:
        OSError: it can't be read.
        PromptError: a line in it is not a prompt, or there is none.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise PromptError(f"{path}: not a text in UTF-8") from error
    first = next((line for line in lines if line.strip()), "")
    found = _parsed(lines, str(path), as_json=path.suffix in (".jsonl", ".json") or first.lstrip().startswith("{"))
    if not found:
        raise PromptError(f"{path}: no prompts in it")
    return found


def _parsed(lines: Iterable[str], name: str, *, as_json: bool) -> list[Prompt]:
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            found.append(_row(line, f"{name}:{number}") if as_json else _single("text", line.strip()))
    return found


def _row(line: str, place: str) -> Prompt:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise PromptError(f"{place}: not JSON ({error})") from error
    if not isinstance(row, dict):
        raise PromptError(f"{place}: expected an object with 'prompt' or 'messages'")
    kind = str(row.get("kind", "prompt"))
    if isinstance(row.get("prompt"), str) and row["prompt"].strip():
        return _single(kind, row["prompt"])
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages or not all(map(_is_message, messages)):
        raise PromptError(f"{place}: expected 'prompt' (text), or 'messages' with a role and a text each")
    if messages[-1]["role"] != "user":
        raise PromptError(f"{place}: the last message must be the user's")
    return Prompt(kind, tuple(messages), _tools(row.get("tools", []), place))


def _single(kind: str, text: str) -> Prompt:
    return Prompt(kind, ({"role": "user", "content": text},))


def _is_message(message: Any) -> bool:
    return isinstance(message, dict) and message.get("role") in _ROLES and isinstance(message.get("content"), str)


def _tools(tools: Any, place: str) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(tools, list) or not all(isinstance(t, dict) and isinstance(t.get("name"), str) for t in tools):
        raise PromptError(f"{place}: expected 'tools' as a list of objects with name, description and parameters")
    return tuple(tools)
