"""A dialog for text of several lines; its editor is heavy, so it is loaded when it is asked for."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import TextArea

from app.domain.safe import clean
from app.tui.screens.dialogs import Dialog
from app.tui.widgets.bars import Rule, Written


class EditText(Dialog[str | None]):
    """Text of several lines; None when the person thought better of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "leave", "cancel"),
        ("ctrl+s", "keep", "keep"),
    ]
    DEFAULT_CSS = """
    EditText TextArea {
        margin: 0 1; border: none; padding: 0; height: 10; background: $surface;
    }
    """

    def __init__(self, title: str, text: str, value: str) -> None:
        super().__init__()
        self.heading, self.text, self.value = title, text, value

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Rule()
            yield Written(id="text")
            yield TextArea(clean(self.value), compact=True)
            yield Written(id="keys")

    def on_mount(self) -> None:
        self.query_one(Rule).title = self.heading
        self.query_one("#text", Written).text = ([(" " + self.text, "dim")],)
        keys = self.query_one("#keys", Written)
        keys.text = ([], [(" ^s", "key"), (" keep  ", "dim"), ("esc", "key"), (" cancel", "dim")])
        keys.styles.height = 2
        editor = self.query_one(TextArea)
        editor.focus()
        editor.move_cursor(editor.document.end)

    def action_keep(self) -> None:
        if self.hears():
            self.dismiss(self.query_one(TextArea).text)

    def action_leave(self) -> None:
        self.dismiss(None)
