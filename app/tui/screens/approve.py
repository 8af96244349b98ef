"""The last look before a change lands: the exact tree, its checks, and every finding that wants to be seen."""

from dataclasses import dataclass
from typing import ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from app import wire
from app.domain.errors import SwarmError
from app.domain.review import Finding, LandingStyle, Review, TurnCommit, subject_of
from app.tui.actions import Place
from app.tui.desk import Desk
from app.tui.keymap import bindings
from app.tui.model import show
from app.tui.model.line import Line, fit, one_line, wrap
from app.tui.screens.base import unless_gone
from app.tui.screens.commits import CommitsScreen
from app.tui.screens.dialogs import Dialog
from app.tui.widgets.bars import Rule, Written
from app.tui.widgets.searched_view import Lines

STYLES: Final[dict[LandingStyle, str]] = {
    "squash": "one commit on top",
    "merge": "a merge commit over the change",
    "rebase": "a commit a turn",
}
_HERE: Final = " ▸ "
"""Stands before the finding that is asked about."""


@dataclass(frozen=True, slots=True)
class Approved:
    """What the person took upon themselves, and what the commit says."""

    confirmed: tuple[str, ...]
    """Paths whose findings were acknowledged one by one."""
    message: str
    style: LandingStyle
    commits: tuple[TurnCommit, ...] = ()
    """Those of a rebase, as they were listed."""

    def body(
        self, review: Review, *, secrets: tuple[str, ...], message: str, by: str
    ) -> wire.Approve:
        """What is sent: it names the review, the tree and the commits that were on the screen."""
        return wire.Approve(
            review=review.id,
            tree=review.result_tree,
            confirmed=self.confirmed,
            secrets=secrets,
            message=message,
            style=self.style,
            commits=tuple(each.tree for each in self.commits),
            by=by,
        )


