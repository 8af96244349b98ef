"""From a goal to the agent's first model request: the real programs through swarm, against each by itself.

By itself means in the same image and hardly isolated: `docker run` of the same program with the same prompt.
"""

import asyncio
import contextlib
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

from app import wire
from app.client.client import Swarm
from app.domain.run import ACTIVE
from app.gateway.rehearsal import Rehearsal
from app.gateway.rehearsal_script import Script
from tests.benchmarks import bare
from tests.support.agents_image import agents_image
from tests.support.home import home_at, supervised
from tests.support.repos import make_repository

NAME = "from a goal to the first model request (Docker)"
ROUNDS = 5
REST_SECONDS = 2.0
"""In which the program by itself ends, so that it is not measured with what follows."""


def measure() -> list[tuple[str, float, str]]:
    """Medians of interleaved rounds, the first of each dropped."""
    return asyncio.run(_measure())


async def _measure() -> list[tuple[str, float, str]]:
    with tempfile.TemporaryDirectory() as root, home_at(Path(root)) as home:
        async with Rehearsal(Script(), key=bare.KEY) as provider:
            os.environ.update(home.env)
            os.environ |= dict.fromkeys(("ANTHROPIC_API_KEY", "OPENAI_API_KEY"), bare.KEY)
            served = {"anthropic": {"url": provider.url}, "openai": {"url": f"{provider.url}/v1"}}
            home.configure(
                {
                    "sandbox": {"driver": "docker", "image": agents_image()},
                    "gateway": {"upstreams": served},
                }
            )
            repo = make_repository(Path(root) / "project")
            async with supervised(home) as swarm:
                return [
                    row for agent in bare.STARTS for row in await _of(agent, provider, swarm, repo)
                ]


async def _of(
    agent: str, provider: Rehearsal, swarm: Swarm, repo: Path
) -> list[tuple[str, float, str]]:
    new = wire.NewTask(goal=bare.PROMPT, repo=str(repo), submitter="bench", agent=agent)
    through, alone = [], []
    for _ in range(ROUNDS + 1):
        alone.append(await _until_asked(provider, _alone(provider, agent)))
        await asyncio.sleep(REST_SECONDS)
        through.append(await _until_asked(provider, swarm.submit(new)))
        await _at_rest(swarm)
    swarm_takes, by_itself = statistics.median(through[1:]), statistics.median(alone[1:])
    return [
        (f"{agent} through swarm, sandbox and gateway included", swarm_takes * 1000, "ms"),
        (f"{agent} in docker run, no isolation, direct", by_itself * 1000, "ms"),
        (f"{agent}: swarm / docker run", swarm_takes / by_itself, "x"),
    ]


async def _until_asked(provider: Rehearsal, start: Awaitable[object]) -> float:
    """Seconds from the start until the provider has one call more."""
    before, began = len(provider.calls), time.perf_counter()
    await start
    while len(provider.calls) == before:
        await asyncio.sleep(0.002)
    return time.perf_counter() - began


async def _alone(provider: Rehearsal, agent: str) -> None:
    """Start the same program with the same prompt in a container on the host's network."""
    argv = bare.argv(provider.url, agent, "-d")
    await asyncio.to_thread(subprocess.run, argv, check=True, capture_output=True)


async def _at_rest(swarm: Swarm) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(30):
            while any(row.run.state in ACTIVE for row in (await swarm.board()).rows):
                await asyncio.sleep(0.1)
