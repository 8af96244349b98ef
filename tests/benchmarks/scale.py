"""Many of everything on one machine: finished tasks, waiting reviews, runs at work, and a kill amid them.

The agents are real processes in `memory` sandboxes; what they take of the machine is not counted. Each part ends
after a time, done or not; whatever ends it ends all that it has started.
"""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from app import wire
from app.client.client import Swarm
from app.domain.errors import NotNow
from app.domain.events import Event
from app.domain.run import RunState
from app.store import migrate
from app.store.database import make_engine, sqlite_url
from app.store.sql import plain
from app.store.tables import RUN, TASK
from app.supervisor.engine import INTAKE, Engine, step
from harnesses.events import MessageChunk
from tests.benchmarks.bounds import Row, ended, within
from tests.benchmarks.gauges import cpu, memory
from tests.support.home import Home, answering, supervisor_process
from tests.support.repos import make_repository
from tests.support.rows import a_run, a_task, reviewed
from tests.support.scripts import scripted

NAME = "scale on one machine"
FINISHED, REVIEWS, RUNS, KILLED = 20_000, 500, 50, 100
EVENTS, TALK_SECONDS = 20, 16
"""Events a second of each run, and for how long."""
SETTLING_SECONDS, IDLE_SECONDS = 11.0, 8.0
LATENCY_LIMIT, BUSY_LIMIT, KILL_LIMIT, STEP_LIMIT = 40.0, 60.0, 75.0, 15.0
"""Seconds after which a part is given up."""
STEPS: Final = 200


def measure() -> list[Row]:
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as root, ended(Path(root)) as home:
        repo = make_repository(Path(root) / "project")
        _configure(home)
        home.state.mkdir(mode=0o700)
        small = await within(LATENCY_LIMIT, "a small store", _latencies(home, repo))
        _fill(home.state, str(repo))
        large = await within(LATENCY_LIMIT, "a large store", _latencies(home, repo))
        rows = [row for pair in itertools.zip_longest(small, large) for row in pair if row]
        rows += await within(BUSY_LIMIT, f"{RUNS} runs that talk", _busy(home, repo))
        rows += await within(KILL_LIMIT, f"SIGKILL amid {KILLED} runs", _killed(home, repo))
    return rows + await within(STEP_LIMIT, "durable steps", _steps())


@contextlib.contextmanager
def _gate_open(home: Home) -> Iterator[None]:
    """Let those go on who wait for their sign."""
    way = os.open(home.root / "go", os.O_RDWR)
    try:
        yield
    finally:
        os.close(way)


def _configure(home: Home) -> None:
    gate = home.root / "go"
    os.mkfifo(gate)
    # To look for a file again and again, a hundred of them would take the whole machine.
    waits = {"run": f": < '{gate}'"}
    talk = {
        "repeat": {"times": EVENTS * TALK_SECONDS, "steps": [{"say": "."}, {"sleep": 1 / EVENTS}]}
    }
    home.configure(
        {
            "sandbox": {"driver": "memory", "free_disk": "1m"},
            "concurrency": KILLED,
            "agents": {
                "talker": scripted([waits, talk]),
                "waiter": scripted([waits, {"say": "after"}]),
            },
        }
    )


def _fill(state: Path, repo: str) -> None:
    """Finished tasks and waiting reviews, as a year leaves them."""
    engines = [make_engine(sqlite_url(state / name)) for name in ("state.db", "events.db")]
    migrate.upgrade(engines[0], engines[1])
    states = [RunState.MERGED] * FINISHED + [RunState.IN_REVIEW] * REVIEWS
    with engines[0].begin() as c:
        named = [(f"o{number:04x}", each) for number, each in enumerate(states)]
        c.execute(sa.insert(TASK), [plain(a_task(name, repo=repo)) for name, _ in named])
        runs = [a_run(name, created=float(at), state=s) for at, (name, s) in enumerate(named)]
        c.execute(sa.insert(RUN), [{k: v for k, v in plain(r).items() if k in RUN.c} for r in runs])
        for run in runs[FINISHED:]:
            reviewed(c, run.id)
    for engine in engines:
        engine.dispose()


async def _latencies(home: Home, repo: Path) -> list[Row]:
    """Start, idle, and what a front end asks most."""
    began = time.perf_counter()
    async with supervisor_process(home) as process:
        swarm = await answering(home)
        start = time.perf_counter() - began
        await asyncio.sleep(SETTLING_SECONDS)
        idle = await cpu(process.pid, IDLE_SECONDS)
        held = memory(process.pid)
        board = await _median(lambda: swarm.board(str(repo)))
        inbox = await _median(swarm.inbox)
        listed = len((await swarm.board(str(repo), 10**6)).rows)
    with_ = f"{listed:,} tasks in the store"
    return [
        (f"start until the API answers, {with_}", start, "s"),
        (f"of one core, idle, {with_}", idle, "%"),
        (f"memory, idle, {with_}", held, "MiB"),
        (f"the board, {with_}", board, "ms"),
        (f"the inbox, {with_}", inbox, "ms"),
    ]


async def _median(ask: Callable[[], Awaitable[object]]) -> float:
    took = []
    for _ in range(15):
        began = time.perf_counter()
        await ask()
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


