"""Several hosts on this machine, each with a home and a supervisor of its own; all share one database."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

from app import wire
from app.client.client import Swarm
from tests.support.actions import USER, SwarmActions
from tests.support.home import Home, answering, home_at
from tests.support.nursery import TOP, Born, Nursery, nursery
from tests.support.patience import PATIENCE
from tests.support.postgres import Cluster, cluster
from tests.support.repos import make_repository, run_git

DEAD_AFTER = "4s"


class Machine:
    """One host."""

    def __init__(self, name: str, home: Home, cradle: Nursery) -> None:
        self.name = name
        self.home = home
        self._cradle = cradle
        self._lives = contextlib.ExitStack()
        self._born: Born | None = None

    async def start(self, **env: str) -> Swarm:
        """Its supervisor, once it answers."""
        self.begin(**env)
        return await answering(self.home)

    def begin(self, **env: str) -> None:
        """Its supervisor, which may die before it answers."""
        self._born = self._lives.enter_context(self._cradle.supervisor(self.home, **env))

    async def start_inside(self, inside: Sequence[str]) -> Swarm:
        """The same in a network of its own, as `swarm worker` runs it."""
        with (self.home.root / "supervisor.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: ASYNC220 - a fork, not a wait
                [*inside, sys.executable, "-m", "app", "worker"],
                env=dict(self.home.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=TOP,
                start_new_session=True,
            )
        self._born = Born(process.pid)
        self._lives.callback(process.wait)
        return await answering(self.home)

    def user(self, client: Swarm) -> SwarmActions:
        """Somebody with a repository on this host."""
        count = len(list(self.home.root.glob("project*")))
        path = self.home.root / f"project{count + 1}"
        return SwarmActions(client, make_repository(path, {"README.md": "Hello\n"}))

    @property
    def id(self) -> str:
        return (self.home.state / "host").read_text()

    @property
    def pid(self) -> int:
        assert self._born is not None
        return self._born.pid

    @property
    def log(self) -> str:
        return (self.home.root / "supervisor.log").read_text()

    @property
    def sandboxes(self) -> list[str]:
        """Of which runs it has something."""
        place = self.home.state / "sandboxes"
        return sorted(each.name for each in place.iterdir()) if place.is_dir() else []

    async def lets_go(self, run: str) -> None:
        """Wait until it has nothing of the run any more."""
        async with asyncio.timeout(PATIENCE):
            while run in self.sandboxes:
                await asyncio.sleep(0.05)

    def send(self, number: signal.Signals) -> None:
        assert self._born is not None
        self._born.send(number)

    async def ends(self) -> None:
        """Wait until its supervisor has ended."""
        async with asyncio.timeout(PATIENCE):
            while self._born is not None and self._born.lives:
                await asyncio.sleep(0.05)

    def fail(self) -> None:
        """All of it at once, supervisor and agents, as when the power fails."""
        if self._born is not None:
            self._born.end()
        for pid in self._agents():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        self.fail()
        self._lives.close()

    def _agents(self) -> Iterator[int]:
        """Processes of sandboxes on this host: they work below its state directory."""
        state = os.fspath(self.home.state)
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and os.fspath((entry / "cwd").readlink()).startswith(state):
                    yield int(entry.name)


class Machines:
    """The hosts of one story."""

    def __init__(self, root: Path, server: Cluster, cradle: Nursery) -> None:
        self.root = root
        self.server = server
        self.database = server.database()
        self.shared = root / "shared.git"
        self._cradle = cradle
        self._stack = contextlib.ExitStack()
        run_git(root, "init", "--quiet", "--bare", os.fspath(self.shared))

    def add(
        self, name: str, *labels: str, database: str = "", under: str = "", **more: Any
    ) -> Machine:
        """A configured host that is not started yet; its files lie `under` its name, or another one."""
        home = self._stack.enter_context(home_at(self.root / (under or name)))
        worker = {"repository": os.fspath(self.shared), "name": name, "labels": list(labels)}
        shipped = {"sandbox": {"driver": "memory"}, "concurrency": 4}
        home.configure(
            {
                **shipped,
                "database": database or self.database,
                "worker": worker | {"dead_after": DEAD_AFTER},
                **more,
            }
        )
        machine = Machine(name, home, self._cradle)
        self._stack.callback(machine.close)
        return machine

    def __enter__(self) -> "Machines":
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()


@contextlib.contextmanager
def machines_at(root: Path, inside: Sequence[str] = ()) -> Iterator[Machines]:
    """A story of several hosts, with a database server of its own."""
    with (
        cluster(inside) as server,
        nursery() as cradle,
        Machines(root, server, cradle) as machines,
    ):
        yield machines


def task(user: SwarmActions, *needs: str, agent: str = "", **more: Any) -> wire.NewTask:
    """A task for a host that has these labels."""
    here = {"repo": str(user.repo), "submitter": USER, "agent": agent, "needs": needs}
    return wire.NewTask(**{"goal": "Write a note", **here, **more})


async def snapshotted(client: Swarm, run: str) -> None:
    """Wait until something of what the agent did is safe."""
    async with asyncio.timeout(PATIENCE):
        while (await client.detail(run)).row.run.files == 0:
            await asyncio.sleep(0.1)


class Cable:
    """The way from one host to the database, which can be cut: what is sent then waits, as in a broken network."""

    def __init__(self, database: str) -> None:
        self._there = Path(database.partition("?host=")[2]) / ".s.PGSQL.5432"
        self._here = Path(tempfile.mkdtemp(prefix="wire", dir="/tmp"))
        self.database = f"{database.partition('?')[0]}?host={self._here}"
        self._whole = asyncio.Event()
        self._whole.set()
        self._both: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        self._whole.clear()

    def heal(self) -> None:
        self._whole.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_unix_connection(self._there)
        self._ends |= {writer, forth}
        for source, target in ((reader, forth), (back, writer)):
            task = asyncio.create_task(self._carry(source, target))
            self._both.add(task)
            task.add_done_callback(self._both.discard)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while said := await source.read(65536):
                await self._whole.wait()
                target.write(said)
                await target.drain()
        target.close()

    @contextlib.asynccontextmanager
    async def laid(self) -> AsyncIterator["Cable"]:
        server = await asyncio.start_unix_server(self._serve, self._here / ".s.PGSQL.5432")
        try:
            yield self
        finally:
            self.heal()
            server.close()
            for each in list(self._both):
                each.cancel()
            await asyncio.gather(*self._both, return_exceptions=True)
            for end in self._ends:
                end.close()
            closed = [end.wait_closed() for end in self._ends]
            await asyncio.gather(*closed, return_exceptions=True)
            (self._here / ".s.PGSQL.5432").unlink(missing_ok=True)
            self._here.rmdir()
