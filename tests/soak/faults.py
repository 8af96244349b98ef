"""The kinds of fault. Each strikes once, and says whom it hit."""

import asyncio
import os
import random
import shlex
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final

from tests.soak import prey
from tests.soak.setting import Setting
from tests.support.kills import Killed
from tests.support.nursery import set_clock

Strike = Callable[[], Awaitable[str | None]]
"""Does the harm. Gives the sandbox that was hit, `all` for the whole service, None for want of anything to hit."""
ALL: Final = "all"
OUTAGE: Final = (1.0, 4.0)
"""Seconds for which a server is stopped, or a disk is full."""
JUMPS: Final = (-7200.0, -90.0, 90.0, 7200.0, 0.0)
"""Seconds by which the supervisor's clock may be wrong."""


@dataclass(frozen=True)
class Fault:
    """One kind."""

    name: str
    strike: Strike


def faults(
    at: Setting, user: Killed, chance: random.Random, restart_docker: str
) -> Iterator[Fault]:
    """All kinds that this setting knows."""

    async def supervisor() -> str:
        user.kill()
        return ALL

    yield Fault("supervisor killed", supervisor)
    yield Fault("clock jumped", lambda: _jump(at, chance))
    if at.boxes == "docker":
        yield Fault("agent killed", lambda: _killed(prey.agents_in_boxes(at.home), chance))
        yield Fault("box killed", lambda: _killed(prey.boxes(at.home), chance))
        yield Fault("side killed", lambda: _killed(prey.sides(at.home), chance))
        yield Fault("engine away", lambda: _away(at, chance))
        if restart_docker:
            yield Fault("engine restarted", lambda: _restarted(restart_docker))
    else:
        yield Fault("agent killed", lambda: _killed(prey.agents_here(at.home), chance))
        yield Fault("agent's keeper killed", lambda: _killed(prey.keepers_here(at.home), chance))
    if at.server is not None:
        yield Fault("PostgreSQL stopped", lambda: _stopped(at, chance))
    if at.disk is not None:
        yield Fault("disk full", lambda: _filled(at, chance))


async def _jump(at: Setting, chance: random.Random) -> str:
    set_clock(at.clock, chance.choice(JUMPS))
    return ALL


async def _killed(found: prey.Prey, chance: random.Random) -> str | None:
    if not found:
        return None
    sandbox = chance.choice(sorted(found))
    return sandbox if await asyncio.to_thread(prey.kill, found[sandbox]) else None


async def _stopped(at: Setting, chance: random.Random) -> str:
    assert at.server is not None
    return await _without(at.server.stop, at.server.start, chance)


async def _away(at: Setting, chance: random.Random) -> str:
    assert at.door is not None
    return await _without(at.door.shut, at.door.open, chance)


async def _without(
    end: Callable[[], object], begin: Callable[[], object], chance: random.Random
) -> str:
    """An outage of what everybody needs."""
    await asyncio.to_thread(end)
    await asyncio.sleep(chance.uniform(*OUTAGE))
    await asyncio.to_thread(begin)
    return ALL


async def _filled(at: Setting, chance: random.Random) -> str:
    assert at.disk is not None
    await asyncio.to_thread(at.disk.fill)
    await asyncio.sleep(chance.uniform(*OUTAGE))
    at.disk.free()
    return ALL


async def _restarted(command: str) -> str:
    process = await asyncio.create_subprocess_exec(*shlex.split(command), env=dict(os.environ))
    assert await process.wait() == 0, f"{command!r} failed"
    return ALL
