"""Plain text for people: tables that fit the terminal, colours only where they can be seen."""

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from app.cli.call import terminal
from app.domain.safe import clean_line

COLOURS: Final = {
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "dim": "2",
    "bold": "1",
}
STATE_COLOURS: Final = {
    "waiting": "yellow",
    "in_review": "yellow",
    "parked": "magenta",
    "failed": "red",
    "merged": "green",
    "cancelled": "dim",
    "discarded": "dim",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """Text of a table, with a colour."""

    text: str
    colour: str = ""


Row: TypeAlias = Sequence[str | Cell]


def colourful(stream: Any) -> bool:
    """Whether colours are wanted there: a terminal, and no NO_COLOR."""
    return terminal(stream) and not os.environ.get("NO_COLOR")


def painted(text: str, colour: str, stream: Any = None) -> str:
    """`text` in that colour, where `stream` (stdout unless given) shows colours."""
    if not colour or not colourful(stream or sys.stdout):
        return text
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m"


def width() -> int:
    """Columns a line may take: the terminal's, or no limit where the output goes into a file."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def state_cell(state: str) -> Cell:
    """A run's state, in its colour."""
    return Cell(state, STATE_COLOURS.get(state, "blue"))


def table(heads: Sequence[str], rows: Iterable[Row], *, right: frozenset[int] = frozenset()) -> str:
    """Aligned columns under `heads`; columns in `right` are numbers; the last one is cut to the terminal.

    Every text is made safe to show. A column that is empty throughout is left out.
    """
    cells = [[_cell(cell) for cell in row] for row in rows]
    kept = [n for n in range(len(heads)) if any(row[n].text for row in cells)]
    widths = {n: max(len(heads[n]), *(len(row[n].text) for row in cells)) for n in kept}
    head = [Cell(name, "dim") for name in heads]
    return "\n".join(_line(row, kept, widths, right) for row in [head, *cells]) if cells else ""


def _cell(cell: str | Cell) -> Cell:
    return cell if isinstance(cell, Cell) else Cell(clean_line(cell))


def _line(
    row: Sequence[Cell], kept: list[int], widths: dict[int, int], right: frozenset[int]
) -> str:
    parts: list[str] = []
    used = 0
    for n in kept:
        text = row[n].text
        if n in right:
            text = text.rjust(widths[n])
        elif n != kept[-1]:
            text = text.ljust(widths[n])
        elif limit := width():
            text = clean_line(text, max(10, limit - used))
        parts.append(painted(text, row[n].colour))
        used += len(text) + 2
    return "  ".join(parts).rstrip()


def facts(pairs: Iterable[tuple[str, str | Cell]]) -> str:
    """Names and values under each other; what has no value is left out."""
    known = [(name, _cell(value)) for name, value in pairs]
    shown = [(name, cell) for name, cell in known if cell.text]
    room = max((len(name) for name, _ in shown), default=0)
    return "\n".join(
        f"{painted(name.ljust(room), 'dim')}  {painted(cell.text, cell.colour)}"
        for name, cell in shown
    )


def age(seconds: float) -> str:
    """`12s`, `4m`, `3h`, `2d`."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"


def changes(insertions: int, deletions: int) -> str:
    """`+12 -3`; nothing when nothing changed."""
    return f"+{insertions} -{deletions}" if insertions or deletions else ""


def count(number: int, one: str, many: str = "") -> str:
    """`1 file`, `2 files`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def short(commit: str) -> str:
    """An object id as people write it."""
    return commit[:10]
