"""What a provider was asked: every request, as it came over the wire."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

__all__ = ["RecordedRequest", "Recorder"]


@dataclass(eq=False)
class RecordedRequest:
    """A request that reached a provider.

    Attributes:
        method: of HTTP.
        path: without the query.
        query: behind the question mark.
        headers: with lower-case names; of repeated ones the last.
        body: its bytes.
        monotonic: when it was complete, on the sandbox's clock, in seconds.
        number: 1 for the provider's first request.
        status: of the answer; None while there is none.
        ended: how the answer ended: "complete", "cut" (as the script wanted) or "abandoned" (by the client); None until
            then. The end may come a little after the client's own: `wait` for it.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    monotonic: float
    number: int
    status: int | None = field(default=None)
    ended: str | None = field(default=None)
    _over: threading.Event = field(default_factory=threading.Event, repr=False)

    def end(self, how: str) -> None:
        """Notes how the answer ended; the first note counts."""
        if not self._over.is_set():
            self.ended = how
            self._over.set()

    def wait(self, timeout_s: float) -> str | None:
        """Waits for the end of the answer.

        Args:
            timeout_s: seconds.

        Returns:
            How it ended; None when it has not.
        """
        self._over.wait(timeout_s)
        return self.ended

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def model(self) -> str:
        """The model that it names; an empty string when it names none."""
        model = self.json.get("model") if isinstance(self.json, dict) else None
        return model if isinstance(model, str) else ""

    @property
    def stream(self) -> bool:
        """Whether it asks for a stream."""
        return isinstance(self.json, dict) and bool(self.json.get("stream"))


class Recorder:
    """The requests of one provider, in order. Safe to read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[RecordedRequest] = []
        self._count = 0

    def add(self, method: str, target: str, headers: Mapping[str, str], body: bytes, now: float) -> RecordedRequest:
        """Records a request.

        Args:
            method: of HTTP.
            target: the path, with its query.
            headers: with lower-case names.
            body: its bytes.
            now: seconds, on the sandbox's clock.
        """
        path, _, query = target.partition("?")
        with self._lock:
            self._count += 1
            request = RecordedRequest(method, path, query, headers, body, now, self._count)
            self._requests.append(request)
        return request

    def snapshot(self) -> list[RecordedRequest]:
        """The requests so far."""
        with self._lock:
            return list(self._requests)

    def clear(self) -> None:
        """Forgets the requests. Their numbers go on."""
        with self._lock:
            self._requests.clear()
