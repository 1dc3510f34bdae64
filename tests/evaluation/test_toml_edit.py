"""Changes to a configuration file: the values and nothing else."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.evaluation.toml_edit import diff, with_values

FILE = """# our router
scorer = "learned"   # the default

# thresholds of last month
mid_threshold = 0.4

[breaker]
failure_threshold = 5  # mid_threshold = 1
mid_threshold = 3

[tiers]
mid = ["a", "b"]
"""


def test_only_the_values_change() -> None:
    """Comments, order, blank lines and other tables stay; a new key joins the top level."""
    after = with_values(FILE, {"mid_threshold": 0.45, "premium_threshold": 0.8})
    assert diff(FILE, after, "llm_router.toml").splitlines() == [
        "--- a/llm_router.toml",
        "+++ b/llm_router.toml",
        "@@ -2,7 +2,8 @@",
        ' scorer = "learned"   # the default',
        " ",
        " # thresholds of last month",
        "-mid_threshold = 0.4",
        "+mid_threshold = 0.45",
        "+premium_threshold = 0.8",
        " ",
        " [breaker]",
        " failure_threshold = 5  # mid_threshold = 1",
    ]


def test_a_file_that_is_not_there_begins_with_the_values() -> None:
    """From nothing, a whole file."""
    values = {"scorer_correction": 'C:\\own "x"\n', "share_targets": {"budget": 0.5, "a b": 0.5}}
    assert tomllib.loads(with_values("", values)) == values


def test_the_same_values_change_nothing() -> None:
    """No diff, no noise."""
    once = with_values(FILE, {"premium_threshold": 0.8})
    assert with_values(once, {"premium_threshold": 0.8}) == once
    assert diff(once, once, "x") == ""


def test_a_file_without_a_final_line_break_is_completed() -> None:
    """The new key doesn't join the last line."""
    assert with_values('a = "b"', {"c": 0.5}) == 'a = "b"\nc = 0.5\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[share_targets]\nbudget = 1\n", "by hand"),
        ('x = """\nmid_threshold = 1\n"""\n', "by hand"),
        ("mid_threshold = [\n 1,\n]\n", "by hand"),
        ("not toml", "isn't TOML"),
    ],
)
def test_what_can_not_be_changed_safely_is_left_to_a_person(text: str, says: str) -> None:
    """Rather no change than a wrong one."""
    with pytest.raises(ConfigurationError, match=says):
        with_values(text, {"mid_threshold": 0.5, "share_targets": {"budget": 1.0}})


@given(
    st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.floats(0, 1) | st.text(max_size=9), max_size=4),
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.floats(0, 1).map(lambda x: round(x, 5)), max_size=4
    ),
)
def test_an_edited_file_holds_what_it_held_and_what_was_set(before: dict, values: dict) -> None:
    """For any file and values: the union, the new ones winning."""
    text = with_values("", before) + "[table]\nx = 1\n"
    kept = {**tomllib.loads(text), **values}
    if "table" not in values:
        assert tomllib.loads(with_values(text, values)) == kept
