"""A pytest plugin: of the call-form table, the forms that the installed SDK's version has."""

from __future__ import annotations

import operator
from typing import Any

import pytest

NEEDS = {
    "stream_helper": "chat.completions.stream",
    "parse": "chat.completions.parse",
    "raw_parse": "chat.completions.with_raw_response.parse",
    "responses_create": "responses.create",
    "responses_stream": "responses.create",
    "responses_helper": "responses.stream",
    "responses_parse": "responses.parse",
    "responses_raw": "responses.with_raw_response.create",
    "messages_parse": "messages.parse",
    "beta_create": "beta.messages.create",
    "beta_stream_helper": "beta.messages.stream",
    "beta_parse": "beta.messages.parse",
    "tool_runner": "beta.messages.tool_runner",
}
"""The method that a form needs, where it is younger than the oldest version supported."""

_CLIENTS = {"openai": "OpenAI", "anthropic": "Anthropic", "groq": "Groq"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips the forms that a bare client of this version has not."""
    for item in items:
        form = getattr(item, "callspec", None) and item.callspec.params.get("form")  # type: ignore[attr-defined]
        needed = NEEDS.get(form.name) if form is not None else None
        if needed is not None and not _has(form.sdk, needed):
            item.add_marker(pytest.mark.skip(reason=f"this version of {form.sdk} has no {needed}"))


def _has(sdk: str, path: str) -> bool:
    module: Any = __import__(sdk)
    client = getattr(module, _CLIENTS[sdk])(api_key="k")
    try:
        operator.attrgetter(path)(client)
    except AttributeError:
        return False
    else:
        return True
    finally:
        client.close()
