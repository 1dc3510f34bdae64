"""Where a JSON object ends, told from its pieces as they come, in time linear in their length."""

from __future__ import annotations

import re

__all__ = ["ObjectEnd"]

_MARKS = re.compile(r'\\.|["{}]', re.DOTALL)


class ObjectEnd:
    """Follows one JSON object through pieces cut anywhere."""

    __slots__ = ("_carried", "_depth", "_in_text", "_opened")

    def __init__(self) -> None:
        self._carried = ""
        self._depth = 0
        self._in_text = False
        self._opened = False

    @property
    def reached(self) -> bool:
        """Whether the object is whole, so that nothing more of it can follow."""
        return self._opened and self._depth == 0 and not self._in_text

    def feed(self, piece: str) -> None:
        """Takes the next piece."""
        piece = self._carried + piece
        escapes = len(piece) - len(piece.rstrip("\\"))
        self._carried = "\\" if escapes % 2 else ""
        for mark in _MARKS.finditer(piece, 0, len(piece) - len(self._carried)):
            self._take(mark.group())

    def _take(self, mark: str) -> None:
        if mark == '"':
            self._in_text = not self._in_text
        elif self._in_text:
            return
        elif mark == "{":
            self._opened = True
            self._depth += 1
        elif mark == "}":
            self._depth -= 1
