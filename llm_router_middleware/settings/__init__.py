"""The only reader of the environment and of llm_router.toml.

`switches`, `credentials` and `present_keys` need the standard library only; pydantic is imported with `RouterSettings`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_router_middleware.settings.environment import (
    Credentials,
    Switches,
    credentials,
    present_keys,
    switches,
)

if TYPE_CHECKING:
    from llm_router_middleware.settings.schema import RouterSettings

__all__ = ["Credentials", "RouterSettings", "Switches", "credentials", "present_keys", "switches"]


def __getattr__(name: str) -> Any:
    if name == "RouterSettings":
        from llm_router_middleware.settings.schema import RouterSettings

        return RouterSettings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
