"""How a row of a diff is drawn: numbers, sign, text; in one column, or the old at the left of the new."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Final, TypeAlias

from app.tui.model.diff import DiffRow
from app.tui.model.line import Line, cells, clip_line, fit, line_cells

Layer: TypeAlias = Sequence[tuple[int, int, str]]
"""From which to which character a text is drawn with that ink; sorted, without overlaps."""

BASES: Final = {"+": "added", "-": "removed"}
BETWEEN: Final = "│"
_start: Final = itemgetter(0)


def unified(row: DiffRow, digits: int, colours: Layer = (), *, noted: bool = False) -> Line:
    """Both numbers, the sign, the text; the ground is the row's."""
    return [
        (" ●" if noted else "  ", "ask"),
        (f"{number(row.old, digits)} {number(row.new, digits)}", "gutter"),
        _sign(row),
        *_text(row, colours),
    ]


def half(
    row: DiffRow,
    side: str,
    digits: int,
    width: int,
    colours: Layer = (),
    *,
    noted: bool = False,
    sideways: int = 0,
) -> Line:
    """One side, in exactly `width` cells, over its own ground; `side` is `old` or `new`."""
    base = BASES.get(row.sign, "")
    head: Line = [
        (" ●" if noted else "  ", "ask"),
        (number(row.old if side == "old" else row.new, digits), "gutter"),
        _sign(row),
    ]
    text = clip_line(_shifted(_text(row, colours, base), sideways), width - line_cells(head))
    line = [*head, *text]
    return [*line, (" " * (width - line_cells(line)), base)]


def number(value: int | None, digits: int) -> str:
    return fit("", digits) if value is None else str(value).rjust(digits)


def layered(text: str, lower: Layer, upper: Layer, base: str = "") -> Line:
    """The text with both layers over `base`; inks that meet stand together, the upper one last."""
    edges = sorted({0, len(text), *_edges(lower), *_edges(upper)})
    pieces: Line = []
    for start, end in pairwise(edges):
        if start < end <= len(text):
            inks = (base, _at(lower, start), _at(upper, start))
            pieces.append((text[start:end], " ".join(filter(None, inks))))
    return pieces


def _sign(row: DiffRow) -> tuple[str, str]:
    base = BASES.get(row.sign, "")
    return f" {row.sign} ", base and f"{base}-sign"


def _text(row: DiffRow, colours: Layer, base: str = "") -> Line:
    """The text in its colours, the changed words in the stronger ink."""
    ink = BASES.get(row.sign, "") and f"{BASES[row.sign]}-word"
    return layered(row.text, colours, [(start, end, ink) for start, end in row.marks], base)


def _edges(layer: Layer) -> list[int]:
    return [at for start, end, _ink in layer for at in (start, end)]


def _at(layer: Layer, at: int) -> str:
    found = bisect_right(layer, at, key=_start) - 1
    return layer[found][2] if found >= 0 and at < layer[found][1] else ""


def _shifted(line: Line, by: int) -> Line:
    """Without the first `by` cells."""
    kept: Line = []
    for text, ink in line:
        start = 0
        while start < len(text) and by > 0:
            by -= cells(text[start])
            start += 1
        if start < len(text):
            kept.append((text[start:], ink))
    return kept
