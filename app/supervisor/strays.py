"""What this host still has of runs that another one took over: it is kept for a person, and never gone on with."""

import contextlib

from app.domain.errors import NotFound
from app.domain.events import Note
from app.domain.ids import RunId
from app.domain.run import Run
from app.repo import ingest, scribe, shared
from app.store import tasks
from app.supervisor import homes
from app.supervisor.errors import told
from app.supervisor.names import run_of_sandbox
from app.supervisor.sandbox import open_sandbox, remove_sandboxes, rest, scribe_of
from app.supervisor.services import Ground, Services
from app.supervisor.trouble import TROUBLE


async def put_away(s: Services) -> None:
    """At start: end what runs here for a run of another host, after its files were saved."""
    for run in await _strays(s):
        try:
            await _save(s, await s.ground(run.id))
            await remove_sandboxes(s, run.id, s.driver(run.sandbox))
        except TROUBLE as error:
            with contextlib.suppress(*TROUBLE):
                await rest(s, run)
            words = f"its old sandbox on {s.engine.host} stays: {told(error)}"
            await s.broker.record(run.id, f"stray/{s.engine.host}/{words}", Note(words, "warning"))


async def go_on(s: Services, at: Ground) -> None:
    """Begin where the run is now, wherever that was: what this host has of it is saved, and makes room."""
    if not await homes.fetch(s, at.task, at.run, at.hub):
        return
    if at.run.id in await s.driver(at.run.sandbox).names(s.owner):
        await _save(s, at)
        await remove_sandboxes(s, at.run.id, s.driver(at.run.sandbox))
    await homes.lay_in(s, at)


async def _strays(s: Services) -> list[Run]:
    found = []
    for driver in await s.database.read(tasks.drivers):
        with contextlib.suppress(*TROUBLE):  # The engine is down: the next start looks again.
            for name in await s.driver(driver).names(s.owner):
                with contextlib.suppress(NotFound):
                    run = await s.database.read(tasks.run, RunId(run_of_sandbox(name)))
                    if name == run.id and run.host != s.engine.host:
                        found.append(run)
    return found


async def _save(s: Services, at: Ground) -> None:
    """Keep what the sandbox's tree holds, where every host can get it, if it is not known."""
    run = at.run
    sandbox = await open_sandbox(s, run, at.repo)
    pack = await scribe.take(sandbox, scribe_of(s, run, at.repo, sandbox))
    seen = await ingest.ingest(at.hub, pack, run=run.id, base=run.base, policy=at.task.policy)
    if seen.commit in (run.base, run.snapshot):
        return
    address = s.shared(at.task)
    await shared.share_made(at.hub.git(), address, run.id, seen.commit)
    words = (
        f"it had gone on for a while on the host that was lost; what it made there is no part of it, and kept: "
        f"`git fetch {address} refs/swarm/made/{run.id}/{seen.commit}`"
    )
    await s.broker.record(run.id, f"stray/{seen.commit}", Note(words, "warning"))
