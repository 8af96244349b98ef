"""A review: exactly what would land, looked at file by file, and then the verdict."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from app import wire
from app.domain.errors import SwarmError
from app.domain.ids import TaskId
from app.domain.review import Comment, Review, Verdict
from app.domain.task import commit_message
from app.tui.actions import Place
from app.tui.desk import Desk
from app.tui.keymap import bindings
from app.tui.messages import Refresh
from app.tui.model.file_list import flags_of
from app.tui.model.show import name
from app.tui.screens import outside, verbs
from app.tui.screens.approve import ApproveScreen
from app.tui.screens.base import Verb, unless_gone
from app.tui.screens.dialogs import AskText
from app.tui.screens.facts import FactsScreen, comment_line, fact_lines, head_lines
from app.tui.screens.look import Look, take
from app.tui.screens.picking import OF_PARTS
from app.tui.screens.remarks import OF_COMMENTS, marks, range_line
from app.tui.screens.search import SEARCH, SearchedScreen, SearchField
from app.tui.widgets.bars import Footer, Rule, Written
from app.tui.widgets.diff_view import DiffView
from app.tui.widgets.files_view import FilesView
from app.tui.widgets.line_view import LineView
from app.tui.widgets.searched_view import Lines, SearchedView
from app.wire import RunRow

ASKING = "asking for the change …"


async def approve(screen: "ReviewScreen") -> None:
    """Approve the review that is on the screen, by its id and its tree; never what the supervisor has by now."""
    review, row = screen.review, verbs.chosen(screen)
    if review is None:
        screen.say("the change is not loaded yet")
        return
    if why := refusal(review):
        screen.say(why, bad=True)
        return
    swarm, by = screen.desk.swarm, screen.desk.user
    if review.verdict is Verdict.APPROVE:
        await swarm.merge(row.run.id, wire.Act(by=by))
        screen.say(f"{name(row)} tries to land again")
        return
    secrets = await named_secrets(screen, review)
    if secrets is None:
        return
    goal = commit_message(row.task.goal)
    asked = ApproveScreen(
        screen.desk,
        review,
        title=name(row),
        unsent=len(screen.unsent),
        message=screen.desk.messages.get(row.run.id, goal),
    )
    given = await screen.app.push_screen_wait(asked)
    screen.desk.messages[row.run.id] = asked.message
    if given is None:
        return
    message = "" if given.message == goal else given.message
    await swarm.approve(row.run.id, given.body(review, secrets=secrets, message=message, by=by))
    screen.say(f"{name(row)} is approved and lands by itself")
    screen.post_message(Refresh())
    screen.action_do("back")


async def named_secrets(screen: "ReviewScreen", review: Review) -> tuple[str, ...] | None:
    """The fingerprints of the secrets in it, each typed by the person; None when they did not."""
    found = {f.fingerprint: f for f in review.findings if f.severity == "block" and f.fingerprint}
    for fingerprint, finding in found.items():
        text = f"{finding.path}: {finding.why}\n\nS sends it back. To publish it all the same, type {fingerprint}"
        typed = await screen.app.push_screen_wait(AskText("this would publish a secret", text))
        if typed is None or typed.strip() != fingerprint:
            screen.say("nothing was approved")
            return None
    return tuple(found)


def refusal(review: Review) -> str:
    """Why nobody may approve this, in words; empty when a person may."""
    if review.conflicts:
        listed = ", ".join(review.conflicts[:3])
        return f"it conflicts with {review.target} in {listed}; S sends it back to the agent"
    blocked = [f for f in review.findings if f.severity == "block" and not f.fingerprint]
    if blocked:
        return f"{blocked[0].path} may not land: {blocked[0].why}"
    return "" if review.result_tree else "there is nothing that could land"


async def changes(screen: "ReviewScreen") -> None:
    row = verbs.chosen(screen)
    count = len(screen.unsent)
    text = "The agent gets this note"
    text += f" and {count} comment{'s' if count > 1 else ''} not sent yet." if count else "."
    title, empty = f"{name(row)} works on", "what should be different"
    note = await verbs.written(screen, title, text, empty=empty)
    if note is None:
        return
    if not note.strip() and not screen.unsent:
        screen.say("say what should be different, or comment on lines first")
        return
    await screen.desk.swarm.changes(
        row.run.id, wire.Changes(note=note.strip(), by=screen.desk.user)
    )
    screen.say(f"{name(row)} works on")
    screen.post_message(Refresh())
    screen.action_do("back")


def mark_viewed(screen: "ReviewScreen") -> None:
    view = screen.diff_view
    if screen.review is None or not view.diff.files:
        return
    at = view.diff.file_at(view.row)
    path = view.diff.files[at].path
    ticked = path not in screen.viewed
    screen.desk.viewed[screen.review.id] = screen.viewed ^ {path}
    if ticked:
        later = [file for file in view.diff.files[at + 1 :] if file.path not in screen.viewed]
        if later:
            view.go_row(later[0].row)
    screen.update()


def show_facts(screen: "ReviewScreen") -> None:
    look = screen.look
    if look is not None and look.review is not None:
        screen.app.push_screen(FactsScreen(look.detail, look.review, look.followed))


def go_unviewed(screen: "ReviewScreen", by: Literal[1, -1]) -> None:
    """To the next file that is not ticked off, or the one before, round the end if need be."""
    view = screen.diff_view
    files = view.diff.files
    at = view.diff.file_at(view.row)
    others = (*files[at + 1 :], *files[:at])[::by]
    left = [file for file in (*others, *files[at : at + 1]) if file.path not in screen.viewed]
    if left:
        view.go_row(left[0].row)
    else:
        screen.say("every file is viewed")


async def only_news(screen: "ReviewScreen") -> None:
    """What changed since the person looked last, or everything again."""
    look = screen.look
    if look is None or look.news is None:
        screen.say("you have not looked at this before: everything is new")
    elif not screen.only_news and not look.news.files:
        screen.say("nothing has changed since you looked")
    else:
        screen.only_news = not screen.only_news
        await screen.diff_view.show(look.news.data if screen.only_news else look.data)
        screen.update()


def edit_file(screen: "ReviewScreen") -> None:
    row, place = screen.row, screen.diff_view.place()
    if row is None or not row.run.worktree or place is None:
        outside.edit_worktree(screen)
        return
    outside.edit(screen, Path(row.run.worktree) / place[0])


def copy_place(screen: "ReviewScreen") -> None:
    place = screen.diff_view.place()
    verbs.copy(screen, f"{place[0]}:{place[1]}" if place else "")


def reload(screen: "ReviewScreen") -> None:
    screen.load()


class ReviewScreen(SearchedScreen):
    """Files at the left where there is room, the diff, and what was said about its lines."""

    PLACE: ClassVar[Place] = "review"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("review")]
    DOES: ClassVar[Mapping[str, Verb]] = {
        **verbs.COMMON,
        **SEARCH,
        **OF_COMMENTS,
        **OF_PARTS,
        "approve": approve,
        "changes": changes,
        "viewed": mark_viewed,
        "facts": show_facts,
        "next_unviewed": lambda screen: go_unviewed(screen, 1),
        "previous_unviewed": lambda screen: go_unviewed(screen, -1),
        "since": only_news,
        "next_hunk": lambda screen: screen.diff_view.go_hunk(1),
        "previous_hunk": lambda screen: screen.diff_view.go_hunk(-1),
        "next_file": lambda screen: screen.diff_view.go_file(1),
        "previous_file": lambda screen: screen.diff_view.go_file(-1),
        "edit": edit_file,
        "copy": copy_place,
        "refresh": reload,
    }

    def __init__(self, desk: Desk, task: TaskId) -> None:
        super().__init__(desk)
        self.task_id = task
        self.look: Look | None = None
        self.began: tuple[str, int] | None = None
        """Where a range begins that the next comment is on."""
        self.only_news = False
        """Whether only what is new since the look before is shown."""
        self._told: tuple[Look, int, int] | None = None
        """What the facts beside the diff were written of: the look, its comments, the width."""

    def compose(self) -> ComposeResult:
        yield Written(id="head", classes="head")
        with Horizontal(id="body"):
            with Vertical(id="side"):
                yield Rule(id="files-title")
                yield FilesView(id="files")
                yield Rule(id="facts-title")
                yield Lines(id="facts")
            with Vertical(id="main"):
                yield Rule(id="diff-title")
                yield DiffView(self.desk.syntax, id="diff")
                yield Written(id="notes")
        yield SearchField()
        yield Footer()

    def on_mount(self) -> None:
        self.query_one("#files-title", Rule).title = "files"
        self.query_one("#facts-title", Rule).title = "checks and findings"
        self.diff_view.empty, self.query_one("#files", FilesView).empty = ASKING, ""
        self.diff_view.lay_out(side_by_side=self.desk.side_by_side)
        self.diff_view.focus()
        self.load()

    @property
    def row(self) -> RunRow | None:
        return self.desk.fleet.rows.get(self.task_id)

    @property
    def searched(self) -> SearchedView:
        return self.diff_view

    @property
    def diff_view(self) -> DiffView:
        return self.query_one("#diff", DiffView)

    @property
    def review(self) -> Review | None:
        """What the person is asked to approve, as it is on the screen."""
        return self.look.review if self.look else None

    @property
    def unsent(self) -> list[Comment]:
        return self.look.unsent if self.look else []

    @property
    def viewed(self) -> frozenset[str]:
        """Files of this review the person has ticked off."""
        return self.desk.viewed.get(self.review.id, frozenset()) if self.review else frozenset()

    @work(exclusive=True, group="review", exit_on_error=True)
    @unless_gone
    async def load(self) -> None:
        """Look again."""
        row = self.row
        if row is None:
            return
        again = self.look is not None
        try:
            self.look = await take(self.desk, row.run.id)
        except SwarmError as error:
            self.say(error.message, hint=error.hint, bad=True)
            return
        self.only_news = False
        for view in (self.diff_view, self.query_one("#files", FilesView)):
            view.empty = "nothing would change"
        await self.diff_view.show(self.look.data, keep_place=again)
        self.update()

    def update(self) -> None:
        row, review, look = self.row, self.review, self.look
        if row is None:
            return
        old = review is not None and row.review not in {None, review.id}
        head = self.query_one("#head", Written)
        head.text = tuple(head_lines(row, review, self.size.width, self.desk.gone, old=old))
        head.styles.height = len(head.text)
        followed = look.followed if look else []
        if look is not None and review is not None:
            facts = self.query_one("#facts", Lines)
            width = facts.scrollable_content_region.width or 34
            told = (look, len(look.comments), width)
            if told != self._told:
                facts.show(fact_lines(look.detail, review, width, brief=True, comments=followed))
                self._told = told
        self.diff_view.mark(self.viewed, marks(followed))
        files = self.query_one("#files", FilesView)
        files.show(self.diff_view.diff.files, self.viewed, flags_of(review))
        self.show_place()
        self.update_footer()

    def show_place(self) -> None:
        """Where the cursor stands, and what was said there."""
        view, title = self.diff_view, self.query_one("#diff-title", Rule)
        files = view.diff.files
        if files:
            at = view.diff.file_at(view.row)
            title.title = files[at].path
            new = "since you looked · " if self.only_news else ""
            title.aside = f"{new}file {at + 1}/{len(files)} · {len(self.viewed)} viewed"
            self.query_one("#files", FilesView).go_file(at)
        notes = self.query_one("#notes", Written)
        followed = self.look.followed if self.look else []
        here = view.place() if files else None
        notes.text = (range_line(self.began) if self.began else comment_line(followed, here),)

    def noted(self, comment: Comment) -> None:
        """A comment was taken."""
        if self.look is not None:
            self.look.comments.append(comment)
        self.update()

    def on_line_view_moved(self, message: LineView.Moved) -> None:
        if message.view is self.diff_view:
            self.show_place()

    def on_files_view_picked(self, message: FilesView.Picked) -> None:
        view = self.diff_view
        view.go_row(view.diff.files[message.index].row)
        view.focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self.update)
