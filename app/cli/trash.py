"""Verbs of the trash: discard, restore, trash. Nothing is ever deleted by them."""

import time
from typing import TYPE_CHECKING

import typer

from app.cli.call import Call, user_name
from app.cli.look import Id
from app.cli.verbs import examples
from app.cli.work import told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app import wire


@examples("swarm discard k3f9x")
def discard(ctx: typer.Context, run: Id) -> None:
    """Put a run into the trash; `swarm restore` brings it back."""
    from app import wire

    call = Call.of(ctx)
    told(call, call.ask(lambda swarm: swarm.discard(run, wire.Act(by=user_name()))))


@examples("swarm restore k3f9x")
def restore(ctx: typer.Context, run: Id) -> None:
    """Bring a discarded run back as it was."""
    from app import wire

    call = Call.of(ctx)
    told(call, call.ask(lambda swarm: swarm.restore(run, wire.Act(by=user_name()))))


@examples("swarm trash", "swarm trash --json")
def trash(ctx: typer.Context) -> None:
    """List what is in the trash."""
    call = Call.of(ctx)
    rows = call.ask(lambda swarm: swarm.trash())
    call.show(rows, lambda: _trash_text(rows))
    if not rows and not call.json:
        call.say("The trash is empty.")


def _trash_text(rows: "Sequence[wire.RunRow]") -> str:
    from app.cli.render import age, changes, table

    now = time.time()
    return table(
        ("RUN", "AGENT", "AGE", "CHANGE", "GOAL"),
        [
            (
                row.run.id,
                row.run.agent,
                age(now - (row.run.ended or row.run.created)),
                changes(row.run.insertions, row.run.deletions),
                row.task.goal,
            )
            for row in rows
        ],
        right=frozenset({2}),
    )
