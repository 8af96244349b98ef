"""A sandbox made of a plain directory and processes of this host, and what a driver of such sandboxes does."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

from sandboxes import detached, forward, short
from sandboxes.base import Terminal
from sandboxes.detached import Detached
from sandboxes.errors import SandboxFailed, SandboxUnavailable
from sandboxes.names import check_file, check_name, check_program
from sandboxes.spec import Completed, Fact, Holding, Isolation, Places, Program, SandboxSpec, Usage

_FROM_HOST = ("PATH", "LANG", "TMPDIR")
"""All that a program sees of the supervisor's environment."""
COUNTING = 20.0
"""Seconds that counting files may take."""
View: TypeAlias = Literal["prepare", "first", "aside", "program"]
"""What a program gets to see: as whose it runs."""
_ROOMS = ("tree", "state", "launch", "scratch", "home", "run")


class HostSandbox:
    """A `Sandbox` that is a directory. Without walls; a driver that has some puts them into the lower methods."""

    process: ClassVar[type[Detached]] = Detached

    def __init__(self, root: Path, spec: SandboxSpec) -> None:
        self.spec = spec
        self.root = root
        self.places = self._places(gateway="")

    async def prepare(
        self,
        script: str,
        *,
        env: Mapping[str, str] = {},
        timeout: float = 600.0,
        scratch: bool = False,
    ) -> Completed:
        async with short.turn(self.root / "prepare.lock", timeout) as held:
            return await short.run(
                self._walled(["sh", "-c", script], "first" if scratch else "prepare"),
                cwd=self.root / "tree",
                env=self._env(env),
                timeout=timeout,
                held=held,
            )

    async def aside(
        self,
        script: str,
        *,
        env: Mapping[str, str] = {},
        stdin: bytes = b"",
        timeout: float = 120.0,
        limit: int = short.OUTPUT_LIMIT,
    ) -> Completed:
        async with short.turn(self.root / "aside.lock", timeout) as held:
            return await short.run(
                self._walled(["sh", "-c", script], "aside"),
                cwd=self.root / "scratch",
                env=self._env(env),
                stdin=stdin,
                timeout=timeout,
                limit=limit,
                held=held,
            )

    async def start(self, program: Program) -> Detached:
        directory = self._directory(program.name)
        if not (directory / "claim").exists():
            self._lay(program)
        return await detached.ensure(
            directory,
            self._walled(program.argv, "program"),
            env=self._env(program.env),
            cwd=self.root / "tree",
            interactive=program.interactive,
            kind=self.process,
        )

    async def find(self, name: str) -> Detached | None:
        return detached.find(self._directory(name), self.process)

    def terminal(self, name: str) -> Terminal:
        raise SandboxUnavailable(
            f"The program {name} has no terminal: sandboxes without containers have none",
            hint="`sandbox: {driver: docker}` in your configuration has.",
        )

    async def pause(self) -> None:
        for program in self._programs():
            await program.pause()

    async def go_on(self) -> None:
        for program in self._programs():
            await program.go_on()

    async def usage(self) -> Usage:
        room = os.statvfs(self.root)
        env = {"PATH": os.environ.get("PATH", os.defpath)}
        # What it printed lies in there, too. Files are only counted, never opened.
        argv = ["du", "-skx", str(self.root)]
        counted = await short.run(argv, cwd=Path("/"), env=env, timeout=COUNTING)
        used = counted.stdout.split()
        return Usage(
            used=int(used[0]) * 1024 if used else None,
            free=room.f_bavail * room.f_frsize,
            inodes=room.f_favail / room.f_files if room.f_files else 1.0,
        )

    def runs(self) -> bool:
        """Whether any program of it runs."""
        return any(program.ended() is None for program in self._programs())

    async def rest(self) -> None:
        """Stop every program, and the way to the gateway."""
        if _owner(self.root) not in ("", self.spec.owner):
            return
        forwarder = detached.find(self.root / "forward")
        for program in (*self._programs(), *filter(None, [forwarder])):
            await program.stop(grace=0.0)

    async def remove(self) -> None:
        if _owner(self.root) in ("", self.spec.owner):
            await self.rest()
            await _delete(self.root)

    async def settle(self) -> None:
        """Make the directories and, with sockets, the way to the gateway."""
        for room in _ROOMS:
            (self.root / room).mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.root / "owner").write_text(self.spec.owner)
        if self.spec.sockets is not None:
            self.places = self._places(gateway=await self._way_out(self.spec.sockets))

    def _walled(self, argv: Sequence[str], view: View) -> Sequence[str]:
        """What is really started, so that the program sees no more than it should."""
        del view
        return argv

    async def _way_out(self, sockets: Path) -> str:
        """Open the way to the gateway; the address at which programs reach it."""
        return f"http://127.0.0.1:{await self._forward(sockets / 'gateway.sock')}"

    def _programs(self) -> list[Detached]:
        """All that were ever started."""
        rooms = self.root / "run"
        found = sorted(rooms.iterdir()) if rooms.is_dir() else []
        return [p for room in found if (p := detached.find(room, self.process)) is not None]

    async def _forward(self, socket: Path) -> int:
        """The port of the forwarder, which is started unless it runs."""
        directory = self.root / "forward"
        running = detached.find(directory)
        before = 0
        if running is not None and running.ended() is not None:
            before = await _port(running) or 0
            await _delete(directory)
        address = f"127.0.0.1:{before}"
        argv = [sys.executable, "-I", forward.__file__, address, str(socket), str(self.root)]
        forwarder = await detached.ensure(directory, argv, env=self._env({}), cwd=self.root)
        port = await _port(forwarder)
        if port is None:
            raise SandboxFailed(
                f"The way to the gateway did not open: {(await forwarder.wait()).stderr.strip()}"
            )
        return port

    def _directory(self, program: str) -> Path:
        return self.root / "run" / check_program(program)

    def _lay(self, program: Program) -> None:
        directory = self.root / "launch" / program.name
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in program.files.items():
            path = directory / check_file(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(path.name + ".tmp")
            draft.write_bytes(content)
            draft.chmod(0o444)
            draft.replace(path)

    def _env(self, own: Mapping[str, str]) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _FROM_HOST if name in os.environ}
        return {**kept, "HOME": str(self.root / "home"), **own}

    def _places(self, *, gateway: str) -> Places:
        return Places(
            tree=str(self.root / "tree"),
            state=str(self.root / "state"),
            launch=str(self.root / "launch"),
            scratch=str(self.root / "scratch"),
            gateway=gateway,
            mounts={mount.target: str(mount.source) for mount in self.spec.mounts},
        )


