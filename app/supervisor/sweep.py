"""At start: put right what a crash may have left."""

import contextlib
import os

from app.domain.ids import RunId
from app.domain.run import ACTIVE, Run, RunState
from app.store import tasks
from app.supervisor.money import charge_lost
from app.supervisor.names import run_of, run_of_sandbox
from app.supervisor.sandbox import rest
from app.supervisor.services import Services
from app.supervisor.steps.finish import clean_up
from app.supervisor.strays import put_away
from app.supervisor.trouble import TROUBLE

GONE = frozenset({RunState.MERGED, RunState.DISCARDED})


async def sweep(s: Services) -> None:
    """Before any workflow goes on: charge what is open, clear away runs that are over. Nothing unknown."""
    await charge_lost(s)
    if s.member:
        await put_away(s)
    over = await s.database.read(tasks.left_by, GONE)
    boxed = {name: await _boxed(s, name) for name in {sandbox for _, sandbox, _ in over}}
    open_ = _with_sockets(s)
    for run, sandbox, worktree in over:
        if run in boxed[sandbox] or run in open_ or (worktree and os.path.lexists(worktree)):
            await clean_up(s, run)


async def _boxed(s: Services, driver_name: str) -> set[RunId]:
    """The runs of which that kind of sandbox has anything."""
    with contextlib.suppress(*TROUBLE):  # The engine is down: the next start looks again.
        names = await s.driver(driver_name).names(s.owner)
        return {run_of_sandbox(name) for name in names}
    return set()


def _with_sockets(s: Services) -> set[str]:
    """The runs that have a directory for sockets."""
    with contextlib.suppress(FileNotFoundError):
        return {each.name for each in s.places.sockets(RunId("any")).parent.iterdir()}
    return set()


async def pick_up(s: Services) -> None:
    """Once the workflows are back: a run that none of them cares for would look busy for ever."""
    cared_for = {run_of(workflow) for workflow in await s.engine.unfinished()}
    active = await s.database.read(tasks.runs_in, ACTIVE)
    if s.member:  # Others may have begun and ended something meanwhile.
        active = tuple([run for run in active if await _cares(s, run)])
        cared_for |= {run_of(workflow) for workflow in await s.engine.unfinished()}
    for run in active:
        if run.id not in cared_for:
            await _give_up(s, run)


async def _cares(s: Services, run: Run) -> bool:
    """Whether it is for this host to care for the run."""
    if run.state == RunState.MERGING:
        return not s.away((await s.task_and_run(run.id))[0])
    return run.host == s.engine.host


async def _give_up(s: Services, run: Run) -> None:
    key = f"given-up-{s.clock()}"
    if run.state == RunState.MERGING:
        why = f"swarm died too often while it merged: `swarm merge {run.id}` tries again"
        await s.move(run.id, RunState.IN_REVIEW, key=key, reason=why)
        return
    with contextlib.suppress(*TROUBLE):  # The engine is down, and so is what ran in it.
        await rest(s, run)
    why = f"swarm died too often while it worked: `swarm resume {run.id}` goes on"
    await s.move(run.id, RunState.FAILED, key=key, reason=why)
