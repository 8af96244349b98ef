"""How the gateway's sockets are served, and stopped: at once, with nothing left half-ended."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web


class Served(web.Server):
    """A server that closes connections beyond a number unread."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        connections: int,
    ) -> None:
        # Cancellation tells a call at once that its agent is gone; what agents ask for is nobody's log line.
        super().__init__(handler, handler_cancellation=True, access_log=None)
        self._limit = connections

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Take a new connection, or cut it."""
        super().connection_made(handler, transport)
        if len(self.connections) > self._limit:
            transport.abort()


async def cut_and_stop(runner: web.ServerRunner) -> None:
    """Cut every connection and stop listening. No reply gets a proper end that it did not have."""
    server = runner.server
    while server is not None and server.connections:
        for connection in server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        # The loop tells each connection that it is lost; only then may the runner be taken down.
        await asyncio.sleep(0)
    await runner.cleanup()
