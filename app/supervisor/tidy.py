"""What swarm has left lying about: for each thing whether it may go, and why. Only what is ours and saved goes."""

from collections.abc import Iterator

from app.domain.ids import RunId
from app.domain.run import ACTIVE, Run, RunState
from app.repo.transfer import has
from app.store import tasks
from app.supervisor.errors import told
from app.supervisor.names import run_of_sandbox
from app.supervisor.services import Services
from app.supervisor.steps.finish import clean_up
from app.supervisor.trouble import TROUBLE
from app.wire import SweepLine

GONE = frozenset({RunState.MERGED, RunState.DISCARDED})


async def tidy(
    s: Services, *, dry_run: bool, unsaved: RunId | None = None
) -> tuple[SweepLine, ...]:
    """Everything that is there and its verdict; what may go has gone afterwards, unless it is a dry run.

    `unsaved` names a run in the trash whose sandbox may go although what is in it could not be saved.
    """
    known = {run.id: run for run in await s.database.read(tasks.runs_in, frozenset(RunState))}
    saved = {run.id: await _saved(s, run) for run in known.values() if run.state in GONE}
    lines = [*await _sandboxes(s, known, saved, unsaved), *_worktrees(s, known, saved)]
    if dry_run:
        return tuple(lines)
    for run in dict.fromkeys(line.run for line in lines if line.remove and line.kind != "check"):
        await clean_up(s, RunId(run), unsaved=run == unsaved)
    for line in lines:
        if line.remove and line.kind == "check":
            await s.driver(known[RunId(line.run)].sandbox).remove(line.name, s.owner)
    return tuple(lines)


async def _saved(s: Services, run: Run) -> str:
    """Why nothing of the run would be lost without its sandbox and worktree; empty when something might."""
    if not run.snapshot:
        return "it never changed anything"
    try:
        at = await s.ground(run.id)
    except TROUBLE:
        return ""
    if not await has(at.hub.git(), run.snapshot):
        return ""
    return f"it is {run.state}, and its snapshot {run.snapshot[:12]} is kept"


async def _sandboxes(
    s: Services, known: dict[RunId, Run], saved: dict[RunId, str], unsaved: RunId | None
) -> list[SweepLine]:
    drivers = {run.sandbox for run in known.values()}
    lines = []
    for driver in sorted(drivers | {s.configuration.settings.sandbox.driver}):
        try:
            names = await s.driver(driver).names(s.owner)
        except TROUBLE as error:
            lines.append(
                SweepLine(kind="sandbox", name=driver, why=f"not looked at: {told(error)}")
            )
            continue
        lines += [_sandbox(name, known, saved, unsaved) for name in names]
    return lines


def _sandbox(
    name: str, known: dict[RunId, Run], saved: dict[RunId, str], unsaved: RunId | None
) -> SweepLine:
    id_ = run_of_sandbox(name)
    run = known.get(id_)
    if run is None:
        why = "it is this swarm's, but of no run it knows: nothing says that what is in it is saved"
        return SweepLine(kind="sandbox", name=name, why=why)
    if name != id_:
        over = run.state not in ACTIVE
        why = "the check is over" if over else f"its run is {run.state}"
        return SweepLine(kind="check", name=name, run=id_, why=why, remove=over)
    if run.state not in GONE:
        return SweepLine(kind="sandbox", name=name, run=id_, why=f"its run is {run.state}")
    if id_ == unsaved:
        return SweepLine(kind="sandbox", name=name, run=id_, why="you said so", remove=True)
    why = saved[id_] or "its snapshot cannot be found in the repository"
    return SweepLine(kind="sandbox", name=name, run=id_, why=why, remove=bool(saved[id_]))


def _worktrees(
    s: Services, known: dict[RunId, Run], saved: dict[RunId, str]
) -> Iterator[SweepLine]:
    """Of each directory among the worktrees, whose it is."""
    of = {run.worktree: run for run in known.values() if run.worktree}
    for place in sorted(s.worktrees.glob("*/*")):
        run = of.get(str(place))
        if run is None:
            why = "swarm did not make it, or the run it was made for is elsewhere now"
            yield SweepLine(kind="worktree", name=str(place), why=why)
        elif run.state in GONE:
            why = f"its run is {run.state}; all of it goes into the trash first"
            yield SweepLine(kind="worktree", name=str(place), run=run.id, why=why, remove=True)
        else:
            yield SweepLine(
                kind="worktree", name=str(place), run=run.id, why=f"its run is {run.state}"
            )
