"""Parked runs go on by themselves when their time has come. The times are rows: they outlive this supervisor."""

import asyncio
import logging

import sqlalchemy as sa

from app.domain.ids import RunId
from app.domain.run import ACTIVE, RunState
from app.store import audit, rests, tasks
from app.supervisor.services import Services
from app.supervisor.submit import requeue

LOOK_SECONDS = 5.0
_log = logging.getLogger(__name__)


async def wake_rested(s: Services) -> None:
    """For ever: send the runs back to work whose time has come."""
    while True:
        try:
            await resume_due(s)
        except sa.exc.OperationalError as error:
            # A full disk or a stopped server is a pause; the rows are still there afterwards.
            _log.warning("parked runs: %s; looking again", error.orig)
        await asyncio.sleep(LOOK_SECONDS)


async def resume_due(s: Services) -> None:
    """Send those back to work whose time has come now."""
    for run in await s.database.read(rests.due, host=s.engine.host, now=s.clock()):
        if await s.database.write(_resume, s, run):
            key = f"rested-{s.clock()}"
            await s.announce(run, RunState.QUEUED, key=key, reason="its time has come")


def _resume(c: sa.Connection, s: Services, run: RunId) -> bool:
    found = tasks.run(c, run)
    if found.state in ACTIVE:
        return False  # It is still on its way to rest.
    rests.forget(c, run)
    if found.state != RunState.PARKED:
        return False
    at = s.clock()
    tasks.move(c, run, RunState.QUEUED, reason="its time has come", at=at)
    requeue(c, s, run, found.round + 1)
    key = f"{run}/rested/{found.round}"
    audit.record(c, key=key, what="resumed", actor="swarm", at=at, run=run, why="its time has come")
    return True
