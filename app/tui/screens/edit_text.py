"""Dialogs for text of several lines; their editor is heavy, so they are loaded when they are asked for."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import TextArea

from app.domain.safe import clean
from app.tui.model.line import wrap
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


class WriteText(Dialog[str | None]):
    """Words for an agent: `enter` sends them, what is pasted keeps its lines; None when nothing is to be said."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "leave", "cancel"),
        # Before the editor, which would take both for new lines.
        Binding("enter", "send", "send", priority=True),
        Binding("ctrl+j", "new_line", "new line", priority=True),
    ]
    DEFAULT_CSS = """
    WriteText TextArea {
        margin: 0 1; border: none; padding: 0; height: 4; background: $surface;
    }
    """

    def __init__(
        self, title: str, text: str, *, value: str = "", empty: str = "", done: str = "send"
    ) -> None:
        super().__init__()
        self.heading, self.text, self.value, self.empty = title, text, value, empty
        self.done = done
        """What `enter` does with it, in a word."""

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Rule()
            yield Written(id="text")
            yield TextArea(clean(self.value), compact=True, placeholder=clean(self.empty))
            yield Written(id="keys")

    def on_mount(self) -> None:
        self.query_one(Rule).title = self.heading
        written = self.query_one("#text", Written)
        written.text = tuple([(" " + line, "")] for line in wrap(self.text, 72))
        written.styles.height = len(written.text)
        keys = self.query_one("#keys", Written)
        named = (("↵", self.done), ("^j", "new line"), ("esc", "cancel"))
        shown = [
            piece for key, word in named for piece in ((f" {key}", "key"), (f" {word} ", "dim"))
        ]
        keys.text, keys.styles.height = ([], shown), 2
        editor = self.query_one(TextArea)
        editor.focus()
        editor.move_cursor(editor.document.end)

    def action_send(self) -> None:
        if self.hears():
            self.dismiss(self.query_one(TextArea).text)

    def action_new_line(self) -> None:
        self.query_one(TextArea).insert("\n")

    def action_leave(self) -> None:
        self.dismiss(None)
