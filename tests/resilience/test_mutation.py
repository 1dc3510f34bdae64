"""T2, the long size: nearly every small change of the text of breaker, failures and flow fails a test."""

from __future__ import annotations

import ast
import os

import pytest

from tests.resilience.mutation import TESTS, changes, main, source

MODULES = sorted({module for modules in TESTS for module in modules})


@pytest.mark.parametrize("module", ["cooldown", "health"])
def test_every_mutant_is_one_change_that_compiles(module: str) -> None:
    """The runner makes mutants that are programs, each different from the module and from the others."""
    original = ast.unparse(ast.parse(source(module)))
    texts = [change.text for change in changes(source(module))]
    assert original not in texts
    assert len(set(texts)) > 0.9 * len(texts) > 0
    for text in texts:
        compile(text, module, "exec")


@pytest.mark.nightly
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.parametrize("module", MODULES)
def test_the_score_of_a_module(module: str) -> None:
    """At least 95 % of a module's mutants are killed."""
    assert main([module]) == 0
