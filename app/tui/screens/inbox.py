"""Every question of every agent in one list, whatever its repository; each is answered where it stands."""

from collections.abc import Mapping
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from app import wire
from app.domain.errors import SwarmError
from app.domain.ids import RunId
from app.domain.review import Approval
from app.domain.run import RunState
from app.tui.actions import Place
from app.tui.desk import Desk
from app.tui.keymap import bindings
from app.tui.messages import InboxChanged, Open
from app.tui.model.inbox import name, question_lines
from app.tui.model.line import Line, one_line
from app.tui.screens import verbs
from app.tui.screens.base import SwarmScreen, Verb, unless_gone
from app.tui.screens.dialogs import Confirm
from app.tui.widgets.bars import Footer, Rule, Written
from app.tui.widgets.line_view import LineView
from app.tui.widgets.question_card import QuestionCard
from app.tui.widgets.question_table import QuestionTable
from app.tui.widgets.searched_view import Lines
from app.wire import RunRow

LISTED = 8
"""Questions that a dialog lists one by one before many are answered with one key."""


def to_card(screen: "InboxScreen") -> None:
    screen.query_one(QuestionCard).focus()


def open_run(screen: "InboxScreen") -> None:
    row = screen.row
    if row is None or row.task.id not in screen.desk.fleet.rows:
        screen.say("that run is not on the board", hint="0 on the board lists all repositories")
        return
    screen.post_message(Open(row.task.id))


def mark(screen: "InboxScreen") -> None:
    screen.query_one(QuestionTable).toggle_mark()
    screen.show_selected()


def mark_all(screen: "InboxScreen") -> None:
    screen.query_one(QuestionTable).toggle_all()
    screen.show_selected()


def go_back(screen: "InboxScreen") -> None:
    table = screen.query_one(QuestionTable)
    if table.marked:
        table.unmark()
        screen.show_selected()
    else:
        verbs.go_back(screen)


def reload(screen: "InboxScreen") -> None:
    screen.load()


async def answer_all(screen: "InboxScreen", given: QuestionCard.Answer) -> None:
    """The same answer to each that is marked, after all of them were shown once more."""
    questions = screen.query_one(QuestionTable).chosen()
    if given.scope == "always":
        screen.say("a rule is made of one question at a time; esc takes the marks away")
        return
    listed = "\n".join(f"{asked.run}  {one_line(asked.title)}" for asked in questions[:LISTED])
    if len(questions) > LISTED:
        listed += f"\n… and {len(questions) - LISTED} more"
    note = await _together(screen, given, len(questions), listed)
    if note is None:
        return
    refused = []
    for asked in questions:
        try:
            if given.scope == "run" and not await _still_open(screen, asked):
                continue  # The yes to another one was for this one, too.
            # Of what swarm itself asks no rule is made: a yes to it is for once.
            scope = "once" if asked.own else given.scope
            body = wire.Answer(yes=given.yes, note=note, scope=scope, by=screen.desk.user)
            await screen.desk.swarm.answer(asked.id, body)
        except SwarmError as error:
            refused.append(f"{asked.run}: {error.message}")
    if refused:
        screen.say(f"{len(refused)} were not answered", hint="\n".join(refused[:3]), bad=True)
    screen.query_one(QuestionTable).unmark()
    screen.load()


async def _still_open(screen: "InboxScreen", asked: Approval) -> bool:
    return any(each.id == asked.id for each in await screen.desk.swarm.inbox())


async def _together(
    screen: "InboxScreen", given: QuestionCard.Answer, count: int, listed: str
) -> str | None:
    """What the agents are told besides; None when the person thought better of it."""
    if given.because:
        title = f"no to {count} questions, because …"
        return await verbs.written(screen, title, f"{listed}\n\nEach agent reads this.")
    word = "yes" if given.yes else "no"
    far = ", and to the same for as long as their runs last" if given.scope == "run" else ""
    sure = await screen.app.push_screen_wait(Confirm(f"{word} to {count} questions{far}?", listed))
    return "" if sure else None


