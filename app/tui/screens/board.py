"""All runs, and the selected one beside or below them."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.widgets import Input

from app.domain.run import RunState
from app.tui.actions import Place
from app.tui.desk import Desk
from app.tui.keymap import bindings
from app.tui.messages import LogGrew, Open, Refresh, TreeChanged
from app.tui.model import show
from app.tui.model.fleet import GROUPINGS, Grouping, grouped
from app.tui.screens import batch, verbs
from app.tui.screens.about import about_lines
from app.tui.screens.base import SwarmScreen, Verb
from app.tui.screens.pane import OUTSIDE, RunPane, empty_lines
from app.tui.widgets.bars import Footer, Header, Heading, Rule, Written
from app.tui.widgets.fleet_table import FleetTable, header
from app.tui.widgets.line_view import LineView, Recent
from app.tui.widgets.log_view import LogView
from app.tui.widgets.question_card import QuestionCard
from app.wire import RunRow

TICK = 10.0
"""Seconds between two looks at the clock while something works; an idle fleet draws nothing."""

UNMATCHED = "no run contains all of these words; esc shows all"


def _tab(name: str) -> Verb:
    def turn(screen: "SwarmScreen") -> None:
        screen.query_one(RunPane).turn_to(name)

    return turn


def show_diff(screen: SwarmScreen) -> None:
    pane = screen.query_one(RunPane)
    pane.turn_to("diff")
    pane.view.focus()


def to_question(screen: SwarmScreen) -> None:
    screen.query_one(QuestionCard).focus()


def unfold(screen: SwarmScreen) -> None:
    log = screen.query_one(LogView)
    log.unfold(unfolded=not log.unfolded)


def page(screen: SwarmScreen) -> None:
    screen.query_one(RunPane).view.action_do("page_down")


def page_back(screen: SwarmScreen) -> None:
    screen.query_one(RunPane).view.action_do("page_up")


WITH_PANE: Mapping[str, Verb] = {
    **verbs.COMMON,
    **verbs.OF_A_RUN,
    "tab_log": _tab("log"),
    "tab_diff": _tab("diff"),
    "tab_files": _tab("files"),
    "tab_cost": _tab("cost"),
    "tab_network": _tab("network"),
    "tab_checks": _tab("checks"),
    "tab_why": _tab("why"),
    "diff": show_diff,
    "question": to_question,
    "unfold": unfold,
    "page": page,
    "page_back": page_back,
}
"""What board and run view do with the detail they both show."""


class PaneScreen(SwarmScreen):
    """A screen with a run's detail on it: keeps the detail fed and its question answered."""

    def on_log_grew(self, message: LogGrew) -> None:
        self.query_one(RunPane).grew(message.runs)

    def on_tree_changed(self, message: TreeChanged) -> None:
        self.query_one(RunPane).tree_changed(message.runs)

    def on_run_pane_refused(self, message: RunPane.Refused) -> None:
        if self.desk.link:
            self.say(message.error.message, hint=message.error.hint, bad=True)

    def on_question_card_answer(self, message: QuestionCard.Answer) -> None:
        answered = verbs.answer_by(self, message)
        self.run_worker(self.attempt(answered), group="verbs")

    def on_question_card_left(self, _message: QuestionCard.Left) -> None:
        self.query_one(LineView).focus()

    def on_descendant_focus(self) -> None:
        self.offer(self.query_one(RunPane).card)


def go_back(screen: "Board") -> None:
    screen.clear()


def together(what: str) -> Verb:
    """The verb for all runs that are marked; for the selected one when none is."""

    async def do(screen: "Board") -> None:
        if not screen.together:
            if (result := ALONE[what](screen)) is not None:
                await result
        elif await batch.together(screen, what, screen.query_one(FleetTable).chosen()):
            screen.clear()

    return do


def mark(screen: SwarmScreen) -> None:
    screen.query_one(FleetTable).toggle_mark()
    screen.update()


def mark_all(screen: SwarmScreen) -> None:
    screen.query_one(FleetTable).toggle_all()
    screen.update()


def group(screen: "Board") -> None:
    screen.grouping = GROUPINGS[(GROUPINGS.index(screen.grouping) + 1) % len(GROUPINGS)]
    screen.update()


def everywhere(screen: SwarmScreen) -> None:
    """All repositories, or the one the screen was opened in."""
    desk = screen.desk
    if not desk.repo:
        screen.say("the screen was opened outside a repository: these are all tasks there are")
        return
    desk.everywhere = not desk.everywhere
    desk.fleet.forget()
    screen.post_message(Refresh())


def leave(screen: SwarmScreen) -> None:
    screen.app.exit()


def open_run(screen: SwarmScreen) -> None:
    if screen.row is not None:
        screen.post_message(Open(screen.row.task.id))


def new_task(screen: SwarmScreen) -> None:
    if not screen.desk.repo:
        screen.say(
            "a task needs a repository", hint=f"{OUTSIDE} `swarm run --repo PATH` names one."
        )
        return
    # The form's editor is the heaviest widget there is; the first frame does without it.
    from app.tui.screens.new_task import NewTaskScreen

    screen.app.push_screen(NewTaskScreen(screen.desk))


def peek(screen: SwarmScreen) -> None:
    screen.toggle_class("-peek")
    if screen.has_class("-peek"):
        screen.query_one(RunPane).view.focus()
    else:
        screen.query_one(FleetTable).focus()


def ask_filter(screen: SwarmScreen) -> None:
    field = screen.query_one("#filter", Input)
    field.display = True
    field.focus()


