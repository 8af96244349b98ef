"""Verbs of the background supervisor: daemon up, down, status, and upgrade."""

import time
from typing import TYPE_CHECKING

import typer

from app.cli.call import Call
from app.cli.verbs import examples
from app.domain.errors import EnvironmentProblem, Unreachable, UsageError

if TYPE_CHECKING:
    from app import wire

DOWN_SECONDS = 60.0


@examples("swarm daemon up")
def up(ctx: typer.Context) -> None:
    """Start the supervisor in the background, if none runs."""
    import asyncio

    from app.client.launch import find_or_start

    call = _here(ctx)
    _swarm, hello = asyncio.run(find_or_start(call.state))
    call.show(hello, lambda: _text(hello))


@examples("swarm daemon status", "swarm daemon status --json")
def status(ctx: typer.Context) -> None:
    """Say whether a supervisor runs here, and which."""
    import asyncio

    from app.client.launch import find

    call = _here(ctx)
    _swarm, hello = asyncio.run(find(call.state))
    call.show(hello, lambda: _text(hello))


@examples("swarm daemon down")
def down(ctx: typer.Context) -> None:
    """End the supervisor; agents go on in their sandboxes.

    They are picked up again by the next one.
    """
    import asyncio

    call = _here(ctx)
    ended = asyncio.run(_down(call))
    pid = ended.pid if ended else None
    call.show({"stopped": pid}, lambda: f"supervisor {pid} has ended" if pid else "")
    if not pid and not call.json:
        call.say("No supervisor runs here.")


@examples("swarm upgrade")
def upgrade(ctx: typer.Context) -> None:
    """Put this version of swarm in charge of what another one started.

    The running supervisor is ended and the one of this program started. Agents go on in their sandboxes
    meanwhile; what is stored is copied before its form changes.
    """
    import asyncio

    from app.client.launch import find_or_start
    from app.config import paths
    from app.config.load import load
    from app.domain.run import ACTIVE

    call = _here(ctx)
    # What would keep the new one from starting is told while the old one still is in charge.
    load(user=paths.config_dir())

    async def renewed() -> "tuple[wire.Hello | None, wire.Hello, int]":
        before = await _down(call)
        swarm, hello = await find_or_start(call.state)
        return before, hello, sum(row.run.state in ACTIVE for row in (await swarm.board()).rows)

    before, now, at_work = asyncio.run(renewed())
    told = {"before": before, "now": now, "at_work": at_work}
    call.show(told, lambda: _renewed_text(before, now, at_work))


def _renewed_text(before: "wire.Hello | None", now: "wire.Hello", at_work: int) -> str:
    ended = f"swarm {before.version} (process {before.pid}) has ended, " if before else ""
    runs = "1 run goes" if at_work == 1 else f"{at_work} runs go"
    return f"{ended}swarm {now.version} (process {now.pid}) is in charge; {runs} on"


def _here(ctx: typer.Context) -> Call:
    """The call, if it is about this machine. Raises `UsageError`."""
    call = Call.of(ctx)
    if call.afar:
        raise UsageError(
            "this verb is about the supervisor of this machine",
            hint="Leave --url out and SWARM_URL unset, or do it over there.",
        )
    return call


async def _down(call: Call) -> "wire.Hello | None":
    """Ask it to end and wait until it has; who it was, or nothing when none runs."""
    import asyncio

    from app.client.client import Swarm
    from app.config import paths

    swarm = Swarm(paths.api_socket(call.state))
    try:
        hello = await swarm.hello()
    except Unreachable:
        return None
    await swarm.shutdown()
    deadline = time.monotonic() + DOWN_SECONDS
    while _lives(hello.pid):
        if time.monotonic() > deadline:
            raise EnvironmentProblem(
                f"supervisor {hello.pid} was asked to end {DOWN_SECONDS:.0f} s ago and still runs",
                hint=f"Its log is {call.state / 'supervisor.log'}.",
            )
        await asyncio.sleep(0.05)
    return hello


def _lives(pid: int) -> bool:
    """Whether that process runs; one that has ended but was not collected yet does not."""
    from pathlib import Path

    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return _signalled(pid) if not Path("/proc/self").exists() else False


def _signalled(pid: int) -> bool:
    import os

    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _text(hello: "wire.Hello") -> str:
    from app.cli.render import age, facts

    return facts(
        [
            ("supervisor", f"swarm {hello.version}, process {hello.pid} on {hello.host}"),
            ("up for", age(time.time() - hello.started)),
            ("state", hello.state_dir),
            (
                "sandbox",
                f"{hello.sandbox} ({hello.isolation})" if hello.isolation else hello.sandbox,
            ),
        ]
    )
