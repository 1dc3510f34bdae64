"""How big a prompt is: an estimate, cheap enough for every call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["estimate_tokens"]

_BYTES_PER_TOKEN = 4
"""UTF-8 bytes of a token: 4 for English, about right for other scripts once counted in bytes."""

_PER_MESSAGE = 4
"""Tokens that a chat template adds around a message (OpenAI's cookbook counts 3 and a role)."""

_SAMPLE = 512
"""Characters from which the bytes per character of a non-ASCII text are taken."""

_NODES = 50_000
"""Values of a body that are looked at. What lies beyond (or goes round in circles) isn't counted."""

_FLAT = {
    "image_url": 1_000,
    "input_image": 1_000,
    "image": 1_000,
    "input_audio": 1_000,
    "file": 2_000,
    "input_file": 2_000,
    "document": 2_000,
}
"""Tokens of a part that isn't text: providers bill an image at 765 to 1,600, a PDF page at 1,500 to 3,000."""

_PROMPT_KEYS = ("system", "instructions", "messages", "input", "tools", "functions", "response_format", "text")


def estimate_tokens(body: Mapping[str, Any] | None) -> int:
    """Estimates the tokens of the whole prompt: system prompt, tools and history included, images at a flat rate.

    Args:
        body: the request's JSON body, of any dialect.

    Returns:
        tokens, 0 for an empty prompt. Never raises; bounded for cyclic, deep and huge bodies.
    """
    try:
        return _estimate(body)
    except Exception:  # noqa: BLE001 - fail-open fence: foreign objects may raise from any property
        return 0


def _estimate(body: Any) -> int:
    if not isinstance(body, Mapping):
        return 0
    tokens, nested = 0.0, list[Any]()
    for key in _PROMPT_KEYS:
        value = body.get(key)
        if type(value) is list and key in ("messages", "input"):
            tokens += _plain_messages(value[:_NODES], nested)
        elif value is not None:
            nested.append(value)
    return int(tokens + _walk(nested)) if tokens or nested else 0


def _plain_messages(messages: Sequence[Any], nested: list[Any]) -> float:
    """Counts messages with a plain string, the bulk of a history; leaves everything else for the walk."""
    tokens: float = _PER_MESSAGE * len(messages)
    for message in messages:
        if type(message) is dict and type(content := message.get("content")) is str:
            tokens += len(content) / _BYTES_PER_TOKEN if content.isascii() else _text_tokens(content)
            if len(message) > 2 and (calls := message.get("tool_calls")):
                nested.append(calls)
        else:
            nested.append(message)
    return tokens


def _walk(stack: list[Any]) -> float:
    tokens, left = 0.0, _NODES
    while stack and left > 0:
        value = stack.pop()
        left -= 1
        if isinstance(value, str):
            tokens += _text_tokens(value)
            continue
        if not isinstance(value, Mapping | list | tuple):
            value = getattr(value, "__dict__", None) or ()
        if isinstance(value, Mapping) and (flat := _flat(value)):
            tokens += flat
            continue
        children = list(value.values() if isinstance(value, Mapping) else value)[:left]
        left -= len(children)
        stack += children
        tokens += len(children) if isinstance(value, Mapping) else 0
    return tokens


def _flat(part: Mapping[Any, Any]) -> int:
    kind = part.get("type")
    return _FLAT.get(kind, 0) if isinstance(kind, str) else 0


def _text_tokens(text: str) -> float:
    if text.isascii():
        return len(text) / _BYTES_PER_TOKEN
    sample = text[:_SAMPLE]
    return len(text) * len(sample.encode("utf-8", "replace")) / (len(sample) * _BYTES_PER_TOKEN)
