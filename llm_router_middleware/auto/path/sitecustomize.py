"""Put on PYTHONPATH by `llm-router run`: arms the router, then runs the `sitecustomize` that this one shadows."""

import os
import sys
from importlib.machinery import PathFinder


def _arm() -> None:
    try:
        from llm_router_middleware import auto
    except ModuleNotFoundError:
        # A child process with another interpreter, where the package is not installed: none of our business.
        return
    auto.arm()


def _chain() -> None:
    """Only what stands behind us on the path: whoever stands before us has called us, or will be called by nobody."""
    here = os.path.dirname(os.path.abspath(__file__))
    places = [os.path.abspath(place) for place in sys.path]
    behind = sys.path[places.index(here) + 1 :] if here in places else []
    spec = PathFinder.find_spec("sitecustomize", behind)
    if spec is None or spec.loader is None:
        return
    from importlib.util import module_from_spec

    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


_arm()
_chain()
