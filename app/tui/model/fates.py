"""What became of a reviewer's comments: each is followed from the tree it was made on to the tree there is now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from app.domain.review import Comment, Review
from app.tui.model.diff import Diff, DiffRow


class Fate(StrEnum):
    """How a comment stands."""

    DRAFT = "not sent yet"
    OPEN = "open"
    """The line is as it was."""
    ADDRESSED = "addressed"
    """The line was changed since."""
    OUTDATED = "outdated"
    """The line is gone, and nothing stands in its place."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A comment, and where its line is now."""

    comment: Comment
    fate: Fate
    line: int
    """The line now; of one that is gone, where it was."""

    @property
    def place(self) -> tuple[str, int]:
        return self.comment.path, self.line

    @property
    def end(self) -> int:
        """The last line of it now."""
        return self.line + max(0, self.comment.last - self.comment.line)

    def covers(self, place: tuple[str, int] | None) -> bool:
        return (
            place is not None
            and place[0] == self.comment.path
            and self.line <= place[1] <= self.end
        )


def made_on(comment: Comment, reviews: Sequence[Review]) -> Review | None:
    """The review that was open when the comment was written."""
    before = [review for review in reviews if review.opened <= comment.at]
    return before[-1] if before else (reviews[0] if reviews else None)


def earlier_trees(comments: Sequence[Comment], reviews: Sequence[Review], now: Review) -> set[str]:
    """The trees from which comments have to be followed to this review's."""
    found = (made_on(comment, reviews) for comment in comments)
    trees = {review.result_tree for review in found if review is not None}
    return trees - {"", now.result_tree}


def follow(
    comments: Sequence[Comment], reviews: Sequence[Review], since: Mapping[str, Diff]
) -> list[Followed]:
    """Every comment with its fate; `since` has, by tree, how the newest result differs from it."""
    followed = []
    for comment in comments:
        review = made_on(comment, reviews)
        diff = since.get(review.result_tree) if review is not None else None
        fate, line = (Fate.OPEN, comment.line) if diff is None else _moved(diff, comment)
        if not comment.sent:
            fate = Fate.DRAFT
        followed.append(Followed(comment, fate, line))
    return followed


def looked_at(reviews: Sequence[Review], now: Review, shown: Sequence[str]) -> str:
    """The tree somebody saw last that is not what would land now; empty when there was none.

    `shown` is what this screen has shown; before that, there is what earlier reviews were about.
    """
    earlier = [each.result_tree for each in reviews if each.round < now.round]
    other = [tree for tree in (*earlier, *shown) if tree and tree != now.result_tree]
    return other[-1] if other else ""


def _moved(diff: Diff, comment: Comment) -> tuple[Fate, int]:
    """Follow one line through a diff: counted on its old side, found on its new one."""
    index = next((at for at, file in enumerate(diff.files) if file.path == comment.path), None)
    if index is None:
        return Fate.OPEN, comment.line
    if diff.files[index].status == "deleted":
        return Fate.OUTDATED, comment.line
    line, shift = comment.line, 0
    for changed, group in groupby(_lines_of(diff, index), key=lambda row: row.sign in {"+", "-"}):
        rows = list(group)
        if any(row.old is not None and row.old >= line for row in rows):
            return _reached(rows, line, shift, changed=changed)
        shift += sum(row.sign == "+" for row in rows) - sum(row.sign == "-" for row in rows)
    return Fate.OPEN, line + shift


def _reached(rows: list[DiffRow], line: int, shift: int, *, changed: bool) -> tuple[Fate, int]:
    """The rows lie together, and the line is among them or before them."""
    if not any(row.old == line for row in rows) or not changed:
        return Fate.OPEN, line + shift
    added = [row.new for row in rows if row.new is not None]
    return (Fate.ADDRESSED, added[0]) if added else (Fate.OUTDATED, line)


def _lines_of(diff: Diff, index: int) -> Iterator[DiffRow]:
    end = diff.files[index + 1].row if index + 1 < len(diff.files) else diff.rows
    rows = (diff.row(at) for at in range(diff.files[index].row, end))
    return (row for row in rows if row.kind == "lines" and row.sign != "\\")
