"""The verb that says whether everything swarm relies on is there: doctor."""

import platform
import sys
from typing import TYPE_CHECKING

import typer

from app.cli.call import Call, json_text
from app.cli.verbs import examples
from app.domain.errors import SwarmError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app import wire

MISSING = 5


@examples("swarm doctor", "swarm doctor --json")
def doctor(ctx: typer.Context) -> None:
    """Check what swarm relies on, and say what to do about it."""
    call = Call.of(ctx)
    lines = (_python(), *_supervisors(call))
    if call.json:
        call.out(json_text(lines))
    else:
        call.out(_text(lines))
    if any(line.needed and not line.ok for line in lines):
        raise typer.Exit(MISSING)


def _python() -> "wire.DoctorLine":
    from app import wire

    found = f"Python {platform.python_version()}"
    return wire.DoctorLine(name="python", ok=sys.version_info >= (3, 11), found=found)


def _supervisors(call: Call) -> "Sequence[wire.DoctorLine]":
    """What the supervisor says; or, when none can be had, why."""
    from app import wire

    try:
        found = call.ask(lambda swarm: swarm.doctor())
    except SwarmError as error:
        return [wire.DoctorLine(name="supervisor", ok=False, found=error.message, fix=error.hint)]
    running = wire.DoctorLine(name="supervisor", ok=True, found="answers")
    return [running, *found]


def _text(lines: "Sequence[wire.DoctorLine]") -> str:
    from app.cli.render import painted
    from app.domain.safe import clean_line

    room = max(len(line.name) for line in lines)
    shown = []
    for line in lines:
        word, colour = (
            ("ok", "green") if line.ok else ("MISSING", "red") if line.needed else ("no", "yellow")
        )
        shown.append(
            f"{painted(word.ljust(7), colour)}  {line.name.ljust(room)}  {clean_line(line.found)}"
        )
        if line.fix and not line.ok:
            shown.append(f"{'':9}{'':{room}}  {clean_line(line.fix)}")
    return "\n".join(shown)
