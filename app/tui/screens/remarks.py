"""Comments of a review: written on a line, on a range, or as a word to take a hunk or a file back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from app import wire
from app.domain.review import lines_of
from app.tui.model.fates import Followed
from app.tui.model.line import Line
from app.tui.screens import verbs
from app.tui.screens.base import Verb

if TYPE_CHECKING:
    from app.tui.screens.review import ReviewScreen

UNDO_HUNK: Final = "Take this change back."
UNDO_FILE: Final = "Take the changes to this file back."
SHOWN: Final = 500
"""Lines of a range that carry its mark."""


async def comment(screen: "ReviewScreen") -> None:
    """On the line under the cursor; from the line that was marked to it."""
    place = screen.diff_view.place()
    if place is None:
        screen.say("there is no line to comment on")
        return
    path, line = place
    began, screen.began = screen.began or place, None
    if began[0] != path:
        screen.say("a comment is on lines of one file; V marks where it begins")
        screen.show_place()
        return
    await _write(screen, path, min(began[1], line), max(began[1], line))


def begin_range(screen: "ReviewScreen") -> None:
    """From here on; the same key takes it back."""
    screen.began = None if screen.began else screen.diff_view.place()
    screen.show_place()


async def reject_hunk(screen: "ReviewScreen") -> None:
    """The agent is asked to take it back; what lands is never put together here."""
    span = screen.diff_view.hunk_span()
    if span is None:
        screen.say("the cursor is on no hunk")
        return
    await _write(screen, *span, text=UNDO_HUNK)


async def reject_file(screen: "ReviewScreen") -> None:
    place = screen.diff_view.place()
    if place is None:
        screen.say("there is no file to take back")
        return
    await _write(screen, place[0], 1, 1, text=UNDO_FILE)


async def _write(
    screen: "ReviewScreen", path: str, first: int, last: int, *, text: str = ""
) -> None:
    where = lines_of(path, first, last)
    title = "take back, by the agent" if text else "comment"
    done = "write it; S sends all"
    typed = await verbs.written(screen, title, where, value=text, done=done)
    screen.show_place()
    if not typed or not typed.strip():
        return
    body = wire.NewComment(
        path=path,
        line=first,
        last=last if last > first else 0,
        text=typed.strip(),
        by=screen.desk.user,
    )
    screen.noted(await screen.desk.swarm.comment(verbs.chosen(screen).run.id, body))


def marks(followed: list[Followed]) -> dict[tuple[str, int], str]:
    """The lines that carry a comment's mark, with its text."""
    return {
        (said.comment.path, line): said.comment.text
        for said in followed
        for line in range(said.line, min(said.end, said.line + SHOWN) + 1)
    }


def range_line(began: tuple[str, int]) -> Line:
    words = f" from {began[0]}:{began[1]} to the cursor"
    return [(words, "bright"), (" · c comments, V leaves it", "dim")]


def go_comment(step: int) -> Verb:
    """To the next line with a comment, or the one before; round the end if need be."""

    def go(screen: "ReviewScreen") -> None:
        view, look = screen.diff_view, screen.look
        found = (view.diff.find(*said.place) for said in (look.followed if look else ()))
        rows = sorted({row for row in found if row is not None})
        if not rows:
            screen.say("there is no comment in what is shown")
            return
        ahead = [row for row in rows if (row - view.row) * step > 0]
        view.go_row((ahead or rows)[0 if step > 0 else -1])

    return go


OF_COMMENTS: Final[Mapping[str, Verb]] = {
    "comment": comment,
    "range": begin_range,
    "reject_hunk": reject_hunk,
    "reject_file": reject_file,
    "next_comment": go_comment(1),
    "previous_comment": go_comment(-1),
}
