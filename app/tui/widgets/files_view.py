"""The files of a diff, with their counts."""

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from app.tui.keymap import bindings
from app.tui.model import show
from app.tui.model.diff import DiffFile
from app.tui.model.line import Line, clip, spread
from app.tui.widgets.searched_view import SearchedView

_SIGNS = {"added": ("+", "added-sign"), "deleted": ("-", "removed-sign")}


class FilesView(SearchedView):
    """Files in; `Picked` out when one is clicked or chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("files")]
    has_cursor: ClassVar[bool] = True
    nothing: ClassVar[str] = "no file is changed yet"

    class Picked(Message):
        """Somebody wants to see this file."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.files: list[DiffFile] = []
        self.viewed: frozenset[str] = frozenset()

    def show(self, files: list[DiffFile], viewed: frozenset[str] = frozenset()) -> None:
        self.files, self.viewed = files, viewed
        self.set_count(len(files))

    def action_do(self, what: str) -> None:
        if what != "pick":
            super().action_do(what)
        elif self.files:
            self.post_message(self.Picked(self.cursor))

    def draw(self, row: int, width: int) -> tuple[Line, str]:
        file = self.files[row]
        sign, ink = _SIGNS.get(file.status, ("~", "dim"))
        if file.path in self.viewed:
            sign, ink = "✓", "good"
        counted = (
            "binary" if "binary" in file.note else show.changed(file.insertions, file.deletions)
        )
        room = max(width - len(counted) - 5, 6)
        return spread(
            [(f" {sign} ", ink), (_end_of(file.path, room), "bright")],
            [(counted + " ", "dim")],
            width,
        ), ""


def _end_of(path: str, width: int) -> str:
    """A path loses its beginning, not its name, where it does not fit."""
    return path if len(path) <= width else clip("…" + path[len(path) - width + 1 :], width)
