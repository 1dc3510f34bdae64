"""Classic bugs of translators, each as one change in the text of a module, with the property that must notice it."""

from __future__ import annotations

from pathlib import Path

from tests.dialects.rooms import Mutant


def read() -> list[tuple[str, Mutant]]:
    """Reads `mutants.diff`: blocks that begin with `@@ property module: name`, then what goes and what comes."""
    found = []
    for block in (Path(__file__).parent / "mutants.diff").read_text("utf-8").rstrip("\n").split("\n\n@@ "):
        head, *lines = block.removeprefix("@@ ").split("\n")
        place, _, name = head.partition(": ")
        proof, module = place.split(" ")
        old, new = ("\n".join(line[1:] for line in lines if line[:1] == mark) for mark in "-+")
        found.append((proof, Mutant(module, name, old, new)))
    return found


MUTANTS = read()
