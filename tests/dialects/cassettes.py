"""Recorded traffic of the three providers, where it lies beside the repository; it is never part of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llm_router_middleware.dialects.sse import DONE, SseDecoder

FOLDER = Path(__file__).parents[2].parent / "shared" / "cassettes"
WIRES = {
    ("openai", "chat.completions"): "openai_chat",
    ("groq", "chat.completions"): "groq_chat",
    ("anthropic", "messages"): "anthropic_messages",
    ("openai", "responses"): "openai_responses",
}
needs_cassettes = pytest.mark.skipif(
    not (FOLDER / "index.jsonl").exists(), reason=f"no recorded traffic at {FOLDER}: it is not part of the repository"
)


@dataclass(frozen=True)
class Cassette:
    """One recorded exchange."""

    id: str
    wire: str
    stream: bool
    kind: str
    features: frozenset[str]
    file: Path

    def load(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.file.read_text("utf-8"))
        return loaded

    def __str__(self) -> str:
        return self.id


def cassettes(*, stream: bool | None = None, status: int = 200) -> list[Cassette]:
    """The recorded exchanges that a dialect knows; none where there is no recorded traffic."""
    index = FOLDER / "index.jsonl"
    rows = [json.loads(line) for line in index.read_text("utf-8").splitlines()] if index.exists() else []
    return [
        Cassette(
            row["id"],
            WIRES[row["provider"], row["api"]],
            row["stream"],
            row["kind"],
            frozenset(row["features"]),
            FOLDER / row["file"],
        )
        for row in rows
        if (row["provider"], row["api"]) in WIRES and row["status"] == status and stream in (None, row["stream"])
    ]


def raw_of(response: dict[str, Any]) -> bytes:
    """A recorded stream as bytes."""
    recorded = response["sse"]
    return recorded.encode("utf-8") if isinstance(recorded, str) else b"".join(r.encode("utf-8") for r in recorded)


def events_of(raw: bytes) -> list[tuple[str | None, Any]]:
    """Its events; the end of chat chunks as the text that it is."""
    decoder = SseDecoder()
    decoded = [*decoder.feed(raw), *decoder.end()]
    return [(name, data if data.strip() == DONE else _json(data)) for name, data in decoded]


def _json(data: str) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = json.loads(data)
    except ValueError:  # the last event of a stream that was cut
        return {}
    return loaded
