"""From lines as data to strips. Everything our widgets show goes through here, and so through the sanitiser."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from app.domain.safe import clean_line
from app.tui.model.line import Line
from app.tui.theme import COMPONENTS, inks_css


def ink(widget: Widget, name: str) -> Style:
    """The style of that ink in this widget, without what lies below it; of several, one over the other."""
    style = Style.null()
    for each in name.split():
        style += widget.get_component_rich_style(f"ink--{each}", partial=True)
    return style


def paint(widget: Widget, line: Line, width: int, base: str = "") -> Strip:
    """The line in exactly `width` cells, over the ink `base`."""
    below = ground(widget, base)
    return _stretched(widget, line, below).adjust_cell_length(width, below)


def ground(widget: Widget, base: str = "") -> Style:
    """What shows where nothing is written."""
    return widget.rich_style + ink(widget, base)


def stretch(widget: Widget, line: Line, base: str = "") -> Strip:
    """The line as long as it is."""
    return _stretched(widget, line, ground(widget, base))


def _stretched(widget: Widget, line: Line, below: Style) -> Strip:
    return Strip(
        [Segment(clean_line(text), below + ink(widget, name)) for text, name in line if text]
    )


class Drawn(Widget):
    """A widget of few lines that are computed anew at each repaint."""

    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS
    DEFAULT_CSS = "Drawn { height: 1; }\n" + inks_css("Drawn")

    def lines(self, width: int) -> Sequence[Line]:
        """What to draw; missing lines stay empty."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        lines = self.lines(self.size.width)
        return paint(self, list(lines[y]) if y < len(lines) else [], self.size.width)
