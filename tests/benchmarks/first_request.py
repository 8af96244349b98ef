"""From a goal to the agent's first model request: Claude Code through swarm, against Claude Code by itself.

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
from tests.support.agents_image import agents_image
from tests.support.home import home_at, supervised
from tests.support.repos import make_repository

NAME = "from a goal to the first model request (Claude Code, Docker)"
ROUNDS = 5
KEY = "sk-bench"


def measure() -> list[tuple[str, float, str]]:
    """Medians of interleaved rounds, the first of each dropped."""
    return asyncio.run(_measure())


async def _measure() -> list[tuple[str, float, str]]:
    with tempfile.TemporaryDirectory() as root, home_at(Path(root)) as home:
        async with Rehearsal(Script(), key=KEY) as provider:
            os.environ.update(home.env)
            os.environ["ANTHROPIC_API_KEY"] = KEY
            home.configure(
                {
                    "sandbox": {"driver": "docker", "image": agents_image()},
                    "gateway": {"upstreams": {"anthropic": {"url": provider.url}}},
                }
            )
            repo = make_repository(Path(root) / "project")
            async with supervised(home) as swarm:
                through: list[float] = []
                alone: list[float] = []
                for _ in range(ROUNDS + 1):
                    alone.append(await _until_asked(provider, _alone(provider)))
                    new = wire.NewTask(goal="Say hello", repo=str(repo), submitter="bench")
                    through.append(await _until_asked(provider, swarm.submit(new)))
                    await _at_rest(swarm)
    swarm_takes, bare = statistics.median(through[1:]), statistics.median(alone[1:])
    return [
        ("through swarm, sandbox and gateway included", swarm_takes * 1000, "ms"),
        ("docker run of claude -p, no isolation, direct", bare * 1000, "ms"),
        ("swarm / docker run of claude -p", swarm_takes / bare, "x"),
    ]


async def _until_asked(provider: Rehearsal, start: Awaitable[object]) -> float:
    """Seconds from the start until the provider has one call more."""
    before, began = len(provider.calls), time.perf_counter()
    await start
    while len(provider.calls) == before:
        await asyncio.sleep(0.002)
    return time.perf_counter() - began


async def _alone(provider: Rehearsal) -> None:
    """Start the same program with the same prompt in a container on the host's network."""
    argv = alone_argv(provider.url, "-d")
    await asyncio.to_thread(subprocess.run, argv, check=True, capture_output=True)


def alone_argv(url: str, *options: str) -> list[str]:
    """`docker run` of Claude Code that asks the model at that address."""
    env = {
        "HOME": "/home/agent",
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_AUTH_TOKEN": KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    argv = ["docker", "run", "--rm", *options, "--network", "host"]
    argv += ["--tmpfs", "/home/agent:mode=1777"]
    argv += [word for name, value in env.items() for word in ("-e", f"{name}={value}")]
    return [*argv, agents_image(), "claude", "-p", "Say hello"]


async def _at_rest(swarm: Swarm) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(30):
            while any(row.run.state in ACTIVE for row in (await swarm.board()).rows):
                await asyncio.sleep(0.1)
