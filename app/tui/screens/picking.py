"""Accepting a change in part: hunks and files are left out, and what is left is what would land."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from app import wire
from app.tui.model.show import name
from app.tui.screens import verbs
from app.tui.screens.base import Verb

if TYPE_CHECKING:
    from app.tui.screens.review import ReviewScreen


async def leave_out_hunk(screen: "ReviewScreen") -> None:
    span = screen.diff_view.hunk_span()
    if span is None:
        screen.say("the cursor is on no hunk")
        return
    await _pick(screen, wire.Part(path=span[0], line=span[1]))


async def leave_out_file(screen: "ReviewScreen") -> None:
    place = screen.diff_view.place()
    if place is None:
        screen.say("there is no file to leave out")
        return
    await _pick(screen, wire.Part(path=place[0]))


async def take_in(screen: "ReviewScreen") -> None:
    if screen.review is not None and not screen.review.left_out:
        screen.say("nothing is left out")
        return
    await _pick(screen)


async def _pick(screen: "ReviewScreen", *parts: wire.Part) -> None:
    """From exactly what is on the screen; what would land then is asked for again, and shown."""
    review, row = screen.review, verbs.chosen(screen)
    if review is None or screen.only_news:
        screen.say("look at the whole change first; L shows it")
        return
    body = wire.Pick(
        review=review.id,
        tree=review.result_tree,
        leave_out=parts,
        all=not parts,
        by=screen.desk.user,
    )
    picked = await screen.desk.swarm.pick(row.run.id, body)
    words = (
        f"left out: {picked.without}; ^a takes it back in" if picked.left_out else "all is in again"
    )
    screen.say(f"{name(row)}: {words}")
    screen.load()


OF_PARTS: Final[Mapping[str, Verb]] = {
    "leave_out": leave_out_hunk,
    "leave_out_file": leave_out_file,
    "take_in": take_in,
}
