"""Sandboxes made of plain directories and processes of this host: what `local` and `memory` share."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandboxes import detached, forward, short
from sandboxes.detached import Detached
from sandboxes.errors import SandboxFailed
from sandboxes.names import check_file, check_name, check_program
from sandboxes.spec import Completed, Places, Program, SandboxSpec

_FROM_HOST = ("PATH", "LANG", "TMPDIR")
"""All that a program sees of the supervisor's environment."""
_ROOMS = ("tree", "state", "launch", "scratch", "home", "run")


class HostSandbox:
    """A `Sandbox` that is a directory."""

    def __init__(self, root: Path, spec: SandboxSpec) -> None:
        self.spec = spec
        self.root = root
        self.places = self._places(gateway="")

    async def prepare(
        self, script: str, *, env: Mapping[str, str] = {}, timeout: float = 600.0
    ) -> Completed:
        async with short.turn(self.root / "prepare.lock", timeout) as held:
            return await short.run(
                ["sh", "-c", script],
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
                ["sh", "-c", script],
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
            program.argv,
            env=self._env(program.env),
            cwd=self.root / "tree",
            interactive=program.interactive,
        )

    async def find(self, name: str) -> Detached | None:
        return detached.find(self._directory(name))

    async def rest(self) -> None:
        """Stop every program, and the way to the gateway."""
        if _owner(self.root) not in ("", self.spec.owner):
            return
        rooms = self.root / "run"
        programs = list(rooms.iterdir()) if rooms.is_dir() else []
        for directory in (*programs, self.root / "forward"):
            program = detached.find(directory)
            if program is not None:
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
            port = await self._forward(self.spec.sockets / "gateway.sock")
            self.places = self._places(gateway=f"http://127.0.0.1:{port}")

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


class HostSandboxes:
    """All sandboxes below one directory."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._opening = asyncio.Lock()

    async def open(self, spec: SandboxSpec) -> HostSandbox:
        """Make sure the sandbox is there."""
        sandbox = HostSandbox(self._root / check_name(spec.name, "sandbox"), spec)
        async with self._opening:
            await sandbox.settle()
        return sandbox

    def named(self, name: str, owner: str) -> HostSandbox:
        """The sandbox as far as its name tells: enough to stop or remove it."""
        spec = SandboxSpec(name=check_name(name, "sandbox"), owner=owner)
        return HostSandbox(self._root / name, spec)

    async def names(self, owner: str) -> Sequence[str]:
        """Names of the sandboxes of that owner."""
        if not self._root.is_dir():
            return []
        rooms = [room for room in self._root.iterdir() if room.is_dir()]
        return sorted(room.name for room in rooms if _owner(room) in ("", owner))


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
