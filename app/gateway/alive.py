"""Keeps an agent waiting without losing it: the reply begins late rather than never, and says that it goes on.

Agents give up on a request whose headers take minutes, and on a stream that is silent; comments in the stream do
not count. So after a while the reply begins, with events that providers send for the same purpose.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web

from app.gateway.settings import DialectName

_SIGNS: Final[dict[DialectName, bytes]] = {
    "anthropic": b'event: ping\ndata: {"type": "ping"}\n\n',
    "responses": b'event: keepalive\ndata: {"type":"keepalive","sequence_number":0}\n\n',
    "chat": b'data: {"id":"","object":"chat.completion.chunk","created":0,"model":"","choices":[]}\n\n',
    "gemini": b'data: {"candidates":[]}\n\n',
}
"""What changes nothing for the agent; a reply that is not streamed takes space before its JSON."""


class Alive:
    """One reply that may have to begin before there is anything to say."""

    def __init__(
        self, request: web.BaseRequest, dialect: DialectName, *, streamed: bool, pause: float
    ) -> None:
        self._request = request
        self._kind = "text/event-stream" if streamed else "application/json"
        self._sign = _SIGNS[dialect] if streamed else b"\n"
        self._pause = pause
        self.reply: web.StreamResponse | None = None
        """Begun, with status 200; None as long as anything can still be answered."""

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """While whoever answers waits for something."""
        over = asyncio.Event()
        keeping = asyncio.create_task(self._keep(over))
        try:
            yield
        finally:
            over.set()
            await keeping

    def cut(self) -> web.StreamResponse:
        """End the reply so that nobody can take it for complete."""
        if self._request.transport is not None:
            self._request.transport.abort()
        return self.reply or web.Response(status=502)

    async def _keep(self, over: asyncio.Event) -> None:
        # Never cancelled, so that no half of anything is sent.
        with contextlib.suppress(ConnectionError):
            while not await _within(over, self._pause):
                if self.reply is None:
                    headers = {"content-type": self._kind, "cache-control": "no-cache"}
                    begun = web.StreamResponse(status=200, headers=headers)
                    await begun.prepare(self._request)
                    self.reply = begun
                await self.reply.write(self._sign)


async def _within(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await event.wait()
    return False
