"""A place to try sandboxes in: drivers of one kind, a directory for them, and a gateway to reach."""

import asyncio
import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from sandboxes import registry
from sandboxes.base import Driver, Process, Sandbox
from sandboxes.spec import Exit, Line, Program, SandboxSpec
from tests.support.images import require_docker, test_image

REPLY = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n"


class House:
    """Sandboxes of one kind; whatever was opened in it is removed at the end."""

    def __init__(self, kind: str, root: Path) -> None:
        self.kind = kind
        self.root = root
        self.image = self._image()
        self.owner = f"test-{uuid.uuid4().hex[:8]}"
        self._drivers: list[Driver] = []

    def driver(self) -> Driver:
        """A new driver, as a new supervisor has it."""
        driver = registry.load(self.kind, self.root / "drivers")
        self._drivers.append(driver)
        return driver

    def spec(self, **changes: object) -> SandboxSpec:
        """A spec of a sandbox of its own."""
        name = f"t-{uuid.uuid4().hex[:8]}"
        spec = SandboxSpec(name=name, owner=self.owner, image=self.image, scripted=True)
        return replace(spec, **changes)

    async def open(self, spec: SandboxSpec | None = None) -> Sandbox:
        """The sandbox, opened by a new driver."""
        return await self.driver().open(spec or self.spec())

    async def clean(self) -> None:
        """Remove everything, and let go of all drivers."""
        last = self.driver()
        for name in await last.names(self.owner):
            await last.remove(name, self.owner)
        left = await last.names(self.owner)
        for driver in self._drivers:
            await driver.close()
        assert list(left) == []

    def _image(self) -> str:
        match self.kind:
            case "docker":
                require_docker()
                return test_image()
            case "bwrap":
                require_bwrap()
            case _:
                pass
        return ""


def require_bwrap() -> None:
    """Skip, saying so, without bubblewrap; fail where `SWARM_REQUIRE` names it."""
    if shutil.which("bwrap") is None:
        said = "bubblewrap is not installed"
        if "bwrap" in os.environ.get("SWARM_REQUIRE", ""):
            pytest.fail(f"SWARM_REQUIRE names bwrap, but {said}")
        pytest.skip(said)


@contextlib.asynccontextmanager
async def opened_house(kind: str, root: Path) -> AsyncIterator[House]:
    house = House(kind, root)
    try:
        yield house
    finally:
        await house.clean()


def shell(script: str, *, name: str = "turn-1", interactive: bool = False) -> Program:
    """A program that is a shell script."""
    return Program(name=name, argv=("sh", "-c", script), interactive=interactive)


async def all_lines(process: Process) -> list[Line]:
    return [line async for line in process.lines()]


async def texts(process: Process) -> list[str]:
    return [line.text for line in await all_lines(process)]


async def ran(sandbox: Sandbox, script: str, *, name: str = "turn-1") -> tuple[list[str], Exit]:
    """What a script in the box wrote, and how it ended."""
    process = await sandbox.start(shell(script, name=name))
    return await texts(process), await process.wait()


async def until(process: Process, text: str) -> None:
    """Follow the program's lines until one is `text`."""
    async for line in process.lines():
        if line.text == text:
            return
    raise AssertionError(f"the program ended without a line {text!r}")


class Gateway:
    """The smallest thing that answers at `gateway.sock`, with five bytes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._server: asyncio.Server | None = None

    async def up(self, answer: bytes = b"hello") -> None:
        async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(REPLY + answer)
            await writer.drain()
            writer.close()

        socket = self.directory / "gateway.sock"
        socket.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(reply, socket)

    async def down(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()


@contextlib.asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    """A gateway that answers `hello`, in a directory short enough for a socket's path."""
    directory = Path(tempfile.mkdtemp(prefix="swarm-"))
    answering = Gateway(directory)
    await answering.up()
    try:
        yield answering
    finally:
        await answering.down()
        shutil.rmtree(directory)


def ask(address: str) -> str:
    """A shell command that prints what the address answers."""
    return (
        "python3 -c 'import sys, urllib.request as u; "
        f'print(u.urlopen("{address}/", timeout=10).read().decode())\''
    )
