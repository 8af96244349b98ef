"""HTTP/1.1 over a unix socket, one connection a request, by h11's state machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import h11

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
    socket: Path, method: str, target: str, headers: dict[str, str], body: bytes = b""
) -> AsyncIterator[Reply]:
    """Send one request; the connection closes when the block ends. Raises `Unreachable`."""
    try:
        reader, writer = await asyncio.open_unix_connection(socket)
    except OSError as error:
        raise Unreachable(
            f"no supervisor answers at {socket}: {error.strerror or error}",
            hint="Start it with `swarm daemon up`.",
        ) from error
    try:
        connection = h11.Connection(h11.CLIENT)
        request = h11.Request(
            method=method,
            target=target,
            headers=[
                ("host", "swarm"),
                ("content-length", str(len(body))),
                ("connection", "close"),
                *headers.items(),
            ],
        )
        sent = [connection.send(request), connection.send(h11.Data(data=body))]
        sent.append(connection.send(h11.EndOfMessage()))
        writer.write(b"".join(piece for piece in sent if piece))
        await writer.drain()
        response = await _head(connection, reader)
        yield Reply(response.status_code, _pieces(connection, reader))
    except (OSError, h11.RemoteProtocolError) as error:
        raise Unreachable(f"the supervisor at {socket} hung up: {error}") from error
    finally:
        writer.close()


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
