"""A shell command in a sandbox: what it said, how it ended, and that a person may stop it."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from typing import Final

from app.domain.ids import RunId
from app.domain.review import CheckResult
from app.store import tasks
from app.supervisor.services import Services
from sandboxes.base import Process, Sandbox
from sandboxes.spec import Program

TAIL_LINES: Final = 60
TAIL_BYTES: Final = 8 * 1024
SECONDS: Final = 1800.0
_LOOK_SECONDS: Final = 5.0


async def run_command(
    s: Services, run: RunId, sandbox: Sandbox, name: str, command: str, env: Mapping[str, str]
) -> CheckResult:
    """Run it under that name, or attach to it; stopped when it takes too long or a person stops the run."""
    began = s.clock()
    program = Program(name=name, argv=("sh", "-c", f"exec 2>&1\n{command}"), env=env)
    process = await sandbox.start(program)
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    watching = asyncio.create_task(_stop_when_wished(s, run, process))
    try:
        async with asyncio.timeout(SECONDS):
            async for line in process.lines():
                tail.append(line.text[:1000])
            code = (await process.wait()).code
    except TimeoutError:
        await process.stop()
        tail.append(f"[stopped by swarm after {SECONDS:g} seconds]")
        code = None
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return CheckResult(
        command=command,
        passed=code == 0,
        code=code,
        seconds=round(max(0.0, s.clock() - began), 3),
        tail="\n".join(tail)[-TAIL_BYTES:],
    )


async def _stop_when_wished(s: Services, run: RunId, process: Process) -> None:
    while not str(await s.database.read(tasks.column, run, "wish")).startswith("stop:"):
        await s.live.wait(run, _LOOK_SECONDS)
    with contextlib.suppress(asyncio.CancelledError):
        await process.stop()
