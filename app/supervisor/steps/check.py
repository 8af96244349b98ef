"""The task's checks, each in a fresh sandbox on the snapshot: what the agent says of its tests proves nothing."""

import msgspec

from app.domain.events import Checked
from app.domain.ids import RunId
from app.domain.run import RunState
from app.repo import tree
from app.store import tasks, turns
from app.supervisor.commands import run_command
from app.supervisor.faults import fault
from app.supervisor.outfitting import fit_out
from app.supervisor.sandbox import environment, history_mounts, open_check
from app.supervisor.services import Ground, Services
from app.supervisor.trouble import fails_the_run
from sandboxes.base import Sandbox
from sandboxes.errors import SandboxFailed


@fails_the_run("failed")
async def check(s: Services, run_id: RunId, turn: int) -> str:
    """Run every check that has no result yet for this turn."""
    at = await s.ground(run_id)
    run, task = at.run, at.task
    ended = await s.database.read(turns.turn, run_id, turn)
    skip = ended.stop_reason in ("error", "cancelled") or not run.snapshot or not task.checks
    skip = skip or str(await s.database.read(tasks.column, run_id, "handed")).startswith("go on")
    if skip or await s.database.read(tasks.column, run_id, "wish"):
        return "skipped"
    await s.move(run_id, RunState.CHECKING, key=f"turn-{turn}")
    await _all(s, at, turn)
    return "checked"


async def _all(s: Services, at: Ground, turn: int) -> None:
    run = at.run
    done = {result.command for result in await s.database.read(turns.checks_of, run.id, turn)}
    sandbox = await _fresh(s, at, turn)
    unready = await fit_out(s, at, sandbox, tag=f"check-{turn}")
    env = environment(s, run, sandbox)
    for number, command in enumerate(at.task.checks, start=1):
        if command not in done:
            # What could not be set up cannot be checked: the setup's own failure is the result.
            result = (
                msgspec.structs.replace(unready, command=command)
                if unready
                else await run_command(s, run.id, sandbox, f"check-{number}", command, env)
            )
            await s.database.write(turns.add_check, run.id, turn, number, result)
            await s.broker.record(run.id, f"turn-{turn}/check-{number}", Checked(turn, result))
        fault("mid:check")
    await sandbox.remove()


async def _fresh(s: Services, at: Ground, turn: int) -> Sandbox:
    """A sandbox with exactly the snapshot in it, and nothing the agent left elsewhere."""
    run, repo, hub = at.run, at.repo, at.hub
    exported = await tree.export(hub, run.id, commit=run.snapshot, base=run.base)
    mounted = history_mounts(s, run, repo, exported)
    sandbox = await open_check(s, run, repo, turn, mounted)
    wanted = tree.layout(
        repo,
        tree=sandbox.places.tree,
        commit=run.snapshot,
        branch="check",
        objects=tree.targets(mounted),
    )
    laid = await sandbox.prepare(tree.prepare_script(wanted))
    if laid.code != 0:
        raise SandboxFailed(f"the snapshot could not be laid down: {laid.stderr.strip()[-300:]}")
    return sandbox
