"""Several hosts on this machine, each with a home and a supervisor of its own; all share one database."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app.client.client import Swarm
from tests.support.actions import SwarmActions
from tests.support.home import Home, answering, home_at
from tests.support.repos import make_repository, run_git


class Machine:
    """One host."""

    def __init__(self, name: str, home: Home) -> None:
        self.name = name
        self.home = home
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *prefix: str, **env: str) -> None:
        """Its supervisor, as `swarm worker` would run it; `prefix` goes before the command."""
        with (self.home.root / "supervisor.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "app.daemon", "--state", str(self.home.state)],
                env={**self.home.env, **env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )

    async def client(self) -> Swarm:
        """Its API, once it answers."""
        return await answering(self.home)

    def user(self, client: Swarm, files: Mapping[str, str | bytes] | None = None) -> SwarmActions:
        """Somebody with a repository on this host."""
        count = len(list(self.home.root.glob("project*")))
        path = self.home.root / f"project{count + 1}"
        return SwarmActions(client, make_repository(path, dict(files or {"README.md": "Hello\n"})))

    @property
    def id(self) -> str:
        return (self.home.state / "host").read_text()

    @property
    def log(self) -> str:
        return (self.home.root / "supervisor.log").read_text()

    def send(self, number: signal.Signals) -> None:
        """A signal to its supervisor."""
        assert self._process is not None
        self._process.send_signal(number)

    def ended(self, seconds: float) -> int:
        """Its exit code, once it has ended."""
        assert self._process is not None
        return self._process.wait(seconds)

    def kill(self) -> None:
        """All of it: supervisor and agents, as when the power fails."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        for pid in self._agents():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _agents(self) -> Iterator[int]:
        """Processes of sandboxes on this host: they work below its state directory."""
        state = os.fspath(self.home.state)
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and os.fspath((entry / "cwd").readlink()).startswith(state):
                    yield int(entry.name)


class Machines:
    """The hosts of one story."""

    def __init__(self, root: Path, database: str) -> None:
        self.root = root
        self.database = database
        self.shared = root / "shared.git"
        root.mkdir(parents=True, exist_ok=True)
        run_git(root, "init", "--quiet", "--bare", os.fspath(self.shared))
        self._stack = contextlib.ExitStack()

    def add(self, name: str, *, agents: Mapping[str, Any], **more: Any) -> Machine:
        """A configured host that is not started yet; `worker` adds to what it says of itself."""
        machine = Machine(name, self._stack.enter_context(home_at(self.root / name)))
        worker = {"repository": os.fspath(self.shared), "name": name, "dead_after": "4s"}
        machine.home.configure(
            {
                "agent": next(iter(agents)),
                "agents": dict(agents),
                "sandbox": {"driver": "memory"},
                "concurrency": 2,
                "database": self.database,
                **more,
                "worker": worker | more.get("worker", {}),
            }
        )
        self._stack.callback(machine.kill)
        return machine

    def __enter__(self) -> "Machines":
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()
