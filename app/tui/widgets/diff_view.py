"""A unified diff of any size: numbers, sign column, changed words; colours repeat what the signs say."""

import asyncio
from collections.abc import Mapping
from typing import ClassVar, Final

from app.tui.model.diff import Diff, DiffRow
from app.tui.model.line import Line, fit, spread
from app.tui.model.show import changed
from app.tui.widgets.line_view import LineView

FIRST: Final = 64 * 1024
MOST: Final = 1024 * 1024
_BASES: Final = {"+": "added", "-": "removed"}


class DiffView(LineView):
    """Bytes in. With `marks`, lines that carry a comment are marked."""

    has_cursor: ClassVar[bool] = True
    nothing: ClassVar[str] = "nothing is changed yet"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.diff = Diff(b"")
        self.viewed: frozenset[str] = frozenset()
        self.commented: Mapping[tuple[str, int], str] = {}
        self._digits = 3

    async def show(self, data: bytes, *, keep_place: bool = False) -> None:
        """Show it; the first screen at once, the rest indexed behind it. `keep_place`: stay at the same line."""
        place = self.place() if keep_place else None
        diff = Diff(data)
        diff.scan(FIRST)
        self.diff = diff
        self._measure()
        size = FIRST
        while not diff.done:
            await asyncio.sleep(0)
            if self.diff is not diff:
                return
            size = min(size * 2, MOST)
            diff.scan(size)
            self.set_count(diff.rows)
        self._measure()
        target = diff.find(*place) if place else None
        self.cursor = target if target is not None else (self.cursor if keep_place else 0)
        if not keep_place:
            self.go_to(0)
        self.post_message(self.Moved(self))

    def place(self) -> tuple[str, int] | None:
        """Path and line, on the new side, of the row under the cursor; of a removed line where it was."""
        if not self.diff.rows:
            return None
        row = self.diff.row(self.cursor)
        path = self.diff.files[row.file].path
        at = self.cursor
        while row.new is None and at > 0 and row.kind == "lines":
            at -= 1
            row = self.diff.row(at)
        return path, row.new or 1

    def fixed_cells(self) -> int:
        return 2 * self._digits + 6

    def draw(self, row: int, width: int) -> tuple[Line, str]:
        found = self.diff.row(row)
        if found.kind == "file":
            return self._heading(found, width), "band"
        if found.kind == "hunk":
            return [(" " * (2 * self._digits + 3), ""), (found.text, "hunk")], ""
        if found.kind == "note":
            return [(" " * (2 * self._digits + 3), ""), (found.text, "dim")], ""
        return self._body(found), _BASES.get(found.sign, "")

    def go_file(self, step: int) -> None:
        """To the heading of the next file, or of the one before."""
        if not self.diff.files:
            return
        at = self.diff.file_at(self.cursor)
        if step < 0 and self.cursor > self.diff.files[at].row:
            step = 0
        wanted = max(0, min(at + step, len(self.diff.files) - 1))
        self.go_row(self.diff.files[wanted].row)

    def go_hunk(self, step: int) -> None:
        row = self.diff.hunk_after(self.cursor) if step > 0 else self.diff.hunk_before(self.cursor)
        if row is not None:
            self.go_row(row)

    def go_row(self, row: int) -> None:
        """The cursor there, and the row near the top."""
        self.cursor = row
        self.go_to(max(0, row - 1))

    def mark(self, viewed: frozenset[str], commented: Mapping[tuple[str, int], str]) -> None:
        self.viewed, self.commented = viewed, commented
        self.redraw()

    def _measure(self) -> None:
        self._digits = max(3, len(str(self.diff.last_line())))
        self.set_count(self.diff.rows)

    def _heading(self, row: DiffRow, width: int) -> Line:
        file = self.diff.files[row.file]
        seen = "✓ " if file.path in self.viewed else ""
        status = "" if file.status == "modified" else f"  {file.status}"
        counted = changed(file.insertions, file.deletions) if not file.note else ""
        left: Line = [(" " + seen, "good"), (file.path, "file"), (status, "dim")]
        return spread(left, [(counted + " ", "dim")], width)

    def _body(self, row: DiffRow) -> Line:
        path = self.diff.files[row.file].path
        noted = row.new is not None and (path, row.new) in self.commented
        line: Line = [
            (" ●" if noted else "  ", "ask"),
            (_number(row.old, self._digits) + " " + _number(row.new, self._digits), "gutter"),
            (f" {row.sign if row.sign != ' ' else ' '} ", _BASES.get(row.sign, "") and f"{_BASES[row.sign]}-sign"),
        ]  # fmt: skip
        return line + _marked(row)


def _number(number: int | None, digits: int) -> str:
    return fit("", digits) if number is None else str(number).rjust(digits)


def _marked(row: DiffRow) -> Line:
    """The text, its changed words in the stronger ink."""
    ink = _BASES.get(row.sign, "") and f"{_BASES[row.sign]}-word"
    pieces: Line = []
    at = 0
    for start, end in row.marks:
        pieces += [(row.text[at:start], ""), (row.text[start:end], ink)]
        at = end
    return [*pieces, (row.text[at:], "")]
