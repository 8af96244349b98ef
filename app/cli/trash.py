"""Verbs of the trash and of tidying up: discard, restore, trash, sweep. Nothing that is not saved is deleted."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.arguments import Id
from app.cli.call import Call, user_name
from app.cli.control import told
from app.cli.verbs import examples

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


@examples("swarm sweep --dry-run", "swarm sweep", "swarm sweep --unsaved k3f9x")
def sweep(
    ctx: typer.Context,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would go, and why.")
    ] = False,
    unsaved: Annotated[
        str,
        typer.Option(
            "--unsaved", metavar="ID", help="Let this discarded run's sandbox go unsaved."
        ),
    ] = "",
) -> None:
    """Clear away what is left of runs that are over.

    Says of each thing why it goes or stays.

    Only what is swarm's own and saved goes.
    """
    from app import wire

    call = Call.of(ctx)
    body = wire.Sweep(dry_run=dry_run, unsaved=unsaved)
    lines = call.ask(lambda swarm: swarm.sweep(body))
    call.show(lines, lambda: _sweep_text(lines, dry_run=dry_run))
    if not lines and not call.json:
        call.say("Nothing is left of any run.")


def _sweep_text(lines: "Sequence[wire.SweepLine]", *, dry_run: bool) -> str:
    from app.cli.render import table

    gone = "would go" if dry_run else "gone"
    rows = [
        (gone if line.remove else "stays", line.kind, line.run, line.name, line.why)
        for line in lines
    ]
    return table(("", "KIND", "RUN", "NAME", "WHY"), rows)


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
