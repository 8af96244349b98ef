"""From the agent's tree to what people see: scribe, quarantine, hub, branch and worktree."""

import asyncio

import sqlalchemy as sa

from app.domain.errors import SwarmError
from app.domain.events import Note, Snapshotted
from app.domain.ids import RunId
from app.repo import ingest, publish, scribe
from app.repo.ingest import Snapshot
from app.repo.scribe import Pack
from app.store import tasks
from app.supervisor.errors import LEAF_ERRORS, told
from app.supervisor.faults import fault
from app.supervisor.homes import share_snapshot
from app.supervisor.landing import worktree_of
from app.supervisor.sandbox import open_sandbox, scribe_of
from app.supervisor.services import Ground, Services

PAUSE_SECONDS = 1.5
"""At least so long between two looks at the tree of a working agent."""


async def take_snapshot(s: Services, run_id: RunId) -> Snapshot:
    """A vetted snapshot of the run's tree, published on its branch; the same tree gives the same one."""
    async with s.live.snapshot_lock(run_id):
        at = await s.ground(run_id)
        return await _let_in(s, at, await _look(s, at))


async def _look(s: Services, at: Ground) -> Pack:
    sandbox = await open_sandbox(s, at.run, at.repo)
    return await scribe.take(sandbox, scribe_of(s, at.run, at.repo, sandbox))


async def _let_in(s: Services, at: Ground, pack: Pack) -> Snapshot:
    run = at.run
    snapshot = await ingest.ingest(at.hub, pack, run=run.id, base=run.base, policy=at.task.policy)
    fault("mid:snapshot")
    await share_snapshot(s, at, snapshot)
    await _show(s, run.id, snapshot)
    seen = await publish.publish(at.repo, at.hub, worktree_of(run), snapshot)
    if seen.detail:
        note = Note(f"branch and worktree stay as they are: {seen.detail}", "warning")
        await s.broker.record(run.id, f"publish/{snapshot.commit}/{seen.state}", note)
    return snapshot


async def _show(s: Services, run: RunId, snapshot: Snapshot) -> None:
    def write(c: sa.Connection) -> None:
        tasks.update(
            c,
            run,
            snapshot=snapshot.commit if snapshot.commit != snapshot.base else "",
            files=len(snapshot.files),
            insertions=snapshot.insertions,
            deletions=snapshot.deletions,
            findings=snapshot.findings,
        )
        tasks.touch(c, run, [file.path for file in snapshot.files])

    await s.database.write(write)
    seen = Snapshotted(
        commit=snapshot.commit,
        files=len(snapshot.files),
        insertions=snapshot.insertions,
        deletions=snapshot.deletions,
        findings=snapshot.findings,
        left_out=snapshot.left_out,
        tree=snapshot.tree,
    )
    await s.broker.record(run, f"snapshot/{snapshot.commit}", seen)


class LiveDiff:
    """Takes snapshots while the agent works: soon after it changed something, never in a hurry."""

    def __init__(self, s: Services, run: RunId) -> None:
        self._s = s
        self._run = run
        self._changed = asyncio.Event()
        self._seen: tuple[object, ...] = ()

    def changed(self) -> None:
        """The agent did something that may have changed a file."""
        self._changed.set()

    async def follow(self) -> None:
        """For ever; cancelled when the turn is over."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._take()
            except (SwarmError, *LEAF_ERRORS) as error:
                # The turn's last snapshot decides; a failed look in between only means no live diff.
                note = Note(f"no live diff: {told(error)}", "warning")
                self._s.broker.post(self._run, f"live/{told(error)}", note)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _take(self) -> None:
        live = self._s.live
        async with live.looking, live.snapshot_lock(self._run):
            at = await self._s.ground(self._run)
            pack = await _look(self._s, at)
            # Most of what an agent does changes no file: then all is known already.
            if (seen := (pack.tree, pack.left_out, pack.ignored)) != self._seen:
                await _let_in(self._s, at, pack)
                self._seen = seen
