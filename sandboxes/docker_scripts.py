"""Short trusted scripts in containers: run to the end, within a time and an amount of output."""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from sandboxes.docker_box import Box
from sandboxes.docker_containers import Containers
from sandboxes.docker_engine import Engine, Gone, Wire
from sandboxes.docker_parts import SCRATCH, agent_user
from sandboxes.lines import STDERR_TAIL, tail_of
from sandboxes.short import TIMED_OUT, Kept
from sandboxes.spec import Completed

_GRACE = 10.0
"""Seconds beyond a script's own limit, or its end, after which the engine itself is not waited for."""
KILLED = 128 + 9


async def run_created(engine: Engine, name: str, *, timeout: float, limit: int) -> Completed:
    """Start a container that was created, and hear it to its end. The caller removes it."""
    streams = {"stdout": 1, "stderr": 1, "stream": 1}
    wire = await engine.wire(
        f"attach to {name}", lambda api: api.attach_socket(name, params=streams)
    )
    await Containers(engine).start(name)
    hearing = asyncio.create_task(_hear(engine, wire, timeout, limit))
    ending = asyncio.create_task(Box(engine, name).end())
    try:
        await asyncio.wait([hearing, ending], return_when=asyncio.FIRST_COMPLETED)
        if ending.done():
            # The engine says that it is attached before it is; a script that was quicker is never heard.
            await asyncio.wait([hearing], timeout=_GRACE)
            engine.let_go(wire)
        heard = await hearing
        if heard.code == TIMED_OUT:
            return heard
        ended = await ending
    finally:
        hearing.cancel()
        ending.cancel()
    code = int(ended["ExitCode"])
    return replace(heard, code=code, starved=code != 0 and bool(ended["OOMKilled"]))


async def run_beside(
    engine: Engine,
    side: str,
    script: str,
    *,
    env: Mapping[str, str],
    stdin: bytes,
    timeout: float,
    limit: int,
) -> Completed:
    """Run the script in a container that runs."""
    made = await engine.call(
        f"run a script in {side}",
        lambda api: api.exec_create(
            side,
            # From inside: closing the connection would leave the script running.
            ["timeout", "-s", "KILL", str(timeout), "sh", "-c", script],
            environment=dict(env),
            stdin=True,
            user=agent_user(),
            workdir=SCRATCH,
        )["Id"],
    )
    started, since = asyncio.get_running_loop().time(), time.time()
    wire = await engine.wire(
        f"run a script in {side}", lambda api: api.exec_start(made, socket=True)
    )
    heard, _ = await asyncio.gather(
        _hear(engine, wire, timeout + _GRACE, limit), engine.thread(lambda: _feed(wire, stdin))
    )
    late = asyncio.get_running_loop().time() - started >= timeout
    code = TIMED_OUT if heard.code == TIMED_OUT else await _code(engine, made)
    # `timeout` kills itself together with what it watches, so its own 124 is never seen.
    starved = code != 0 and await _starved(engine, side, since)
    return replace(heard, code=TIMED_OUT if late and code == KILLED else code, starved=starved)


async def _starved(engine: Engine, name: str, since: float) -> bool:
    """Whether memory ran out in that container; of a script in it the engine tells by events alone."""
    wanted = {"container": name, "event": "oom"}

    def look(api: Any) -> bool:
        told = api.events(since=f"{since:.9f}", until=f"{time.time():.9f}", filters=wanted)
        return any(told)

    return await engine.call(f"read the events of {name}", look)


async def _look_at(engine: Engine, made: str) -> dict[str, Any]:
    return await engine.call("look at a script", lambda api: api.exec_inspect(made))


async def _code(engine: Engine, made: str) -> int:
    """The exit code, which the engine may know a little later than the end of the output."""
    while True:
        found = await _look_at(engine, made)
        if not found["Running"]:
            return int(found["ExitCode"])
        await asyncio.sleep(0.01)


async def quiet(engine: Engine, known: Iterable[str], timeout: float) -> None:
    """Wait for those of the known scripts, left by a dead supervisor, that run; each ends by its own limit."""
    async with asyncio.timeout(timeout + _GRACE):
        for made in known:
            while await _runs(engine, made):
                await asyncio.sleep(0.05)


async def _runs(engine: Engine, made: str) -> bool:
    """The engine also lists those that were never started."""
    with contextlib.suppress(Gone):
        return bool((await _look_at(engine, made))["Running"])
    return False


async def _hear(engine: Engine, wire: Wire, timeout: float, limit: int) -> Completed:
    """All that comes over the wire, within the limits; code 124 when the time was up."""
    out, err = Kept(head=limit), Kept(tail=STDERR_TAIL)

    def listen() -> None:
        for stream, piece in wire.frames():
            (out if stream == 1 else err).add(piece)

    code = 0
    try:
        async with asyncio.timeout(timeout):
            await engine.thread(listen)
    except TimeoutError:
        code = TIMED_OUT
    finally:
        engine.let_go(wire)
    stderr = tail_of(bytes(err.data))
    return Completed(code=code, stdout=bytes(out.data), stderr=stderr, truncated=out.lost)


def _feed(wire: Wire, stdin: bytes) -> None:
    with contextlib.suppress(OSError):
        wire.write(stdin)
        wire.end()
