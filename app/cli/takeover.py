"""Taking a run over from a terminal: stop what is at work, wait for the screen, sit there, hand it back."""

import asyncio
import os
import sys
from contextlib import suppress
from typing import Final

from app import wire
from app.cli.call import Call, user_name
from app.cli.sitting import Sitting
from app.client.client import Swarm
from app.domain.errors import NotNow
from app.domain.run import ACTIVE, RunState

LOOK: Final = 0.2
"""Seconds between two looks whether the screen is open yet."""


async def take_over(call: Call, swarm: Swarm, run: str, what: wire.Takeover, *, stop: bool) -> None:
    row, body = (await swarm.detail(run)).row, wire.Attach(what=what, by=user_name())
    try:
        await swarm.attach(row.run.id, body)
    except NotNow:
        if row.run.state not in ACTIVE - {RunState.MERGING}:
            raise
        if not stop and not call.confirm(f"{row.run.id} is {row.run.state}. Stop its turn first?"):
            return
        await _stopped(swarm, row.run.id)
        await swarm.attach(row.run.id, body)
    call.say("All that follows is drawn by a program in the sandbox; ctrl+] leaves it.")
    await _opened(swarm, row.run.id)
    left = await Sitting(swarm, row.run.id).sit()
    if left:
        await _hand_back(call, swarm, row.run.id)
    else:
        call.say(f"It has ended. `swarm show {row.run.id}` says what comes of it.")


async def _is_open(swarm: Swarm, run: str) -> bool:
    """Whether somebody's screen is open in it."""
    columns, rows = os.get_terminal_size(sys.stdout.fileno())
    try:
        await swarm.resize(run, max(2, rows), max(2, columns))
    except NotNow:
        return False
    return True


async def _stopped(swarm: Swarm, run: str) -> None:
    with suppress(NotNow):  # It has just stopped by itself.
        await swarm.stop(run, wire.Act(by=user_name()))
    while (await swarm.detail(run)).row.run.state in ACTIVE:
        await asyncio.sleep(LOOK)


async def _opened(swarm: Swarm, run: str) -> None:
    """Until the screen is there. Raises `NotNow` with the run's own reason when it does not come."""
    while not await _is_open(swarm, run):
        found = (await swarm.detail(run)).row.run
        if found.state not in ACTIVE:
            raise NotNow(f"run {run} is {found.state}: {found.reason}")
        await asyncio.sleep(LOOK)


async def _hand_back(call: Call, swarm: Swarm, run: str) -> None:
    """Ask what comes after the person."""
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
