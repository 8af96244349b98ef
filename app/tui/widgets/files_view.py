"""The files of a diff below the names of their directories, with their counts and what has to be looked at."""

from collections.abc import Mapping
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from app.tui.keymap import bindings
from app.tui.model import show
from app.tui.model.diff import DiffFile
from app.tui.model.file_list import FLAGS, FileRow, Flag, listed
from app.tui.model.line import Line, clip, spread
from app.tui.widgets.searched_view import SearchedView

_SIGNS = {"added": ("+", "added-sign"), "deleted": ("-", "removed-sign")}


class FilesView(SearchedView):
    """Files in; `Picked` out when one is clicked or chosen. A directory stands for the first file below it."""

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
        self.flags: Mapping[str, Flag] = {}
        self._rows: list[FileRow] = []
        self._places: list[int] = []
        """Of each file its row."""

    def show(
        self,
        files: list[DiffFile],
        viewed: frozenset[str] = frozenset(),
        flags: Mapping[str, Flag] | None = None,
    ) -> None:
        """`flags`: what has to be looked at, by path."""
        if files is not self.files or len(files) != len(self._places):
            self._rows = listed([file.path for file in files])
            self._places = [at for at, row in enumerate(self._rows) if row.kind != "directory"]
        self.files, self.viewed, self.flags = files, viewed, flags or {}
        self.set_count(len(self._rows))
        if self._rows and self._rows[self.cursor].kind == "directory":
            self.cursor += 1

    def go_file(self, index: int) -> None:
        """The cursor on that file."""
        if index < len(self._places):
            self.cursor = self._places[index]

    def action_do(self, what: str) -> None:
        if what != "pick":
            super().action_do(what)
        elif self._rows:
            self.post_message(self.Picked(self._rows[self.cursor].file))

    def draw(self, row: int, width: int) -> tuple[Line, str]:
        found = self._rows[row]
        if found.kind == "directory":
            return [(" " + _end_of(found.name, width - 2), "dim")], ""
        file = self.files[found.file]
        sign, ink = _SIGNS.get(file.status, ("~", "dim"))
        if file.path in self.viewed:
            sign, ink = "✓", "good"
        flag = FLAGS[self.flags[file.path]] if file.path in self.flags else (" ", "")
        counted = (
            "binary" if "binary" in file.note else show.changed(file.insertions, file.deletions)
        )
        margin = "  " if found.kind == "below" else ""
        name = _end_of(found.name, max(width - len(counted) - len(margin) - 5, 6))
        left: Line = [(f" {margin}{sign}", ink), flag, (name, "bright")]
        return spread(left, [(counted + " ", "dim")], width), ""


def _end_of(path: str, width: int) -> str:
    """A path loses its beginning, not its name, where it does not fit."""
    return path if len(path) <= width else clip("…" + path[len(path) - width + 1 :], width)
