"""Identifiers: those that travel in histories must be legal on every wire, and the same each time."""

from __future__ import annotations

import base64
import hashlib
import re

from llm_router_middleware.errors import RuledOutError

__all__ = ["answer_id", "call_id", "pseudonym", "tool_name"]

_CALL_ID = re.compile(r"[A-Za-z0-9_-]{1,40}\Z")
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_PREFIXES = re.compile(r"^(?:chatcmpl-|msg_|resp_)+")


def call_id(identifier: str) -> str:
    """The id of a tool call, as every wire takes it: Anthropic forbids most characters, OpenAI more than 40 of them.

    Depends on nothing but the id, so that a call and its result, in this turn and in every later one, still agree.
    """
    if _CALL_ID.match(identifier):
        return identifier
    digest = hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).digest()
    return "call_" + base64.b32encode(digest).decode("ascii").lower()[:24]


def answer_id(prefix: str, identifier: str) -> str:
    """The id of an answer in the caller's form, with the provider's own id in it."""
    return prefix + _PREFIXES.sub("", identifier)


def tool_name(name: str) -> str:
    """The name of a tool, if every wire takes it.

    Raises:
        RuledOutError: it is longer than 64 characters, or has others than letters, digits, "_" and "-".
    """
    if not _TOOL_NAME.match(name):
        raise RuledOutError("tools", f"the tool name {name[:80]!r} is not legal on every wire")
    return name


def pseudonym(user: str) -> str:
    """An identifier of the caller's user for another provider: stable, and not his name."""
    return hashlib.sha256(b"llm-router:" + user.encode("utf-8", "surrogatepass")).hexdigest()[:32]
