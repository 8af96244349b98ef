"""A drawn line as data: pieces of text, each with the name of its ink. Widths are counted in terminal cells."""

import re
from itertools import pairwise
from typing import TypeAlias

from rich.cells import cell_len, get_character_cell_size, set_cell_size

from app.domain.safe import clean

Span: TypeAlias = tuple[str, str]
"""Text, and the name of the ink it is drawn with; several with spaces between, the last on top; empty: plain."""
Line: TypeAlias = list[Span]

LONGEST = 2000
"""Characters of one line that are looked at; nobody reads further, and an agent can print megabytes."""


def cells(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)


def one_line(text: str) -> str:
    """What an agent said, on one line, safe to show."""
    return clean(" ".join(text[:LONGEST].split()))


def clip(text: str, width: int) -> str:
    """At most `width` cells, with an ellipsis where something is missing."""
    if cells(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 1 else "…"[:width]


def fit(text: str, width: int) -> str:
    """Exactly `width` cells, left-aligned."""
    text = clip(text, width)
    return text + " " * (width - cells(text))


def right(text: str, width: int) -> str:
    """Exactly `width` cells, right-aligned."""
    text = clip(text, width)
    return " " * (width - cells(text)) + text


def line_cells(line: Line) -> int:
    return sum(cells(text) for text, _ink in line)


def spread(left: Line, right_part: Line, width: int) -> Line:
    """`left` at the left edge, `right_part` at the right one; where there is no room the left one gives way."""
    room = width - line_cells(right_part)
    if room < 2:
        return left
    used = line_cells(left)
    if used > room - 1:
        left = clip_line(left, room - 1)
        used = line_cells(left)
    return [*left, (" " * (room - used), ""), *right_part]


def clip_line(line: Line, width: int) -> Line:
    """The pieces that fit, the last one clipped."""
    kept: Line = []
    for text, ink in line:
        if width <= 0:
            break
        kept.append((clip(text, width), ink))
        width -= cells(text)
    return kept


def pattern_of(words: str) -> "re.Pattern[str]":
    """Finds the words as they are typed; in small letters, they are found in capitals too."""
    return re.compile(re.escape(words), re.IGNORECASE if words == words.lower() else 0)


def lit(line: Line, words: str) -> Line:
    """The line with the places lit where the words stand, also across pieces."""
    text = "".join(piece for piece, _ink in line)
    edges = [match.span() for match in pattern_of(words).finditer(text)]
    if not edges:
        return line
    pieces: Line = []
    at = 0
    for piece, ink in line:
        cuts = {at, at + len(piece)}
        cuts |= {cut for edge in edges for cut in edge if at < cut < at + len(piece)}
        for start, end in pairwise(sorted(cuts)):
            found = any(first <= start < last for first, last in edges)
            pieces.append((piece[start - at : end - at], f"{ink} found" if found else ink))
        at += len(piece)
    return pieces


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells, broken at spaces where there are any; own lines and indents stay."""
    width = max(width, 8)
    wrapped: list[str] = []
    for line in clean(text).expandtabs(4).split("\n"):
        wrapped.extend(_broken(line.rstrip(), width))
    return wrapped


def _broken(line: str, width: int) -> list[str]:
    pieces: list[str] = []
    start, end = 0, _fitting(line, 0, width)
    while end < len(line):
        space = line.rfind(" ", start + 1, end)
        if space - start > width // 3:
            end = space
        pieces.append(line[start:end].rstrip())
        start = next(at for at in range(end, len(line)) if not line[at].isspace())
        end = _fitting(line, start, width)
    return [*pieces, line[start:]]


def _fitting(line: str, start: int, width: int) -> int:
    """Where that part of a clean line ends which fits; nothing after it is looked at, however long it is."""
    if line.isascii():
        return min(start + width, len(line))
    for end in range(start, len(line)):
        width -= get_character_cell_size(line[end])
        if width < 0:
            return end
    return len(line)
