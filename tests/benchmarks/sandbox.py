"""Sandboxes of containers: until the first program in one has ended, twenty at once, their memory, their removal.

The floor is `docker run` of the same image, without a network, in rounds between ours.
"""

import asyncio
import contextlib
import os
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path

from docker import APIClient
from docker.utils import kwargs_from_env
from msgspec.structs import replace

from sandboxes import registry
from sandboxes.base import Driver
from sandboxes.docker_parts import OWNER
from sandboxes.spec import Program, SandboxSpec
from tests.support.boxes import gateway
from tests.support.images import test_image

NAME = "sandboxes of containers"
ROUNDS = 7
MANY = 20
_BRIEF = Program(name="turn-1", argv=("true",))
_IDLE = Program(name="turn-1", argv=("sleep", "600"))

Row = tuple[str, float, str]


def measure() -> list[Row]:
    """Medians of interleaved rounds, the first of each dropped; then twenty together."""
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as root:
        async with gateway() as way_out, _driven(Path(root)) as (driver, owner):
            spec = SandboxSpec(
                name="bench", owner=owner, image=test_image(), sockets=way_out.directory
            )
            rows = [*await _one(driver, spec), *await _twenty(driver, spec)]
            left = await driver.holdings(owner)
    return [*rows, ("containers and volumes left over", float(len(left)), "")]


@contextlib.asynccontextmanager
async def _driven(root: Path) -> AsyncIterator[tuple[Driver, str]]:
    driver, owner = registry.load("docker", root), f"bench-{uuid.uuid4().hex[:8]}"
    await driver.check()
    try:
        yield driver, owner
    finally:
        for name in await driver.names(owner):
            await driver.remove(name, owner)
        await driver.close()


async def _one(driver: Driver, spec: SandboxSpec) -> list[Row]:
    plain, whole, second, gone = [], [], [], []
    for _ in range(ROUNDS + 1):
        plain.append(await _timed(_plain(spec.image)))
        whole.append(await _timed(_ready(driver, spec, _BRIEF)))
        second.append(await _timed(_ready(driver, spec, replace(_BRIEF, name="turn-2"))))
        gone.append(await _timed(driver.remove(spec.name, spec.owner)))
    floor, ours, again, removed = (
        statistics.median(each[1:]) for each in (plain, whole, second, gone)
    )
    return [
        ("docker run --rm --network none IMAGE true", floor * 1000, "ms"),
        ("box, side and volumes made, first program in it ended", ours * 1000, "ms"),
        ("box, side and volumes / docker run", ours / floor, "x"),
        ("a further program in the same sandbox / docker run", again / floor, "x"),
        ("removal of box, side and volumes", removed * 1000, "ms"),
    ]


async def _twenty(driver: Driver, spec: SandboxSpec) -> list[Row]:
    specs = [replace(spec, name=f"bench-{number}") for number in range(MANY)]
    floor = await _timed(asyncio.gather(*(_plain(spec.image) for _ in specs)))
    ours = await _timed(
        asyncio.gather(*(_ready(driver, each, _IDLE, ends=False) for each in specs))
    )
    memory = _memory(spec.owner)
    gone = await _timed(asyncio.gather(*(driver.remove(each.name, each.owner) for each in specs)))
    rows = [
        (f"{MANY} docker run at once", floor, "s"),
        (f"{MANY} sandboxes at once, a program running in each", ours, "s"),
        (f"{MANY} sandboxes / {MANY} docker run", ours / floor, "x"),
        (f"removal of {MANY} at once", gone, "s"),
    ]
    if memory is not None:
        idle = memory / MANY / 1024
        rows.append(("memory of an idle sandbox: side, box, their shims (PSS)", idle, "MiB"))
    return rows


async def _ready(driver: Driver, spec: SandboxSpec, program: Program, *, ends: bool = True) -> None:
    """From nothing to a program that runs, or has ended."""
    process = await (await driver.open(spec)).start(program)
    if ends:
        await process.wait()


async def _plain(image: str) -> None:
    argv = ["docker", "run", "--rm", "--network", "none", image, "true"]
    process = await asyncio.create_subprocess_exec(*argv)
    assert await process.wait() == 0


async def _timed(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


def _memory(owner: str) -> int | None:
    """KiB of all processes of that owner's containers and of what the engine runs beside each; root sees it."""
    if os.getuid() != 0:
        return None
    with contextlib.closing(APIClient(version="auto", **kwargs_from_env())) as api:
        mine = api.containers(filters={"label": f"{OWNER}={owner}"})
        first = {int(api.inspect_container(one["Id"])["State"]["Pid"]) for one in mine}
    shims = {_parent(pid) for pid in first}
    below = {pid for shim in shims for pid in _below(shim)}
    return sum(_pss(pid) for pid in shims | below)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _below(pid: int) -> Iterator[int]:
    asked = ["pgrep", "--parent", str(pid)]
    for child in subprocess.run(asked, capture_output=True, check=False).stdout.split():
        yield int(child)
        yield from _below(int(child))


def _pss(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
