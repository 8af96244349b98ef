"""Verbs with which a person works in a run: attach (in its sandbox), shell (in its worktree)."""

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.call import Call, json_text, user_name
from app.cli.look import Id
from app.cli.verbs import examples
from app.domain.errors import NotNow, UsageError

if TYPE_CHECKING:
    from app import wire
    from app.client.client import Swarm

LOOK: Final = 0.2
"""Seconds between two looks whether the screen is open yet."""


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
    """Take a run over: its agent's own screen, in its sandbox, in the same conversation.

    ctrl+] leaves it, and asks what comes then: the review, the agent again, or the screen stays open.

    All that is drawn until then is drawn by the program in the sandbox. It can neither set your title nor write
    your clipboard.
    """
    from app import wire

    call = Call.of(ctx)
    if not call.interactive or not sys.stdout.isatty():
        raise UsageError("attach needs a terminal", hint=f'`swarm tell {run} "…"` does not.')
    what: wire.Takeover = "shell" if in_shell else "agent"
    call.ask(lambda swarm: _take_over(call, swarm, run, what, stop=stop))


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


async def _take_over(
    call: Call, swarm: "Swarm", run: str, what: "wire.Takeover", *, stop: bool
) -> None:
    from app import wire
    from app.cli.sitting import Sitting
    from app.domain.run import ACTIVE, RunState

    row = (await swarm.detail(run)).row
    if row.run.state in ACTIVE and not await _is_open(swarm, row.run.id):
        if row.run.state is RunState.MERGING:
            raise NotNow(f"run {row.run.id} is being merged")
        if not stop and not call.confirm(f"{row.run.id} is {row.run.state}. Stop its turn first?"):
            return
        await _stopped(swarm, row.run.id)
    await swarm.attach(row.run.id, wire.Attach(what=what, by=user_name()))
    call.say("All that follows is drawn by a program in the sandbox; ctrl+] leaves it.")
    await _opened(swarm, row.run.id)
    left = await Sitting(swarm, row.run.id).sit()
    if left:
        await _hand_back(call, swarm, row.run.id)
    else:
        call.say(f"It has ended. `swarm show {row.run.id}` says what comes of it.")


async def _is_open(swarm: "Swarm", run: str) -> bool:
    """Whether somebody's screen is open in it."""
    columns, rows = os.get_terminal_size(sys.stdout.fileno())
    try:
        await swarm.resize(run, max(2, rows), max(2, columns))
    except NotNow:
        return False
    return True


async def _stopped(swarm: "Swarm", run: str) -> None:
    from app import wire
    from app.domain.run import ACTIVE

    with suppress(NotNow):  # It has just stopped by itself.
        await swarm.stop(run, wire.Act(by=user_name()))
    while (await swarm.detail(run)).row.run.state in ACTIVE:
        await asyncio.sleep(LOOK)


async def _opened(swarm: "Swarm", run: str) -> None:
    """Until the screen is there. Raises `NotNow` with the run's own reason when it does not come."""
    from app.domain.run import ACTIVE

    while not await _is_open(swarm, run):
        found = (await swarm.detail(run)).row.run
        if found.state not in ACTIVE:
            raise NotNow(f"run {run} is {found.state}: {found.reason}")
        await asyncio.sleep(LOOK)


async def _hand_back(call: Call, swarm: "Swarm", run: str) -> None:
    """Ask what comes after the person."""
    from app import wire

    call.say(f"You left the screen of {run}. What comes now?")
    call.say("  r  hand it back: what there is is checked and comes to review (the default)")
    call.say("  g  hand it back, and the agent goes on; say with what, if you like")
    call.say(f"  k  keep the screen open: `swarm attach {run}` comes back to it")
    sys.stderr.write("r, g or k: ")
    sys.stderr.flush()
    word = sys.stdin.readline().strip()
    if word[:1] == "k":
        return
    note = ""
    if word[:1] == "g":
        sys.stderr.write("to the agent: ")
        sys.stderr.flush()
        note = sys.stdin.readline().strip()
    body = wire.HandBack(go_on=word[:1] == "g", note=note, by=user_name())
    with suppress(NotNow):  # It has ended by itself meanwhile.
        await swarm.hand_back(run, body)
    call.say(f"{run} is handed back.")
