"""HTTP/1.1 over a unix socket or TLS, one connection a request, by h11's state machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import h11

from app.client.way import Remote, Way, trust
from app.domain.errors import Unreachable

CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, and the body in pieces as they arrive."""

    status: int
    pieces: AsyncIterator[bytes]

    async def body(self) -> bytes:
        return b"".join([piece async for piece in self.pieces])


@asynccontextmanager
async def exchange(
    way: Way, method: str, target: str, headers: dict[str, str], body: bytes = b""
) -> AsyncIterator[Reply]:
    """Send one request; the connection closes when the block ends. Raises `Unreachable`."""
    reader, writer = await _connected(way)
    try:
        connection = h11.Connection(h11.CLIENT)
        request = h11.Request(
            method=method,
            target=target,
            headers=[
                ("host", "swarm" if isinstance(way, Path) else way.host),
                ("content-length", str(len(body))),
                ("connection", "close"),
                *headers.items(),
                *(() if isinstance(way, Path) else way.credentials),
            ],
        )
        sent = [connection.send(request), connection.send(h11.Data(data=body))]
        sent.append(connection.send(h11.EndOfMessage()))
        writer.write(b"".join(piece for piece in sent if piece))
        await writer.drain()
        response = await _head(connection, reader)
        yield Reply(response.status_code, _pieces(connection, reader))
    except (OSError, h11.RemoteProtocolError) as error:
        raise Unreachable(f"the supervisor at {way} hung up: {error}") from error
    finally:
        writer.close()


async def _connected(way: Way) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        match way:
            case Path():
                return await asyncio.open_unix_connection(way)
            case Remote(host=host, port=port):
                return await asyncio.open_connection(host, port, ssl=trust(way))
    except OSError as error:
        here = isinstance(way, Path)
        raise Unreachable(
            f"no supervisor answers at {way}: {error.strerror or error}",
            hint="Start it with `swarm daemon up`." if here else "SWARM_URL or --url names it.",
        ) from error


async def _next(connection: h11.Connection, reader: asyncio.StreamReader) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(CHUNK))
    return event


async def _head(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Response:
    while True:
        event = await _next(connection, reader)
        if isinstance(event, h11.Response):
            return event
        if isinstance(event, h11.ConnectionClosed):
            raise h11.RemoteProtocolError("closed without an answer")


async def _pieces(connection: h11.Connection, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while isinstance(event := await _next(connection, reader), h11.Data):
        yield bytes(event.data)
