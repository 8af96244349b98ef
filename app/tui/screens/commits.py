"""The commits that a rebase would land, one after the other: what each changes on top of the one before."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from app.domain.errors import SwarmError
from app.domain.ids import RunId
from app.domain.review import TurnCommit, subject_of
from app.tui.actions import Place
from app.tui.desk import Desk
from app.tui.keymap import bindings
from app.tui.model import show
from app.tui.model.line import Line, one_line
from app.tui.screens import verbs
from app.tui.screens.base import Verb, unless_gone
from app.tui.screens.search import SEARCH, SearchedScreen, SearchField
from app.tui.widgets.bars import Footer, Rule, Written
from app.tui.widgets.diff_view import DiffView
from app.tui.widgets.line_view import LineView
from app.tui.widgets.searched_view import SearchedView
from app.wire import RunRow


def go(screen: "CommitsScreen", by: int) -> None:
    wanted = max(0, min(screen.number + by, len(screen.commits) - 1))
    if wanted == screen.number:
        screen.say("that is the last commit" if by > 0 else "that is the first commit")
        return
    screen.number = wanted
    screen.load()


class CommitsScreen(SearchedScreen):
    """A diff of one commit at a time."""

    PLACE: ClassVar[Place] = "commits"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("commits")]
    DOES: ClassVar[Mapping[str, Verb]] = {
        **verbs.COMMON,
        **SEARCH,
        "page": lambda screen: go(screen, 1),
        "page_back": lambda screen: go(screen, -1),
        "next_hunk": lambda screen: screen.view.go_hunk(1),
        "previous_hunk": lambda screen: screen.view.go_hunk(-1),
        "next_file": lambda screen: screen.view.go_file(1),
        "previous_file": lambda screen: screen.view.go_file(-1),
        "refresh": lambda screen: screen.load(),
    }
    DEFAULT_CSS = """
    CommitsScreen DiffView { height: 1fr; }
    """

    def __init__(self, desk: Desk, run: RunId, commits: Sequence[TurnCommit], message: str) -> None:
        super().__init__(desk)
        self.run_id, self.commits, self.message = run, commits, message
        self.number = 0
        """The commit that is shown, counted from 0."""

    def compose(self) -> ComposeResult:
        yield Written(id="head", classes="head")
        yield Rule(id="diff-title")
        yield DiffView(self.desk.syntax)
        yield SearchField()
        yield Footer()

    def on_mount(self) -> None:
        self.view.empty = "asking for the commit …"
        self.view.lay_out(side_by_side=self.desk.side_by_side)
        self.view.focus()
        self.load()

    @property
    def row(self) -> RunRow | None:
        return None

    @property
    def view(self) -> DiffView:
        return self.query_one(DiffView)

    @property
    def searched(self) -> SearchedView:
        return self.view

    @work(exclusive=True, group="commits", exit_on_error=True)
    @unless_gone
    async def load(self) -> None:
        """Ask for what the commit changes."""
        self.update()
        try:
            data = await self.desk.swarm.diff(self.run_id, turn=self.commits[self.number].turn)
        except SwarmError as error:
            self.say(error.message, hint=error.hint, bad=True)
            return
        await self.view.show(data)
        self.update()

    def update(self) -> None:
        commit = self.commits[self.number]
        subject = one_line(subject_of(self.commits, self.number, self.message))
        place = f"{self.number + 1} of {len(self.commits)}  "
        head: Line = [(" COMMIT ", "brand"), (place, "dim"), (subject, "strong")]
        self.query_one("#head", Written).text = ([*head, *self.desk.gone],)
        rule, files = self.query_one("#diff-title", Rule), self.view.diff.files
        rule.title = files[self.view.diff.file_at(self.view.row)].path if files else ""
        rule.aside = f"tree {commit.tree[:12]} · {show.in_files(commit.files)}"
        self.update_footer()

    def on_line_view_moved(self, _message: LineView.Moved) -> None:
        self.update()
