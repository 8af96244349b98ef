"""One run's line to the network: its socket, and what it has left."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias

from app.domain.ids import RunId
from app.gateway.rate import Rate
from app.gateway.sockets import Place

SOCKET_NAME: Final = "egress.sock"
CONNECTIONS: Final = 64
"""Open at a time, of one run."""
PER_MINUTE: Final = 600
"""Opened in a minute, by one run; more than that is a loop, not work."""

Serve: TypeAlias = Callable[
    ["EgressLine", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]
]


class EgressLine:
    """State of one run at the way out. The listener is the identity: only this run's sandbox sees the socket."""

    def __init__(self, run: RunId, path: Path, left: int, serve: Serve) -> None:
        self.run = run
        self.place = Place(path)
        self.left = left
        """Bytes that may still pass."""
        self.flooded = False
        self._serve = serve
        self._rate = Rate()
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    def take(self, count: int) -> bool:
        """Count bytes that are about to pass; False, and nothing counted, when they may not."""
        if count > self.left:
            self.left = 0
            return False
        self.left -= count
        return True

    def too_many(self, now: float) -> bool:
        """Count a connection; whether there are too many."""
        return self._rate.count(now) > PER_MINUTE or len(self._open) > CONNECTIONS

    async def listen(self) -> None:
        """Put the socket in place and serve it."""

        async def held(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._open.add(writer)
            try:
                await self._serve(self, reader, writer)
            finally:
                self._open.discard(writer)
                writer.close()

        self._server = await asyncio.start_unix_server(held, sock=await self.place.take())

    async def hang_up(self) -> None:
        """Cut every connection and remove the socket."""
        if self._server is None:
            return
        self.place.leave()
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        self._server = None
