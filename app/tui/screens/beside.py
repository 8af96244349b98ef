"""What a run has changed so far, kept up to date beside its log."""

import asyncio
from typing import Final

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical

from app.domain.errors import SwarmError
from app.domain.ids import RunId
from app.tui.desk import Desk
from app.tui.screens.base import unless_gone
from app.tui.widgets.bars import Rule
from app.tui.widgets.diff_view import DiffView
from app.tui.widgets.files_view import FilesView
from app.wire import RunRow

SETTLE: Final = 0.06
"""Seconds that a change has to stand before it is asked for."""


class Beside(Vertical):
    """A row in; the files it touches, and below them the diff, which stays where it is read."""

    DEFAULT_CSS = """
    Beside FilesView { height: auto; max-height: 9; }
    Beside DiffView { height: 1fr; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.row: RunRow | None = None
        self._shown: tuple[RunId, str] | None = None

    def compose(self) -> ComposeResult:
        yield Rule(id="touched-title")
        yield FilesView(id="touched")
        yield Rule(id="live-title")
        yield DiffView(self.desk.syntax, id="live")

    def on_mount(self) -> None:
        self.query_one("#touched-title", Rule).title = "files touched"
        self.query_one("#live-title", Rule).title = "changed so far"
        self._list()

    def show(self, row: RunRow) -> None:
        """Show this run; the same one again is asked about only when it has another snapshot."""
        self.row = row
        if self._shown != (row.run.id, row.run.snapshot):
            self._load()

    @work(exclusive=True, group="beside", exit_on_error=True)
    @unless_gone
    async def _load(self) -> None:
        await asyncio.sleep(SETTLE)
        row = self.row
        if row is None:
            return
        wanted = (row.run.id, row.run.snapshot)
        try:
            data = await self.desk.swarm.diff(row.run.id) if row.run.snapshot else b""
        except SwarmError:
            return  # What there is stays; the screen says when nobody answers, and asks again.
        again = self._shown is not None and self._shown[0] == row.run.id
        await self.query_one("#live", DiffView).show(data, keep_place=again)
        self._shown = wanted
        self._list()

    def _list(self) -> None:
        files = self.query_one("#live", DiffView).diff.files
        view, title = self.query_one("#touched", FilesView), self.query_one("#touched-title", Rule)
        view.show(files)
        view.display = title.display = bool(files)
        title.aside = str(len(files))

    def on_files_view_picked(self, message: FilesView.Picked) -> None:
        message.stop()
        view = self.query_one("#live", DiffView)
        view.go_row(view.diff.files[message.index].row)
        view.focus()