class InboxScreen(SwarmScreen):
    """The list, all of the selected question below it, and the card that alone takes answers."""

    PLACE: ClassVar[Place] = "inbox"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("inbox")]
    DOES: ClassVar[Mapping[str, Verb]] = {
        **verbs.COMMON,
        "question": to_card,
        "open": open_run,
        "mark": mark,
        "mark_all": mark_all,
        "refresh": reload,
        "back": go_back,
    }

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.rows: dict[RunId, RunRow] = {}
        """The runs that ask, of all repositories."""

    def compose(self) -> ComposeResult:
        yield Written(id="head", classes="head")
        yield QuestionTable(id="questions")
        yield Rule(id="asked-title")
        yield Lines(id="asked")
        yield QuestionCard()
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(QuestionTable).focus()
        self.load()

    @property
    def asked(self) -> Approval | None:
        """The question that is selected."""
        return self.query_one(QuestionTable).selected

    @property
    def row(self) -> RunRow | None:
        return self.row_of(self.asked) if self.asked is not None else None

    @property
    def state(self) -> RunState | None:
        """A question is there to be answered before it is known whose it is."""
        return super().state or (RunState.WAITING if self.asked is not None else None)

    def row_of(self, asked: Approval) -> RunRow | None:
        return self.desk.fleet.find(asked.run) or self.rows.get(asked.run)

    @work(exclusive=True, group="inbox", exit_on_error=True)
    @unless_gone
    async def load(self) -> None:
        """Ask for the questions, and for the runs whose they are."""
        try:
            self.desk.inbox.load(await self.desk.swarm.inbox())
            board = await self.desk.swarm.board()
        except SwarmError as error:
            if self.desk.link:
                self.say(error.message, hint=error.hint, bad=True)
            return
        self.rows = {row.run.id: row for row in board.rows}
        self.update()

    def on_inbox_changed(self, _message: InboxChanged) -> None:
        self.update()
        if self.desk.inbox.stale:
            self.load()

    def update(self) -> None:
        questions = self.desk.inbox.questions
        rows = {asked.run: row for asked in questions if (row := self.row_of(asked))}
        self.query_one(QuestionTable).show(
            questions, rows, self.desk.clock(), loaded=self.desk.inbox.loaded
        )
        head = self.query_one("#head", Written)
        count = "1 question" if len(questions) == 1 else f"{len(questions)} questions"
        agents = len({asked.run for asked in questions})
        of = "1 run" if agents == 1 else f"{agents} runs"
        words = f"{count} of {of}, the one that waits longest first" if questions else ""
        first: Line = [(" INBOX ", "brand"), (words, "bright")]
        head.text = ([*first, (" ", ""), *self.desk.gone],)
        self.show_selected()

    def show_selected(self) -> None:
        """All of the question, and who answers what."""
        asked, row, table = self.asked, self.row, self.query_one(QuestionTable)
        self.query_one(QuestionCard).question = asked
        title = self.query_one("#asked-title", Rule)
        title.title = f"{name(asked, row)} asks" if asked else ""
        marked = len(table.marked)
        title.aside = f"{marked} marked: an answer is for all of them" if marked else ""
        about = self.query_one("#asked", Lines)
        about.show(question_lines(asked, row, about.size.width or 78) if asked else [])
        self.update_footer()
        self.on_descendant_focus()

    def on_descendant_focus(self) -> None:
        self.offer(self.query_one(QuestionCard))

    def on_line_view_moved(self, message: LineView.Moved) -> None:
        if isinstance(message.view, QuestionTable):
            self.show_selected()

    def on_question_card_left(self, _message: QuestionCard.Left) -> None:
        self.query_one(QuestionTable).focus()

    def on_question_card_answer(self, message: QuestionCard.Answer) -> None:
        many = bool(self.query_one(QuestionTable).marked)
        done = answer_all(self, message) if many else verbs.answer_by(self, message)
        self.run_worker(self.attempt(done), group="verbs")

    def on_resize(self) -> None:
        self.call_after_refresh(self.update)
