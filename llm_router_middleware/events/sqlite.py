"""Events in an SQLite database: one row per call, with the columns that reports ask for."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

from llm_router_middleware.events.encode import record, to_json
from llm_router_middleware.events.event import RoutingEvent
from llm_router_middleware.events.perprocess import PerProcess

__all__ = ["SqliteSink"]

_COLUMNS = {
    "request_id": "TEXT PRIMARY KEY",
    "timestamp": "REAL NOT NULL",
    "complexity_tier": "TEXT",
    "complexity_score": "REAL",
    "requested_model": "TEXT",
    "selected_provider": "TEXT",
    "selected_model": "TEXT",
    "served_model": "TEXT",
    "selection_reason": "TEXT",
    "success": "INTEGER",
    "error": "TEXT",
    "actual_latency_s": "REAL",
    "time_to_first_token_s": "REAL",
    "stream": "INTEGER",
    "cost_usd": "REAL",
    "baseline_cost_usd": "REAL",
    "savings_usd": "REAL",
    "policy_version": "TEXT",
    "schema_version": "INTEGER",
}
_DERIVED = {
    "attempts": "INTEGER",
    "input_tokens": "INTEGER",
    "output_tokens": "INTEGER",
    "cached_input_tokens": "INTEGER",
    "event": "TEXT NOT NULL",
}
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS routing_events (
    {", ".join(f"{name} {kind}" for name, kind in (_COLUMNS | _DERIVED).items())}
);
CREATE INDEX IF NOT EXISTS routing_events_time ON routing_events (timestamp);
CREATE INDEX IF NOT EXISTS routing_events_model ON routing_events (selected_provider, selected_model, timestamp);
CREATE INDEX IF NOT EXISTS routing_events_reason ON routing_events (selection_reason, timestamp);
"""
# A request id twice would be a bug of ours; the first one stands, and no call learns of it.
_INSERT = f"INSERT OR IGNORE INTO routing_events VALUES ({', '.join('?' * len(_COLUMNS | _DERIVED))})"  # noqa: S608 - marks only


class SqliteSink:
    """Writes each event as a row of `routing_events`; the whole event is in its column `event`, as JSON.

    In WAL mode, so that reports may read while programs write. A process that is killed loses nothing; a power cut may
    lose the last rows, never the database.

    Args:
        path: the database; it and its folders are made at the first event.
        timeout_s: seconds to wait for other writers before the event is given up.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout_s: float = 1.0) -> None:
        self.path = Path(path).expanduser().absolute()
        self._databases = PerProcess(lambda: _Database(self.path, timeout_s))

    def __call__(self, event: RoutingEvent) -> None:
        self._databases.get().insert(_row(record(event)))

    def close(self) -> None:
        """Closes the database; a later event opens it again."""
        self._databases.get().close()


class _Database:
    """One process's connection, shared by its threads under a lock."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def insert(self, row: tuple[Any, ...]) -> None:
        with self._lock:
            if self._connection is None:
                self._connection = self._connect()
            self._connection.execute(_INSERT, row)

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=self._timeout_s, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(_SCHEMA)
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _row(values: dict[str, Any]) -> tuple[Any, ...]:
    usage = values["usage"] or {}
    return (
        *(values[name] for name in _COLUMNS),
        len(values["attempts"]),
        usage.get("input_tokens"),
        usage.get("output_tokens"),
        usage.get("cached_input_tokens"),
        to_json(values),
    )
