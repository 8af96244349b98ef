"""A provider that says given replies one after another."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.support.model_endpoint import http

STREAM = (
    b'event: message_start\ndata: {"type":"message_start",'
    b'"message":{"usage":{"input_tokens":5,"output_tokens":1}}}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
    b'"usage":{"output_tokens":9}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
GOOD = http("200 OK", STREAM, content_type="text/event-stream")


@contextlib.asynccontextmanager
async def provider(*replies: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Says these one after another, then the last again; and what is left to say."""
    rest = list(replies)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))
        writer.write(rest.pop(0) if len(rest) > 1 else rest[0])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", rest
