"""What was spent, by anything it is filed under, of all repositories."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from app.domain.budget import day_of
from app.domain.errors import SwarmError
from app.tui.actions import Place
from app.tui.desk import Desk
from app.tui.keymap import bindings
from app.tui.messages import LogGrew
from app.tui.model.costs import ledger_lines, pace_line
from app.tui.screens import verbs
from app.tui.screens.base import SwarmScreen, Verb
from app.tui.widgets.bars import Footer, Rule, Written
from app.tui.widgets.searched_view import Lines
from app.wire import CostLine, RunRow

BY: Final = ("task", "run", "agent", "model", "subagent", "repo", "day", "month", "user", "label")
"""What costs can be added up by, in the order of the key."""
PERIODS: Final = ("all time", "this month", "today")


def next_by(screen: "CostScreen") -> None:
    screen.by = BY[(BY.index(screen.by) + 1) % len(BY)]
    screen.load()


def next_period(screen: "CostScreen") -> None:
    screen.period = PERIODS[(PERIODS.index(screen.period) + 1) % len(PERIODS)]
    screen.load()


def reload(screen: "CostScreen") -> None:
    screen.load()


class CostScreen(SwarmScreen):
    """The ledger, added up; the sum below is that of the lines, to the micro-dollar."""

    PLACE: ClassVar[Place] = "cost"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("cost")]
    DOES: ClassVar[Mapping[str, Verb]] = {
        **verbs.COMMON,
        "by": next_by,
        "period": next_period,
        "refresh": reload,
    }
    DEFAULT_CSS = """
    CostScreen .head { height: 1; }
    CostScreen Lines { height: 1fr; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.by = BY[0]
        self.period = PERIODS[0]
        self.costs: tuple[CostLine, ...] | None = None
        """None until they have come."""

    def compose(self) -> ComposeResult:
        yield Written(id="head", classes="head")
        yield Rule()
        yield Lines()
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(Lines).focus()
        self.load()

    @property
    def row(self) -> RunRow | None:
        return None

    @work(exclusive=True, group="costs", exit_on_error=True)
    async def load(self) -> None:
        """Ask for the sums."""
        try:
            self.costs = await self.desk.swarm.costs(self.by, since=self._since())
        except SwarmError as error:
            if self.desk.link:
                self.say(error.message, hint=error.hint, bad=True)
            return
        self.update()

    def update(self) -> None:
        now = self.desk.clock()
        pace = pace_line(self.desk.fleet.spending.at(now))
        gone = [] if self.desk.link else [(" supervisor gone · reconnecting ", "hot")]
        self.query_one("#head", Written).text = ([(" COST ", "brand"), *pace, *gone],)
        rule, view = self.query_one(Rule), self.query_one(Lines)
        rule.title, rule.aside = f"by {self.by}", self.period
        width = view.scrollable_content_region.width or self.size.width
        view.show(ledger_lines(self.costs, self.by, width))
        self.update_footer()

    def on_log_grew(self, _message: LogGrew) -> None:
        self.update()

    def on_resize(self) -> None:
        self.call_after_refresh(self.update)

    def _since(self) -> str:
        now = self.desk.clock()
        match self.period:
            case "today":
                return day_of(now)
            case "this month":
                return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-01")
            case _:
                return ""
