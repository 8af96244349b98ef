"""What was spent, by anything it is filed under, of all repositories."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar, Final

from textual.binding import BindingType

from app.domain.budget import day_of
from app.tui.actions import Place
from app.tui.desk import Desk
from app.tui.keymap import bindings
from app.tui.messages import LogGrew
from app.tui.model.costs import ledger_lines, pace_line
from app.tui.model.line import Line
from app.tui.screens.base import Verb
from app.tui.screens.sheet import OF_A_SHEET, Sheet
from app.wire import CostLine

BY: Final = ("task", "run", "agent", "model", "subagent", "repo", "day", "month", "user", "label")
"""What costs can be added up by, in the order of the key."""
PERIODS: Final = ("all time", "this month", "today")


def next_by(screen: "CostScreen") -> None:
    screen.by = BY[(BY.index(screen.by) + 1) % len(BY)]
    screen.load()


def next_period(screen: "CostScreen") -> None:
    screen.period = PERIODS[(PERIODS.index(screen.period) + 1) % len(PERIODS)]
    screen.load()


class CostScreen(Sheet):
    """The ledger, added up; the sum below is that of the lines, to the micro-dollar."""

    PLACE: ClassVar[Place] = "cost"
    HEAD: ClassVar[str] = "COST"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("cost")]
    DOES: ClassVar[Mapping[str, Verb]] = {**OF_A_SHEET, "by": next_by, "period": next_period}

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.by = BY[0]
        self.period = PERIODS[0]
        self.costs: tuple[CostLine, ...] | None = None
        """None until they have come."""

    async def fetch(self) -> None:
        self.costs = await self.desk.swarm.costs(self.by, since=self._since())

    def heading(self) -> tuple[Line, str, str]:
        pace = pace_line(self.desk.fleet.spending.at(self.desk.clock()))
        return pace, f"by {self.by}", self.period

    def drawn(self, width: int) -> list[Line]:
        return ledger_lines(self.costs, self.by, width)

    def on_log_grew(self, _message: LogGrew) -> None:
        self.update()

    def _since(self) -> str:
        now = self.desk.clock()
        match self.period:
            case "today":
                return day_of(now)
            case "this month":
                return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-01")
            case _:
                return ""
