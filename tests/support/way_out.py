"""The way out of runs over a real unix socket and a real store, to a small internet; and clients that use it."""

import asyncio
import contextlib
import shutil
import ssl
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from app.domain.ids import RunId
from app.domain.network import NetworkRow, NetworkRules
from app.gateway.egress import Egress
from app.gateway.egress_line import SOCKET_NAME
from app.store import network, tasks
from app.store.database import Database
from app.supervisor.broker import Broker
from app.supervisor.network import make_egress
from tests.support.internet import Internet, internet
from tests.support.rows import a_run, a_task

GOOD, OTHER = "pypi.example.org", "evil.example.org"
LIMIT = 1024**2


class CutOff(Exception):
    """The connection broke before all of the page was there."""


@dataclass
class Outside:
    """A way out for runs, and what is beyond it."""

    directory: Path
    database: Database
    net: Internet
    egress: Egress
    _runs: int = 0

    async def run(self, limit: int = LIMIT) -> RunId:
        """A new run that may reach `GOOD`, served."""
        self._runs += 1
        name = f"run{self._runs}"
        rules = NetworkRules(hosts=(GOOD,), bytes=limit)
        await self.database.write(tasks.add_task, a_task(name, network=rules))
        await self.database.write(tasks.add_run, a_run(name))
        await self.egress.open(a_run(name).id, self.socket(a_run(name).id))
        return a_run(name).id

    def socket(self, run: RunId) -> Path:
        return self.directory / run / SOCKET_NAME

    async def rows(self, run: RunId) -> list[NetworkRow]:
        return list(await self.database.read(network.rows, run))

    async def refusals(self, run: RunId) -> list[tuple[str, str]]:
        """Hosts that were refused, with the name of the reason."""
        return [(row.host, row.why) for row in await self.rows(run) if not row.allowed]

    async def say(self, run: RunId, sent: bytes) -> bytes:
        """All that comes back for these bytes, as they are; nothing when it hangs up."""
        reader, writer = await asyncio.open_unix_connection(self.socket(run))
        try:
            writer.write(sent)
            return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    async def get(
        self, run: RunId, host: str, path: str = "/", *, sni: str | None = None, target: str = ""
    ) -> bytes:
        """The body of a page over TLS through the proxy. Raises `ConnectionRefusedError` and `CutOff`."""
        reader, writer = await self.tunnel(run, target or f"{host}:443")
        try:
            context = ssl.create_default_context()
            self.net.authority.configure_trust(context)
            context.check_hostname = sni is None
            await writer.start_tls(context, server_hostname=host if sni is None else sni)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        except OSError as error:
            raise CutOff from error
        else:
            if len(body) != int(head.rpartition(b"content-length: ")[2] or b"-1"):
                raise CutOff
            return body
        finally:
            writer.transport.abort()

    async def tunnel(
        self, run: RunId, target: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection through the proxy, not yet used. Raises `ConnectionRefusedError` with its words."""
        reader, writer = await asyncio.open_unix_connection(self.socket(run))
        writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head:
            writer.close()
            raise ConnectionRefusedError(head.decode().splitlines()[0])
        return reader, writer


@contextlib.asynccontextmanager
async def outside(database: Database, *hosts: str) -> AsyncIterator[Outside]:
    """A way out to a net with these hosts, `GOOD` and `OTHER`."""
    directory = Path(tempfile.mkdtemp(prefix="sw"))
    broker = Broker(database)
    broker.start()
    async with internet(GOOD, OTHER, *hosts) as net:
        egress = make_egress(database, broker, lambda: 7.0, net.way())
        try:
            yield Outside(directory, database, net, egress)
        finally:
            await egress.aclose()
            await broker.close()
            shutil.rmtree(directory)
