"""What a supervisor costs: idle, and for each run at work (the sandboxes' own processes not counted)."""

import asyncio
import tempfile
from pathlib import Path

from app import wire
from app.client.client import Swarm
from tests.benchmarks.gauges import cpu, memory
from tests.support.home import answering, home_at, supervisor_process
from tests.support.repos import make_repository

NAME = "the supervisor"
SETTLING_SECONDS = 15.0
"""After a start the queues are looked at often for a while: what a dead supervisor left comes back there."""
IDLE_SECONDS = 20.0
RUNS = 8
SCRIPT = {"turns": [[{"say": "waiting"}, {"sleep": 120}]]}


def measure() -> list[tuple[str, float, str]]:
    return asyncio.run(_measure())


async def _measure() -> list[tuple[str, float, str]]:
    with tempfile.TemporaryDirectory() as root, home_at(Path(root)) as home:
        home.configure(
            {
                "agent": "sleeper",
                "sandbox": {"driver": "memory"},
                "concurrency": RUNS,
                "agents": {
                    "sleeper": {
                        "harness": "scripted",
                        "model": "scripted",
                        "settings": {"script": SCRIPT},
                    }
                },
            }
        )
        repo = make_repository(Path(root) / "project")
        async with supervisor_process(home) as process:
            swarm = await answering(home)
            await asyncio.sleep(SETTLING_SECONDS)
            idle_memory = memory(process.pid)
            idle_cpu = await cpu(process.pid, IDLE_SECONDS)
            for number in range(RUNS):
                new = wire.NewTask(goal=f"Wait {number}", repo=str(repo), submitter="bench")
                await swarm.submit(new)
            await _working(swarm)
            busy_memory = memory(process.pid)
            busy_cpu = await cpu(process.pid, IDLE_SECONDS)
            for row in (await swarm.board()).rows:
                await swarm.stop(row.run.id, wire.Act(by="bench"))
            await _stopped(swarm)
    return [
        ("memory, idle (proportional set size)", idle_memory, "MiB"),
        ("of one core, idle", idle_cpu, "%"),
        ("memory for each further run at work", (busy_memory - idle_memory) / RUNS, "MiB"),
        (f"of one core, {RUNS} silent runs", busy_cpu, "%"),
    ]


async def _working(swarm: Swarm) -> None:
    while any(row.run.state != "working" for row in (await swarm.board()).rows):
        await asyncio.sleep(0.2)
    await asyncio.sleep(2)


async def _stopped(swarm: Swarm) -> None:
    while any(row.run.state != "cancelled" for row in (await swarm.board()).rows):
        await asyncio.sleep(0.2)
