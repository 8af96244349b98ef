"""What the steps and the verbs work with: put together once by the daemon, handed to every function."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from app.config.load import Loaded
from app.domain.errors import RepoError
from app.domain.events import StateChanged
from app.domain.ids import RunId
from app.domain.run import Run, RunState
from app.domain.task import Task
from app.gateway.egress import Egress
from app.gateway.server import Gateway
from app.repo.hub import Hub, ensure_hub
from app.repo.names import slug
from app.repo.repository import Repository, open_repository
from app.repo.shared import address_for, stand_in
from app.store import tasks
from app.store.database import Database
from app.supervisor.broker import Broker
from app.supervisor.engine import Engine
from app.supervisor.ramp import PLACES, Ramp
from app.supervisor.screen import Screen
from harnesses import registry as harness_registry
from harnesses.base import Harness
from harnesses.catalog import Catalog
from sandboxes import registry as sandbox_registry
from sandboxes.base import Driver

LOOKS: Final = max(2, (os.cpu_count() or 1) - 1)
"""Trees of working agents that are looked at at a time: a look is a dozen short programs, and what agents say has
to pass meanwhile. Never one: a look that takes long does not hold the others up."""


@dataclass(frozen=True, slots=True)
class Places:
    """Directories of one supervisor."""

    state: Path
    config: Path
    runtime: Path

    def sockets(self, run: RunId) -> Path:
        """Directory of the run's own gateway socket."""
        return self.runtime / "g" / run

    @property
    def hubs(self) -> Path:
        return self.state / "repositories"

    @property
    def stand_ins(self) -> Path:
        """Repositories in place of those that other hosts have."""
        return self.state / "stand-ins"

    @property
    def sandboxes(self) -> Path:
        return self.state / "sandboxes"


class Live:
    """What is known only while this process lives: wake-up calls, and locks of single runs."""

    def __init__(self) -> None:
        self._wakes: dict[RunId, asyncio.Event] = {}
        self._locks: dict[tuple[str, RunId], asyncio.Lock] = {}
        self.routing = asyncio.Lock()
        """Choices are made one after another: a try of an agent that failed is one try."""
        self.taking = asyncio.Semaphore(PLACES)
        """Tasks are taken in a few at a time: the first is at work while the last is still looked at."""
        self.looking = asyncio.Semaphore(LOOKS)
        """Looks at the trees of agents at work; the look after a turn waits for none of them."""
        self.ramp = Ramp()
        """Starts are a few at a time."""
        self.forsaken: dict[RunId, float] = {}
        """Runs that wait for an engine which does not answer, and since when by the monotonic clock."""
        self.screens: dict[RunId, Screen] = {}
        """Terminals on which a person works in a run of this host."""
        self.strangers: set[tuple[str, str]] = set()
        """Repositories, each with a place that is empty now, that were looked at and are not what was there."""

    def wake(self, run: RunId) -> None:
        """Something was decided about the run: whoever tends it should look."""
        self._wakes.setdefault(run, asyncio.Event()).set()

    async def wait(self, run: RunId, timeout: float) -> None:
        """Until somebody calls `wake`, at most `timeout` seconds: the tables are the truth, this is speed."""
        event = self._wakes.setdefault(run, asyncio.Event())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await event.wait()
        event.clear()

    def snapshot_lock(self, run: RunId) -> asyncio.Lock:
        return self._locks.setdefault(("snapshot", run), asyncio.Lock())

    def putting_away(self, run: RunId) -> asyncio.Lock:
        """Held while the run is cleaned up or brought back: neither finds the other's work half done."""
        return self._locks.setdefault(("putting away", run), asyncio.Lock())


def _still_there(root: Path) -> Path:
    """Raises `RepoError` when the repository of a task was moved or removed."""
    if root.is_dir():
        return root
    raise RepoError(
        f"the repository {root} is not there any more",
        hint="If you moved or renamed it, run `swarm ps` in its new place: its runs are found again. "
        "Nothing of them is lost.",
    )


@dataclass(frozen=True, slots=True)
class Ground:
    """What nearly everything done for a run stands on."""

    task: Task
    run: Run
    repo: Repository
    hub: Hub


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a step or a verb may use."""

    places: Places
    owner: str
    """Id of this installation; every container and volume carries it."""
    configuration: Loaded
    database: Database
    broker: Broker
    engine: Engine
    gateway: Gateway
    egress: Egress
    catalog: Catalog
    clock: Callable[[], float]
    live: Live = field(default_factory=Live)
    member: bool = False
    """Whether other hosts share the database and the work."""
    _drivers: dict[str, Driver] = field(default_factory=dict)
    _harnesses: dict[str, Harness] = field(default_factory=dict)

    def driver(self, name: str) -> Driver:
        if name not in self._drivers:
            self._drivers[name] = sandbox_registry.load(name, self.places.sandboxes)
        return self._drivers[name]

    @property
    def worktrees(self) -> Path:
        """Directory of the worktrees people look at."""
        named = self.configuration.settings.worktrees
        return Path(named).expanduser() if named else self.places.state / "worktrees"

    def harness(self, name: str) -> Harness:
        # To find it among all that is installed takes longer than most of what is asked of it.
        if name not in self._harnesses:
            self._harnesses[name] = harness_registry.load(name)
        return self._harnesses[name]

    async def task_and_run(self, run: RunId) -> tuple[Task, Run]:
        found = await self.database.read(tasks.run, run)
        task = await self.database.read(tasks.task, found.task)
        if self.away(task) and found.branch:
            # What the row names is the worktree at home; this host has one of its own.
            here = str(self.worktree_place(task, found.branch))
            found = msgspec.structs.replace(found, worktree=here)
        return task, found

    def away(self, task: Task) -> bool:
        """Whether the user's repository is on another host."""
        return self.member and task.home not in ("", self.engine.host)

    def shared(self, task: Task) -> str:
        """The repository by which hosts pass on what they have of the task's."""
        return address_for(self.configuration.settings.worker.repository, task.repo)

    def worktree_place(self, task: Task, branch: str) -> Path:
        """Where this host makes the worktree of that branch."""
        name = branch.replace("/", "-").removeprefix("swarm-")
        return self.worktrees / slug(Path(task.repo).name) / name

    async def ground(self, run: RunId) -> Ground:
        """Run, task, the user's repository and its hub."""
        task, found = await self.task_and_run(run)
        repo, hub = await self.repository(task)
        return Ground(task, found, repo, hub)

    async def repository(self, task: Task) -> tuple[Repository, Hub]:
        """The user's repository and its hub; on a host that has not got it, its stand-in."""
        if self.away(task):
            place = await stand_in(self.places.stand_ins, self.shared(task), task.repo, task.id)
        else:
            place = _still_there(Path(task.repo))
        repo = await open_repository(place)
        return repo, await ensure_hub(repo, self.places.hubs)

    async def move(self, run: RunId, new: RunState, *, key: str, reason: str = "") -> None:
        """Move a run and say so in its log; `key` tells this move from another to the same state."""
        await self.database.write(tasks.move, run, new, reason=reason, at=self.clock())
        await self.announce(run, new, key=key, reason=reason)

    async def announce(self, run: RunId, state: RunState, *, key: str, reason: str = "") -> None:
        """Say in the log that the run is in that state."""
        await self.broker.record(run, f"state/{key}/{state}", StateChanged(state, reason))

    async def close(self) -> None:
        for driver in self._drivers.values():
            await driver.close()
