"""Verbs with which a person works in a run: attach (in its sandbox), shell (in its worktree)."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.arguments import Id
from app.cli.call import Call, json_text
from app.cli.verbs import examples
from app.domain.errors import NotNow, UsageError

if TYPE_CHECKING:
    from app import wire


@examples("swarm attach k3f9x", "swarm attach k3f9x --shell")
def attach(
    ctx: typer.Context,
    run: Id,
    *,
    in_shell: Annotated[
        bool, typer.Option("--shell", help="A shell in its sandbox, not the agent's own screen.")
    ] = False,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop the agent's turn first, without asking.")
    ] = False,
) -> None:
    """Take a run over, on its agent's own screen.

    The screen is in the run's sandbox, in the same conversation.

    ctrl+] leaves it, and asks what comes then: the review, the agent again, or the screen stays open.

    All that is drawn until then is drawn by the program in the sandbox. It can neither set your title nor write
    your clipboard.
    """
    call = Call.of(ctx)
    if not call.interactive or not sys.stdout.isatty():
        raise UsageError("attach needs a terminal", hint=f'`swarm tell {run} "…"` does not.')
    what: wire.Takeover = "shell" if in_shell else "agent"
    from app.cli.takeover import take_over

    call.ask(lambda swarm: take_over(call, swarm, run, what, stop=stop))


@examples("swarm shell k3f9x")
def shell(ctx: typer.Context, run: Id) -> None:
    """Open your shell in a run's worktree, on this machine.

    What you change there reaches the agent with its next turn. `swarm attach ID --shell` opens one in the sandbox.
    """
    call = Call.of(ctx)
    row = call.ask(lambda swarm: swarm.detail(run)).row
    place = Path(row.run.worktree) if row.run.worktree else None
    if place is None or not place.is_dir():
        raise NotNow(f"run {row.run.id} has no worktree here", hint="`swarm show ID` says more.")
    if call.json:
        call.out(json_text({"worktree": str(place)}))
        return
    call.say(f"{place} ({row.run.branch}); leave it with exit.")
    program = os.environ.get("SHELL") or "/bin/sh"
    code = subprocess.run([program], cwd=place, check=False).returncode
    if code:
        raise typer.Exit(code)
