"""What other live tasks change, too: said beside a review, before two changes meet at the target."""

from typing import Final

from app import wire
from app.domain.ids import RunId
from app.domain.run import ACTIVE, Run, RunState
from app.repo import diffs
from app.repo.hub import Hub
from app.store import reviews, tasks
from app.supervisor.services import Services

_LIVE: Final = ACTIVE | {RunState.IN_REVIEW, RunState.PARKED}
MOST: Final = 30
"""Other runs that are looked at, the newest first."""


async def overlaps(s: Services, run_id: RunId) -> tuple[wire.Overlap, ...]:
    """Runs of other tasks of the repository that change files of this review, and which."""
    task, run = await s.task_and_run(run_id)
    if run.state != RunState.IN_REVIEW or s.away(task):
        return ()
    mine = {file.path for file in (await s.database.read(reviews.newest_review, run_id)).files}
    _repo, hub = await s.repository(task)
    found = []
    for other in await _others(s, task.repo, run):
        common = mine & await _touched(s, hub, other)
        if common:
            found.append(
                wire.Overlap(
                    run=other.id,
                    agent=other.agent,
                    state=other.state,
                    paths=tuple(sorted(common)),
                )
            )
    return tuple(found)


async def _others(s: Services, repo: str, run: Run) -> list[Run]:
    live = await s.database.read(tasks.runs_in, _LIVE)
    newest = sorted(live, key=lambda other: -other.created)
    found: list[Run] = []
    for other in newest:
        if other.task != run.task and other.snapshot and len(found) < MOST:
            task = await s.database.read(tasks.task, other.task)
            if task.repo == repo:
                found.append(other)
    return found


async def _touched(s: Services, hub: Hub, run: Run) -> frozenset[str]:
    """The files it changes; asked of git once for each of its snapshots."""
    known = s.live.touched.get(run.id)
    if known is None or known[0] != run.snapshot:
        files = await diffs.stat(hub, run.base, run.snapshot)
        known = s.live.touched[run.id] = run.snapshot, frozenset(file.path for file in files)
    return known[1]
