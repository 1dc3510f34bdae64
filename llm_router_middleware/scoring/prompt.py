"""What text counts: the last real ask of the user, and the estimated size of the whole prompt.

A body is read by structure, not by dialect: chat `messages` (OpenAI, Groq), Anthropic's `messages` with blocks, and the
`input` of responses. Only a user's own words count; system prompts, tools, tool results and what a harness
injects between tags are never part of the ask.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from llm_router_middleware.scoring.replies import is_approval, leans_on_context
from llm_router_middleware.scoring.size import estimate_tokens

__all__ = ["ask", "estimate_tokens"]

_CAP = 64_000
"""Characters of one ask that are looked at: half from the head, half from the tail."""

_FOLLOW_UPS = 3
"""How many follow-ups ("make it faster") are read together with the ask that they lean on."""

_TEXT_TYPES = frozenset({"text", "input_text"})

_HARNESS = re.compile(
    r"<(system-reminder|system_reminder|environment_details|environment_context|user_instructions|"
    r"local-command-stdout|local-command-stderr|local-command-caveat|command-name|command-message|"
    r"ide_selection|ide_opened_file|ide_diagnostics|task-notification|user-prompt-submit-hook|user_info|"
    r"project_layout|git_status|attached_files|open_and_recently_viewed_files|additional_data)(?: [^<>]{0,200})?>"
)


def ask(body: Mapping[str, Any] | None) -> str:
    """Returns the text to score: what the user last asked, in his own words.

    An approval ("yes, do it") inherits the ask that it approves; a short follow-up that leans on context ("make it
    faster") is read together with the ask before it; inside a tool loop, the ask that began the loop counts.

    Args:
        body: the request's JSON body, of any dialect.

    Returns:
        the ask, at most about 64,000 characters (head and tail) for each message; "" when there is none. Never raises.
    """
    try:
        return _ask(_conversation(body))
    except Exception:  # noqa: BLE001 - fail-open fence: foreign objects may raise from any property
        return ""


def _ask(items: str | Sequence[Any]) -> str:
    if isinstance(items, str):
        return _own_words(items)
    follow_ups: list[str] = []
    approved = ""
    for item in reversed(items):
        role = field(item, "role")
        if role == "assistant" and not approved:
            approved = _text(item)
        if role != "user":
            continue
        text = _text(item)
        if not text or is_approval(text):
            continue
        if not leans_on_context(text):
            return "\n".join([text, *reversed(follow_ups)])
        if len(follow_ups) < _FOLLOW_UPS:
            follow_ups.append(text)
    return "\n".join(reversed(follow_ups)) or _last_resort(items, approved)


def _last_resort(items: Sequence[Any], approved: str) -> str:
    """Nothing but approvals: the plan that was approved or, without one, the approval itself."""
    if approved:
        return approved
    return next((text for item in reversed(items) if field(item, "role") == "user" and (text := _text(item))), "")


def _conversation(body: Any) -> str | Sequence[Any]:
    for name in ("messages", "input"):
        value = field(body, name)
        if isinstance(value, str | list | tuple):
            return value
    return ()


def field(item: Any, name: str) -> Any:
    """Reads one field of a dict, another mapping, or an SDK's object."""
    if type(item) is dict:
        return item.get(name)
    if isinstance(item, Mapping):
        return item.get(name)
    return getattr(item, name, None)


def _text(item: Any) -> str:
    content = field(item, "content")
    if isinstance(content, str):
        return _own_words(content)
    if not isinstance(content, list | tuple):
        return ""
    parts = (_own_words(text) for part in _ends(content) if (text := _part_text(part)))
    return _bounded("\n".join(filter(None, parts)))


def _part_text(part: Any) -> str:
    if isinstance(part, str):
        return part
    text = field(part, "text") if field(part, "type") in _TEXT_TYPES else None
    return text if isinstance(text, str) else ""


def _ends(parts: Sequence[Any], most: int = 256) -> Sequence[Any]:
    """The first and last parts of a content list that is longer than anybody writes."""
    return parts if len(parts) <= 2 * most else [*parts[:most], *parts[-most:]]


def _own_words(text: str) -> str:
    text = _bounded(text)
    return (_without_harness(text) if "<" in text else text).strip()


def _bounded(text: str) -> str:
    return text if len(text) <= _CAP else f"{text[: _CAP // 2]}\n{text[-_CAP // 2 :]}"


def _without_harness(text: str) -> str:
    """Cuts out closed harness blocks, in one pass: an unclosed tag ends the search, so hostile text stays linear."""
    kept, start = [], 0
    while opening := _HARNESS.search(text, start):
        closing = f"</{opening[1]}>"
        end = text.find(closing, opening.end())
        if end < 0:
            break
        kept.append(text[start : opening.start()])
        start = end + len(closing)
    kept.append(text[start:])
    return "".join(kept)
