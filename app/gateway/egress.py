"""The way out of sandboxes besides the gateway: one unix socket per run, hosts by exact name, and nothing else.

What it can show: which hosts were reached, how often, how many bytes. What it cannot: what was said there. A host
that serves many names behind one address could still be asked for another of them inside TLS.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from app.domain.ids import RunId
from app.domain.network import Knock, NetworkRefusal
from app.gateway.egress_book import Book
from app.gateway.egress_line import EgressLine
from app.gateway.egress_tunnel import Tunnel
from app.gateway.egress_way import WayOut
from app.gateway.switchboard import Switchboard

_LOG = logging.getLogger(__name__)


class Egress:
    """The proxy for hosts that are allowed. Lives on one event loop."""

    def __init__(
        self, book: Book, way: WayOut, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._book = book
        self._way = way
        self._clock = clock
        self._lines: Switchboard[EgressLine] = Switchboard()
        self._tunnels: set[asyncio.Task[None]] = set()

    async def open(self, run: RunId, socket: Path) -> None:
        """Serve the run at that socket. Again is the same."""

        async def lay() -> EgressLine:
            return EgressLine(run, socket, await self._book.left(run), self._serve)

        await self._lines.open(run, socket, lay)

    async def close(self, run: RunId) -> None:
        """Stop serving the run; what is open is cut."""
        await self._lines.close(run)

    async def aclose(self) -> None:
        """Stop everything. What passed is written down first."""
        await self._lines.close_all()
        for task in self._tunnels:
            task.cancel()
        await asyncio.gather(*self._tunnels, return_exceptions=True)
        self._way.close()

    async def _serve(
        self, line: EgressLine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if line.too_many(self._clock()):
            if not line.flooded:
                line.flooded = True
                await self._book.note(line.run, Knock(host="", refused=NetworkRefusal.FLOOD))
            writer.transport.abort()
            return
        line.flooded = False
        tunnel = Tunnel(self._way, self._book, line, (reader, writer))
        task = asyncio.create_task(tunnel.run(), name=f"connection of {line.run}")
        self._tunnels.add(task)
        task.add_done_callback(self._done)
        await asyncio.wait([task])

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tunnels.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("a connection of an agent broke off", exc_info=error)
