"""One run, with all the room there is."""

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from app.domain.ids import TaskId
from app.domain.money import dollars
from app.tui.actions import Place
from app.tui.desk import Desk
from app.tui.keymap import bindings
from app.tui.messages import LogGrew
from app.tui.model import show
from app.tui.model.line import Line, one_line, spread, wrap
from app.tui.model.transcript import Transcript, plan_lines, plan_words
from app.tui.screens.about import about_lines
from app.tui.screens.base import Verb
from app.tui.screens.board import WITH_PANE, PaneScreen
from app.tui.screens.pane import RunPane
from app.tui.screens.search import SEARCH, SearchedScreen, SearchField
from app.tui.widgets.bars import Footer, Rule, Written
from app.tui.widgets.searched_view import SearchedView
from app.wire import RunRow

PLANNED = 12
"""Lines of a plan that are shown beside the log."""


class RunScreen(PaneScreen, SearchedScreen):
    """Log, diff, files and cost of one run; where there is room, what it is about beside them."""

    PLACE: ClassVar[Place] = "run"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("run")]
    DOES: ClassVar[Mapping[str, Verb]] = {**WITH_PANE, **SEARCH}

    def __init__(self, desk: Desk, task: TaskId) -> None:
        super().__init__(desk)
        self.task_id = task

    def compose(self) -> ComposeResult:
        yield Written(id="head", classes="head")
        with Horizontal(id="body"):
            yield RunPane(self.desk)
            with Vertical(id="side"):
                yield Rule(id="about-title")
                yield Written(id="about")
                yield Rule(id="plan-title")
                yield Written(id="plan")
                yield Rule(id="said-title")
                yield Written(id="said")
        yield SearchField()
        yield Footer()

    def on_mount(self) -> None:
        self.query_one("#about-title", Rule).title = "about"
        self.query_one("#said-title", Rule).title = "the agent's last words"
        self.query_one(RunPane).view.focus()

    @property
    def searched(self) -> SearchedView:
        return self.query_one(RunPane).view

    @property
    def row(self) -> RunRow | None:
        return self.desk.fleet.rows.get(self.task_id)

    def update(self) -> None:
        row = self.row
        if row is None:
            return
        self.query_one(RunPane).show(row)
        head = self.query_one("#head", Written)
        head.text = tuple(head_lines(row, self.size.width, self.desk.clock()))
        about = self.query_one("#about", Written)
        about.text = tuple(about_lines(row, 46, most=10))
        about.styles.height = len(about.text)
        self._update_said(self.desk.transcript(row.run.id))
        self.update_footer()
        self.on_descendant_focus()

    def on_log_grew(self, message: LogGrew) -> None:
        if (row := self.row) is not None:
            self._update_said(self.desk.transcript(row.run.id))

    def on_resize(self) -> None:
        self.call_after_refresh(self.update)

    def _update_said(self, transcript: Transcript | None) -> None:
        words = transcript.last_words() if transcript else ""
        said = self.query_one("#said", Written)
        plan = transcript.plan if transcript else ()
        lines = plan_lines(plan, 46, most=PLANNED)
        title, steps = self.query_one("#plan-title", Rule), self.query_one("#plan", Written)
        title.display = steps.display = bool(plan)
        title.title, title.aside = "plan", plan_words(plan)
        steps.text, steps.styles.height = tuple(lines), len(lines)
        said.text = tuple([(" " + text, "")] for text in wrap(words, 46)[:16])


def head_lines(row: RunRow, width: int, now: float) -> list[Line]:
    """Two lines: what it is and how it stands; what it has cost and changed."""
    run = row.run
    sign, word, ink = show.WORDS[show.state_of(row)]
    took = show.age((run.ended or now) - (run.started or run.created))
    title: Line = [(f" {show.name(row)}", "brand"), (f"  {one_line(run.agent)}  ", "dim")]
    title.append((one_line(row.task.goal), "strong"))
    first = spread(title, [(f" {sign} {word}", ink), (f"  {took} ", "dim")], width)
    full, empty = show.bar(run.spent, run.budget, min(24, max(width // 6, 8)))
    left: Line = [
        (f" {dollars(run.spent)} of {dollars(run.budget)} ", "dim"),
        (full, "bar"),
        (empty, "trough"),
    ]
    left.append((f"  {show.changed(run.insertions, run.deletions)}", "dim"))
    right: Line = [(f"{one_line(run.branch)} ", "dim")] if run.branch and width >= 70 else []
    return [first, spread(left, right, width) if right else left]
