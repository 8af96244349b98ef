"""One connection from a sandbox to a host: asked for, looked at, then passed through and counted."""

import asyncio
import contextlib
from typing import Final

from app.domain.network import Knock, NetworkRefusal
from app.gateway.egress_book import Book
from app.gateway.egress_hello import Hello
from app.gateway.egress_line import EgressLine
from app.gateway.egress_request import CONNECTED, Asking, refusal
from app.gateway.egress_way import Refused, Streams, WayOut

PATIENCE: Final = 30.0
"""Seconds from the first byte until TLS has begun; looking up and dialling may take most of them."""
_CHUNK: Final = 64 * 1024
_NOTED_EVERY: Final = 8 * 1024**2
"""Bytes after which the tables are told; a crash loses the count of no more than these."""


class Tunnel:
    """`run` once, to the end."""

    def __init__(self, way: WayOut, book: Book, line: EgressLine, near: Streams) -> None:
        self._way = way
        self._book = book
        self._line = line
        self._reader, self._writer = near
        self._host = ""
        self._connected = False
        self._sent = 0
        self._received = 0

    async def run(self) -> None:
        """Serve the connection; every way it can end is noted."""
        try:
            far, hello = await self._in_time()
            await self._note(Knock(host=self._host))
            await self._pass(far, hello)
        except Refused as refused:
            await self._refuse(refused.why, refused.host or self._host)
        except OSError:
            self._writer.transport.abort()
        finally:
            await self._note_bytes()

    async def _in_time(self) -> tuple[Streams, bytes]:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._opened()
        except TimeoutError:
            raise Refused(NetworkRefusal.LATE) from None

    async def _opened(self) -> tuple[Streams, bytes]:
        """A connection to the host that was asked for, and what is to be sent there first."""
        early = await self._asked()
        if self._host not in await self._book.allowed(self._line.run):
            raise Refused(NetworkRefusal.NOT_ALLOWED)
        if self._line.left <= 0:
            raise Refused(NetworkRefusal.SPENT)
        far = await self._way.open(self._host)
        try:
            self._writer.write(CONNECTED)
            self._connected = True
            return far, await self._greeted(early)
        except BaseException:
            far[1].transport.abort()
            raise

    async def _asked(self) -> bytes:
        """Hear which host is asked for; gives what came behind the request already."""
        asking = Asking()
        host = None
        while host is None:
            host = asking.feed(await self._more())
        self._host = host
        return asking.early

    async def _greeted(self, early: bytes) -> bytes:
        """Hear the beginning of TLS, all of it, and make sure that it is for the same host."""
        hello = Hello()
        name = hello.feed(early) if early else None
        while name is None:
            name = hello.feed(await self._more())
        if name != self._host:
            raise Refused(NetworkRefusal.OTHER_NAME)
        return bytes(hello.data)

    async def _more(self) -> bytes:
        """What the agent sends next. Raises `OSError` when it hangs up before it was served."""
        data = await self._reader.read(_CHUNK)
        if not data:
            raise ConnectionAbortedError
        return data

    async def _pass(self, far: Streams, hello: bytes) -> None:
        """Copy both ways until both have ended, or either breaks."""
        reader, writer = far
        copies: list[asyncio.Task[None]] = []
        try:
            await self._forward(hello, writer)
            copies.append(asyncio.create_task(self._copy(self._reader, writer)))
            copies.append(asyncio.create_task(self._copy(reader, self._writer)))
            await asyncio.gather(*copies)
            writer.close()
        except BaseException:
            # A clean end would make a cut connection look like a whole one.
            writer.transport.abort()
            raise
        finally:
            for copy in copies:
                copy.cancel()
            await asyncio.gather(*copies, return_exceptions=True)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            await self._forward(data, writer)
        with contextlib.suppress(OSError):
            writer.write_eof()

    async def _forward(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        if not self._line.take(len(data)):
            raise Refused(NetworkRefusal.SPENT)
        if writer is self._writer:
            self._received += len(data)
        else:
            self._sent += len(data)
        writer.write(data)
        await writer.drain()
        if self._sent + self._received >= _NOTED_EVERY:
            await self._note_bytes()

    async def _refuse(self, why: NetworkRefusal, host: str) -> None:
        await self._note(Knock(host=host, refused=why))
        if self._connected:
            self._writer.transport.abort()
            return
        with contextlib.suppress(OSError):
            self._writer.write(refusal(why, host))
            await self._writer.drain()

    async def _note_bytes(self) -> None:
        sent, received, self._sent, self._received = self._sent, self._received, 0, 0
        if sent or received:
            await self._note(Knock(host=self._host, times=0, sent=sent, received=received))

    async def _note(self, knock: Knock) -> None:
        await self._book.note(self._line.run, knock)
