"""A diff side by side: which rows of it stand in one line on the screen.

Removed lines stand left of the lines that were added in their place; everything else fills both sides.
"""

import re
from bisect import bisect_right
from functools import lru_cache
from typing import Final, TypeAlias

from app.tui.model.diff import Diff

Pair: TypeAlias = tuple[int | None, int | None]
"""Rows of the diff at the left and at the right; None where that side is empty."""

_GROUPS: Final = re.compile(r"([ ])|([-\\]*)([+\\]*)")


class Split:
    """The lines of one diff, side by side. `grow` follows the diff's own index as it grows."""

    def __init__(self, diff: Diff) -> None:
        self.diff = diff
        self.rows = 0
        self._lines: list[int] = []
        """First screen line of every block."""
        self._firsts: list[int] = []
        """First row of every block."""
        self.grow()

    def grow(self) -> None:
        """Take in the blocks that were indexed since."""
        for block in range(len(self._firsts), self.diff.blocks):
            first, signs = self.diff.block(block)
            self._lines.append(self.rows)
            self._firsts.append(first)
            self.rows += _height(signs) if signs else 1

    def pair(self, line: int) -> Pair:
        """What stands in that line; a heading or a hunk's head stands on both sides."""
        block = bisect_right(self._lines, line) - 1
        first, signs = self.diff.block(block)
        if not signs:
            return first, first
        left, right = _pairs(signs)[line - self._lines[block]]
        return _plus(left, first), _plus(right, first)

    def row(self, line: int) -> int:
        """The row that line is about: the one at the right, where there is one."""
        left, right = self.pair(line)
        row = right if right is not None else left
        return row if row is not None else 0

    def line(self, row: int) -> int:
        """The line in which that row stands."""
        block = bisect_right(self._firsts, row) - 1
        if block < 0:
            return 0
        first, signs = self.diff.block(block)
        if not signs:
            return self._lines[block]
        offset = row - first
        at = next(at for at, pair in enumerate(_pairs(signs)) if offset in pair)
        return self._lines[block] + at


def _height(signs: str) -> int:
    """Lines a block takes."""
    context = signs.count(" ")
    if context == len(signs):
        return context
    return context + sum(
        max(len(removed or ""), len(added or "")) for _, removed, added in _GROUPS.findall(signs)
    )


@lru_cache(maxsize=64)
def _pairs(signs: str) -> tuple[Pair, ...]:
    """Offsets into the block, line by line."""
    pairs: list[Pair] = []
    for group in _GROUPS.finditer(signs):
        if group[1]:
            pairs.append((group.start(), group.start()))
            continue
        left, right = range(*group.span(2)), range(*group.span(3))
        for at in range(max(len(left), len(right))):
            pairs.append(
                (left[at] if at < len(left) else None, right[at] if at < len(right) else None)
            )
    return tuple(pairs)


def _plus(offset: int | None, first: int) -> int | None:
    return None if offset is None else first + offset
