"""The last look before a change lands: the exact tree, its checks, and every finding that wants to be seen."""

from dataclasses import dataclass
from typing import ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from app.domain.review import Finding, LandingStyle, Review
from app.tui.actions import Place
from app.tui.keymap import bindings
from app.tui.model import show
from app.tui.model.line import Line, fit, one_line, wrap
from app.tui.screens.dialogs import Dialog
from app.tui.widgets.bars import Rule, Written
from app.tui.widgets.searched_view import Lines

STYLES: Final[dict[LandingStyle, str]] = {
    "squash": "one commit on top",
    "merge": "a merge commit over the change",
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


class ApproveScreen(Dialog[Approved | None]):
    """A review in; what was approved out, or None."""

    PLACE: ClassVar[Place] = "approval"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("approval")]
    DEFAULT_CSS = """
    ApproveScreen Lines { height: auto; max-height: 20; background: $swarm-band; }
    """

    def __init__(self, review: Review, *, title: str, unsent: int, message: str) -> None:
        super().__init__()
        self.message = message
        self.style: LandingStyle = "squash"
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
        elif what == "land" and self.seen == len(self.open):
            paths = tuple(dict.fromkeys(finding.path for finding in self.open))
            self.dismiss(Approved(paths, self.message, self.style))
        elif what == "message":
            self._edit()
        elif what == "style":
            self.style = "merge" if self.style == "squash" else "squash"
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
        said.text = ([], *told, [], self.keys(width))
        said.styles.height = len(said.text)

    def _lines(self, width: int) -> list[Line]:
        review = self.review
        total = show.changed(
            sum(file.insertions for file in review.files),
            sum(file.deletions for file in review.files),
        )
        lines: list[Line] = [
            [],
            [(" tree     ", "label"), (review.result_tree, "strong")],
            [
                (" lands on ", "label"),
                (one_line(review.target), "bright"),
                (f" at {review.tip[:12]}", "dim"),
            ],
            [(" change   ", "label"), (f"{total} in {len(review.files)} files", "")],
            [(" commit   ", "label"), (one_line(self.message.partition("\n")[0]), "bright")],
            [(" as       ", "label"), (STYLES[self.style], "")],
        ]
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
