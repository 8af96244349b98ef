"""What is known about a change besides its lines: checks, findings, conflicts, comments."""

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from app.domain.money import dollars
from app.domain.review import Finding, Review, lines_of
from app.tui.model import show
from app.tui.model.evidence import check_lines
from app.tui.model.fates import Fate, Followed
from app.tui.model.file_list import FLAGS
from app.tui.model.line import Line, cells, clip_line, line_cells, one_line, spread, wrap
from app.tui.widgets.bars import Rule
from app.tui.widgets.searched_view import Lines
from app.wire import RunDetail, RunRow

FATES: Final[dict[Fate, str]] = {
    Fate.DRAFT: "warn",
    Fate.OPEN: "ask",
    Fate.ADDRESSED: "good",
    Fate.OUTDATED: "dim",
}
"""The ink of each."""


class FactsScreen(ModalScreen[None]):
    """All of it, scrollable."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,i", "leave", "back")]
    DEFAULT_CSS = """
    FactsScreen { align: center middle; background: $background 60%; }
    FactsScreen > Vertical { width: 100; max-width: 100%; height: 90%; background: $swarm-band; }
    FactsScreen Lines { background: $swarm-band; }
    """

    def __init__(self, detail: RunDetail, review: Review, comments: Sequence[Followed]) -> None:
        super().__init__()
        self.detail, self.review, self.comments = detail, review, comments

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Rule()
            yield Lines()

    def on_mount(self) -> None:
        rule = self.query_one(Rule)
        rule.title, rule.aside = "about this change", "esc back"
        view = self.query_one(Lines)
        width = min(100, self.app.size.width) - 2
        goal: list[Line] = [
            [(" " + text, "bright")] for text in wrap(self.detail.row.task.goal, width - 2)
        ]
        facts = fact_lines(self.detail, self.review, width, brief=False, comments=self.comments)
        view.show([[], *goal, [], *facts])
        view.focus()

    def action_leave(self) -> None:
        self.dismiss(None)


def head_lines(
    row: RunRow, review: Review | None, width: int, gone: Line, *, old: bool
) -> list[Line]:
    """What is reviewed; how its checks, its merge and its findings stand."""
    sign, word, ink = show.WORDS[show.state_of(row)]
    left: Line = [(" REVIEW ", "brand"), (show.name(row), "bright")]
    left += [(f"  {one_line(row.run.agent)}  ", "dim"), (one_line(row.task.goal), "strong")]
    first = spread(left, gone or [(f" {sign} {word} ", ink)], width)
    if review is None:
        return [first, [(" asking for the change …", "dim")]]
    lines = [first, _standing(row, review, width)]
    if old:
        lines.append(
            [(" The change or its target has moved since: R shows what would land now. ", "hot")]
        )
    lines += _finding_heads(review.findings, width)
    return lines


def fact_lines(
    detail: RunDetail,
    review: Review,
    width: int,
    *,
    brief: bool,
    comments: Sequence[Followed] = (),
) -> list[Line]:
    """Conflicts, checks, findings, comments, cost; `brief` leaves out the output of checks that passed."""
    lines: list[Line] = []
    for path in review.conflicts:
        lines += _hanging([(" ✗ conflict  ", "bad")], path, "", width)
    lines += check_lines(review.checks, width, brief=brief)
    if review.left_out:
        lines.append([(" left out  ", "ask"), (one_line(review.without), "")])
        lines.append([(" no check has seen it without that", "warn")])
    elif not review.checks:
        lines.append([(" no checks were asked for", "dim")])
    lines.append([])
    for finding in review.findings:
        lines += _finding_lines(finding, width, brief=brief)
    if not review.findings:
        lines.append([(" no findings", "dim")])
    for other in detail.overlaps:
        who = f"{other.run}  {one_line(other.agent)}, {show.WORDS[other.state][1]}"
        lines += [[], *_hanging([(" also changed by ", "warn")], who, "bright", width)]
        shown = ", ".join(other.paths[:5]) + (" and more" if other.paths[5:] else "")
        lines += [[("   " + text, "")] for text in wrap(one_line(shown), width - 4)]
    spent, budget = detail.row.run.spent, detail.row.run.budget
    lines += [[], [(" cost    ", "label"), (dollars(spent), ""), (f" of {dollars(budget)}", "dim")]]
    lines.append([(" tree    ", "label"), (review.result_tree[: max(width - 10, 8)], "dim")])
    for said in comments:
        path, line = said.place
        place: Line = [
            (f" {lines_of(path, line, said.end)}", "label"),
            (f"  {said.fate}", FATES[said.fate]),
        ]
        lines += [[], clip_line(place, width)]
        lines += [[("   " + text, "")] for text in wrap(said.comment.text, width - 4)]
    return lines


def _finding_lines(finding: Finding, width: int, *, brief: bool) -> list[Line]:
    """Where, by which rule, and why; without room the rule is what may be missing, a fingerprint never."""
    sign, ink = FLAGS[finding.severity]
    name = finding.fingerprint or finding.rule
    lines = _hanging([(f" {sign} ", ink)], f"{one_line(finding.path)}  ", "bright", width)
    if line_cells(lines[-1]) + cells(name) < width:
        lines[-1].append((name, "dim"))
    elif finding.fingerprint or not brief:
        lines.append([("   " + name, "dim")])
    return lines + [[("   " + text, "dim")] for text in wrap(one_line(finding.why), width - 4)]


def _hanging(head: Line, text: str, ink: str, width: int) -> list[Line]:
    """The text behind its head; below it where both have no room, and never cut."""
    if line_cells(head) + cells(text) <= width:
        return [[*head, (text, ink)]]
    short = len(head[0][0]) <= 3
    first, *rest = wrap(text.rstrip(), width - 4)
    lines: list[Line] = [[*head, (first, ink)]] if short else [head, [("   " + first, ink)]]
    return lines + [[("   " + more, ink)] for more in rest]


def comment_line(comments: Sequence[Followed], place: tuple[str, int] | None) -> Line:
    """What was said on this line, and what became of it; else how much was said at all."""
    here = [said for said in comments if said.covers(place)]
    if here:
        said = here[-1]
        return [
            (" ● ", "ask"),
            (f"{said.comment.by or 'you'}: ", "dim"),
            (one_line(said.comment.text), "bright"),
            (f"  {said.fate}", FATES[said.fate]),
        ]
    unsent = sum(said.fate is Fate.DRAFT for said in comments)
    if not comments:
        return [(" no comments yet; c writes one on the line under the cursor", "dim")]
    count = "1 comment" if len(comments) == 1 else f"{len(comments)} comments"
    fates = Counter(said.fate for said in comments)
    listed = "".join(f", {fates[fate]} {fate}" for fate in Fate if fates[fate])
    hint = ": S sends them" if unsent else ""
    return [(f" {count}{listed}{hint}", "dim")]


def _standing(row: RunRow, review: Review, width: int) -> Line:
    line: Line = [(" ", "")]
    for check in review.checks:
        sign, ink = ("✓", "good") if check.passed else ("✗", "bad")
        line += [(f"{sign} ", ink), (f"{one_line(check.command)}   ", "")]
    if not review.checks:
        words = "in part: no check has seen it   " if review.left_out else "no checks   "
        line.append((words, "warn"))
    if review.conflicts:
        line.append((f"✗ conflicts in {len(review.conflicts)} files", "bad"))
    else:
        line += [("✓ ", "good"), (f"merges cleanly onto {one_line(review.target)}", "")]
    files = review.files
    added, removed = sum(f.insertions for f in files), sum(f.deletions for f in files)
    if review.conflicts:
        added, removed = row.run.insertions, row.run.deletions
    counted = show.changed(added, removed)
    return spread(line, [(f" {counted}  {dollars(row.run.spent)} ", "dim")], width)


def _finding_heads(findings: tuple[Finding, ...], width: int) -> list[Line]:
    """The two that matter most; `i` shows all."""
    ranked = sorted(
        findings, key=lambda finding: ("block", "confirm", "warn").index(finding.severity)
    )
    lines: list[Line] = []
    for finding in ranked[:2]:
        sign, ink = FLAGS[finding.severity]
        lines.append(
            [(f" {sign} ", ink), (finding.path, "bright"), (f"  {one_line(finding.why)}", "dim")]
        )
    if len(ranked) > 2:
        lines[-1] = spread(lines[-1], [(f" i: {len(ranked) - 2} more ", "dim")], width)
    return lines
