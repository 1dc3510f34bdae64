"""What the commands know of the world: the configured registry, and whose keys are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from llm_router_middleware.cli import show
from llm_router_middleware.errors import ConfigurationError

if TYPE_CHECKING:
    from llm_router_middleware.models.registry import ModelRegistry
    from llm_router_middleware.settings import RouterSettings

__all__ = ["registry", "settings", "tiers_by_key"]


def settings(environ: Mapping[str, str] | None = None) -> RouterSettings:
    """The configuration, or the end of the command with the reason why there is none.

    Args:
        environ: the environment to read; this process's own when None.
    """
    from llm_router_middleware.settings import RouterSettings

    try:
        return RouterSettings.load(environ=environ)
    except ConfigurationError as error:
        show.fail(str(error))


def registry(configured: RouterSettings) -> ModelRegistry:
    """The models that the configuration names, or today's; or the end of the command."""
    from llm_router_middleware.parts import registry_of

    try:
        return registry_of(None, configured)
    except ConfigurationError as error:
        show.fail(str(error))


def tiers_by_key() -> Callable[[str, str], str | None]:
    """The tier of (provider, model), as the configuration has it."""
    known = registry(settings())

    def tier_of(provider: str, model: str) -> str | None:
        spec = known.find(provider, model)
        return None if spec is None else str(spec.tier)

    return tier_of
