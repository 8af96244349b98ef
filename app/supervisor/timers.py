"""Parked runs go on by themselves when their time has come. The times are rows: they outlive this supervisor."""

import asyncio

import sqlalchemy as sa

from app.domain.ids import RunId
from app.domain.run import ACTIVE, RunState
from app.store import audit, rests, tasks
from app.supervisor.patrol import every
from app.supervisor.services import Services
from app.supervisor.submit import requeue

LOOK_SECONDS = 5.0
PROBE_SECONDS = 30.0
"""How long a model API that failed is left alone before it is looked at again. That costs nothing."""


async def wake_rested(s: Services) -> None:
    """For ever: send the runs back to work whose time has come."""
    await every(LOOK_SECONDS, "parked runs were not looked at", lambda: resume_due(s))


async def resume_due(s: Services) -> None:
    """Send those back to work whose time has come now, and whose model API answers."""
    due = await s.database.read(rests.due, host=s.engine.host, now=s.clock())
    down = await _down(s, {each.upstream for each in due if each.upstream})
    for run in (each.run for each in due if each.upstream not in down):
        if await s.database.write(_resume, s, run):
            key = f"rested-{s.clock()}"
            await s.announce(run, RunState.QUEUED, key=key, reason="its time has come")


async def _down(s: Services, upstreams: set[str]) -> set[str]:
    """Those of the model APIs that still do not answer. They are asked again, not sooner than in a while."""
    ordered = sorted(upstreams)
    answers = await asyncio.gather(*(s.gateway.answers(name) for name in ordered))
    down = {name for name, there in zip(ordered, answers, strict=True) if not there}
    for name in down:
        until = s.clock() + PROBE_SECONDS
        await s.database.write(rests.later, name, until, host=s.engine.host)
    return down


def until_it_answers(c: sa.Connection, s: Services, run: RunId, upstream: str, why: str) -> None:
    """Note that the run goes on once that model API answers."""
    until = s.clock() + PROBE_SECONDS
    rests.put(c, run, until, host=s.engine.host, why=why, upstream=upstream)


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
