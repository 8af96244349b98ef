"""Tasks from goal to merge while faults strike: one person gives them, sends back what failed, and approves."""

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from app import wire
from app.client.client import Swarm
from app.domain.errors import SwarmError
from app.domain.run import RunState
from tests.soak.faults import ALL, Fault, faults
from tests.soak.setting import DISK, FREE, Setting
from tests.support.actions import USER
from tests.support.images import test_image
from tests.support.invariants import World, docker_boxes
from tests.support.kills import CHECK, Killed, careful
from tests.support.nursery import CLOCK, Nursery
from tests.support.patience import PATIENCE
from tests.support.postgres import PostgresTables
from tests.support.repos import make_repository
from tests.support.scripts import edit, tokens
from tests.support.world import paid_at

T = TypeVar("T")
PAUSE: Final = (0.5, 2.5)
"""Seconds between two faults."""
LOOK: Final = 0.5
"""Seconds between two looks of the person."""
STUCK: Final = frozenset({RunState.FAILED, RunState.PARKED, RunState.CANCELLED})


@dataclass
class Struck:
    """What one kind of fault did."""

    hit: list[str] = field(default_factory=list)
    """The sandboxes, or `all`."""
    away: list[float] = field(default_factory=list)
    """Seconds until the service answered again, after each."""


@dataclass(frozen=True)
class Told:
    """How it went."""

    faults: dict[str, Struck]
    resumed: Counter[str]
    """For what reasons a person sent a run back to work, and how often."""
    answered: int
    starts: int
    landed: frozenset[str]
    """Runs whose change is on the user's branch."""
    broken: list[str]
    log: str


class Patient(Killed):
    """A person who asks again whatever is said."""

    async def ask(self, question: Callable[[Swarm], Awaitable[T]], seconds: float = PATIENCE) -> T:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    return await super().ask(question, seconds)
                except SwarmError:
                    await asyncio.sleep(0.2)


def configuration(at: Setting, names: list[str], seconds: float, provider: str) -> dict[str, Any]:
    """As many agents as tasks, each at work for about so long in a folder of its own, for money."""
    return {
        "agents": {name: careful(name, *_work(name, seconds)) for name in names},
        "checks": [CHECK],
        "concurrency": len(names),
        "database": at.address,
        "sandbox": {
            "driver": at.boxes,
            "disk": DISK,
            "free_disk": FREE,
            **({"image": test_image()} if at.boxes == "docker" else {}),
        },
        "gateway": paid_at(provider),
        "budget": {"run": "100"},
    }


def _work(name: str, seconds: float) -> list[dict[str, Any]]:
    times = max(1, int(seconds / 2))
    one = [edit(f"{name}/work.txt", "{{prompt}}\n"), tokens(50, 20), {"sleep": 2.0}]
    return [{"repeat": {"times": times, "steps": one}}]


class Soak:
    """One setting, its tasks, its person, and its faults."""

    def __init__(self, at: Setting, cradle: Nursery, chance: random.Random, tasks: int) -> None:
        self._at = at
        self._chance = chance
        self._names = [f"agent-{number:02}" for number in range(tasks)]
        self._tables = PostgresTables(at.address) if at.address else None
        self._world = World(
            at.home,
            make_repository(at.home.root / "project"),
            self._tables,
            boxes=docker_boxes if at.boxes == "docker" else None,
            harmed=True,
        )
        env = {"DOCKER_HOST": at.door.address} if at.door else {}
        self._user = Patient(cradle, self._world, {CLOCK: str(at.clock), **env})
        self._struck: dict[str, Struck] = defaultdict(Struck)
        self._resumed: Counter[str] = Counter()
        self._answered = 0

    async def live(self, seconds: float, provider: str, restart_docker: str) -> Told:
        """Let everything run, with faults for so many seconds; then to the end without any."""
        work = configuration(self._at, self._names, seconds / 3, provider)
        self._at.home.configure(work)
        with self._user as user:
            harm = asyncio.create_task(self._strike(seconds, restart_docker))
            try:
                for name in self._names:
                    await user.submit(name)
                async with asyncio.timeout(seconds + 2 * PATIENCE):
                    while not await self._look():
                        await asyncio.sleep(LOOK)
                    await harm
                await user.idle()
            finally:
                harm.cancel()
                await asyncio.gather(harm, return_exceptions=True)
                user.stop()
        return Told(
            faults=dict(self._struck),
            resumed=self._resumed,
            answered=self._answered,
            starts=user.starts,
            landed=frozenset(row["id"] for row in self._world.tables.state(_MERGED)),
            broken=self._world.broken(),
            log=user.log,
        )

    async def _look(self) -> bool:
        """Do what a person would, at one look at the board; whether all has landed."""
        rows = (await self._user.ask(lambda swarm: swarm.board())).rows
        states = [row.run.state for row in rows]
        for row in rows:
            if row.run.state in STUCK and await self._try(_resume(row.run.id)):
                self._resumed[row.run.reason] += 1
            if row.question and await self._try(_yes(row.question.id)):
                self._answered += 1
        waiting = [row.run.id for row in rows if row.run.state == RunState.IN_REVIEW]
        # One after another: whoever lands second is looked at as it would land on the first.
        if waiting and RunState.MERGING not in states:
            await self._try(_approve(waiting[0]))
        return states.count(RunState.MERGED) == len(self._names)

    async def _try(self, deed: Callable[[Swarm], Awaitable[object]]) -> bool:
        """Do it if it can be done now; the next look sees what came of it."""
        try:
            await deed(self._user.client)
        except SwarmError:
            return False
        return True

    async def _strike(self, seconds: float, restart_docker: str) -> None:
        kinds = list(faults(self._at, self._user, self._chance, restart_docker))
        end = time.monotonic() + seconds
        bag: list[Fault] = []
        while time.monotonic() < end:
            await asyncio.sleep(self._chance.uniform(*PAUSE))
            if not bag:  # Each kind as often as any other.
                bag = self._chance.sample(kinds, len(kinds))
            fault = bag.pop()
            if (hit := await fault.strike()) is None:
                continue
            began = time.monotonic()
            await self._user.ask(lambda swarm: swarm.board())
            self._struck[fault.name].hit.append(hit)
            self._struck[fault.name].away.append(time.monotonic() - began)


_MERGED: Final = "SELECT id FROM run WHERE state = 'merged'"


def survived(struck: Struck, landed: frozenset[str]) -> int:
    """How many of these the service and whoever was hit came through."""
    return sum(hit == ALL or any(run in hit for run in landed) for hit in struck.hit)


def _resume(run: str) -> Callable[[Swarm], Awaitable[object]]:
    return lambda swarm: swarm.resume(run, wire.Resume(by=USER))


def _yes(question: str) -> Callable[[Swarm], Awaitable[object]]:
    return lambda swarm: swarm.answer(question, wire.Answer(yes=True, by=USER))


def _approve(run: str) -> Callable[[Swarm], Awaitable[object]]:
    async def approve(swarm: Swarm) -> None:
        shown = (await swarm.detail(run)).reviews[-1]
        await swarm.approve(run, wire.Approve(review=shown.id, tree=shown.result_tree, by=USER))

    return approve
