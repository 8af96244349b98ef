"""Many queued tasks on several hosts: how fast places are given away, what the database has to do, what bounds it.

Two hosts with 50 places each, a PostgreSQL and a shared repository, all on this machine; the agents are real
processes that write one file. The tasks are copies of one that was submitted. It stops after a time.
"""

import asyncio
import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from msgspec.structs import replace

from app.client.client import Swarm
from app.domain.ids import RunId, TaskId
from app.domain.run import Run, RunState
from app.domain.task import Task
from app.store import tasks
from app.store.sql import plain
from app.store.tables import RUN, TASK
from policies.placement import Caps, HostFacts, Waiting, plan
from tests.benchmarks.gauges import busy, cpu, worked
from tests.support.machines import Machine, Machines, machines_at, task
from tests.support.repos import run_git
from tests.support.scripts import edit, scripted

NAME = "1,000 queued tasks on two hosts of 50 places each"
QUEUED, PLACES, REPOSITORIES = 1000, 50, 4
SECONDS: Final = 60.0
SETTLING_SECONDS, IDLE_SECONDS = 12.0, 10.0
Row = tuple[str, float, str]


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as root, machines_at(Path(root)) as machines:
        return [*_rule(), *asyncio.run(_measure(machines))]


def _rule() -> list[Row]:
    """The rule alone, with every place of twenty hosts free."""
    hosts = [HostFacts(id=f"h{n}", name=f"h{n}", capacity=PLACES) for n in range(20)]
    waiting = [
        Waiting(run=str(n), repository=f"r{n % REPOSITORIES}", agent="writer", since=float(n))
        for n in range(QUEUED)
    ]
    began = time.perf_counter()
    placed = len(plan(waiting, [], hosts, Caps()).placed)
    took = time.perf_counter() - began
    return [(f"the rule: {placed} runs onto 20 empty hosts", took * 1000, "ms")]


async def _measure(machines: Machines) -> list[Row]:
    agents: dict[str, Any] = {"writer": scripted([edit("note.txt", "hello\n")])}
    more: dict[str, Any] = {"agent": "writer", "agents": agents, "concurrency": PLACES}
    home = machines.add("one", "bench", **more)
    other = machines.add("two", "bench", **more)
    client = await home.start()
    await other.start()
    engine = sa.create_engine(machines.database, poolclass=sa.NullPool)
    await asyncio.sleep(SETTLING_SECONDS)
    idle = await _load(engine, (home, other), IDLE_SECONDS)
    user = home.user(client)
    first = (await client.submit(task(user, "nowhere"))).run.id
    _queue(engine, machines, user.repo, first)
    full, began = await _until_full(engine, client), time.monotonic()
    busy = await _load(engine, (home, other), SECONDS)
    ended, placed = await _progress(client)
    engine.dispose()
    span = full + time.monotonic() - began
    return [
        *((f"idle: {what}", value, unit) for what, value, unit in idle),
        (f"until all {2 * PLACES} places are given away", full, "s"),
        ("given a place", placed / span, "/s"),
        ("brought to review or to an end", ended / span, "/s"),
        *((f"at work: {what}", value, unit) for what, value, unit in busy),
    ]


def _queue(engine: sa.Engine, machines: Machines, repo: Path, first: str) -> None:
    """A thousand more tasks like the first, in several repositories, which any host can take."""
    with engine.begin() as c:
        run = tasks.run(c, RunId(first))
        like = tasks.task(c, run.task)
        base = run_git(repo, "rev-parse", f"refs/swarm/base/{first}")
        made = [_copy(like, run, number) for number in range(QUEUED)]
        c.execute(sa.insert(TASK), [plain(one) for one, _ in made])
        rows = [{k: v for k, v in plain(each).items() if k in RUN.c} for _, each in made]
        c.execute(sa.insert(RUN), rows)
    wanted = "".join(f"create refs/swarm/base/{each.id} {base}\n" for _, each in made).encode()
    for place in (repo, machines.shared):
        run_git(place, "update-ref", "--stdin", stdin=wanted)


def _copy(like: Task, run: Run, number: int) -> tuple[Task, Run]:
    id_ = TaskId(f"q{number:04}")
    at = like.created + number / 1000
    one = replace(like, id=id_, goal=f"Task {number}", needs=("bench",), created=at)
    return one, replace(run, id=RunId(f"{id_}.1"), task=id_, created=at, reason="")


async def _until_full(engine: sa.Engine, client: Swarm) -> float:
    began = time.monotonic()
    while (await _progress(client))[1] < 2 * PLACES and time.monotonic() - began < SECONDS:
        await asyncio.sleep(0.05)
    return time.monotonic() - began


async def _progress(client: Swarm) -> tuple[int, int]:
    """Runs that have ended, and that were given a place."""
    runs = [row.run for row in (await client.board()).rows]
    ended = sum(1 for run in runs if run.state in (RunState.IN_REVIEW, RunState.FAILED))
    return ended, sum(1 for run in runs if run.host)


async def _load(engine: sa.Engine, hosts: tuple[Machine, ...], seconds: float) -> list[Row]:
    transactions, ticks, before = _transactions(engine), _server_seconds(engine), busy()
    used = await asyncio.gather(*(cpu(host.pid, seconds) for host in hosts))
    spent = sum(now - ticks.get(pid, 0.0) for pid, now in _server_seconds(engine).items())
    cores = os.cpu_count() or 1
    return [
        (
            "all that works on this machine, of its cores",
            100 * (busy() - before) / seconds / cores,
            "%",
        ),
        ("database transactions", (_transactions(engine) - transactions) / seconds, "/s"),
        ("the database server, of a core", 100 * spent / seconds, "%"),
        ("both supervisors, of a core", sum(used), "%"),
    ]


def _transactions(engine: sa.Engine) -> int:
    words = "SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database"
    with engine.connect() as c:
        return int(c.execute(sa.text(words)).scalar_one())


def _server_seconds(engine: sa.Engine) -> dict[int, float]:
    """What each process of the server that is there now has used."""
    with engine.connect() as c:
        pids = c.execute(sa.text("SELECT pid FROM pg_stat_activity")).scalars().all()
    found = {}
    for pid in pids:
        with contextlib.suppress(FileNotFoundError):
            found[pid] = worked(pid)
    return found
