"""A unified diff on a terminal: safe, and coloured where colours are seen."""

from collections.abc import Iterator

from app import wire
from app.cli.render import changes, count, painted, short
from app.domain.review import Review
from app.domain.safe import clean_line

HEAD = ("diff ", "index ", "--- ", "+++ ", "new file", "deleted file", "old mode", "new mode")


def heading(detail: wire.RunDetail, review: Review | None, turn: int = 0) -> str:
    """What the diff that follows is of."""
    run = detail.row.run
    if turn and review:
        return f"What the commit of turn {turn} would change, if {review.id} lands turn by turn:"
    if review:
        exact = f"review {review.id}, tree {short(review.result_tree)}"
        return f"What would land on {clean_line(review.target)} ({exact}):"
    size = f"{count(run.files, 'file')} {changes(run.insertions, run.deletions)}".strip()
    return f"The work of {run.id} so far: {size} since {short(run.base)}."


def diff_text(data: bytes) -> str:
    """The diff with every line made safe to show."""
    return "\n".join(_lines(data.decode(errors="replace")))


def _lines(text: str) -> Iterator[str]:
    in_hunk = False
    for line in text.removesuffix("\n").split("\n"):
        in_hunk = not line.startswith("diff ") and (in_hunk or line.startswith("@@"))
        yield painted(clean_line(line), _colour(line, in_hunk=in_hunk))


def _colour(line: str, *, in_hunk: bool) -> str:
    if not in_hunk:
        return "bold" if line.startswith(HEAD) else ""
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
