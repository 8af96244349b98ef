"""The list of runs, needs me first."""

from dataclasses import dataclass
from typing import ClassVar

from app.domain.ids import TaskId
from app.domain.money import dollars
from app.domain.run import SETTLED
from app.tui.model import show
from app.tui.model.line import Line, fit, one_line, right
from app.tui.widgets.line_view import LineView
from app.wire import RunRow


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths of what has a fixed one; the goal takes the rest. A width of 0 leaves the column out."""

    name: int
    agent: int
    state: int
    goal: int
    lines: int
    cost: int
    age: int


def columns(width: int) -> Columns:
    """What fits: a narrow list keeps name, state and goal, a wide one shows everything."""
    if width < 50:
        return Columns(7, 0, 12, max(width - 24, 4), 0, 0, 0)
    if width < 72:
        return Columns(7, 0, 14, width - 39, 0, 7, 4)
    state = 15 if width < 96 else 20
    return Columns(7, 11, state, width - 47 - state, 9, 7, 4)


def header(width: int) -> Line:
    """Column titles, aligned with the rows below."""
    c = columns(width)
    text = "   " + fit("RUN", c.name) + (" " + fit("AGENT", c.agent) if c.agent else "")
    text += " " + fit("STATE", c.state) + " " + fit("TASK", c.goal)
    for title, cells in (("±LINES", c.lines), ("COST", c.cost), ("AGE", c.age)):
        text += " " + right(title, cells) if cells else ""
    return [(text, "label")]


def row_line(row: RunRow, width: int, now: float) -> Line:
    """One run as a line of the list."""
    c = columns(width)
    sign, _word, ink = show.WORDS[show.state_of(row)]
    settled = row.run.state in SETTLED
    words = one_line(show.state_words(row))
    if words.endswith("checks"):
        ink = "warn"
    line: Line = [(f" {sign} ", ink), (fit(show.name(row), c.name), "dim")]
    if c.agent:
        line.append((" " + fit(one_line(row.run.agent), c.agent), "dim"))
    line.append((" " + fit(words, c.state), ink))
    line.append((" " + fit(one_line(row.task.goal), c.goal), "dim" if settled else "bright"))
    if c.lines:
        counted = show.changed(row.run.insertions, row.run.deletions)
        line.append((" " + right(counted, c.lines), "dim"))
    if c.cost:
        line.append((" " + right(dollars(row.run.spent), c.cost), "dim"))
    if c.age:
        line.append((" " + right(show.age(_age(row, now)), c.age), "dim"))
    return line


def _age(row: RunRow, now: float) -> float:
    """How long it has run; of one that waits for a person, since when it waits."""
    if row.question is not None:
        return now - row.question.opened
    return (row.run.ended or now) - (row.run.started or row.run.created)


class FleetTable(LineView):
    """Rows in; `Moved` out when another run is selected. The selection stays on its task."""

    has_cursor: ClassVar[bool] = True

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.rows: list[RunRow] = []
        self.now = 0.0
        self._selected_task: TaskId | None = None

    @property
    def selected(self) -> RunRow | None:
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def show(self, rows: list[RunRow], now: float) -> None:
        self.rows, self.now = rows, now
        places = {row.task.id: at for at, row in enumerate(rows)}
        place = places.get(self._selected_task) if self._selected_task else None
        self.set_count(len(rows))
        before = self.cursor
        if place is not None:
            self.cursor = place
        if self.cursor == before:
            self._remember()
            self.post_message(self.Moved(self))

    def select(self, task: TaskId) -> None:
        for at, row in enumerate(self.rows):
            if row.task.id == task:
                self.cursor = at

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self._remember()

    def _remember(self) -> None:
        """The selected task; a key pressed while rows change places is about the run it was pressed for."""
        if self.selected is not None:
            self._selected_task = self.selected.task.id

    def draw(self, row: int, width: int) -> tuple[Line, str]:
        return row_line(self.rows[row], width, self.now), ""
