"""A person has a task tried again, by the same agent or another."""

import sqlalchemy as sa

from app import wire
from app.domain import ids
from app.domain.errors import NotNow
from app.domain.ids import RunId
from app.domain.route import Route
from app.domain.run import ACTIVE, Run
from app.domain.task import Task
from app.store import audit, routes, tasks
from app.supervisor import homes, router
from app.supervisor.bundles import gather
from app.supervisor.errors import translated
from app.supervisor.faults import fault
from app.supervisor.handing import start_after
from app.supervisor.services import Services
from app.supervisor.submit import fresh_run, ready, tell_route
from policies.routes import kind_of, paths_in


async def retry(s: Services, run: RunId, body: wire.Retry) -> RunId:
    """Start the task's next run; it gets what the ones before it left, unless it is to begin afresh."""
    task, before = await s.task_and_run(run)
    runs = await s.database.read(tasks.runs_of, task.id)
    if busy := next((each for each in reversed(runs) if each.state in ACTIVE), None):
        raise NotNow(f"run {busy.id} is {busy.state}", hint="Stop it first.")
    await homes.only_at_home(s, run)
    with translated():
        repo, _hub = await s.repository(task)
        async with s.live.routing:
            route = await _route(s, task, before, ids.run_id(task.id, runs[-1].number + 1), body)
            fresh = fresh_run(s, task, runs[-1].number + 1, route)
            await ready(s, repo, task, fresh)
            await homes.share_base(s, repo, task, fresh.id)
            parts = () if body.fresh else await gather(s, task, before)

            def write(c: sa.Connection) -> None:
                start_after(c, s, fresh, route, parts)
                _record(c, fresh, route, body, s.clock())

            fault("act:gathered")
            await s.database.write(write)
    await tell_route(s, fresh.id, route)
    return fresh.id


async def _route(s: Services, task: Task, before: Run, run: RunId, body: wire.Retry) -> Route:
    """By whom: who is named, else whoever did it before."""
    known = await s.database.read(routes.route, before.id)
    same = known.target if known else before.agent
    wish = router.Wish(
        "again",
        (body.agent or same,),
        known.kind if known else kind_of(task.goal),
        known.paths if known else paths_in(task.goal),
        before=before.id,
    )
    return await router.find(s, task, run, wish)


def _record(c: sa.Connection, run: Run, route: Route, body: wire.Retry, at: float) -> None:
    audit.record(
        c,
        key=f"{run.id}/1/retried",
        what="retried",
        actor=body.by,
        at=at,
        run=run.id,
        agent=run.agent,
        after=str(route.before or ""),
    )
