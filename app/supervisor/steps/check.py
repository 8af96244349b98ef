"""The task's checks, each in a fresh sandbox on the snapshot: what the agent says of its tests proves nothing."""

import asyncio
from collections import deque

from app.domain.events import Checked
from app.domain.ids import RunId
from app.domain.review import CheckResult
from app.domain.run import Run, RunState
from app.domain.task import Task
from app.repo import tree
from app.store import tasks, turns
from app.supervisor.faults import fault
from app.supervisor.sandbox import mounts_for, open_check
from app.supervisor.services import Services
from app.supervisor.trouble import fails_the_run
from sandboxes.base import Sandbox
from sandboxes.errors import SandboxFailed
from sandboxes.spec import Program

TAIL_LINES = 60
TAIL_BYTES = 8 * 1024
SECONDS = 1800.0


@fails_the_run("failed")
async def check(s: Services, run_id: RunId, turn: int) -> str:
    """Run every check that has no result yet for this turn."""
    task, run = await s.task_and_run(run_id)
    ended = await s.database.read(turns.turn, run_id, turn)
    skip = ended.stop_reason in ("error", "cancelled") or not run.snapshot or not task.checks
    if skip or await s.database.read(tasks.column, run_id, "wish"):
        return "skipped"
    await s.move(run_id, RunState.CHECKING, key=f"turn-{turn}")
    await _all(s, task, run, turn)
    return "checked"


async def _all(s: Services, task: Task, run: Run, turn: int) -> None:
    done = {result.command for result in await s.database.read(turns.checks_of, run.id, turn)}
    sandbox = await _fresh(s, task, run, turn)
    for number, command in enumerate(task.checks, start=1):
        if command not in done:
            result = await _one(s, sandbox, number, command)
            await s.database.write(turns.add_check, run.id, turn, number, result)
            await s.broker.record(run.id, f"turn-{turn}/check-{number}", Checked(turn, result))
        fault("mid:check")
    await sandbox.remove()


async def _fresh(s: Services, task: Task, run: Run, turn: int) -> Sandbox:
    """A sandbox with exactly the snapshot in it, and nothing the agent left elsewhere."""
    repo, hub = await s.repository(task)
    exported = await tree.export(hub, run.id, commit=run.snapshot, base=run.base)
    mounted = mounts_for(s, run, (*repo.objects, exported))
    sandbox = await open_check(s, run, turn, mounted)
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


async def _one(s: Services, sandbox: Sandbox, number: int, command: str) -> CheckResult:
    began = s.clock()
    program = Program(name=f"check-{number}", argv=("sh", "-c", f"exec 2>&1\n{command}"))
    process = await sandbox.start(program)
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    try:
        async with asyncio.timeout(SECONDS):
            async for line in process.lines():
                tail.append(line.text[:1000])
            code = (await process.wait()).code
    except TimeoutError:
        await process.stop()
        tail.append(f"[stopped by swarm after {SECONDS:g} seconds]")
        code = None
    return CheckResult(
        command=command,
        passed=code == 0,
        code=code,
        seconds=round(max(0.0, s.clock() - began), 3),
        tail="\n".join(tail)[-TAIL_BYTES:],
    )
