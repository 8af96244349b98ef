"""Verbs of a review besides approving: comment, changes, merge, undo."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.arguments import Id
from app.cli.call import Call, user_name
from app.cli.control import told
from app.cli.verbs import examples
from app.domain.errors import NotNow, UsageError

if TYPE_CHECKING:
    from app import wire


@examples(
    'swarm comment k3f9x src/io.py:42 "Close the file here"',
    'swarm comment k3f9x src/io.py:42-47 "Take this change back"',
)
def comment(
    ctx: typer.Context,
    run: Id,
    place: Annotated[
        str, typer.Argument(metavar="FILE:LINE[-LAST]", help="A line of the change, or several.")
    ],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What you want to say about it.")],
) -> None:
    """Remark on lines; sent to the agent with `swarm changes`."""
    from app import wire

    call = Call.of(ctx)
    path, line, last = file_and_lines(place)
    body = wire.NewComment(path=path, line=line, last=last, text=text, by=user_name())
    made = call.ask(lambda swarm: swarm.comment(run, body))
    call.show(made, lambda: f"{made.run} comment {made.number}")
    if not call.json:
        call.say(f"Send it to the agent with `swarm changes {made.run}`.")


def file_and_lines(place: str) -> tuple[str, int, int]:
    """`src/io.py:42` or `src/io.py:42-47` as its parts; the last one is 0 for a single line."""
    found = re.fullmatch(
        r"(.+):([1-9][0-9]{0,8})(?:-([1-9][0-9]{0,8}))?", place, re.ASCII | re.DOTALL
    )
    if found is None:
        raise UsageError(f"{place!r} is not a place such as src/io.py:42 or src/io.py:42-47")
    return found[1], int(found[2]), int(found[3] or 0)


@examples(
    "swarm pick k3f9x --without docs/notes.md --without src/io.py:42", "swarm pick k3f9x --all"
)
def pick(
    ctx: typer.Context,
    run: Id,
    *,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without",
            metavar="FILE[:LINE]",
            help="A file, or the hunk around that line of the new text.",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Take back in what was left out before.")
    ] = False,
) -> None:
    """Leave files or hunks out of what would land.

    Prints the tree that would land then; it is approved like any other, and no check has seen it. Nothing is lost:
    what is left out stays with the run, and in the trash once the rest has landed.
    """
    from app import wire
    from app.cli.detail import open_review, review_text

    call = Call.of(ctx)
    if bool(without) is everything:
        raise UsageError("say what to leave out: --without FILE, or --all for nothing")
    shown = open_review(call.ask(lambda swarm: swarm.detail(run)))
    if shown is None:
        raise NotNow(f"{run} has no open review", hint=f"`swarm why {run}` says why.")
    body = wire.Pick(
        review=shown.id,
        tree=shown.result_tree,
        leave_out=tuple(_part(place) for place in without or ()),
        all=everything,
        by=user_name(),
    )
    picked = call.ask(lambda swarm: swarm.pick(shown.run, body))
    call.show(picked, lambda: review_text(picked))


def _part(place: str) -> "wire.Part":
    from app import wire

    path, _, line = place.rpartition(":")
    if path and line.isdecimal():
        return wire.Part(path=path, line=int(line))
    return wire.Part(path=place)


@examples('swarm changes k3f9x "Keep the public names"', "swarm changes k3f9x")
def changes(
    ctx: typer.Context,
    run: Id,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What should be different.")] = "",
) -> None:
    """Send a change back to its agent, with your comments."""
    from app import wire

    call = Call.of(ctx)
    body = wire.Changes(note=text, by=user_name())
    told(call, call.ask(lambda swarm: swarm.changes(run, body)))


@examples("swarm merge k3f9x")
def merge(ctx: typer.Context, run: Id) -> None:
    """Land what is approved, once nothing is in its way."""
    from app import wire

    call = Call.of(ctx)
    told(call, call.ask(lambda swarm: swarm.merge(run, wire.Act(by=user_name()))))


@examples("swarm undo k3f9x")
def undo(ctx: typer.Context, run: Id) -> None:
    """Take a landed change back.

    The branch goes back where nothing followed, else a new commit reverses it.
    """
    from app import wire

    call = Call.of(ctx)
    told(call, call.ask(lambda swarm: swarm.undo(run, wire.Act(by=user_name()))))
