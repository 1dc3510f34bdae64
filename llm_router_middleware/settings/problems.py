"""Turns pydantic's findings into one clear sentence: the key as the user wrote it, the value, and what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from llm_router_middleware.errors import ConfigurationError

__all__ = ["did_you_mean", "explain_problems"]

Place = Callable[[tuple[str, ...]], str]
"""From a key's path to the words the user knows it by."""

_UNSHOWN = ("api_key_env", "base_url")
"""What stands here by mistake may be a key."""

_ALLOWED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "path_type": "a path",
}


def explain_problems(error: ValidationError, place: Place, names: Callable[[Sequence[str]], list[str]]) -> str:
    """Every problem of a configuration, one a line.

    Args:
        error: what pydantic found.
        place: names a key as the user wrote it.
        names: the keys that are allowed in the table at a path.
    """
    lines = [_line(problem, place, names) for problem in error.errors(include_url=False)]
    return "\n".join(dict.fromkeys(lines))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean X?`, or an empty string when nothing is close."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.7)
    return f"did you mean {close[0]}?" if close else ""


def _line(problem: Any, place: Place, names: Callable[[Sequence[str]], list[str]]) -> str:
    # Tags of a union stand in pointed brackets; nobody wrote them.
    path = tuple(str(step) for step in problem["loc"] if not str(step).startswith("<"))
    kind, context = problem["type"], problem.get("ctx", {})
    if isinstance(context.get("error"), ConfigurationError):
        return _several_keys(str(context["error"]), place)
    if kind == "missing":
        return f"{place(path)} is missing"
    if kind == "extra_forbidden":
        known = names(path[:-1])
        return f"{place(path)} is not a setting: {did_you_mean(path[-1], known) or 'expected ' + ', '.join(known)}"
    value = "" if path[-1] in _UNSHOWN else f"={_shown(problem['input'])}"
    return f"{place(path)}{value}: expected {_allowed(kind, context, problem['msg'])}"


def _several_keys(message: str, place: Place) -> str:
    """A rule about several keys names the first of them at its beginning: `key=value: ...`."""
    key, equals, rest = message.partition("=")
    return f"{place(tuple(key.split('.')))}={rest}" if equals and key.replace(".", "_").isidentifier() else message


def _allowed(kind: str, context: dict[str, Any], message: str) -> str:
    if kind in ("literal_error", "enum"):
        return f"one of {context['expected']}"
    for bound, words in (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than")):
        if bound in context:
            return f"{words} {context[bound]:g}"
    return _ALLOWED.get(kind) or message.removeprefix("Value error, ")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
