"""Routing by environment alone: armed at the start of the interpreter, sprung when the first SDK is imported.

`llm-router run` puts the folder `path` on PYTHONPATH, whose `sitecustomize` calls `arm()`. A program that has a
`sitecustomize` of its own needs two lines in it::

    from llm_router_middleware import auto
    auto.arm()

Arming costs next to nothing, so that every child process can afford it: neither wrapt nor the rest of this package is
imported before an SDK is. Only then `LLM_ROUTER_ENABLED` is read; without it nothing at all happens.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

__all__ = ["arm"]

_SDKS = ("openai", "anthropic", "groq")
"""As in `intercept.sdk`, which is not imported for three words."""


def arm() -> None:
    """Routes the SDK clients of this process and of its forks, if `LLM_ROUTER_ENABLED` says so.

    May be called at any time and more than once: SDKs that are imported already are entered at once.
    """
    if any(name in sys.modules for name in _SDKS):
        _spring()
    elif not any(isinstance(finder, _Tripwire) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Tripwire())


class _Tripwire:
    """Stands first among the finders, finds nothing itself, and is gone with the first import of an SDK."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        if fullname not in _SDKS:
            return None
        # Another thread may have been first.
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not self]
        _spring()
        # From the start again: the hooks stand before the finders that this import is asking in turn.
        from importlib.util import find_spec

        return find_spec(fullname)


def _spring() -> None:
    try:
        from llm_router_middleware.settings.environment import is_enabled

        if is_enabled():
            from llm_router_middleware.intercept.ambient import bind_everywhere

            bind_everywhere()
    except Exception as error:  # noqa: BLE001 - fail open: whatever is wrong here, the program's own import goes on
        print(f"llm_router: not routed: {type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
