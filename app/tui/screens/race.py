"""The runs of one task beside each other: who did it how, at what cost; and the one to look at closer."""

from collections.abc import Mapping
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from app.domain.errors import SwarmError
from app.domain.ids import RunId
from app.tui.actions import Place
from app.tui.desk import Desk
from app.tui.keymap import bindings
from app.tui.messages import Open
from app.tui.model.line import Line, one_line
from app.tui.model.race import candidates_head, file_lines, race_words
from app.tui.screens import verbs
from app.tui.screens.base import SwarmScreen, Verb, unless_gone
from app.tui.widgets.bars import Footer, Rule, Written
from app.tui.widgets.line_view import LineView
from app.tui.widgets.race_table import RaceTable
from app.tui.widgets.searched_view import Lines
from app.wire import RunDetail, RunRow


def open_candidate(screen: "RaceScreen") -> None:
    """From here on this run stands for its task, on every screen, until another one is opened."""
    row = screen.row
    if row is None:
        return
    if screen.desk.fleet.choose(row):
        screen.post_message(Open(row.task.id))
    else:
        screen.say("a later run has taken its place", hint=f":show {row.run.id} says all of it")


def reload(screen: "RaceScreen") -> None:
    screen.load()


class RaceScreen(SwarmScreen):
    """The candidates as a list, and below it the files each of them changes."""

    PLACE: ClassVar[Place] = "race"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("race")]
    DOES: ClassVar[Mapping[str, Verb]] = {
        **verbs.COMMON,
        **verbs.OF_A_RUN,
        "open": open_candidate,
        "refresh": reload,
    }
    DEFAULT_CSS = """
    RaceScreen #columns { height: 1; }
    RaceScreen RaceTable { height: auto; max-height: 50%; min-height: 3; }
    RaceScreen #race-files { height: 1fr; }
    """

    def __init__(self, desk: Desk, run: RunId) -> None:
        super().__init__(desk)
        self.run_id = run
        self.details: tuple[RunDetail, ...] | None = None
        """None until they have come."""

    def compose(self) -> ComposeResult:
        yield Written(id="head", classes="head")
        yield Written(id="columns")
        yield RaceTable()
        yield Rule(id="race-files-title")
        yield Lines(id="race-files")
        yield Footer()

    def on_mount(self) -> None:
        self.query_one("#race-files-title", Rule).title = "files, and how much of each"
        self.query_one(RaceTable).focus()
        self.load()

    @property
    def row(self) -> RunRow | None:
        return self.query_one(RaceTable).selected

    @work(exclusive=True, group="race", exit_on_error=True)
    @unless_gone
    async def load(self) -> None:
        """Ask for every run of the task."""
        try:
            known = await self.desk.swarm.detail(self.run_id)
            details = [await self.desk.swarm.detail(run.id) for run in known.runs]
        except SwarmError as error:
            if self.desk.link:
                self.say(error.message, hint=error.hint, bad=True)
            return
        self.details = tuple(details)
        self.update()

    def update(self) -> None:
        details = self.details or ()
        rows = tuple(each.row for each in details)
        self.query_one(RaceTable).show(
            rows if self.details is not None else None, self.desk.clock()
        )
        goal = one_line(rows[0].task.goal) if rows else ""
        head: Line = [(" COMPARE ", "brand"), (f"{goal}  ", "strong"), (race_words(details), "dim")]
        self.query_one("#head", Written).text = ([*head, *self.desk.gone],)
        self.query_one("#columns", Written).text = (candidates_head(self.size.width),)
        files = self.query_one("#race-files", Lines)
        files.show(file_lines(details, files.size.width or self.size.width) if details else [])
        self.update_footer()

    def on_line_view_moved(self, message: LineView.Moved) -> None:
        if isinstance(message.view, RaceTable):
            self.update_footer()

    def on_resize(self) -> None:
        self.call_after_refresh(self.update)