ALONE: Mapping[str, Verb] = {
    "stop": verbs.stop,
    "again": verbs.again,
    "discard": verbs.discard,
}
"""What can be done to one run as well as to many."""


class Board(PaneScreen):
    """The first screen."""

    PLACE: ClassVar[Place] = "board"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("board")]
    DOES: ClassVar[Mapping[str, Verb]] = {
        **WITH_PANE,
        "open": open_run,
        "new": new_task,
        **{what: together(what) for what in ALONE},
        "mark": mark,
        "mark_all": mark_all,
        "group": group,
        "everywhere": everywhere,
        "stop_all": batch.stop_all,
        "peek": peek,
        "filter": ask_filter,
        "back": go_back,
        "quit": leave,
    }

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.grouping: Grouping = "nothing"

    def compose(self) -> ComposeResult:
        yield Header()
        with Container(id="body"):
            with Vertical(id="list"):
                yield Rule(id="title")
                yield Written(id="columns")
                yield FleetTable(id="fleet")
                yield Written(id="empty")
                yield Input(placeholder="words that must be in it", id="filter", compact=True)
                yield Rule(id="recent-title")
                yield Recent(id="recent")
                yield Rule(id="about-title")
                yield Written(id="about")
            yield RunPane(self.desk)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one("#filter").display = False
        self.query_one("#recent-title", Rule).title = "what happens"
        table = self.query_one(FleetTable)
        table.focus()
        for cause in ("show_vertical_scrollbar", "virtual_size"):
            self.watch(table, cause, self._fit_later, init=False)
        self.set_interval(TICK, self._tick)

    @property
    def row(self) -> RunRow | None:
        return self.query_one(FleetTable).selected

    @property
    def together(self) -> bool:
        return bool(self.query_one(FleetTable).marked)

    def update(self) -> None:
        fleet = self.desk.fleet
        words = self.query_one("#filter", Input).value
        rows = fleet.ordered(words)
        table, named = self.query_one(FleetTable), self.grouping == "repository"
        table.empty = UNMATCHED if words else ""
        table.show(
            grouped(rows, self.grouping),
            self.desk.clock(),
            everywhere=self.desk.of_all and not named,
        )
        self.set_class(not fleet.rows, "-nothing")
        self.query_one("#empty", Written).text = empty_lines(
            loaded=fleet.loaded,
            link=self.desk.link,
            why=self.desk.why,
            here=bool(self.desk.repo),
        )
        title = self.query_one("#title", Rule)
        marked = len(table.marked)
        title.title = f"runs · {marked} marked" if marked else "runs"
        order = "needs you first" if self.grouping == "nothing" else f"by {self.grouping}"
        title.aside = f"/{words}  {len(rows)} of {len(fleet.rows)}" if words else order
        self.query_one(Header).heading = Heading(
            repo="all repositories" if self.desk.of_all else Path(self.desk.repo).name,
            counts=fleet.counts(),
            sandbox=self.desk.sandbox,
            isolation=self.desk.isolation,
            gone=tuple(self.desk.gone),
            clock=show.clock(self.desk.clock())[:5],
            pace=fleet.spending.at(self.desk.clock()),
        )
        self.query_one(Recent).show(self.desk.recent)
        self.show_selected()

    def on_log_grew(self, _message: LogGrew) -> None:
        self.query_one(Recent).show(self.desk.recent)

    def show_selected(self) -> None:
        """The detail follows the selection."""
        row = self.row
        self.query_one(RunPane).show(row)
        about = self.query_one("#about", Written)
        about.text = tuple(about_lines(row, about.size.width or 60)) if row else ()
        about.styles.height = len(about.text)
        self.query_one("#about-title", Rule).title = f"about {show.name(row)}" if row else ""
        self.update_footer()
        self.on_descendant_focus()

    def clear(self) -> None:
        """One step back: from marks, from the filter, from the peek, from the detail to the list."""
        table = self.query_one(FleetTable)
        if table.marked:
            table.unmark()
            self.update()
            return
        field = self.query_one("#filter", Input)
        self.remove_class("-peek")
        if field.display:
            field.value, field.display = "", False
        self.query_one(FleetTable).focus()

    def select(self, row: RunRow) -> None:
        """Show this run; with an open question, at the question."""
        self.query_one(FleetTable).select(row.task.id)
        self.show_selected()
        if show.state_of(row) is RunState.WAITING:
            self.query_one(QuestionCard).focus()

    def on_resize(self) -> None:
        self._fit_later()
        self.call_after_refresh(self.show_selected)

    def on_line_view_moved(self, message: LineView.Moved) -> None:
        if isinstance(message.view, FleetTable):
            self.show_selected()

    def on_input_changed(self, _event: Input.Changed) -> None:
        self.update()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.input.display = bool(event.value)
        self.query_one(FleetTable).focus()

    def _fit_later(self) -> None:
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """The list's height and its columns' names, once it is known how much room there is."""
        table = self.query_one(FleetTable)
        # Above the detail it is as high as its runs, to a third of the screen. The stylesheet cannot say so:
        # a share does not hold inside a height that is `auto`.
        above = self.has_class("-narrow") and not self.has_class("-low")
        table.styles.max_height = max(self.size.height // 3 - 1, 3) if above else None
        self.query_one("#columns", Written).text = (header(table.scrollable_content_region.width),)

    def _tick(self) -> None:
        if any(row.run.ended is None for row in self.desk.fleet.rows.values()):
            self.update()
