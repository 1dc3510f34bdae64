"""numpy, for those who evaluate: routing itself never needs it."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from llm_router_middleware.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

__all__ = ["numpy"]


def numpy() -> ModuleType:
    """Imports numpy at the first use.

    Raises:
        ConfigurationError: it isn't installed.
    """
    try:
        import numpy
    except ImportError:
        raise ConfigurationError("evaluation needs numpy: pip install 'llm-router-middleware[evaluation]'") from None
    return numpy
