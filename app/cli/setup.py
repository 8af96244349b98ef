"""Verbs of first contact: demo, init."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.call import Call
from app.cli.verbs import examples
from app.domain.errors import EnvironmentProblem, UsageError

TEMPLATE = """\
# How swarm works in this repository. To set something, take the # off its lines. What is left out comes from
# each user's own configuration; `swarm config show` explains every value. This file may only narrow: it cannot
# raise a budget, loosen approvals, or choose a sandbox. It is read from the commit that a run starts from.

# The agent that gets a task when none is named; `swarm agents` lists them.
#agent: claude-code

# The branch that approved changes land on; without it, the branch that is checked out.
#target: main

# Commands that must succeed, in a fresh sandbox, before a change is shown as ready.
{checks}

# Turns a run may use by itself, mending what the checks found, before a person looks.
#max_turns: 3

# What one run may spend at most, in US dollars.
#budget:
#  run: "1.00"

# How often an agent must ask inside its sandbox: cautious, balanced or autonomous.
#approvals: balanced
"""
GUESSES = (
    ("Makefile", "test:", "make test"),
    ("package.json", '"test"', "npm test"),
    ("Cargo.toml", "[package]", "cargo test"),
    ("go.mod", "module", "go test ./..."),
    ("pyproject.toml", "pytest", "python -m pytest"),
)
"""File, what it must contain, and the check that is then suggested."""


@examples("swarm demo", "swarm demo --headless --json")
def demo(
    ctx: typer.Context,
    *,
    headless: Annotated[
        bool, typer.Option("--headless", help="Without a screen: answer and approve everything.")
    ] = False,
) -> None:
    """Show the main job on a throw-away project, without keys.

    Three scripted agents work on three tasks, without network and cost: one mends a bug and is sent back by
    its check, one asks before it deletes a file, one reaches its budget. You answer, raise and approve; what
    you approve is merged.
    """
    from app.cli.demo import demo as show

    show(ctx, headless=headless)


@examples("swarm init")
def init(ctx: typer.Context) -> None:
    """Write a commented .swarm/config.yaml into this repository."""
    call = Call.of(ctx)
    root = call.root()
    if root is None:
        raise UsageError(
            f"{call.where} is not in a git repository", hint="Go to one, or make one: git init"
        )
    path = root / ".swarm" / "config.yaml"
    _write(path, TEMPLATE.format(checks=_checks(root)))
    call.show({"written": str(path)}, lambda: str(path))
    if not call.json:
        call.say("Read it, commit it, then: swarm doctor")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} exists and is left as it is") from None
    except OSError as error:
        raise EnvironmentProblem(f"{path} cannot be written: {error.strerror or error}") from error


def _checks(root: Path) -> str:
    """The checks part of the file: a suggestion, never switched on by itself."""
    for name, sign, command in GUESSES:
        try:
            text = (root / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if sign in text:
            return f"#checks:\n#  - {command}"
    return "#checks:\n#  - make test"
