"""A scrolling list of lines drawn only where they are seen, at any length."""

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual import on
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.events import Blur, Click, Focus, Resize
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from app.domain.events import Event
from app.tui.keymap import bindings
from app.tui.model.line import Line, lit
from app.tui.model.transcript import news
from app.tui.widgets.paint import ground, paint, stretch

SIDEWAYS = 8


class LineView(ScrollView, can_focus=True):
    """Base of table, log, diff and help: `draw` gives a row as data, everything else is here."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]
    DEFAULT_CSS = """
    LineView {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-color: $swarm-rule;
        scrollbar-color-hover: $swarm-dim;
        scrollbar-color-active: $swarm-dim;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
    }
    """

    cursor: reactive[int] = reactive(0, repaint=False)
    """The selected row, where there is a selection."""
    has_cursor: ClassVar[bool] = False
    nothing: ClassVar[str] = ""
    """What stands there when there are no rows."""

    class Moved(Message):
        """The cursor stands on another row, or the rows under it are others."""

        def __init__(self, view: "LineView") -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> "LineView":
            return self.view

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.count = 0
        self.sideways = 0
        self.needle = ""
        """Words that are looked for; where they stand they are lit."""
        self.empty = self.nothing
        """What stands there now when there are no rows."""
        self._strips: LRUCache[tuple[int, bool], Strip] = LRUCache(2000)
        self._ground: Style | None = None

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self.redraw())

    def draw(self, row: int, width: int) -> tuple[Line, str]:
        """The row as data, and the ink below it."""
        raise NotImplementedError

    @property
    def rich_style(self) -> Style:
        # Textual asks all ancestors for it, and every row needs it: it is kept as long as the rows are.
        if self._ground is None:
            self._ground = super().rich_style
        return self._ground

    def _forget(self) -> None:
        """Rows are drawn anew when next seen."""
        self._strips.clear()
        self._ground = None

    def set_count(self, count: int) -> None:
        """There are so many rows now; all are drawn anew when next seen."""
        self.count = count
        self._forget()
        self.virtual_size = Size(max(self.size.width, 1), count)
        if self.has_cursor:
            self.cursor = min(self.cursor, max(count - 1, 0))
        self.refresh()

    @on(Focus)
    @on(Blur)
    def redraw(self) -> None:
        self._forget()
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._forget()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        row = self.scroll_offset.y + y
        if self.count == 0 and y == 1 and self.empty:
            return paint(self, [("  " + self.empty, "dim")], width)
        if row >= self.count:
            return Strip.blank(width, ground(self))
        selected = self.has_cursor and row == self.cursor
        known = self._strips.get((row, selected))
        if known is None:
            known = self._strips[(row, selected)] = self._strip(row, width, selected=selected)
        return known

    def _strip(self, row: int, width: int, *, selected: bool) -> Strip:
        line, base = self.draw(row, width)
        if self.needle:
            line = lit(line, self.needle)
        if selected:
            base = base or ("cursor" if self.has_focus else "cursor-off")
            line = [("▌", "key" if self.has_focus else "dim"), *_without_first_cell(line)]
        if not self.sideways:
            return paint(self, line, width, base)
        strip = stretch(self, line, base)
        kept = self.fixed_cells()
        head, tail = strip.crop(0, kept), strip.crop(kept + self.sideways)
        return Strip.join([head, tail]).adjust_cell_length(width, ground(self, base))

    def fixed_cells(self) -> int:
        """Cells on the left that stay when the rest goes sideways."""
        return 0

    def watch_cursor(self, old: int, new: int) -> None:
        self.refresh_lines(old)
        self.refresh_lines(new)
        self.bring_into_view(new)
        self.post_message(self.Moved(self))

    def on_resize(self) -> None:
        self.virtual_size = Size(max(self.size.width, 1), self.count)
        self._forget()
        if self.has_cursor:
            self.bring_into_view(self.cursor)

    def watch_show_vertical_scrollbar(self) -> None:
        """It leaves another width to the lines, and before it was there nothing could be scrolled."""
        self.post_message(Resize(self.size, self.virtual_size, self.container_size))

    def on_click(self, event: Click) -> None:
        row = self.scroll_offset.y + event.y
        if self.has_cursor and row < self.count:
            self.cursor = row

    def bring_into_view(self, row: int) -> None:
        height = self.scrollable_content_region.height
        top = self.scroll_offset.y
        if row < top:
            self.go_to(row)
        elif height and row >= top + height:
            self.go_to(row - height + 1)

    def go_to(self, top: int) -> None:
        """Make `top` the first row that is seen, at once; nothing where all are seen."""
        self.scroll_to(y=top, animate=False)

    def action_do(self, what: str) -> None:
        """One of the table's actions for lists."""
        page = max(self.scrollable_content_region.height - 1, 1)
        last = max(self.count - 1, 0)
        if what in {"left", "right"}:
            self.sideways = max(0, self.sideways + (SIDEWAYS if what == "right" else -10_000))
            self.redraw()
            return
        here = self.cursor if self.has_cursor else self.scroll_offset.y
        steps = {"down": here + 1, "up": here - 1, "page_down": here + page, "page_up": here - page}
        target = max(0, min({"top": 0, "bottom": last, **steps}[what], last))
        if self.has_cursor:
            self.cursor = target
        else:
            self.go_to(target)


def _without_first_cell(line: Line) -> Line:
    """The line without its margin, where the cursor's bar goes."""
    if line and line[0][0].startswith((" ", "▌")):
        return [(line[0][0][1:], line[0][1]), *line[1:]]
    return line


class Recent(LineView, can_focus=False):
    """The last events of all runs that are news, the newest at the bottom; as many as there is room for."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._events: Sequence[Event] = ()
        self._lines: list[Line] = []

    def show(self, events: Sequence[Event]) -> None:
        self._events = events
        width, height = self.scrollable_content_region.size
        lines: list[Line] = []
        for event in reversed(events):
            if len(lines) >= height:
                break
            if line := news(event, width):
                lines.append(line)
        lines.reverse()
        if lines != self._lines:
            self._lines = lines
            self.set_count(len(lines))

    def on_resize(self) -> None:
        self._lines = []
        self.set_count(0)
        self.show(self._events)

    def draw(self, row: int, width: int) -> tuple[Line, str]:
        return self._lines[row], ""
