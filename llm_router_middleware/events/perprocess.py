"""State that must not be shared across a fork: files and databases are opened anew in each process."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["PerProcess"]

T = TypeVar("T")


class PerProcess(Generic[T]):
    """One value per process, made when it is first asked for.

    What a parent process had is kept, untouched: closing it here would be felt there.

    Args:
        make: makes a value; must open nothing yet, since two threads may both make one, of which one is dropped.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._values: dict[int, T] = {}

    def get(self) -> T:
        """This process's value."""
        pid = os.getpid()
        value = self._values.get(pid)
        return self._values.setdefault(pid, self._make()) if value is None else value
