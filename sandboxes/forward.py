"""Listens on TCP ports and pipes every connection to the unix socket of its port.

Usage: forward.py HOST:PORT SOCKET [HOST:PORT SOCKET]... [DIRECTORY]

Port 0 takes any free port; a port that is taken gives way to a free one. The first line of output
is `ready PORT...`, in the same order. A socket is opened anew for every connection, so that the one of a restarted
supervisor is picked up, and a connection waits a while for it. With a directory, the forwarder ends
when that is removed.

Standard library only, and nothing of this package: sandboxes run this file as it is.
"""

import asyncio
import contextlib
import errno
import sys
from pathlib import Path

PATIENCE = 60.0
"""Seconds a connection waits for the socket while the supervisor is away."""
CHUNK = 64 * 1024
AWAY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


async def main(*arguments: str) -> None:
    pairs, directory = len(arguments) // 2, arguments[-1] if len(arguments) % 2 else ""
    async with contextlib.AsyncExitStack() as serving:
        ports = []
        for at in range(pairs):
            server = await listen(arguments[2 * at], arguments[2 * at + 1])
            ports.append(server.sockets[0].getsockname()[1])
            await serving.enter_async_context(server)
        print("ready", *ports, flush=True)  # noqa: T201
        await gone(directory)


async def listen(address: str, socket: str) -> asyncio.Server:
    """A server that pipes what comes in there to the socket."""
    host, _, port = address.rpartition(":")

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await forward(reader, writer, socket)

    try:
        return await asyncio.start_server(pipe, host, int(port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return await asyncio.start_server(pipe, host, 0)


async def gone(directory: str) -> None:
    """Wait until the directory is removed; for ever without one."""
    while not directory or Path(directory).is_dir():
        await asyncio.sleep(5)


async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, socket: str) -> None:
    try:
        far_reader, far_writer = await connect(socket)
    except OSError:
        with contextlib.suppress(OSError):
            writer.write(AWAY)
            await writer.drain()
        writer.close()
        return
    await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
    for end in (far_writer, writer):
        end.close()


async def connect(socket: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open the socket, waiting for it to come back."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            return await asyncio.open_unix_connection(socket)
        except OSError:
            if asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(0.2)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end; pass the end on. A broken connection breaks the other one too."""
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        # A clean end would make a cut reply look like a whole one.
        writer.transport.abort()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
