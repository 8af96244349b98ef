"""Sixteen Claude Codes at once: through swarm, against `docker run` of the same program sixteen times at once.

Counted is until the last has ended, and until the first has asked its model. swarm lets only a few be in their
start at a time, so that they do not all wait for each other.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

from app import wire
from app.client.client import Swarm
from app.domain.events import Event, StateChanged
from app.domain.run import ACTIVE
from app.gateway.rehearsal import Rehearsal
from app.gateway.rehearsal_script import Script
from tests.benchmarks import bare
from tests.support.agents_image import agents_image
from tests.support.home import home_at, supervised
from tests.support.repos import make_repository

NAME = "sixteen at once (Claude Code, Docker)"
AT_ONCE = 16
ROUNDS = 3
PATIENCE = 240.0
Took = tuple[float, float]
"""Seconds until the first model request, and until all have ended."""


def measure() -> list[tuple[str, float, str]]:
    """Medians of interleaved rounds, the first of each dropped."""
    return asyncio.run(_measure())


async def _measure() -> list[tuple[str, float, str]]:
    with tempfile.TemporaryDirectory() as root, home_at(Path(root)) as home:
        async with Rehearsal(Script(), key=bare.KEY) as provider:
            os.environ.update(home.env)
            os.environ["ANTHROPIC_API_KEY"] = bare.KEY
            home.configure(
                {
                    "concurrency": AT_ONCE,
                    "sandbox": {"driver": "docker", "image": agents_image()},
                    "gateway": {"upstreams": {"anthropic": {"url": provider.url}}},
                }
            )
            repo = make_repository(Path(root) / "project")
            async with supervised(home) as swarm:
                through, alone = [], []
                for _ in range(ROUNDS + 1):
                    alone.append(await _timed(provider, _alone(provider.url)))
                    through.append(await _timed(provider, _through(swarm, repo)))
    return _rows(through[1:], alone[1:])


def _rows(through: list[Took], alone: list[Took]) -> list[tuple[str, float, str]]:
    def middle(took: list[Took], which: int) -> float:
        return statistics.median(each[which] for each in took)

    return [
        ("the first request, through swarm", middle(through, 0), "s"),
        ("the first request, docker run", middle(alone, 0), "s"),
        (f"all {AT_ONCE} ended, through swarm", middle(through, 1), "s"),
        (f"all {AT_ONCE} ended, docker run", middle(alone, 1), "s"),
        ("all ended: swarm / docker run", middle(through, 1) / middle(alone, 1), "x"),
    ]


async def _timed(provider: Rehearsal, work: Awaitable[None]) -> Took:
    before, began = len(provider.calls), time.perf_counter()
    asked = asyncio.create_task(_asked(provider, before))
    await work
    return await asked - began, time.perf_counter() - began


async def _asked(provider: Rehearsal, before: int) -> float:
    async with asyncio.timeout(PATIENCE):
        while len(provider.calls) == before:
            await asyncio.sleep(0.002)
    return time.perf_counter()


async def _alone(url: str) -> None:
    await asyncio.gather(*(_run(bare.argv(url)) for _ in range(AT_ONCE)))


async def _run(argv: list[str]) -> None:
    child = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.DEVNULL)
    if code := await child.wait():
        raise RuntimeError(f"{argv} ended with {code}")


async def _through(swarm: Swarm, repo: Path) -> None:
    new = wire.NewTask(goal=bare.PROMPT, repo=str(repo), submitter="bench")
    started = await asyncio.gather(*(swarm.submit(new) for _ in range(AT_ONCE)))
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(_rests(swarm, row.run.id) for row in started))


async def _rests(swarm: Swarm, run: str) -> None:
    """Wait, as `swarm run --wait` does, until the run is no longer at work."""
    async for item in swarm.events(run=run):
        if (
            isinstance(item, Event)
            and isinstance(item.body, StateChanged)
            and item.body.state not in ACTIVE
        ):
            return
