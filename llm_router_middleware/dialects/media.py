"""Images and documents: what they are by their bytes, and how each dialect encloses them."""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

from llm_router_middleware.errors import RuledOutError

__all__ = ["Enclosed", "parse_data_url", "size_of_image_url", "sniff"]

_DATA_URL = re.compile(r"data:(?P<type>[^;,]*)(?:;[^;,]*)*;base64,", re.ASCII)
_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_ALIASES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
_HEAD = 32


class Enclosed(NamedTuple):
    """Bytes that are sent along.

    Attributes:
        media_type: what they are.
        data: they themselves, in base64.
    """

    media_type: str
    data: str


def parse_data_url(url: str) -> Enclosed | None:
    """Takes a base64 data URL apart; None for every other URL. The bytes decide what they are, not the label."""
    match = _DATA_URL.match(url)
    if match is None:
        return None
    data = url[match.end() :]
    label = match["type"].lower()
    return Enclosed(sniff(data) or _ALIASES.get(label, label), data)


def sniff(data: str) -> str | None:
    """The media type of base64 data by its first bytes; None if they say nothing.

    Raises:
        RuledOutError: it is not base64.
    """
    try:
        head = base64.b64decode(data[:_HEAD], validate=True)
    except (binascii.Error, ValueError):
        raise RuledOutError("messages", "the data of an image or document is not base64") from None
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)


def size_of_image_url(url: str) -> int:
    """The bytes that a data URL encloses, about; 0 for a URL that is fetched."""
    return len(url.partition(",")[2]) * 3 // 4 if url.startswith("data:") else 0