class ApproveScreen(Dialog[Approved | None]):
    """A review in; what was approved out, or None."""

    PLACE: ClassVar[Place] = "approval"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("approval")]
    DEFAULT_CSS = """
    ApproveScreen Lines { height: auto; max-height: 20; background: $swarm-band; }
    """

    def __init__(
        self, desk: Desk, review: Review, *, title: str, unsent: int, message: str
    ) -> None:
        super().__init__()
        self.desk, self.message = desk, message
        self.style: LandingStyle = "squash"
        self.commits: tuple[TurnCommit, ...] = ()
        """What a rebase would land, once it is known."""
        self.refused = ""
        """Why it cannot land so."""
        self.review, self.heading, self.unsent = review, title, unsent
        self.open = [finding for finding in review.findings if finding.severity == "confirm"]
        self.seen = 0

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Rule()
            yield Lines()
            yield Written()

    def on_mount(self) -> None:
        self.query_one(Rule).title = f"approve {self.heading}"
        self.query_one(Lines).focus()
        self._update()

    def action_do(self, what: str) -> None:
        if what == "not_yet":
            self.dismiss(None)
        elif not self.hears():
            return
        elif what == "acknowledge" and self.seen < len(self.open):
            self.seen += 1
            self._update()
        elif what == "land" and self.seen == len(self.open) and not self._unready:
            paths = tuple(dict.fromkeys(finding.path for finding in self.open))
            commits = self.commits if self.style == "rebase" else ()
            self.dismiss(Approved(paths, self.message, self.style, commits))
        elif what == "message":
            self._edit()
        elif what == "style":
            self._turn_style()
        elif what == "commits" and self.style == "rebase" and self.commits:
            shown = CommitsScreen(self.desk, self.review.run, self.commits, self.message)
            self.app.push_screen(shown)

    @property
    def _unready(self) -> str:
        """Why it cannot land in the way that is chosen, in words; empty when it can."""
        if self.style != "rebase" or self.commits:
            return ""
        return self.refused or "asking which commits would land …"

    def _turn_style(self) -> None:
        """On to the next way to land; which commits a rebase would land is asked for when it is looked at."""
        styles = list(STYLES)
        self.style = styles[(styles.index(self.style) + 1) % len(styles)]
        self._update()
        if self.style == "rebase" and not self.commits:
            self.refused = ""
            self._ask()

    @work(exclusive=True, group="commits", exit_on_error=True)
    @unless_gone
    async def _ask(self) -> None:
        try:
            self.commits = await self.desk.swarm.commits(self.review.run)
        except SwarmError as error:
            self.refused = error.in_one_line
        self._update()

    @work(exclusive=True, group="dialog")
    async def _edit(self) -> None:
        from app.tui.screens.edit_text import EditText

        typed = await self.app.push_screen_wait(
            EditText("what the commit says", "The first line is its subject.", value=self.message)
        )
        if typed is not None and typed.strip():
            self.message = typed.strip()
            self._update()

    def _update(self) -> None:
        width = min(76, self.app.size.width) - 2
        view, lines = self.query_one(Lines), self._lines(width)
        view.show(lines)
        here = next((n for n, line in enumerate(lines) if line and line[0][0] == _HERE), None)
        if here is not None:
            # Nobody acknowledges what they do not see: its last line first, then its first.
            self.call_after_refresh(view.bring_into_view, min(here + 2, len(lines) - 1))
            self.call_after_refresh(view.bring_into_view, here)
        said = self.query_one(Written)
        told = [[(" " + text, "dim")] for text in wrap(self._last_line(), width - 2)]
        without = () if self.style == "rebase" and self.commits else ("commits",)
        said.text = ([], *told, [], self.keys(width, without))
        said.styles.height = len(said.text)

    def _lines(self, width: int) -> list[Line]:
        review = self.review
        lines: list[Line] = [
            [],
            [(" tree     ", "label"), (review.result_tree, "strong")],
            [
                (" lands on ", "label"),
                (one_line(review.target), "bright"),
                (f" at {review.tip[:12]}", "dim"),
            ],
            [(" change   ", "label"), (show.in_files(review.files), "")],
            [(" commit   ", "label"), (one_line(self.message.partition("\n")[0]), "bright")],
            [(" as       ", "label"), (STYLES[self.style], "")],
        ]
        lines += self._landing(width)
        for check in review.checks:
            sign, ink = ("✓", "good") if check.passed else ("✗", "bad")
            lines.append(
                [(" check    ", "label"), (f"{sign} ", ink), (one_line(check.command), "")]
            )
        if review.left_out:
            lines.append([(" without  ", "label"), (one_line(review.without), "ask")])
            lines.append([(" check    ", "label"), ("none has seen it without that", "warn")])
        elif not review.checks:
            lines.append([(" check    ", "label"), ("none was asked for", "warn")])
        if self.unsent:
            words = "1 comment is" if self.unsent == 1 else f"{self.unsent} comments are"
            lines.append([(f" ! {words} not sent to the agent", "warn")])
        lines.append([])
        for number, finding in enumerate(self.open):
            lines += self._finding(number, finding, width)
        lines += _warnings(review)
        return lines

    def _landing(self, width: int) -> list[Line]:
        """The commits of a rebase, or why there are none."""
        if self._unready:
            words = wrap(one_line(self._unready), width - 11)
            return [[(" " * 10, ""), (text, "ask" if self.refused else "dim")] for text in words]
        if self.style != "rebase":
            return []
        lines = list[Line]()
        for number, commit in enumerate(self.commits):
            subject = one_line(subject_of(self.commits, number, self.message))
            size = show.in_files(commit.files)
            paths = one_line(", ".join(file.path for file in commit.files))
            lines.append([(f" {number + 1:>8} ", "label"), (fit(subject, width - 11), "bright")])
            lines.append([(" " * 10, ""), (fit(f"{size}: {paths}", width - 11), "dim")])
        return lines

    def _finding(self, number: int, finding: Finding, width: int) -> list[Line]:
        done, current = number < self.seen, number == self.seen
        sign, ink = (" ✓ ", "good") if done else (_HERE, "ask") if current else (" · ", "dim")
        first: Line = [
            (sign, ink),
            (finding.path, "strong" if current else ""),
            (f"  {finding.rule}", "dim"),
        ]
        if done:
            return [first]
        return [
            first,
            *([("   " + text, "dim")] for text in wrap(one_line(finding.why), width - 5)),
        ]

    def _last_line(self) -> str:
        if self.seen < len(self.open):
            left = len(self.open) - self.seen
            return f"Space acknowledges the finding under ▸; {left} to go."
        if self._unready:
            return "It cannot land as a commit a turn; s goes on to another way."
        if self.style == "rebase":
            return (
                "M lands exactly these commits, d shows what each of them changes. "
                "If the branch or the change has moved meanwhile, nothing lands."
            )
        return "M lands exactly this tree. If the branch or the change has moved meanwhile, nothing lands."


def _warnings(review: Review) -> list[Line]:
    return [
        [
            (" ! ", "warn"),
            (fit(finding.path, min(len(finding.path), 40)), ""),
            (f"  {one_line(finding.why)}", "dim"),
        ]
        for finding in review.findings
        if finding.severity == "warn"
    ]
