"""Several agents on one task: when the change of one has landed, the others stop and go into the trash."""

import sqlalchemy as sa

from app.domain.ids import RunId
from app.domain.run import ACTIVE, RunState
from app.domain.task import Task
from app.store import audit, reviews, tasks
from app.supervisor.homes import desk_of
from app.supervisor.names import FINISH, finish_id
from app.supervisor.services import Services


async def close_race(s: Services, task: Task) -> None:
    """End what has lost, if one has won; nothing of it is lost. Safe to repeat."""
    if not task.race:
        return
    runs = await s.database.read(tasks.runs_of, task.id)
    winner = next((run for run in runs if run.state == RunState.MERGED), None)
    if winner is None:
        return
    why = f"{winner.id}, by {winner.agent}, has won the race"
    for run in runs:
        if run.state in ACTIVE - {RunState.MERGING}:
            await s.database.write(_stop, run.id, why, s.clock())
            s.live.wake(run.id)
        elif await s.database.write(_discard, s, run.id, why):
            await s.announce(run.id, RunState.DISCARDED, key=f"race/{winner.id}", reason=why)


def _stop(c: sa.Connection, run: RunId, why: str, at: float) -> None:
    """What tends it ends it; then it comes to rest, and is looked at again."""
    if tasks.run(c, run).state == RunState.QUEUED:
        tasks.move(c, run, RunState.CANCELLED, reason=f"stopped by swarm: {why}", at=at)
    tasks.update(c, run, wish=f"stop:stopped by swarm: {why}")


def _discard(c: sa.Connection, s: Services, run: RunId, why: str) -> bool:
    """Into the trash, with the work that follows from it; whether it was to go."""
    state = tasks.run(c, run).state
    if state in ACTIVE | {RunState.MERGED, RunState.DISCARDED}:
        return False
    at = s.clock()
    reviews.void_all(c, run, at=at, why=why)
    tasks.move(c, run, RunState.DISCARDED, reason=why, at=at)
    audit.record(
        c, key=f"{run}/race-lost/{at}", what="discarded", actor="swarm", at=at, run=run, why=why
    )
    number = len(audit.rows(c, run))
    s.engine.enqueue(c, FINISH, finish_id(run, "", number), run, "", queue=desk_of(c, s, run))
    return True
