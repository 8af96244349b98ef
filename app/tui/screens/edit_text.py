"""Dialogs for text of several lines; their editor is heavy, so they are loaded when they are asked for."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import TextArea

from app.domain.safe import clean
from app.tui.screens.dialogs import AskText


class AskLines(AskText):
    """Text of several lines; None when the person thought better of it."""

    DEFAULT_CSS = """
    AskLines TextArea { margin: 0 1; border: none; padding: 0; background: $surface; }
    """

    def field(self) -> TextArea:
        return TextArea(clean(self.value), compact=True, placeholder=clean(self.empty), id="field")

    def on_mount(self) -> None:
        editor = self.query_one(TextArea)
        editor.move_cursor(editor.document.end)

    def action_done(self) -> None:
        if self.hears():
            self.dismiss(self.query_one(TextArea).text)


class EditText(AskLines):
    """A text that is there already, to be changed."""

    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+s", "done", "keep")]
    DEFAULT_CSS = "EditText TextArea { height: 10; }"

    def offered(self) -> tuple[tuple[str, str], ...]:
        return (("^s", "keep"), ("esc", "cancel"))


class WriteText(AskLines):
    """Words for an agent: `enter` sends them, what is pasted keeps its lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the editor, which would take both for new lines.
        Binding("enter", "done", "send", priority=True),
        Binding("ctrl+j", "new_line", "new line", priority=True),
    ]
    DEFAULT_CSS = "WriteText TextArea { height: 4; }"

    def offered(self) -> tuple[tuple[str, str], ...]:
        return (("↵", self.done), ("^j", "new line"), ("esc", "cancel"))

    def action_new_line(self) -> None:
        self.query_one(TextArea).insert("\n")
