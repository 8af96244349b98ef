"""The lines of all runs to something they may reach, opened and closed one after another."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from app.domain.ids import RunId
from app.gateway.sockets import Place


class Laid(Protocol):
    """A run's line as far as its opening and closing goes."""

    @property
    def place(self) -> Place: ...

    async def listen(self) -> None:
        """Put the socket in place and serve it."""
        ...

    async def hang_up(self) -> None:
        """Cut every connection, without a proper end, and remove the socket."""
        ...


L = TypeVar("L", bound=Laid)


class Switchboard(Generic[L]):
    """Which run has which line. Lives on one event loop."""

    def __init__(self) -> None:
        self._lines: dict[RunId, L] = {}
        self._opening = asyncio.Lock()

    def of(self, run: RunId) -> L:
        """The run's line. Raises `KeyError` when it has none."""
        return self._lines[run]

    async def open(self, run: RunId, socket: Path, lay: Callable[[], Awaitable[L]]) -> L | None:
        """Serve the run at that socket, over the line that `lay` makes.

        A line that serves it there already stays, and is given back; any other is replaced.
        """
        async with self._opening:
            line = self._lines.get(run)
            if line is not None and line.place.path == socket and line.place.is_ours:
                return line
            if line is not None:
                await line.hang_up()
            self._lines[run] = line = await lay()
            await line.listen()
            return None

    async def close(self, run: RunId) -> None:
        """Stop serving the run."""
        async with self._opening:
            line = self._lines.pop(run, None)
            if line is not None:
                await line.hang_up()

    async def close_all(self) -> None:
        """Stop serving."""
        for run in list(self._lines):
            await self.close(run)
