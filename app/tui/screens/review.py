"""A review: exactly what would land, looked at file by file, and then the verdict."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from app import wire
from app.domain.errors import SwarmError
from app.domain.ids import TaskId
from app.domain.review import Comment, Review, Verdict
from app.tui.actions import Place
from app.tui.desk import Desk
from app.tui.keymap import bindings
from app.tui.messages import Refresh
from app.tui.model.show import name
from app.tui.screens import verbs
from app.tui.screens.approve import ApproveScreen
from app.tui.screens.base import Verb
from app.tui.screens.dialogs import AskText
from app.tui.screens.facts import FactsScreen, comment_line, fact_lines, head_lines
from app.tui.screens.search import SEARCH, SearchedScreen, SearchField
from app.tui.widgets.bars import Footer, Rule, Written
from app.tui.widgets.diff_view import DiffView
from app.tui.widgets.files_view import FilesView
from app.tui.widgets.line_view import LineView
from app.tui.widgets.searched_view import Lines, SearchedView
from app.wire import RunDetail, RunRow


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
    asked = ApproveScreen(review, title=name(row), unsent=len(screen.unsent))
    confirmed = await screen.app.push_screen_wait(asked)
    if confirmed is None:
        return
    body = wire.Approve(
        review=review.id,
        tree=review.result_tree,
        confirmed=confirmed,
        secrets=secrets,
        by=by,
    )
    await swarm.approve(row.run.id, body)
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
    note = await screen.app.push_screen_wait(
        AskText(f"{name(row)} works on", text, empty="what should be different")
    )
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


async def comment(screen: "ReviewScreen") -> None:
    place = screen.diff_view.place()
    if place is None:
        screen.say("there is no line to comment on")
        return
    path, line = place
    text = await screen.app.push_screen_wait(AskText("comment", f"{path}:{line}"))
    if not text or not text.strip():
        return
    body = wire.NewComment(path=path, line=line, text=text.strip(), by=screen.desk.user)
    screen.noted(await screen.desk.swarm.comment(verbs.chosen(screen).run.id, body))


def mark_viewed(screen: "ReviewScreen") -> None:
    screen.toggle_viewed()


def show_facts(screen: "ReviewScreen") -> None:
    if screen.detail is not None and screen.review is not None:
        screen.app.push_screen(FactsScreen(screen.detail, screen.review))


def edit_file(screen: "ReviewScreen") -> None:
    row, place = screen.row, screen.diff_view.place()
    if row is None or not row.run.worktree or place is None:
        verbs.edit_worktree(screen)
        return
    verbs.edit(screen, Path(row.run.worktree) / place[0])


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
        "approve": approve,
        "changes": changes,
        "comment": comment,
        "viewed": mark_viewed,
        "facts": show_facts,
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
        self.detail: RunDetail | None = None
        self.review: Review | None = None
        self.comments: list[Comment] = []

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
    def unsent(self) -> list[Comment]:
        return [comment for comment in self.comments if not comment.sent]

    @property
    def viewed(self) -> frozenset[str]:
        """Files of this review the person has ticked off."""
        return self.desk.viewed.get(self.review.id, frozenset()) if self.review else frozenset()

    @work(exclusive=True, group="review", exit_on_error=True)
    async def load(self) -> None:
        """Ask for the review and its diff until both are of the same moment."""
        row = self.row
        if row is None:
            return
        try:
            detail = await self.desk.swarm.detail(row.run.id)
            while True:
                data = await self.desk.swarm.diff(row.run.id, review=True)
                again = await self.desk.swarm.detail(row.run.id)
                if newest(again) == newest(detail):
                    break
                detail = again
        except SwarmError as error:
            self.say(error.message, hint=error.hint, bad=True)
            return
        self.detail, self.review = detail, newest(detail)
        self.comments = list(detail.comments)
        await self.diff_view.show(data)
        self.update()

    def update(self) -> None:
        row, review, detail = self.row, self.review, self.detail
        if row is None:
            return
        old = review is not None and row.review not in {None, review.id}
        head = self.query_one("#head", Written)
        head.text = tuple(head_lines(row, review, self.size.width, old=old))
        head.styles.height = len(head.text)
        if detail is not None and review is not None:
            facts = self.query_one("#facts", Lines)
            facts.show(fact_lines(detail, review, facts.size.width or 34, brief=True))
        noted = {(comment.path, comment.line): comment.text for comment in self.comments}
        self.diff_view.mark(self.viewed, noted)
        self.query_one("#files", FilesView).show(self.diff_view.diff.files, self.viewed)
        self.show_place()
        self.update_footer()

    def show_place(self) -> None:
        """Where the cursor stands, and what was said there."""
        view, title = self.diff_view, self.query_one("#diff-title", Rule)
        files = view.diff.files
        if files:
            at = view.diff.file_at(view.row)
            title.title = files[at].path
            title.aside = f"file {at + 1}/{len(files)} · {len(self.viewed)} viewed"
            self.query_one("#files", FilesView).cursor = at
        notes = self.query_one("#notes", Written)
        notes.text = (comment_line(self.comments, view.place() if files else None),)

    def noted(self, comment: Comment) -> None:
        """A comment was taken."""
        self.comments.append(comment)
        self.update()

    def toggle_viewed(self) -> None:
        view = self.diff_view
        if self.review is None or not view.diff.files:
            return
        at = view.diff.file_at(view.row)
        path = view.diff.files[at].path
        ticked = path not in self.viewed
        self.desk.viewed[self.review.id] = self.viewed ^ {path}
        if ticked:
            later = [file for file in view.diff.files[at + 1 :] if file.path not in self.viewed]
            if later:
                view.go_row(later[0].row)
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


def newest(detail: RunDetail) -> Review | None:
    """The review a person is asked for now, or the last one there was."""
    asked = [review for review in detail.reviews if review.id == detail.row.review]
    return asked[0] if asked else (detail.reviews[-1] if detail.reviews else None)
