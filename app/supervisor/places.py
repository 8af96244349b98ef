"""Places among the runs at work: one agent, or one model provider, may have only so many at a time."""

import sqlalchemy as sa

from app.domain.events import Note
from app.domain.ids import RunId
from app.domain.run import Run, RunState
from app.store import routes, tasks
from app.supervisor.services import Services

LOOK_SECONDS = 2.0
"""How often to look for a place that a run has left."""


async def place_for(s: Services, run_id: RunId) -> None:
    """Wait until the run may begin; nobody who came later goes first. Stopped, it need not wait."""
    limits = s.configuration.settings.routing.concurrency
    told = ""
    while limits:
        run = await s.database.read(tasks.run, run_id)
        why = await s.database.read(_full, run, dict(limits))
        if not why or run.state != RunState.QUEUED:
            break
        if await s.database.read(tasks.column, run_id, "wish"):
            break
        if why != told:
            told = why
            await s.broker.record(run_id, f"place/{run.round}", Note(f"it waits: {why}"))
            await s.database.write(tasks.update, run_id, reason=why)
        await s.live.wait(run_id, LOOK_SECONDS)


def _full(c: sa.Connection, run: Run, limits: dict[str, int]) -> str:
    """Who has as many runs at work as may be, not counting those that came after this one."""
    mine = routes.route(c, run.id)
    before = routes.at_work_before(c, run)
    for name, at in ((run.agent, 0), (mine.chosen.account if mine else "", 1)):
        count = sum(1 for each in before if each[at] == name)
        if name in limits and count >= limits[name]:
            return f"{name} has {count} of {limits[name]} runs at work"
    return ""
