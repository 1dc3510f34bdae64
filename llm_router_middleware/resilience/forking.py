"""Locks and forks: a lock that another thread held at the fork stays held in the child for ever."""

from __future__ import annotations

import os
import weakref
from typing import Protocol

__all__ = ["Renewable", "renew_after_fork"]


class Renewable(Protocol):
    """Owns a lock, and what is under way in this process."""

    def renew(self) -> None:
        """Takes a new lock and forgets what was under way: it belongs to the parent process."""


def renew_after_fork(owner: Renewable) -> None:
    """Has `owner.renew()` called in every process that is forked from this one, as long as the owner lives.

    Hooks can't be taken back, so what stays behind of a dead owner is one empty weak reference. Meant for the few
    objects that live as long as a router, not for one per key.
    """
    if not hasattr(os, "register_at_fork"):
        return  # Windows has no fork
    ref = weakref.ref(owner)

    def renew() -> None:
        living = ref()
        if living is not None:
            living.renew()

    os.register_at_fork(after_in_child=renew)
