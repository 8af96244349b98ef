"""What hands the person's terminal to another program, and takes it back afterwards."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from textual.app import SuspendNotSupported

from app.tui.messages import Refresh
from app.tui.screens.base import SwarmScreen


def edit_worktree(screen: SwarmScreen) -> None:
    """The run's worktree, in the person's editor."""
    row = screen.row
    if row is None or not row.run.worktree:
        screen.say("this run has no worktree yet")
        return
    edit(screen, Path(row.run.worktree))


def edit(screen: SwarmScreen, path: Path) -> None:
    """Hand the terminal to the person's editor."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not command:
        screen.say("no editor is set", hint=f"Set EDITOR; the place is {path}", bad=True)
        return
    run(screen, [*shlex.split(command), str(path)], to="an editor")


def shell(screen: SwarmScreen) -> None:
    """The person's own shell in the run's worktree, on this machine."""
    if screen.row is None or not screen.row.run.worktree:
        screen.say("this run has no worktree yet")
        return
    verb(screen, "shell", screen.row.run.id)


def attach(screen: SwarmScreen) -> None:
    """The agent's own screen in its sandbox, in the same conversation."""
    if screen.row is not None:
        verb(screen, "attach", screen.row.run.id)


def attach_shell(screen: SwarmScreen) -> None:
    """A shell in the run's sandbox."""
    if screen.row is not None:
        verb(screen, "attach", screen.row.run.id, "--shell")


def verb(screen: SwarmScreen, *words: str) -> None:
    """A verb of the command line that needs the terminal; what it refuses stays to be read."""
    env = dict(os.environ)
    if screen.desk.state_dir:
        env["SWARM_STATE_DIR"] = screen.desk.state_dir
    wait = "swarm: press Enter to go back to the screen "
    script = f'"$@" || {{ printf "\\n{wait}"; read -r _; }}'
    run(screen, ["sh", "-c", script, "swarm", sys.executable, "-m", "app", *words], env=env)
    screen.post_message(Refresh())


def run(
    screen: SwarmScreen,
    argv: Sequence[str],
    *,
    to: str = "a program",
    env: dict[str, str] | None = None,
) -> None:
    """Leave the terminal to the program until it ends."""
    try:
        with screen.app.suspend():
            subprocess.run(argv, check=False, env=env)
    except SuspendNotSupported:
        screen.say(f"this terminal cannot be handed to {to}", bad=True)
    except OSError as error:
        screen.say(f"{argv[0]} does not start: {error.strerror or error}", bad=True)