async def _busy(home: Home, repo: Path) -> list[Row]:
    """Runs at work that talk all the time."""
    async with _at_work(home, repo, "talker", RUNS) as (swarm, pid):
        before = memory(pid)
        seen: list[float] = []
        listening = asyncio.create_task(_listen(swarm, seen, (await swarm.board()).seq))
        with _gate_open(home):
            await asyncio.sleep(2)
            busy = await cpu(pid, TALK_SECONDS / 2)
            board = await _median(lambda: swarm.board(str(repo)))
            held = memory(pid)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    late = sorted(seen)
    what = f"{RUNS} runs with {EVENTS} events a second each"
    return [
        (f"of one core, {what}", busy, "%"),
        ("memory meanwhile", held, "MiB"),
        ("memory before they spoke", before, "MiB"),
        (f"the board, {what}", board, "ms"),
        ("an event, from the log to a client: half of them", 1000 * late[len(late) // 2], "ms"),
        ("an event, from the log to a client: 99 of 100", 1000 * late[len(late) * 99 // 100], "ms"),
    ]


async def _listen(swarm: Swarm, seen: list[float], since: int) -> None:
    async for item in swarm.events(since=since):
        if isinstance(item, Event) and isinstance(item.body, MessageChunk):
            seen.append(time.time() - item.at)


@contextlib.asynccontextmanager
async def _at_work(
    home: Home, repo: Path, agent: str, number: int
) -> AsyncIterator[tuple[Swarm, int]]:
    """So many runs that wait for their sign; none is left afterwards."""
    async with supervisor_process(home) as process:
        swarm = await answering(home)
        runs = await _submitted(swarm, repo, agent, number)
        yield swarm, process.pid
        for run in runs:
            with contextlib.suppress(NotNow):  # It has come to its end.
                await swarm.stop(run, wire.Act(by="bench"))
        while await _at_rest(swarm, repo) < number:
            await asyncio.sleep(0.2)


async def _at_rest(swarm: Swarm, repo: Path) -> int:
    rows = (await swarm.board(str(repo), 0)).rows
    over = (RunState.CANCELLED, RunState.FAILED)
    return sum(row.run.state in over for row in rows)


async def _submitted(swarm: Swarm, repo: Path, agent: str, number: int) -> list[str]:
    goals = (f"{agent} {n}" for n in itertools.count())
    runs: list[str] = []
    for _ in range(number):
        new = wire.NewTask(goal=next(goals), repo=str(repo), agent=agent, submitter="bench")
        runs.append((await swarm.submit(new)).run.id)
    while True:
        states: dict[str, RunState] = {
            row.run.id: row.run.state for row in (await swarm.board(str(repo), 0)).rows
        }
        if all(states.get(run) == RunState.WORKING for run in runs):
            return runs
        await asyncio.sleep(0.5)


async def _killed(home: Home, repo: Path) -> list[Row]:
    """A supervisor dies while runs are at work; until its successor has heard of each of them again."""
    async with supervisor_process(home) as process:
        runs: set[str] = set(await _submitted(await answering(home), repo, "waiter", KILLED))
        since = (await (await answering(home)).board()).seq
        process.send_signal(signal.SIGKILL)
        process.wait()
    began = time.perf_counter()
    async with supervisor_process(home):
        swarm = await answering(home)
        answers = time.perf_counter() - began
        with _gate_open(home):
            async for item in swarm.events(since=since):
                if isinstance(item, Event) and isinstance(item.body, MessageChunk):
                    runs.discard(item.run)
                if not runs:
                    break
        heard = time.perf_counter() - began
    return [
        (f"SIGKILL amid {KILLED} runs: until the API answers again", answers, "s"),
        ("until every one of them was heard again", heard, "s"),
    ]


async def _steps() -> list[Row]:
    """A durable step against a row written by hand, both waiting for the disk."""
    with tempfile.TemporaryDirectory() as root:
        database = make_engine(sqlite_url(Path(root) / "state.db"))
        engine = Engine(database, "h1", concurrency=1, poll=1.0)
        took: asyncio.Future[float] = asyncio.get_running_loop().create_future()

        async def nothing() -> None: ...

        async def work(_name: str) -> None:
            began = time.perf_counter()
            for _ in range(STEPS):
                await step("nothing", nothing)
            took.set_result((time.perf_counter() - began) / STEPS)

        await engine.launch({"work": work})
        with database.begin() as c:
            engine.enqueue(c, "work", "work/1", "x", queue=INTAKE)
        durable = await took
        await engine.close()
        by_hand = _appended(database)
        database.dispose()
    return [
        ("a durable step", 1000 * durable, "ms"),
        ("of a row appended by hand", durable / by_hand, "x"),
    ]


def _appended(database: sa.Engine) -> float:
    with database.begin() as c:
        c.exec_driver_sql("CREATE TABLE mine (id INTEGER PRIMARY KEY, body TEXT)")
    body: Any = json.dumps({"step": "nothing"})
    began = time.perf_counter()
    for _ in range(STEPS):
        with database.begin() as c:
            c.execute(sa.text("INSERT INTO mine (body) VALUES (:body)"), {"body": body})
    return (time.perf_counter() - began) / STEPS
