"""Verbs of a review besides approving: comment, changes, merge, undo."""

import re
from typing import Annotated

import typer

from app.cli.arguments import Id
from app.cli.call import Call, user_name
from app.cli.control import told
from app.cli.verbs import examples
from app.domain.errors import UsageError


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
