"""A unified diff of any size: numbers, sign column, changed words; colours repeat what the signs say."""

import asyncio
from collections.abc import Callable, Mapping
from itertools import takewhile
from typing import ClassVar, Final

from app.tui.model.diff import Diff, DiffRow
from app.tui.model.diff_lines import BASES, BETWEEN, Layer, half, unified
from app.tui.model.line import Line, spread
from app.tui.model.show import changed
from app.tui.model.split import Split
from app.tui.syntax import Piece, Syntax
from app.tui.widgets.searched_view import SearchedView

FIRST: Final = 64 * 1024
MOST: Final = 1024 * 1024
LONGEST_HUNK: Final = 20_000
"""Lines of a hunk that are looked through for where it ends."""


class DiffView(SearchedView):
    """Bytes in. The cursor counts lines of the screen; `place` says what it stands on."""

    has_cursor: ClassVar[bool] = True
    nothing: ClassVar[str] = "nothing is changed yet"

    def __init__(self, syntax: Syntax, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.diff = Diff(b"")
        self._syntax = syntax
        self.viewed: frozenset[str] = frozenset()
        self.commented: Mapping[tuple[str, int], str] = {}
        self._split: Split | None = None
        self._digits = 3
        self._coloured: list[DiffRow] = []
        self._piece = Piece("", "", ())
        """The block of rows that was drawn last, as its colours are asked for."""
        self._to_end = False
        """Whether the last line is wanted, which may not be known yet."""

    async def show(self, data: bytes, *, keep_place: bool = False) -> None:
        """Show it; the first screen at once, the rest indexed behind it. `keep_place`: stay at the same line.

        Who reads on meanwhile is left where they are; who goes to the end stands at the end once there is one.
        """
        place = self.place() if keep_place else None
        diff = Diff(data)
        diff.scan(FIRST)
        self.diff = diff
        self._split = Split(diff) if self._split else None
        self._to_end = False
        self._measure()
        if not keep_place:
            self.cursor = 0
            self.go_to(0)
        began, size = self.cursor, FIRST
        while not diff.done:
            await asyncio.sleep(0)
            if self.diff is not diff:
                return
            size = min(size * 2, MOST)
            diff.scan(size)
            self._measure()
        target = diff.find(*place) if place else None
        if target is not None and self.cursor == began:
            self.cursor = self._line(target)
        self.post_message(self.Moved(self))

    @property
    def side_by_side(self) -> bool:
        return self._split is not None

    def lay_out(self, *, side_by_side: bool) -> None:
        """In two columns or in one; the cursor stays on its line."""
        if side_by_side == self.side_by_side:
            return
        row = self.row
        self._split = Split(self.diff) if side_by_side else None
        self._measure()
        self.go_row(row)

    @property
    def row(self) -> int:
        """The row of the diff that the cursor stands on."""
        return self._row(self.cursor)

    def place(self) -> tuple[str, int] | None:
        """Path and line, on the new side, of the row under the cursor; of a removed line where it was."""
        if not self.diff.rows:
            return None
        at = self.row
        row = self.diff.row(at)
        path = self.diff.files[row.file].path
        while row.new is None and at > 0 and row.kind == "lines":
            at -= 1
            row = self.diff.row(at)
        return path, row.new or 1

    def fixed_cells(self) -> int:
        # Side by side each half goes sideways by itself.
        return self.size.width if self._split else 2 * self._digits + 6

    def draw(self, row: int, width: int) -> tuple[Line, str]:
        if self._split is None:
            return self._drawn(row, width)
        left, right = self._split.pair(row)
        if left is not None and self.diff.row(left).kind != "lines":
            return self._drawn(left, width)
        room = width - 1 - width // 2
        return [
            *self._half(left, "old", width // 2),
            (BETWEEN, "rule"),
            *self._half(right, "new", room),
        ], ""

    def matching(self, words: str, row: int, step: int) -> int | None:
        if not self.diff.rows:
            return None
        at = self.diff.search(words, self._row(row) if row >= 0 else -1, step)
        return None if at is None else self._line(at)

    def go_file(self, step: int) -> None:
        """To the heading of the next file, or of the one before."""
        if not self.diff.files:
            return
        row = self.row
        at = self.diff.file_at(row)
        if step < 0 and row > self.diff.files[at].row:
            step = 0
        wanted = max(0, min(at + step, len(self.diff.files) - 1))
        self.go_row(self.diff.files[wanted].row)

    def go_hunk(self, step: int) -> None:
        row = self.diff.hunk_after(self.row) if step > 0 else self.diff.hunk_before(self.row)
        if row is not None:
            self.go_row(row)

    def hunk_span(self) -> tuple[str, int, int] | None:
        """Path, first and last changed line, on the new side, of the hunk under the cursor."""
        if not self.diff.rows or self.diff.row(self.row).kind not in {"hunk", "lines"}:
            return None
        begin = self.row
        while begin > 0 and self.diff.row(begin).kind == "lines":
            begin -= 1
        rows = takewhile(
            lambda row: row.kind == "lines",
            (
                self.diff.row(at)
                for at in range(begin + 1, min(self.diff.rows, begin + LONGEST_HUNK))
            ),
        )
        changed, before = [], 1
        for row in rows:
            before = row.new if row.new is not None else before
            if row.sign in {"+", "-"}:
                changed.append(before)
        path = self.diff.files[self.diff.file_at(begin)].path
        return (path, min(changed), max(changed)) if changed else None

    def action_do(self, what: str) -> None:
        super().action_do(what)
        self._to_end = what == "bottom"

    def go_row(self, row: int) -> None:
        """The cursor on that row of the diff, and the row near the top."""
        self.cursor = self._line(row)
        self.go_to(max(0, self.cursor - 1))

    def mark(self, viewed: frozenset[str], commented: Mapping[tuple[str, int], str]) -> None:
        if (viewed, commented) != (self.viewed, self.commented):
            self.viewed, self.commented = viewed, commented
            self.redraw()

    def _row(self, line: int) -> int:
        return self._split.row(line) if self._split and self.diff.rows else line

    def _line(self, row: int) -> int:
        return self._split.line(row) if self._split else row

    def _measure(self) -> None:
        self._digits = max(3, len(str(self.diff.last_line())))
        if self._split:
            self._split.grow()
        to_end = self._to_end and self.cursor == self.count - 1
        self.set_count(self._split.rows if self._split else self.diff.rows)
        if to_end:
            self.cursor = self.count - 1

    def _drawn(self, row: int, width: int) -> tuple[Line, str]:
        found = self.diff.row(row)
        margin = " " * (2 * self._digits + 3)
        match found.kind:
            case "file":
                return self._heading(found, width), "band"
            case "hunk":
                return [(margin, ""), (found.text, "hunk")], ""
            case "note":
                return [(margin, ""), (found.text, "dim")], ""
            case "lines":
                line = unified(found, self._digits, self._colours(row), noted=self._noted(found))
                return line, BASES.get(found.sign, "")

    def _half(self, row: int | None, side: str, width: int) -> Line:
        if row is None:
            return [(" " * width, "")]
        found = self.diff.row(row)
        noted = side == "new" and self._noted(found)
        shown = self._colours(row)
        return half(found, side, self._digits, width, shown, noted=noted, sideways=self.sideways)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.call_after_refresh(self._look_ahead)

    def _look_ahead(self) -> None:
        """Ask for the colours of the page below once those of this one are there; who reads on waits for none."""
        if self._syntax.busy:
            return
        height = self.scrollable_content_region.height
        below = self.scroll_offset.y + height
        for line in range(below, min(below + height, self.count)):
            row = self._row(line)
            if self.diff.row(row).kind == "lines":
                self._colours(row, lambda: None)

    def _in_colour(self) -> None:
        """The colours of something that is seen are there."""
        self.redraw()
        self.call_after_refresh(self._look_ahead)

    def _colours(self, row: int, then: Callable[[], None] | None = None) -> Layer:
        """The row's colours, as soon as they are known."""
        path, first, rows = self.diff.around(row)
        if rows is not self._coloured:
            self._coloured = rows
            signs = "".join(each.sign or " " for each in rows)
            self._piece = Piece(path, signs, tuple(each.text for each in rows))
        layers = self._syntax.layers(self._piece, then or self._in_colour)
        return layers[row - first] if layers else ()

    def _noted(self, row: DiffRow) -> bool:
        path = self.diff.files[row.file].path
        return row.new is not None and (path, row.new) in self.commented

    def _heading(self, row: DiffRow, width: int) -> Line:
        file = self.diff.files[row.file]
        seen = "✓ " if file.path in self.viewed else ""
        status = "" if file.status == "modified" else f"  {file.status}"
        counted = changed(file.insertions, file.deletions) if not file.note else ""
        left: Line = [(" " + seen, "good"), (file.path, "file"), (status, "dim")]
        return spread(left, [(counted + " ", "dim")], width)
