"""Small questions of the screen itself. None of them hears what was typed before it appeared."""

from collections.abc import Collection
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input

from app.tui.actions import Place
from app.tui.keymap import bindings, footer
from app.tui.model.line import Line, wrap
from app.tui.widgets.bars import Rule, Written
from app.tui.widgets.deaf import Deafness

T = TypeVar("T")


class Dialog(ModalScreen[T], Generic[T]):
    """A box in the middle with a title, lines, and the keys that are possible."""

    PLACE: ClassVar[Place] = "dialog"
    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog > Vertical {
        width: 76; max-width: 100%; height: auto; max-height: 100%;
        background: $swarm-band; padding: 0 1 0 0;
    }
    Dialog Written { height: auto; }
    Dialog Input { margin: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._deafness = Deafness()

    def on_show(self) -> None:
        self._deafness.begin()

    def hears(self) -> bool:
        """Whether a key may count already."""
        return self._deafness.over()

    def keys(self, width: int = 74, without: Collection[str] = ()) -> Line:
        """What can be done; `without` are actions that cannot be done now."""
        return footer(self.PLACE, None, width, without)


class Confirm(Dialog[bool]):
    """Yes or no."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("dialog")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.heading, self.text = title, text

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Rule()
            yield Written(id="text")

    def on_mount(self) -> None:
        self.query_one(Rule).title = self.heading
        lines: list[Line] = [[(" " + line, "")] for line in wrap(self.text, 72)]
        written = self.query_one("#text", Written)
        written.text = ([], *lines, [], self.keys())
        written.styles.height = len(written.text)

    def action_do(self, what: str) -> None:
        if what == "dismiss":
            self.dismiss(result=False)
        elif self.hears():
            self.dismiss(result=True)


class AskText(Dialog[str | None]):
    """A line of text; None when the person thought better of it."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "leave", "cancel")]

    def __init__(
        self, title: str, text: str, *, value: str = "", empty: str = "", done: str = "send"
    ) -> None:
        super().__init__()
        self.heading, self.text, self.value, self.empty = title, text, value, empty
        self.done = done
        """What is done with it in the end, in a word."""

    def field(self) -> Widget:
        """What it is written into."""
        return Input(self.value, placeholder=self.empty, compact=True, id="field")

    def offered(self) -> tuple[tuple[str, str], ...]:
        """The keys, each with what it does."""
        return (("↵", self.done), ("esc", "cancel"))

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Rule()
            yield Written(id="text")
            yield self.field()
            yield Written(id="keys")

    def on_mount(self) -> None:
        self.query_one(Rule).title = self.heading
        written = self.query_one("#text", Written)
        written.text = tuple([(" " + line, "")] for line in wrap(self.text, 72))
        written.styles.height = len(written.text)
        line: Line = []
        for key, word in self.offered():
            line += [(f" {key}", "key"), (f" {word} ", "dim")]
        keys = self.query_one("#keys", Written)
        keys.text, keys.styles.height = ([], line), 2
        self.query_one("#field").focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if self.hears():
            self.dismiss(event.value)

    def action_leave(self) -> None:
        self.dismiss(None)
