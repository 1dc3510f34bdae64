"""Changes to a configuration file that a person can review: its own lines stay as they are."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from difflib import unified_diff
from typing import Any

from llm_router_middleware.errors import ConfigurationError

__all__ = ["diff", "with_values"]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def with_values(text: str, values: Mapping[str, Any]) -> str:
    """The file with some of its top-level keys set; comments and everything else untouched.

    Args:
        text: the TOML file.
        values: numbers, strings, or flat tables of them, by top-level key.

    Raises:
        ConfigurationError: the file isn't TOML, or it writes one of the keys in a way that must be changed by hand.
    """
    before = _parsed(text)
    # TOML breaks lines at LF only; `splitlines` knows more line ends, and some may stand inside a string.
    lines = [line for line in re.split(r"(?<=\n)", text) if line]
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    for key, value in values.items():
        written = f"{key} = {_toml(value)}\n"
        end = next((at for at, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
        place = next((at for at in range(end) if re.match(rf"\s*{re.escape(key)}\s*=", lines[at])), None)
        if place is None:
            lines.insert(_after_keys(lines, end), written)
        else:
            lines[place] = written
    edited = "".join(lines)
    if _parsed(edited, edited=True) != {**before, **_parsed("".join(f"{k} = {_toml(v)}\n" for k, v in values.items()))}:
        raise ConfigurationError(_by_hand(values))
    return edited


def diff(before: str, after: str, name: str) -> str:
    """What changes, line by line, as a unified diff; "" for no change."""
    lines = unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _after_keys(lines: list[str], end: int) -> int:
    """Where a new key goes: behind the last top-level line that isn't blank."""
    return next((at + 1 for at in range(end - 1, -1, -1) if lines[at].strip()), 0)


def _parsed(text: str, *, edited: bool = False) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what = "the edited file wouldn't be TOML: change it by hand" if edited else "the file isn't TOML"
        raise ConfigurationError(f"{what}: {error}") from error


def _by_hand(values: Mapping[str, Any]) -> str:
    lines = "\n".join(f"{key} = {_toml(value)}" for key, value in values.items())
    return (
        f"the file's way to write these keys can't be changed safely; set them by hand, above the first table:\n{lines}"
    )


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(name)} = {_toml(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, str):
        return '"' + "".join(_escaped(letter) for letter in value) + '"'
    return f"{float(value):.6g}" if isinstance(value, float) else str(value).lower()


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _toml(name)


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x20 or ord(letter) == 0x7F else letter
