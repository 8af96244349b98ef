"""One run's line to the network: its socket, and what it has left."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias

from app.domain.ids import RunId
from app.gateway.sockets import bound_at

SOCKET_NAME: Final = "egress.sock"
CONNECTIONS: Final = 64
"""Open at a time, of one run."""
PER_MINUTE: Final = 600
"""Opened in a minute, by one run; more than that is a loop, not work."""

Serve: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class EgressLine:
    """State of one run at the way out. The listener is the identity: only this run's sandbox sees the socket."""

    def __init__(self, run: RunId, path: Path, left: int) -> None:
        self.run = run
        self.path = path
        self.left = left
        """Bytes that may still pass."""
        self.flooded = False
        self._recent: deque[float] = deque()
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._inode = 0

    def take(self, count: int) -> bool:
        """Count bytes that are about to pass; False, and nothing counted, when they may not."""
        if count > self.left:
            self.left = 0
            return False
        self.left -= count
        return True

    def too_many(self, now: float) -> bool:
        """Count a connection; whether there are too many."""
        self._recent.append(now)
        while self._recent[0] <= now - 60:
            self._recent.popleft()
        return len(self._recent) > PER_MINUTE or len(self._open) > CONNECTIONS

    async def listen(self, serve: Serve) -> None:
        """Put the socket in place; one that was left there by a dead supervisor is replaced."""

        async def held(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._open.add(writer)
            try:
                await serve(reader, writer)
            finally:
                self._open.discard(writer)
                writer.close()

        bound = await asyncio.to_thread(bound_at, self.path)
        self._inode = self.path.stat().st_ino
        self._server = await asyncio.start_unix_server(held, sock=bound)

    @property
    def listens(self) -> bool:
        """Whether the socket is in place and ours."""
        try:
            return self._server is not None and self.path.stat().st_ino == self._inode
        except OSError:
            return False

    async def hang_up(self) -> None:
        """Cut every connection and remove the socket."""
        if self._server is None:
            return
        if self.listens:
            self.path.unlink(missing_ok=True)
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        self._server = None
