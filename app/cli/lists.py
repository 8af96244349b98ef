"""Verbs that list: ps, inbox, agents."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.call import Call
from app.cli.verbs import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app import wire
    from app.cli.render import Row
    from app.domain.review import Approval


@examples("swarm ps", "swarm ps --all", "swarm ps --past 1000", "swarm ps --json")
def ps(
    ctx: typer.Context,
    *,
    everywhere: Annotated[
        bool, typer.Option("--all", help="Tasks of all repositories, not only of this one.")
    ] = False,
    disk: Annotated[
        bool, typer.Option("--disk", help="What each takes of the disk; counted now.")
    ] = False,
    past: Annotated[
        int | None,
        typer.Option(
            "--past", min=0, metavar="N", help="How many that have landed: 200 unless told."
        ),
    ] = None,
) -> None:
    """List tasks, those that need you first.

    Of those that have landed only the newest are listed.
    """
    call = Call.of(ctx)
    if disk:
        lines = call.ask(lambda swarm: swarm.disk("" if everywhere else str(call.root())))
        call.show(lines, lambda: _disk_text(lines))
        return
    root = None if everywhere else call.root()
    board = call.ask(lambda swarm: swarm.board(str(root or ""), past))
    call.show(board, lambda: board_text(board))
    if board.older:
        call.say(f"{board.older} more have landed: `swarm ps --past {_landed(board)}` lists all.")
    if not board.rows and not call.json:
        call.say('No tasks here yet. Start one: swarm run "what you want"')


def _landed(board: "wire.Board") -> int:
    """How many have landed, listed or not."""
    return board.older + sum(row.run.state == "merged" for row in board.rows)


def _disk_text(lines: "Sequence[wire.DiskLine]") -> str:
    from app.cli.render import table

    def size(count: int | None) -> str:
        return "?" if count is None else f"{count / 1024**2:.1f} MiB"

    rows = [(line.run, size(line.worktree), size(line.sandbox)) for line in lines]
    return table(("RUN", "WORKTREE", "SANDBOX"), rows, right=frozenset({1, 2}))


def board_text(board: "wire.Board") -> str:
    """The board as a table."""
    from app.cli.order import by_need
    from app.cli.render import table

    heads = ("TASK", "STATE", "AGENT", "COST", "TIME", "CHANGE", "GOAL")
    rows = [_board_row(row, board.now) for row in by_need(board.rows)]
    return table(heads, rows, right=frozenset({3, 4}))


def _board_row(row: "wire.RunRow", now: float) -> "Row":
    from app.cli.render import age, changes, state_cell
    from app.domain.money import dollars

    run = row.run
    ended = run.ended or now
    return (
        run.task if run.number == 1 else run.id,
        state_cell(run.state),
        run.agent,
        dollars(run.spent),
        age(ended - (run.started or run.created)),
        changes(run.insertions, run.deletions),
        row.task.goal,
    )


@examples("swarm inbox", "swarm inbox --json")
def inbox(ctx: typer.Context) -> None:
    """List open questions of agents, oldest first."""
    call = Call.of(ctx)
    found = call.ask(lambda swarm: swarm.inbox())
    call.show(found, lambda: _inbox_text(found))
    if not call.json:
        call.say("Answer with: swarm answer ID yes|no" if found else "No agent is asking anything.")


def _inbox_text(found: "Sequence[Approval]") -> str:
    from app.cli.render import age, table

    now = time.time()
    rows = [(a.id, age(now - a.opened), a.action, a.title, a.reason) for a in found]
    return table(("ID", "AGE", "ACTION", "QUESTION", "WHY"), rows, right=frozenset({1}))


@examples("swarm agents", "swarm agents --json")
def agents(ctx: typer.Context) -> None:
    """List the agents that can be given work, and what others lack."""
    call = Call.of(ctx)
    lines = call.ask(lambda swarm: swarm.agents())
    call.show(lines, lambda: _agents_text(lines))


def _agents_text(lines: "Sequence[wire.AgentLine]") -> str:
    from app.cli.render import Cell, table

    rows = [
        (
            line.name,
            Cell("yes", "green") if line.usable else Cell("no", "red"),
            line.harness,
            line.model,
            line.title if line.usable else line.why,
        )
        for line in lines
    ]
    return table(("AGENT", "READY", "HARNESS", "MODEL", ""), rows)
