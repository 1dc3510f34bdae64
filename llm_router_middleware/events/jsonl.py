"""Events in a file, one JSON line each, appended by any number of threads and processes."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llm_router_middleware.events.encode import line
from llm_router_middleware.events.event import RoutingEvent
from llm_router_middleware.events.perprocess import PerProcess

__all__ = ["JsonlSink"]

_MIB = 1024 * 1024


class JsonlSink:
    """Appends each event to a file as one whole line.

    The file is opened anew when somebody has moved or removed it (logrotate), and in every forked process. When it is
    full it becomes `<name>.1`, in place of an older one, so that no more than twice `max_bytes` are kept.

    Args:
        path: the file; it and its folders are made at the first event, for its owner alone.
        max_bytes: when the file is full; None for never.
    """

    def __init__(self, path: str | os.PathLike[str], *, max_bytes: int | None = 256 * _MIB) -> None:
        self.path = Path(path).expanduser().absolute()
        self._files = PerProcess(lambda: _File(self.path, max_bytes))

    def __call__(self, event: RoutingEvent) -> None:
        self._files.get().append(line(event).encode("ascii") + b"\n")

    def close(self) -> None:
        """Closes the file; a later event opens it again."""
        self._files.get().close()


class _File:
    """One process's view of the file. Its lock holds off threads, the file's own lock other processes' rotation."""

    def __init__(self, path: Path, max_bytes: int | None) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._fd = -1

    def append(self, data: bytes) -> None:
        with self._lock:
            while True:
                self._open()
                with _held(self._fd, exclusive=False):
                    if self._is_current():
                        full = self._write(data)
                        break
                self._close()
            if full:
                self._rotate()

    def close(self) -> None:
        with self._lock:
            self._close()

    def _open(self) -> None:
        if self._fd < 0:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
            self._fd = os.open(self._path, flags, 0o600)
            self._mend()

    def _mend(self) -> None:
        """Ends a line that a killed process has left half written, so that ours is whole."""
        with _held(self._fd, exclusive=True):
            size = os.lseek(self._fd, 0, os.SEEK_END)
            if size:
                os.lseek(self._fd, size - 1, os.SEEK_SET)
                if os.read(self._fd, 1) != b"\n":
                    os.write(self._fd, b"\n")

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _is_current(self) -> bool:
        """Whether the open file is still the one at the path."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(self._fd))

    def _write(self, data: bytes) -> bool:
        """One write, so that lines of several processes never mix. Whether the file is full now."""
        written = os.write(self._fd, data)
        if written < len(data):
            # A full disk: what was begun is ended, so that the next line is whole again.
            os.write(self._fd, b"\n")
            raise OSError("the line was cut short")
        return self._max_bytes is not None and os.fstat(self._fd).st_size >= self._max_bytes

    def _rotate(self) -> None:
        with _held(self._fd, exclusive=True):
            # Another process may have been first.
            if self._is_current():
                os.replace(self._path, self._path.with_name(self._path.name + ".1"))
        self._close()


@contextmanager
def _held(fd: int, *, exclusive: bool) -> Iterator[None]:
    """Holds the file's advisory lock: many may write, one alone may rotate. No-op where there is no such lock."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    fcntl.flock(fd, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
    try:
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)
