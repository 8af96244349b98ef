"""One turn in which a person works: its program has a terminal, and ends when the person has done."""

import asyncio

from app.domain.events import Note
from app.domain.ids import turn_name, turn_start
from app.domain.run import Run, RunState
from app.store import tasks
from app.store.turns import Turn
from app.supervisor.box import Box
from app.supervisor.room import RoomWatch
from app.supervisor.screen import Screen
from app.supervisor.services import Services
from app.supervisor.snapshots import LiveDiff
from harnesses.base import Attachable, Brief, Launch
from harnesses.errors import HarnessError
from sandboxes.base import Process, Sandbox

LOOK_SECONDS = 5.0
"""How often the tree is looked at, and how long a wish may go unnoticed at most."""
GRACE = 5.0
"""Seconds in which the program on the terminal may end by itself when it is told to."""
_SHELL = "command -v bash >/dev/null && exec bash || exec sh"
IN_HANDS = {"agent": "on the agent's own screen", "shell": "in a shell of its sandbox"}


def launch_of(s: Services, run: Run, brief: Brief, turn: Turn) -> Launch:
    """What runs on the terminal."""
    if turn.by_hand == "shell":
        return Launch(argv=("sh", "-c", _SHELL))
    harness = s.harness(run.harness)
    if not isinstance(harness, Attachable):
        raise HarnessError(f"{run.agent} has no screen of its own")
    return harness.attach(brief)


async def attend(s: Services, run: Run, turn: Turn, sandbox: Sandbox, process: Process) -> None:
    """Until the program has ended; it is ended when the person hands back, or the run is stopped."""
    where = IN_HANDS[turn.by_hand]
    await s.broker.record(run.id, turn_start(turn.number), Note(f"a person works {where}"))
    await s.move(run.id, RunState.WORKING, key=f"turn-{turn.number}")
    doing = f"in your hands, {where}: swarm attach {run.id}"
    await s.database.write(tasks.update, run.id, activity=doing, activity_at=s.clock())
    s.live.ramp.leave(run.id)
    screen = Screen(sandbox.terminal(turn_name(turn.number)))
    s.live.screens[run.id] = screen
    diff, box = LiveDiff(s, run.id), Box(sandbox, process)
    room = RoomWatch(s, run, turn.number, box)
    work = (screen.follow(), diff.follow(), _looks(diff), room.follow())
    helpers = [asyncio.create_task(each) for each in work]
    ended = asyncio.create_task(process.wait())
    ends = (ended, asyncio.create_task(_wanted_back(s, run)))
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        await process.stop(grace=GRACE)
        if ended.done() and (code := ended.result().code):
            said = Note(f"the screen ended with {code}: {screen.words}", "warning")
            await s.broker.record(run.id, f"turn-{turn.number}/screen", said)
    finally:
        s.live.screens.pop(run.id, None)
        for each in (*ends, *helpers):
            each.cancel()
        await asyncio.gather(*ends, *helpers, return_exceptions=True)


async def _looks(diff: LiveDiff) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        diff.changed()


async def _wanted_back(s: Services, run: Run) -> None:
    """Until the person hands the run back, or somebody stops it."""
    while True:
        for wanted in ("handed", "wish"):
            if await s.database.read(tasks.column, run.id, wanted):
                return
        await s.live.wait(run.id, LOOK_SECONDS)
