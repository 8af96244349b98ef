"""A user's world for one test: own home, state, configuration and sockets; nothing of the developer's own."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from app import wire
from app.api.server import own_directory
from app.client.client import Swarm
from app.config import paths
from app.daemon import exclusive, opened, serving
from app.domain.errors import Unreachable
from app.gateway.egress_way import WayOut
from app.supervisor.service import Service
from tests.support.leftovers import end_programs, remove_boxes
from tests.support.patience import PATIENCE

GIT_NAME = "Ada Lovelace"
GIT_EMAIL = "ada@example.org"


@dataclass(frozen=True)
class Home:
    """Directories of one user, and the environment in which this user's programs run."""

    root: Path
    runtime: Path
    env: Mapping[str, str]

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def config(self) -> Path:
        return self.root / "config"

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Write the user's config.yaml."""
        self.config.mkdir(exist_ok=True)
        (self.config / "config.yaml").write_text(yaml.safe_dump(dict(settings)))

    def uses_docker(self) -> bool:
        """Whether this user's runs are in containers."""
        written = self.config / "config.yaml"
        return written.exists() and "driver: docker" in written.read_text()

    def swarm(
        self, *args: str, cwd: Path, seconds: float = PATIENCE, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the real `swarm` as a user would type it."""
        return subprocess.run(
            [sys.executable, "-m", "app", *args],
            cwd=cwd,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def daemon(self, seconds: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        """Run a supervisor to its end: one that is not to start."""
        return subprocess.run(
            [sys.executable, "-m", "app.daemon", "--state", str(self.state)],
            cwd="/",
            env=dict(self.env),
            capture_output=True,
            text=True,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def supervisor_pid(self) -> int | None:
        """The process that holds the lock of the state directory, if it lives."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.state / "supervisor.lock").read_text())
            os.kill(pid, 0)
            return pid
        return None

    def end_supervisor(self) -> None:
        """Kill what was started on demand."""
        pid = self.supervisor_pid()
        if pid is not None and pid != os.getpid():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def home_at(root: Path) -> Iterator[Home]:
    """A fresh home below `root`; its supervisor and agents are ended and its sockets removed afterwards."""
    # Short: a unix socket's path has at most 107 bytes.
    runtime = Path(tempfile.mkdtemp(prefix="sw", dir="/tmp"))
    user = root / "home"
    user.mkdir(parents=True, exist_ok=True)
    (user / ".gitconfig").write_text(
        f"[user]\n\tname = {GIT_NAME}\n\temail = {GIT_EMAIL}\n[init]\n\tdefaultBranch = main\n"
    )
    kept = {
        name: os.environ[name]
        for name in ("PATH", "LANG", "TERM", "DOCKER_HOST", "SSL_CERT_FILE")
        if name in os.environ
    }
    env = kept | {
        "HOME": str(user),
        "XDG_RUNTIME_DIR": str(runtime),
        "SWARM_STATE_DIR": str(root / "state"),
        "SWARM_CONFIG_DIR": str(root / "config"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "PYTHONWARNINGS": "error",
    }
    home = Home(root=root, runtime=runtime, env=env)
    try:
        yield home
    finally:
        home.end_supervisor()
        if home.uses_docker():
            remove_boxes(home.state)
        if (sandboxes := home.state / "sandboxes").is_dir():
            end_programs(sandboxes)
        shutil.rmtree(runtime, ignore_errors=True)


@contextlib.asynccontextmanager
async def supervised(home: Home, way_out: WayOut | None = None) -> AsyncIterator[Swarm]:
    """The real supervisor in this process: store, workflows, gateway and API on its unix socket.

    `way_out` leads its runs to an internet of the test's own. The caller has put `home.env` into this process's
    environment.
    """
    own_directory(home.state)
    with exclusive(home.state):
        async with opened(home.state, way_out=way_out) as services:
            service = Service(services, lambda: None)
            async with serving(service, services.configuration.settings.api, home.state):
                try:
                    yield Swarm(paths.api_socket(home.state))
                finally:
                    await services.broker.release()


@contextlib.asynccontextmanager
async def supervisor_process(
    home: Home, *, protocol: int = wire.PROTOCOL, **env: str
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """The supervisor as a process of its own, perhaps of another version; killed at the end if it lives."""
    program = f"from app import daemon, wire; wire.PROTOCOL = {protocol}; daemon.main()"
    log = (home.root / "supervisor.log").open("ab")
    process = subprocess.Popen(  # noqa: ASYNC220 - a fork, not a wait
        [sys.executable, "-c", program, "--state", str(home.state)],
        env={**home.env, **env},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        log.close()


async def answering(home: Home, seconds: float = PATIENCE) -> Swarm:
    """The supervisor of that home, once it answers."""
    runtime = Path(home.env["XDG_RUNTIME_DIR"])
    async with asyncio.timeout(seconds):
        while True:
            found = list(runtime.glob("swarm-*/api.sock"))
            for socket in found:
                with contextlib.suppress(Unreachable):
                    swarm = Swarm(socket)
                    await swarm.hello()
                    return swarm
            await asyncio.sleep(0.05)
