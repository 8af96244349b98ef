"""A shell command in a sandbox: what it said, how it ended, and that a person may stop it."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from typing import Final

from app.domain.ids import RunId
from app.domain.review import CheckResult
from app.store import tasks
from app.supervisor.gauge import Gauge, memory_words
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
    full: list[str] = []
    helpers = (
        _stop_when_wished(s, run, process),
        _stop_when_full(s, run, sandbox, process, full),
    )
    watching = [asyncio.create_task(each) for each in helpers]
    try:
        async with asyncio.timeout(SECONDS):
            async for line in process.lines():
                tail.append(line.text[:1000])
            ended = await process.wait()
        code = ended.code
        if ended.starved:
            tail.append(f"[{memory_words(s)}]")
        tail.extend(f"[stopped by swarm: {why}]" for why in full)
    except TimeoutError:
        await process.stop()
        tail.append(f"[stopped by swarm after {SECONDS:g} seconds]")
        code = None
    finally:
        for each in watching:
            each.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
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


async def _stop_when_full(
    s: Services, run: RunId, sandbox: Sandbox, process: Process, full: list[str]
) -> None:
    """Say why in `full`, and end it: of a command that fills the disk nothing is lost, so nobody is asked."""
    gauge = Gauge(s, await s.database.read(tasks.run, run), sandbox)
    full.append(await gauge.until_full())
    await process.stop(grace=0)
