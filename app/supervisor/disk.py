"""What runs take of the disk: counted when somebody asks, because it reads every file."""

from collections.abc import Sequence
from pathlib import Path

from app.domain.run import ACTIVE, Run
from app.repo.disk import used
from app.supervisor.sandbox import open_sandbox, rest
from app.supervisor.services import Services
from app.supervisor.trouble import TROUBLE
from app.wire import DiskLine, RunRow


async def disk_of(s: Services, rows: Sequence[RunRow]) -> tuple[DiskLine, ...]:
    """A line for each run, one after another: the disk is shared with the agents at work."""
    return tuple([await _line(s, row.run) for row in rows])


async def _line(s: Services, run: Run) -> DiskLine:
    worktree = await used(Path(run.worktree)) if run.worktree else 0
    try:
        sandbox = await _sandbox(s, run)
    except (TimeoutError, *TROUBLE):
        sandbox = None
    return DiskLine(run=run.id, worktree=worktree, sandbox=sandbox)


async def _sandbox(s: Services, run: Run) -> int | None:
    if run.id not in await s.driver(run.sandbox).names(s.owner):
        return 0
    at = await s.ground(run.id)
    found = (await (await open_sandbox(s, run, at.repo)).usage()).used
    if run.state not in ACTIVE:
        await rest(s, run)
    return found
