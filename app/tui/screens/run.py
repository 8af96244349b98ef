"""One run, with all the room there is."""

from collections.abc import Mapping
from typing import ClassVar, Final

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
from app.tui.screens.beside import Beside
from app.tui.screens.board import WITH_PANE, PaneScreen
from app.tui.screens.pane import RunPane
from app.tui.screens.search import SEARCH, SearchedScreen, SearchField
from app.tui.widgets.bars import Footer, Rule, Tabs, Written
from app.tui.widgets.searched_view import SearchedView
from app.wire import RunRow

PLANNED: Final = 12
"""Lines of a plan that are shown beside the log."""
SAID: Final = 16
SAID_BESIDE: Final = 6
"""Lines of what the agent said last; the fewer where its change stands below them."""
BROAD: Final = 150
TALL: Final = 36
"""Cells and lines from which on the change stands beside the log."""
SIDE: Final = 48
SHARE: Final = 45
"""Cells of the side without the change, and percent of the screen with it; the stylesheet says the same."""


class RunScreen(PaneScreen, SearchedScreen):
    """Log, diff, files and cost of one run; where there is room, what it is about and changes beside them."""

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
                yield Beside(self.desk)
        yield SearchField()
        yield Footer()

    def on_mount(self) -> None:
        self.query_one("#about-title", Rule).title = "about"
        self.query_one("#said-title", Rule).title = "the agent's last words"
        self.query_one(RunPane).view.focus()
        self.watch(self.query_one(Tabs), "active", self._fit, init=False)
        self._fit()

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
        head.text = tuple(head_lines(row, self.size.width, self.desk.clock(), self.desk.gone))
        about = self.query_one("#about", Written)
        about.text = tuple(about_lines(row, self.side, most=10))
        about.styles.height = len(about.text)
        self._update_said(self.desk.transcript(row.run.id))
        if self.has_class("-beside"):
            self.query_one(Beside).show(row)
        self.update_footer()
        self.on_descendant_focus()

    def on_log_grew(self, message: LogGrew) -> None:
        if (row := self.row) is not None:
            self._update_said(self.desk.transcript(row.run.id))

    def on_resize(self) -> None:
        self._fit()
        self.call_after_refresh(self.update)

    @property
    def side(self) -> int:
        """Cells for text beside the log."""
        return (self.size.width * SHARE // 100 if self.has_class("-beside") else SIDE) - 2

    def _fit(self) -> None:
        """The change stands beside the log where there is room, and the log does not show it itself."""
        itself = self.query_one(Tabs).active in {"diff", "files"}
        roomy = self.size.width >= BROAD and self.size.height >= TALL
        if self.has_class("-beside") != (roomy and not itself):
            self.toggle_class("-beside")
            self.update()

    def _update_said(self, transcript: Transcript | None) -> None:
        words = transcript.last_words() if transcript else ""
        said = self.query_one("#said", Written)
        plan = transcript.plan if transcript else ()
        lines = plan_lines(plan, self.side, most=PLANNED)
        title, steps = self.query_one("#plan-title", Rule), self.query_one("#plan", Written)
        title.display = steps.display = bool(plan)
        title.title, title.aside = "plan", plan_words(plan)
        steps.text, steps.styles.height = tuple(lines), len(lines)
        most = SAID_BESIDE if self.has_class("-beside") else SAID
        texts = wrap(words, self.side)
        shown = texts if len(texts) <= most else [*texts[: most - 1], "…"]
        said.text = tuple([(" " + text, "")] for text in shown)
        said.styles.height = len(shown) if self.has_class("-beside") else "1fr"


def head_lines(row: RunRow, width: int, now: float, gone: Line) -> list[Line]:
    """Two lines: what it is and how it stands, or that nobody knows; what it has cost and changed."""
    run = row.run
    sign, word, ink = show.WORDS[show.state_of(row)]
    took = show.age((run.ended or now) - (run.started or run.created))
    title: Line = [(f" {show.name(row)}", "brand"), (f"  {one_line(run.agent)}  ", "dim")]
    title.append((one_line(row.task.goal), "strong"))
    stands: Line = gone or [(f" {sign} {word}", ink), (f"  {took} ", "dim")]
    first = spread(title, stands, width)
    full, empty = show.bar(run.spent, run.budget, min(24, max(width // 6, 8)))
    left: Line = [
        (f" {dollars(run.spent)} of {dollars(run.budget)} ", "dim"),
        (full, "bar"),
        (empty, "trough"),
    ]
    left.append((f"  {show.changed(run.insertions, run.deletions)}", "dim"))
    right: Line = [(f"{one_line(run.branch)} ", "dim")] if run.branch and width >= 70 else []
    return [first, spread(left, right, width) if right else left]
