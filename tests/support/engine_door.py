"""A door to the Docker engine that a test can shut: behind it the engine lives on, and nobody is let through.

What a stopped engine looks like to its clients: nothing answers, and what was open is cut. Containers of others
notice nothing.
"""

import asyncio
import contextlib
import os
import tempfile
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
USUAL = "unix:///var/run/docker.sock"
PIECE = 64 * 1024


class Door:
    """A socket that leads to the engine's, with a thread of its own: the test's own loop may stand still."""

    def __init__(self, here: Path, there: Path) -> None:
        self.address = f"unix://{here}"
        """For `DOCKER_HOST`."""
        self._here = here
        self._there = there
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def open(self) -> None:
        self._now(self._open())

    def shut(self) -> None:
        """Let nobody through any more, and cut what is open."""
        self._now(self._shut())

    def __enter__(self) -> "Door":
        self._thread.start()
        self.open()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.shut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _now(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_unix_server(self._serve, self._here)

    async def _shut(self) -> None:
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self._here.unlink(missing_ok=True)
        while self._ends:
            # Again and again: who had come in just before may only now be led to the engine.
            for end in self._ends:
                end.transport.abort()
            await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        back = forth = None
        try:
            with contextlib.suppress(
                OSError
            ):  # Nobody is behind the door while the engine restarts.
                back, forth = await asyncio.open_unix_connection(self._there)
                self._ends.add(forth)
                await asyncio.gather(_carry(reader, forth), _carry(back, writer))
        finally:
            for end in filter(None, (writer, forth)):
                end.close()
                with contextlib.suppress(OSError):
                    await end.wait_closed()
                self._ends.discard(end)


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """All of it, and that it is at its end: the engine is told by that when an input is over."""
    with contextlib.suppress(OSError):
        while said := await source.read(PIECE):
            target.write(said)
            await target.drain()
        target.write_eof()


@contextlib.contextmanager
def door() -> Iterator[Door]:
    """An open door to the engine that tests use."""
    there = Path(os.environ.get("DOCKER_HOST", USUAL).removeprefix("unix://"))
    # Short: a unix socket's path has at most 107 bytes.
    with (
        tempfile.TemporaryDirectory(prefix="sw", dir="/tmp") as root,
        Door(Path(root) / "docker.sock", there) as made,
    ):
        yield made
