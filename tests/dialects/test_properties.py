"""There and back again, cut anywhere, interleaved in any way: the properties, and the mutants that they kill."""

from __future__ import annotations

import pytest

from tests.dialects.mutants import MUTANTS
from tests.dialects.properties import PROPERTIES, hold
from tests.dialects.rooms import Mutant, room

EXAMPLES, MANY, KILLING = 120, 3_000, 2_000


REQUESTS = ("chat_request", "claude_request")


@pytest.mark.parametrize("name", REQUESTS)
def test_case_100_a_random_request_goes_there_and_back_or_is_ruled_out_by_name(name: str) -> None:
    """It says the same on both wires; and nothing is ruled out that could have been carried."""
    with room() as fresh:
        hold(name, fresh, EXAMPLES)


@pytest.mark.parametrize("name", [name for name in PROPERTIES if name not in REQUESTS])
def test_property(name: str) -> None:
    """It holds of the room as it is."""
    with room() as fresh:
        hold(name, fresh, EXAMPLES)


@pytest.mark.nightly
@pytest.mark.parametrize("name", PROPERTIES)
def test_property_at_length(name: str) -> None:
    """The same, with many more examples."""
    with room() as fresh:
        hold(name, fresh, MANY)


@pytest.mark.parametrize(("name", "mutant"), MUTANTS, ids=str)
def test_the_properties_kill(name: str, mutant: Mutant) -> None:
    """Each of these bugs is noticed."""
    with room(mutant) as changed, pytest.raises(Exception):  # noqa: B017, PT011 - a mutant may die of anything
        hold(name, changed, KILLING, shrink=False)
