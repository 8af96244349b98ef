"""A small internet for tests: hosts with names, public addresses and certificates, served on loopback.

What is under test judges names and addresses as it always does; only the two ends of it, the look-up and
the dialling, are handed in, so that a public address leads to a port of this machine.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence

import trustme

from app.gateway.egress_way import PORT, Streams, WayOut

GREETING = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n"


class Internet:
    """Every host answers with its own name and the path, or with as many bytes as `/bytes/N` asks for."""

    def __init__(self) -> None:
        self.authority = trustme.CA()
        self.names: dict[str, list[str]] = {}
        """What looking a name up gives."""
        self.looked_up: list[str] = []
        self.dialled: list[tuple[str, int]] = []
        self._ports: dict[str, int] = {}
        self._ending = contextlib.AsyncExitStack()

    async def host(self, name: str, *more: str) -> None:
        """Put a host on the net; its certificate is for all these names, its address is for the first."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(name, *more).configure_cert(context)
        server = await asyncio.start_server(_answer, "127.0.0.1", 0, ssl=context)
        await self._ending.enter_async_context(server)
        address = f"93.184.215.{len(self._ports) + 1}"
        self.names[name] = [address]
        self._ports[address] = server.sockets[0].getsockname()[1]

    def way(self) -> WayOut:
        """The way out to this net."""
        return WayOut(self._lookup, self._dial)

    def port_of(self, name: str) -> int:
        """Where on loopback the host really is."""
        return self._ports[self.names[name][0]]

    async def close(self) -> None:
        await self._ending.aclose()

    async def _lookup(self, name: str) -> Sequence[str]:
        self.looked_up.append(name)
        if name not in self.names:
            raise OSError(-2, "Name or service not known")
        return self.names[name]

    async def _dial(self, address: str, port: int) -> Streams:
        self.dialled.append((address, port))
        if port != PORT or address not in self._ports:
            raise ConnectionRefusedError
        return await asyncio.open_connection("127.0.0.1", self._ports[address])


@contextlib.asynccontextmanager
async def internet(*hosts: str) -> AsyncIterator[Internet]:
    """A net with these hosts."""
    net = Internet()
    try:
        for name in hosts:
            await net.host(name)
        yield net
    finally:
        await net.close()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1]
        fields = (line.partition(":") for line in head.splitlines())
        host = next(value.strip() for name, _, value in fields if name.lower() == "host")
        body = f"{host.partition(':')[0]}{path}".encode()
        if path.startswith("/bytes/"):
            body = b"x" * int(path.removeprefix("/bytes/"))
        writer.write(GREETING + b"content-length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
    writer.close()
