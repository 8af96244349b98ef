"""From lines as data to strips. Everything our widgets show goes through here, and so through the sanitiser."""

from collections.abc import Sequence
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from app.domain.safe import clean_line
from app.tui.model.line import Line
from app.tui.theme import inks


def paint(widget: Widget, line: Line, width: int, base: str = "") -> Strip:
    """The line in exactly `width` cells, over the ink `base`."""
    below = ground(widget, base)
    return _stretched(widget, line, below).adjust_cell_length(width, below)


def ground(widget: Widget, base: str = "") -> Style:
    """What shows where nothing is written."""
    return _mixed(widget.rich_style, widget.app.theme, base)


def stretch(widget: Widget, line: Line, base: str = "") -> Strip:
    """The line as long as it is."""
    return _stretched(widget, line, ground(widget, base))


def _stretched(widget: Widget, line: Line, below: Style) -> Strip:
    theme = widget.app.theme
    return Strip(
        [Segment(clean_line(text), _mixed(below, theme, name)) for text, name in line if text]
    )


@lru_cache(4096)
def _mixed(below: Style, theme: str, names: str) -> Style:
    """The inks of these names in that theme, the last on top, over what lies below."""
    known = inks(theme)
    return sum((known[name] for name in names.split()), below)


class Drawn(Widget):
    """A widget of few lines that are computed anew at each repaint."""

    DEFAULT_CSS = "Drawn { height: 1; }"

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self.refresh())

    def lines(self, width: int) -> Sequence[Line]:
        """What to draw; missing lines stay empty."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        lines = self.lines(self.size.width)
        return paint(self, list(lines[y]) if y < len(lines) else [], self.size.width)
