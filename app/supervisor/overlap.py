"""What other live tasks change, too: said beside a review, before two changes meet at the target."""

from typing import Final

from app import wire
from app.domain.ids import RunId
from app.domain.run import ACTIVE, RunState
from app.store import reviews, tasks
from app.supervisor.services import Services

_LIVE: Final = ACTIVE | {RunState.IN_REVIEW, RunState.PARKED}
MOST: Final = 30
"""Other runs that are looked at, the newest first."""


async def overlaps(s: Services, run_id: RunId) -> tuple[wire.Overlap, ...]:
    """Runs of other tasks of the repository, on any host, that change files of this review, and which."""
    read = s.database.read
    task, run = await s.task_and_run(run_id)
    if run.state != RunState.IN_REVIEW:
        return ()
    mine = {file.path for file in (await read(reviews.newest_review, run_id)).files}
    touched = await read(tasks.beside, task, _LIVE, MOST)
    common = {other: mine & paths for other, paths in touched.items() if mine & paths}
    return tuple(
        wire.Overlap(
            run=other.id,
            agent=other.agent,
            state=other.state,
            paths=tuple(sorted(common[other.id])),
        )
        for other in await read(tasks.runs_among, tuple(common))
    )
