"""The keys of a place, from the table."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from app.tui.actions import Place
from app.tui.keymap import help_lines
from app.tui.model.line import Line
from app.tui.widgets.bars import Rule
from app.tui.widgets.searched_view import Lines

_BESIDES: dict[Place, tuple[Place, ...]] = {
    "board": ("list", "files", "question", "form"),
    "run": ("list", "files", "question"),
    "review": ("list", "files", "approval"),
    "inbox": ("list", "question"),
    "cost": ("list",),
    "trash": ("list",),
    "doctor": ("list",),
    "settings": ("list",),
}


class HelpScreen(ModalScreen[None]):
    """Everything that can be pressed where one came from."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,question_mark", "leave", "back")]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen > Vertical { width: 100; max-width: 100%; height: 90%; background: $swarm-band; }
    HelpScreen Lines { background: $swarm-band; }
    """

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place: Place = place

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Rule()
            yield Lines()

    def on_mount(self) -> None:
        rule = self.query_one(Rule)
        rule.title, rule.aside = "keys", "esc back"
        width = min(100, self.app.size.width)
        lines: list[Line] = [[]]
        for place in (self.place, *_BESIDES.get(self.place, ())):
            lines += [*help_lines(place, width), []]
        lines.append(
            [(" The mouse selects and scrolls; hold shift to select text with it.", "dim")]
        )
        view = self.query_one(Lines)
        view.show(lines)
        view.focus()

    def action_leave(self) -> None:
        self.dismiss(None)