class HostDriver:
    """A driver whose sandboxes are directories below one."""

    name: ClassVar[str]
    isolation: ClassVar[Isolation]
    terminals: ClassVar[bool] = False
    kind: ClassVar[type[HostSandbox]] = HostSandbox

    def __init__(self, root: Path) -> None:
        self._root = root
        self._opening = asyncio.Lock()

    @property
    def disk(self) -> Path:
        return next(path for path in (self._root, *self._root.parents) if path.is_dir())

    async def survey(self) -> Sequence[Fact]:
        return ()

    async def check(self, runtime: str = "") -> None:
        """Nothing is needed; there is no engine that would know a runtime."""
        if runtime:
            raise SandboxUnavailable(
                f"The sandbox {self.name!r} has no container runtimes, and {runtime!r} is asked for",
                hint="Leave `sandbox.runtime` empty, or set `sandbox.driver` to docker.",
            )

    async def open(self, spec: SandboxSpec) -> HostSandbox:
        sandbox = self.kind(self._root / check_name(spec.name, "sandbox"), spec)
        async with self._opening:
            await sandbox.settle()
        return sandbox

    async def names(self, owner: str) -> Sequence[str]:
        return [room.name for room in self._rooms(owner)]

    async def holdings(self, owner: str) -> Sequence[Holding]:
        return [
            Holding(
                sandbox=room.name,
                kind="directory",
                name=str(room),
                running=self._named(room.name, owner).runs(),
            )
            for room in self._rooms(owner)
        ]

    async def rest(self, name: str, owner: str) -> None:
        await self._named(name, owner).rest()

    async def remove(self, name: str, owner: str) -> None:
        await self._named(name, owner).remove()

    async def close(self) -> None:
        """Nothing is held."""

    def _rooms(self, owner: str) -> list[Path]:
        if not self._root.is_dir():
            return []
        rooms = [room for room in self._root.iterdir() if room.is_dir()]
        return sorted(room for room in rooms if _owner(room) in ("", owner))

    def _named(self, name: str, owner: str) -> HostSandbox:
        """The sandbox as far as its name tells: enough to stop or remove it."""
        spec = SandboxSpec(name=check_name(name, "sandbox"), owner=owner)
        return self.kind(self._root / name, spec)


def _owner(room: Path) -> str:
    """Who made it; empty when its making was cut short, so that anybody may sweep it."""
    with contextlib.suppress(OSError):
        return (room / "owner").read_text()
    return ""


async def _port(forwarder: Detached) -> int | None:
    async with contextlib.aclosing(forwarder.lines()) as lines:
        async for line in lines:
            return int(line.text.removeprefix("ready "))
    return None


async def _delete(directory: Path) -> None:
    """Remove it with everything in it, however deep, and whatever modes an agent gave it."""
    argv = ["rm", "-rf", "--", str(directory)]
    env = {"PATH": os.environ.get("PATH", os.defpath)}
    for mend in ([], ["chmod", "-R", "u+rwX", "--", str(directory)]):
        if mend:
            await short.run(mend, cwd=Path("/"), env=env, timeout=600.0)
        done = await short.run(argv, cwd=Path("/"), env=env, timeout=600.0)
        if done.code == 0:
            return
    raise SandboxFailed(f"{directory} cannot be removed: {done.stderr.strip()}")
