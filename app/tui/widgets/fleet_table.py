"""The list of runs, needs me first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.money import dollars
from app.domain.run import SETTLED
from app.tui.model import show
from app.tui.model.fleet import LEFT_TO_ME
from app.tui.model.line import Line, fit, one_line, right
from app.tui.widgets.kept_view import MARK, KeptView
from app.wire import RunRow

ROOMY: Final = 90
"""Cells from which on a row has room for a bar."""
BAR: Final = 5
"""Cells of that bar, with its margin."""
NEARLY: Final = 80
"""Percent of a budget from which on its bar warns."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths of what has a fixed one; the goal takes the rest. A width of 0 leaves the column out."""

    name: int
    agent: int
    state: int
    goal: int
    lines: int
    bar: int
    cost: int
    age: int


def columns(width: int) -> Columns:
    """What fits: a narrow list keeps name, state and goal, a wide one shows everything."""
    if width < 50:
        return Columns(7, 0, 12, max(width - 24, 4), 0, 0, 0, 0)
    if width < 72:
        return Columns(7, 0, 14, width - 39, 0, 0, 7, 4)
    state = 15 if width < 96 else 20
    bar = BAR if width >= ROOMY else 0
    return Columns(7, 11, state, width - 47 - state - bar, 9, bar, 7, 4)


def header(width: int) -> Line:
    """Column titles, aligned with the rows below."""
    c = columns(width)
    text = "   " + fit("RUN", c.name) + (" " + fit("AGENT", c.agent) if c.agent else "")
    text += " " + fit("STATE", c.state) + " " + fit("TASK", c.goal)
    for title, cells in (("±LINES", c.lines), ("COST", c.bar + c.cost), ("AGE", c.age)):
        text += " " + right(title, cells) if cells else ""
    return [(text, "label")]


def row_line(
    row: RunRow, width: int, now: float, *, marked: bool = False, everywhere: bool = False
) -> Line:
    """One run as a line of the list."""
    c = columns(width)
    sign, _word, ink = show.WORDS[show.state_of(row)]
    settled = row.run.state in SETTLED
    words = one_line(show.state_words(row))
    if words.endswith("checks"):
        ink = "warn"
    line: Line = [(f" {sign}{MARK if marked else ' '}", ink), (fit(show.name(row), c.name), "dim")]
    if c.agent:
        line.append((" " + fit(one_line(row.run.agent), c.agent), "dim"))
    line.append((" " + fit(words, c.state), ink))
    goal = f"{show.repository(row)}: {row.task.goal}" if everywhere else row.task.goal
    line.append((" " + fit(one_line(goal), c.goal), "dim" if settled else "bright"))
    if c.lines:
        counted = show.changed(row.run.insertions, row.run.deletions)
        line.append((" " + right(counted, c.lines), "dim"))
    if c.bar:
        line += _bar(row, c.bar)
    if c.cost:
        line.append((" " + right(dollars(row.run.spent), c.cost), "dim"))
    if c.age:
        line.append((" " + right(show.age(_age(row, now)), c.age), "dim"))
    return line


def _bar(row: RunRow, width: int) -> Line:
    """What was spent of what may be, behind a margin; of a run that is over nothing is left to watch."""
    spent, budget = row.run.spent, row.run.budget
    if row.run.state in SETTLED:
        return [(" " * width, "")]
    full, empty = show.bar(spent, budget, width - 1)
    ink = "warn" if 100 * spent >= NEARLY * budget else "bar"
    return [(" ", ""), (full, ink), (empty, "trough")]


def _age(row: RunRow, now: float) -> float:
    """How long it has run; of one that waits for a person, since when: since its agent did the last thing."""
    if row.question is not None:
        return now - row.question.opened
    if row.run.state in LEFT_TO_ME and row.activity_at is not None:
        return now - row.activity_at
    return (row.run.ended or now) - (row.run.started or row.run.created)


class FleetTable(KeptView[RunRow]):
    """Rows in, or headings between them; `Moved` out when another run is selected."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.now = 0.0
        self.everywhere = False
        """Whether a row says which repository it is of."""

    def show(self, rows: Sequence[RunRow | str], now: float, *, everywhere: bool = False) -> None:
        self.now, self.everywhere = now, everywhere
        self.list_things(rows)

    def name_of(self, thing: RunRow) -> str:
        return thing.task.id

    def draw_thing(self, thing: RunRow, width: int, *, marked: bool) -> Line:
        return row_line(thing, width, self.now, marked=marked, everywhere=self.everywhere)
