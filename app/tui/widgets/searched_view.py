"""Lists of lines in which words can be looked for."""

from app.tui.model.line import Line, pattern_of
from app.tui.widgets.line_view import LineView


class SearchedView(LineView):
    """A `LineView` that goes to the lines with the words that are looked for, and lights them."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.found = False
        """Whether the words stand anywhere."""
        self._origin = 0

    def start_from_here(self) -> None:
        """What is looked for next is looked for from here on."""
        self._origin = self._here

    def look_for(self, words: str) -> None:
        """Light these words, and go to the first line with them; back where the search began if there is none."""
        self.needle = words
        self.redraw()
        row = self.matching(words, self._origin - 1, 1) if words else None
        self.found = row is not None
        self._show(self._origin if row is None else row)

    def go_to_match(self, step: int) -> bool:
        """To the next line with the words, or the one before; at the end it goes on at the beginning."""
        row = self.matching(self.needle, self._here, step)
        if row is not None:
            self._show(row)
        return row is not None

    def matching(self, words: str, row: int, step: int) -> int | None:
        """The first row with the words after `row`, or before it, round the end if need be."""
        width = self.scrollable_content_region.width
        pattern = pattern_of(words)
        for distance in range(1, self.count + 1):
            at = (row + step * distance) % self.count
            line, _base = self.draw(at, width)
            if pattern.search("".join(text for text, _ink in line)):
                return at
        return None

    @property
    def _here(self) -> int:
        return self.cursor if self.has_cursor else self.scroll_offset.y

    def _show(self, row: int) -> None:
        if self.has_cursor:
            self.cursor = row
        else:
            self.go_to(row)


class Lines(SearchedView):
    """Lines given whole."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._lines: list[Line] = []

    def show(self, lines: list[Line]) -> None:
        self._lines = lines
        self.set_count(len(lines))

    def draw(self, row: int, width: int) -> tuple[Line, str]:
        return self._lines[row], ""
