"""The detail of one run: log, diff, files, cost, and its open question. Board and run view both show it."""

import asyncio
from typing import ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from app.domain.errors import SwarmError
from app.domain.ids import RunId
from app.tui.desk import Desk
from app.tui.model.costs import cost_lines
from app.tui.model.evidence import checks_of, why_lines
from app.tui.model.line import Line, one_line
from app.tui.model.network import network_lines
from app.tui.model.show import name
from app.tui.model.transcript import Transcript
from app.tui.screens.base import unless_gone
from app.tui.widgets.bars import Tabs
from app.tui.widgets.diff_view import DiffView
from app.tui.widgets.files_view import FilesView
from app.tui.widgets.log_view import LogView
from app.tui.widgets.question_card import QuestionCard
from app.tui.widgets.searched_view import Lines, SearchedView
from app.wire import RunRow

SETTLE: Final = 0.06
"""Seconds a run has to be selected before anything is asked about it: keys held down skip over many."""


class RunPane(Vertical):
    """A row in; what it shows it asks the supervisor for by itself."""

    DEFAULT_CSS = """
    RunPane > LineView { height: 1fr; }
    """
    VIEWS: ClassVar[tuple[str, ...]] = Tabs.NAMES

    class Refused(Message):
        """What was asked for could not be had."""

        def __init__(self, error: SwarmError) -> None:
            super().__init__()
            self.error = error

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.row: RunRow | None = None
        self._diff_of: tuple[RunId, str] | None = None

    def compose(self) -> ComposeResult:
        yield Tabs()
        yield LogView(id="log")
        yield DiffView(self.desk.syntax, id="diff")
        yield FilesView(id="files")
        yield Lines(id="cost")
        yield Lines(id="network")
        yield Lines(id="checks")
        yield Lines(id="why")
        yield QuestionCard()

    def on_mount(self) -> None:
        self.turn_to("log")

    @property
    def tab(self) -> str:
        return self.query_one(Tabs).active

    @property
    def view(self) -> SearchedView:
        """The view that is seen."""
        return self.query_one(f"#{self.tab}", SearchedView)

    @property
    def card(self) -> QuestionCard:
        return self.query_one(QuestionCard)

    def show(self, row: RunRow | None) -> None:
        """Show this run; the same one again shows what is new about it."""
        before, self.row = self.row, row
        tabs = self.query_one(Tabs)
        tabs.title = f"{name(row)} · {one_line(row.run.agent)}" if row else "no run"
        self.card.question = row.question if row else None
        if row is None or before is None or before.run.id != row.run.id:
            self._reset()
        elif self.tab != "log":
            self._load()

    def turn_to(self, tab: str) -> None:
        """Show one of the views."""
        focused = self.has_focus_within and not self.card.has_focus
        self.query_one(Tabs).active = tab
        for name_ in self.VIEWS:
            self.query_one(f"#{name_}", Widget).display = name_ == tab
        if focused:
            self.view.focus()
        self._load(0.0)

    def grew(self, runs: frozenset[RunId]) -> None:
        """The logs of these runs have new entries."""
        if self.row is None or self.row.run.id not in runs:
            return
        log = self.query_one("#log", LogView)
        log.show(self.desk.transcript(self.row.run.id))
        self.update_new()

    def update_new(self) -> None:
        """How much of the log is below what is seen."""
        log = self.query_one("#log", LogView)
        behind = self.tab == "log" and not log.following and log.new
        self.query_one(Tabs).aside = f"▾ {log.new} new" if behind else ""

    def tree_changed(self, runs: frozenset[RunId]) -> None:
        if self.row is not None and self.row.run.id in runs:
            self._diff_of = (self.row.run.id, "")
            self._load()

    def _reset(self) -> None:
        """Another run: nothing of the one before stays."""
        self.query_one("#log", LogView).show(None)
        self.query_one("#files", FilesView).show([])
        for tab in ("cost", "network", "checks", "why"):
            self.query_one(f"#{tab}", Lines).show([])
        self._diff_of = None
        self._load()

    @work(exclusive=True, group="pane", exit_on_error=True)
    @unless_gone
    async def _load(self, settle: float = SETTLE) -> None:
        row, tab = self.row, self.tab
        if row is None:
            await self.query_one("#diff", DiffView).show(b"")
            return
        await asyncio.sleep(settle)
        try:
            await self._fill(row, tab)
        except SwarmError as error:
            self.post_message(self.Refused(error))

    async def _fill(self, row: RunRow, tab: str) -> None:
        if tab in {"diff", "files"}:
            await self._fill_diff(row)
        transcript = await self.desk.read(row.run.id)
        self.query_one("#log", LogView).show(transcript)
        if tab not in {"diff", "files", "log"}:
            await self._fill_lines(row, tab, transcript)

    async def _fill_lines(self, row: RunRow, tab: str, transcript: Transcript) -> None:
        swarm, view = self.desk.swarm, self.query_one(f"#{tab}", Lines)
        width = view.scrollable_content_region.width or self.size.width
        match tab:
            case "cost":
                detail = await swarm.detail(row.run.id)
                lanes = await swarm.costs("subagent", of=row.run.id)
                view.show(cost_lines(row, detail.spend, transcript, width, lanes))
            case "network":
                view.show(network_lines(await swarm.network(row.run.id), width))
            case "checks":
                view.show(checks_of(row, width))
            case _:
                view.show(why_lines(await swarm.why(row.run.id), width))

    async def _fill_diff(self, row: RunRow) -> None:
        wanted = (row.run.id, row.run.snapshot)
        self.query_one("#diff", DiffView).lay_out(side_by_side=self.desk.side_by_side)
        if self._diff_of == wanted:
            return
        keep = self._diff_of is not None and self._diff_of[0] == row.run.id
        data = await self.desk.swarm.diff(row.run.id) if row.run.snapshot else b""
        view = self.query_one("#diff", DiffView)
        await view.show(data, keep_place=keep)
        self.query_one("#files", FilesView).show(view.diff.files)
        self._diff_of = wanted

    def on_files_view_picked(self, message: FilesView.Picked) -> None:
        view = self.query_one("#diff", DiffView)
        self.turn_to("diff")
        view.focus()
        view.go_row(view.diff.files[message.index].row)


OUTSIDE: Final = "The screen was opened outside a git repository: type `swarm` in yours."


def empty_lines(*, loaded: bool, link: bool, why: str, here: bool) -> tuple[Line, ...]:
    """What stands in place of runs when there are none; `here`: there is a repository to give tasks for."""
    if not loaded:
        words = why if not link and why else "asking the supervisor …"
        return ([], [("  " + words, "dim")])
    if not here:
        return ([], [("  No tasks yet.", "strong")], [], [("  " + OUTSIDE, "")])
    return (
        [],
        [("  No tasks yet.", "strong")],
        [],
        [("  n", "key"), ("  gives the first one", "")],
        [("  ?", "key"), ("  shows every key", "")],
        [],
        [('  In a shell:  swarm run "add a --verbose flag" --wait', "dim")],
    )
