"""What hands the person's terminal to another program, and takes it back afterwards."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from textual.app import App, SuspendNotSupported

from app.tui.messages import Refresh
from app.tui.screens.base import SwarmScreen

PROGRAM: Final = (sys.executable, "-P", "-c", "from app.cli.main import main; main()")
"""The command line itself, as in a shell. Never `-m app`: the user's repository may have an `app` of its own."""


def edit_worktree(screen: SwarmScreen) -> None:
    """The run's worktree, in the person's editor."""
    row = screen.row
    if row is None or not row.run.worktree:
        screen.say("this run has no worktree yet")
        return
    edit(screen, Path(row.run.worktree))


def edit(screen: SwarmScreen, path: Path) -> None:
    """Hand the terminal to the person's editor."""
    if (why := edited(screen.app, path)) is not None:
        screen.say(why, hint=f"the place is {path}", bad=True)


def edited(app: App[Any], path: Path) -> str | None:
    """Have the person edit it; why that could not be, else None."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not command:
        return "no editor is set: set EDITOR"
    return run(app, [*shlex.split(command), str(path)], to="an editor")


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
    if why := run(screen.app, waiting(*words), env=env):
        screen.say(why, bad=True)
    screen.post_message(Refresh())


def waiting(*words: str) -> list[str]:
    """The command line of that verb; when it fails it waits for a key, so that its words can be read."""
    wait = "swarm: press Enter to go back to the screen "
    script = f'"$@" || {{ printf "\\n{wait}"; read -r _; }}'
    return ["sh", "-c", script, "swarm", *PROGRAM, *words]


def run(
    app: App[Any],
    argv: Sequence[str],
    *,
    to: str = "a program",
    env: dict[str, str] | None = None,
) -> str | None:
    """Leave the terminal to the program until it ends; why that could not be, else None."""
    try:
        with app.suspend():
            subprocess.run(argv, check=False, env=env)
    except SuspendNotSupported:
        return f"this terminal cannot be handed to {to}"
    except OSError as error:
        return f"{argv[0]} does not start: {error.strerror or error}"
    return None
