"""What was discarded, and the way back."""

from collections.abc import Mapping
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from app import wire
from app.domain.errors import SwarmError
from app.tui.actions import Place
from app.tui.desk import Desk
from app.tui.keymap import bindings
from app.tui.messages import Refresh
from app.tui.model.show import name
from app.tui.model.upkeep import discarded_head
from app.tui.screens import verbs
from app.tui.screens.about import about_lines
from app.tui.screens.base import SwarmScreen, Verb, unless_gone
from app.tui.widgets.bars import Footer, Rule, Written
from app.tui.widgets.line_view import LineView
from app.tui.widgets.searched_view import Lines
from app.tui.widgets.trash_table import TrashTable
from app.wire import RunRow


async def restore(screen: "TrashScreen") -> None:
    """Bring back what is marked, or the selected run; what cannot come back is said, the rest comes."""
    table = screen.query_one(TrashTable)
    back, by = [], wire.Act(by=screen.desk.user)
    for row in table.chosen():
        try:
            back.append(name(await screen.desk.swarm.restore(row.run.id, by)))
        except SwarmError as error:
            screen.say(f"{name(row)}: {error.message}", hint=error.hint, bad=True)
    table.unmark()
    if back:
        screen.say(f"{', '.join(back)} {'is' if len(back) == 1 else 'are'} back")
        screen.post_message(Refresh())
    screen.load()


def mark(screen: "TrashScreen") -> None:
    screen.query_one(TrashTable).toggle_mark()
    screen.show_selected()


def mark_all(screen: "TrashScreen") -> None:
    screen.query_one(TrashTable).toggle_all()
    screen.show_selected()


def reload(screen: "TrashScreen") -> None:
    screen.load()


class TrashScreen(SwarmScreen):
    """The list, and all of the selected run below it. Nothing here deletes."""

    PLACE: ClassVar[Place] = "trash"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("trash")]
    DOES: ClassVar[Mapping[str, Verb]] = {
        **verbs.COMMON,
        "bring_back": restore,
        "mark": mark,
        "mark_all": mark_all,
        "refresh": reload,
    }
    DEFAULT_CSS = """
    TrashScreen #columns { height: 1; }
    TrashScreen TrashTable { height: 1fr; }
    TrashScreen #about-run { height: 10; }
    TrashScreen.-low #about-run, TrashScreen.-low #about-run-title { display: none; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.rows: tuple[RunRow, ...] | None = None
        """None until they have come."""

    def compose(self) -> ComposeResult:
        yield Written(id="head", classes="head")
        yield Written(id="columns")
        yield TrashTable()
        yield Rule(id="about-run-title")
        yield Lines(id="about-run")
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(TrashTable).focus()
        self.load()

    @property
    def row(self) -> RunRow | None:
        return self.query_one(TrashTable).selected

    @work(exclusive=True, group="trash", exit_on_error=True)
    @unless_gone
    async def load(self) -> None:
        """Ask what lies there."""
        try:
            rows = await self.desk.swarm.trash()
        except SwarmError as error:
            if self.desk.link:
                self.say(error.message, hint=error.hint, bad=True)
            return
        self.rows = tuple(sorted(rows, key=lambda row: -(row.run.ended or row.run.created)))
        self.update()

    def update(self) -> None:
        self.query_one(TrashTable).show(self.rows, self.desk.clock())
        count = len(self.rows or ())
        words = f"{count} run{'s' if count > 1 else ''}; U brings back" if count else ""
        self.query_one("#head", Written).text = (
            [(" TRASH ", "brand"), (words, "bright"), *self.desk.gone],
        )
        self.query_one("#columns", Written).text = (discarded_head(self.size.width),)
        self.show_selected()

    def show_selected(self) -> None:
        """All of the run that is selected."""
        row, about = self.row, self.query_one("#about-run", Lines)
        self.query_one("#about-run-title", Rule).title = f"about {name(row)}" if row else ""
        about.show(about_lines(row, about.size.width or 78) if row else [])
        self.update_footer()

    def on_line_view_moved(self, message: LineView.Moved) -> None:
        if isinstance(message.view, TrashTable):
            self.show_selected()

    def on_resize(self) -> None:
        self.call_after_refresh(self.update)
