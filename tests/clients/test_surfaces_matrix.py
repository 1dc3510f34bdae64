"""No endpoint of an SDK is unknown to us: a release that adds one fails here, before a user finds it unrouted."""

from __future__ import annotations

import pytest

from llm_router_middleware.intercept.sdk import SDKS
from tests.clients.surfaces import MATRIX, ROUTED, Route, routes


def takes_a_model(route: Route) -> bool:
    """Whether it is a place where another model could be named, or where a stream is read."""
    return route.method == "post" and (route.names_model or route.streams)


@pytest.mark.parametrize("sdk", sorted(MATRIX))
def test_every_endpoint_that_takes_a_model_is_in_the_matrix(sdk: str) -> None:
    """A `create`-like method that the matrix doesn't know is news, to be routed or to be given a reason."""
    unknown = {
        route.path: route.where for route in routes(sdk) if takes_a_model(route) and route.path not in MATRIX[sdk]
    }
    assert unknown == {}


@pytest.mark.parametrize("sdk", sorted(MATRIX))
def test_the_matrix_holds_what_the_door_knows(sdk: str) -> None:
    """What the matrix calls routed is what the door routes, and nothing else."""
    wanted = {path.partition("?")[0] for path, why in MATRIX[sdk].items() if why == ROUTED}
    assert wanted == set(SDKS[sdk].endpoints)


@pytest.mark.parametrize("sdk", sorted(MATRIX))
def test_routed_endpoints_exist(sdk: str) -> None:
    """The finder finds: each routed endpoint is a route of the installed SDK, with its stream."""
    streaming = {route.path.partition("?")[0] for route in routes(sdk) if route.streams}
    assert set(SDKS[sdk].endpoints) <= streaming


def test_a_new_create_like_method_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check can fail: forget one endpoint, and it is reported as unknown."""
    monkeypatch.setitem(MATRIX, "groq", {path: why for path, why in MATRIX["groq"].items() if "embeddings" not in path})
    with pytest.raises(AssertionError, match="embeddings"):
        test_every_endpoint_that_takes_a_model_is_in_the_matrix("groq")
