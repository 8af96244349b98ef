"""The verb that tries every way in which swarm tells a person something: notify test."""

import os
import sys
from typing import TYPE_CHECKING

import typer

from app.cli.call import Call, terminal
from app.cli.verbs import examples

if TYPE_CHECKING:
    from app import wire


@examples("swarm notify test", "swarm notify test --json")
def test(ctx: typer.Context) -> None:
    """Send a notice in every way that is configured, and say which worked.

    The terminal rings as the screen would ring in it; command and webhook are the supervisor's, as in real life.
    """
    call = Call.of(ctx)
    look = call.ask(lambda swarm: swarm.look())
    lines = (*_terminal(look), *call.ask(lambda swarm: swarm.try_notices()))
    call.show(lines, lambda: "\n".join(_line(line) for line in lines))
    if look.fault and not call.json:
        call.say(f"Your configuration cannot be meant, so what was read last holds:\n{look.fault}")
    if len(lines) == 1 and not call.json:
        call.say(
            "Only the terminal is configured: `notify.command` and `notify.webhook` are empty."
        )
    if not all(line.ok for line in lines):
        raise typer.Exit(1)


def _terminal(look: "wire.Look") -> "tuple[wire.NotifyLine, ...]":
    from app import wire
    from app.tui.ring import sequence, way_of

    way = way_of(look.ring, os.environ)
    if way == "off":
        return (wire.NotifyLine(way="terminal", ok=True, found="off, as you wish"),)
    if not terminal(sys.stderr):
        return (wire.NotifyLine(way="terminal", ok=True, found=f"{way}, but this is no terminal"),)
    sys.stderr.write(sequence(way, "test of swarm's notices"))
    sys.stderr.flush()
    return (wire.NotifyLine(way="terminal", ok=True, found=f"{way} was sent"),)


def _line(line: "wire.NotifyLine") -> str:
    from app.cli.render import painted
    from app.domain.safe import clean_line

    word = painted("ok".ljust(6), "green") if line.ok else painted("failed", "red")
    fix = f"\n{'':18}{line.fix}" if line.fix else ""
    return f"{word}  {line.way:<8}  {clean_line(line.found)}{fix}"
