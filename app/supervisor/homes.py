"""Where a run's repository is: on this host, or on another one, with a stand-in here.

The host that has it is the run's home: there it is reviewed and lands. What other hosts make for it goes there by
the repository that all of them share.
"""

import msgspec
import sqlalchemy as sa

from app.domain.errors import NotNow
from app.domain.events import Note
from app.domain.ids import RunId
from app.domain.review import Finding
from app.domain.run import Run
from app.domain.task import Task
from app.repo import names, publish, repository, shared, transfer, worktrees
from app.repo.hub import Hub
from app.repo.ingest import Snapshot
from app.repo.repository import Repository
from app.store import hosts, tasks
from app.supervisor.engine import desk_queue
from app.supervisor.landing import worktree_of
from app.supervisor.services import Ground, Services


def desk_of(c: sa.Connection, s: Services, run: RunId) -> str:
    """The queue of what has to be done at the run's home."""
    home = tasks.task(c, tasks.run(c, run).task).home
    return desk_queue(home or s.engine.host)


def elsewhere(s: Services, run: Run) -> bool:
    """Whether another host keeps the run."""
    return s.member and run.host not in ("", s.engine.host)


async def refuse_elsewhere(s: Services, run: Run) -> None:
    """Raises `NotNow` for what has to be done on the host that keeps the run."""
    if elsewhere(s, run):
        name = await s.database.read(hosts.name_of, run.host)
        raise NotNow(
            f"run {run.id} is on another host, {name}",
            hint="Do it there; `swarm --url` reaches it.",
        )


async def only_at_home(s: Services, run: RunId) -> None:
    """Raises `NotNow` on a host that has not got the run's repository."""
    task, _run = await s.task_and_run(run)
    if s.away(task):
        name = await s.database.read(hosts.name_of, task.home)
        raise NotNow(
            f"the repository of {run} is on another host, {task.repo} on {name}",
            hint="Ask there; `swarm --url` reaches it.",
        )


async def share_base(s: Services, repo: Repository, task: Task, run: RunId) -> None:
    """Before a run is stored: every host can have what it starts from. Nothing where there is only one."""
    if not s.member:
        return
    base = await repository.resolve(repo, task.base)
    await repository.keep(repo, run, base)
    await shared.share_base(repo.git(), s.shared(task), run, base)


async def share_snapshot(s: Services, at: Ground, snapshot: Snapshot) -> None:
    """Every host can have what the run has made so far. Nothing where there is only one."""
    if s.member and snapshot.commit != snapshot.base:
        await shared.share_made(at.hub.git(), s.shared(at.task), at.run.id, snapshot.commit)


async def base_of(s: Services, repo: Repository, task: Task, run: Run) -> str:
    """What the run starts from; the same on every host."""
    if not s.member:
        return run.base or await repository.resolve(repo, task.base)
    found = await shared.base_of(repo.git(), s.shared(task), run.id)
    return run.base or found


async def fetch(s: Services, task: Task, run: Run, hub: Hub) -> bool:
    """Have the run's newest snapshot in the hub; whether it was missing."""
    if not s.member or not run.snapshot or await transfer.has(hub.git(), run.snapshot):
        return False
    await shared.fetch_made(hub.git(), s.shared(task), run.id, run.snapshot)
    return True


async def lay_in(s: Services, at: Ground) -> None:
    """Go on from what another host made: its newest snapshot is the one of this host, too."""
    commit, base = at.run.snapshot, at.run.base
    blocked = (await _shown(s, at.run)).blocked
    before = await at.hub.git().line("rev-parse", f"{commit}^") if blocked else commit
    await shared.lay_in(at.hub, at.run.id, commit, clean=before if before != base else "")
    if s.away(at.task) or not blocked:
        await transfer.carry(at.hub, at.repo, commit, known=[base])


async def come_home(s: Services, run_id: RunId) -> None:
    """Show what another host made on the run's branch and worktree, as if it was made here. Safe to repeat."""
    at = await s.ground(run_id)
    if not at.run.base:
        return
    branch = await names.free_branch_name(at.repo, at.task.goal, run_id)
    place = str(s.worktree_place(at.task, branch))
    await s.database.write(tasks.update, run_id, branch=branch, worktree=place)
    at = await s.ground(run_id)
    if await fetch(s, at.task, at.run, at.hub):
        await lay_in(s, at)
    await worktrees.ensure_worktree(at.repo, at.hub, worktree_of(at.run), at.run.base)
    if not at.run.snapshot:
        return
    seen = await publish.publish(at.repo, at.hub, worktree_of(at.run), await _shown(s, at.run))
    if seen.detail:
        note = Note(f"branch and worktree stay as they are: {seen.detail}", "warning")
        await s.broker.record(run_id, f"publish/{at.run.snapshot}/{seen.state}", note)


async def _shown(s: Services, run: Run) -> Snapshot:
    """The newest snapshot, as the tables have it."""
    found = await s.database.read(tasks.column, run.id, "findings")
    findings = msgspec.convert(found, tuple[Finding, ...])
    return Snapshot(commit=run.snapshot, tree="", base=run.base, findings=findings)


async def forget(s: Services, task: Task, run: Run, hub: Hub) -> None:
    """Let go, in the shared repository, of a run that has landed."""
    if s.member:
        await shared.forget(hub.git(), s.shared(task), run.id)
