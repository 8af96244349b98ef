"""Several runs of one task beside each other, as lines."""

from collections.abc import Sequence
from typing import Final

from app.domain.money import dollars
from app.domain.review import FileChange
from app.tui.model import show
from app.tui.model.line import Line, cells, fit, line_cells, one_line, right
from app.wire import RunDetail, RunRow

_COLUMN: Final = 14
"""Cells of one candidate in the table of files."""


def candidate_line(row: RunRow, width: int, now: float) -> Line:
    """One candidate: how it stands, and what it cost."""
    run, checks = row.run, row.checks
    sign, word, ink = show.WORDS[show.state_of(row)]
    passed = sum(check.passed for check in checks)
    good = "good" if passed == len(checks) else "bad"
    left: Line = [
        (f" {sign} ", ink),
        (fit(run.id, 9), "bright"),
        (fit(one_line(run.agent), 14), ""),
        (fit(word, 10), ink),
        (right(dollars(run.spent), 8), ""),
        (right(show.age((run.ended or now) - (run.started or run.created)), 7), "dim"),
        (right(f"{passed}/{len(checks)}" if checks else "-", 8), good if checks else "dim"),
        (right(show.changed(run.insertions, run.deletions), 12), ""),
        (right(str(run.files), 7), "dim"),
    ]
    more = " · ".join(one_line(text) for text in (run.model, run.reason) if text)
    return [*left, ("  " + fit(more, max(width - line_cells(left) - 3, 4)), "dim")]


def candidates_head(width: int) -> Line:
    words = f"   {'RUN':<9}{'AGENT':<14}{'STATE':<10}{'COST':>8}{'TIME':>7}{'CHECKS':>8}{'CHANGE':>12}{'FILES':>7}"
    return [(fit(words, width), "label")]


def file_lines(details: Sequence[RunDetail], width: int) -> list[Line]:
    """Every file that any of them changes, and how much of it each; first those that more of them agree on."""
    changed = {each.row.run.id: _files(each) for each in details}
    paths = {path for files in changed.values() for path in files}
    if not paths:
        return [[(" a candidate lists its files here once it is ready for review", "dim")]]
    longest = max(cells(one_line(path)) for path in paths)
    room = min(max(width - _COLUMN * len(changed) - 2, 16), longest)
    lines: list[Line] = [
        [(" " + " " * room, ""), *((right(run, _COLUMN), "label") for run in changed)]
    ]
    for path in sorted(paths, key=lambda path: (-sum(path in f for f in changed.values()), path)):
        sizes = [right(_size(files.get(path)), _COLUMN) for files in changed.values()]
        lines.append([(" " + fit(one_line(path), room), ""), *((size, "dim") for size in sizes)])
    return lines


def race_words(details: Sequence[RunDetail]) -> str:
    """In one phrase."""
    ready = sum(each.row.review is not None for each in details)
    spent = sum(each.row.run.spent for each in details)
    runs = "1 run" if len(details) == 1 else f"{len(details)} runs"
    return f"{runs} · {ready} ready for review · {dollars(spent)} together"


def _files(detail: RunDetail) -> dict[str, FileChange]:
    return {file.path: file for file in detail.reviews[-1].files} if detail.reviews else {}


def _size(file: FileChange | None) -> str:
    if file is None:
        return "·"
    if file.binary:
        return "binary"
    size = show.changed(file.insertions, file.deletions)
    return size if file.status == "modified" else f"{file.status[0].upper()} {size}"
