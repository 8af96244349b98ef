"""A gateway over a real ledger and the scripted model endpoint, and a raw client for its socket."""

import asyncio
import contextlib
import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa

from app.domain.budget import Limits
from app.domain.cassette import Cassette
from app.domain.events import Refused, Spent, UpstreamFailed
from app.domain.ids import RunId, TaskId
from app.domain.money import Micros
from app.domain.run import Run, RunState
from app.domain.task import Task
from app.gateway.ledger import Desk
from app.gateway.prices import Prices
from app.gateway.rehearsal import Rehearsal
from app.gateway.rehearsal_script import Script
from app.gateway.server import Gateway
from app.gateway.settings import GatewaySettings, Upstream
from app.store import ledger, tasks
from app.store.database import Database
from app.supervisor.money import StoreLedger
from app.wire import Spend

RUN_ID = RunId("abcde.1")
RUN_KEY = "swarm-run-test-key"
REAL_KEY = "sk-real-and-secret-0123456789"
MODEL = "claude-opus-5-5"
GPT = "gpt-5.5"
GEMINI_MODEL = "gemini-2.5-pro"
MESSAGES, RESPONSES, CHAT, GEMINI = (
    "/anthropic/v1/messages",
    "/openai/v1/responses",
    "/openai/v1/chat/completions",
    f"/gemini/v1beta/models/{GEMINI_MODEL}:streamGenerateContent?alt=sse",
)
GEMINI_WHOLE = f"/gemini/v1beta/models/{GEMINI_MODEL}:generateContent"
"""Where that dialect is asked for a reply in one piece."""
EVERY = (MESSAGES, RESPONSES, CHAT, GEMINI)


@dataclass
class Witnessed:
    """Keeps what the gateway told."""

    greeted: list[RunId] = field(default_factory=list)
    spent: list[Spent] = field(default_factory=list)
    refusals: list[Refused] = field(default_factory=list)
    failures: list[UpstreamFailed] = field(default_factory=list)

    async def first_request(self, run: RunId) -> None:
        self.greeted.append(run)

    async def settled(self, run: RunId, spent: Spent) -> None:
        self.spent.append(spent)

    async def refused(self, run: RunId, refused: Refused) -> None:
        self.refusals.append(refused)

    async def failed(self, run: RunId, failed: UpstreamFailed) -> None:
        self.failures.append(failed)


@dataclass
class Bench:
    """One open run at a gateway whose upstream is the scripted endpoint."""

    gateway: Gateway
    endpoint: Rehearsal
    witness: Witnessed
    database: Database
    socket: Path

    async def post(self, body: Any, *, path: str = MESSAGES, **headers: str) -> "Answer":
        """A request with the run's key; `body` is JSON or bytes."""
        given = {"authorization": f"Bearer {RUN_KEY}"} | headers
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connector = aiohttp.UnixConnector(str(self.socket))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(f"http://gateway{path}", data=data, headers=given) as response,
        ):
            lowered = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, lowered, await response.read())

    async def get(self, path: str, **headers: str) -> "Answer":
        """A request without a body, with the run's key."""
        given = {"authorization": f"Bearer {RUN_KEY}"} | headers
        connector = aiohttp.UnixConnector(str(self.socket))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"http://gateway{path}", headers=given) as response,
        ):
            lowered = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, lowered, await response.read())

    async def raw(self, data: bytes, *, wait: float = 5.0) -> bytes:
        """What comes back for bytes sent as they are."""
        reader, writer = await asyncio.open_unix_connection(str(self.socket))
        writer.write(data)
        received = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(wait):
                while chunk := await reader.read(65536):
                    received += chunk
        writer.close()
        return received

    async def spend(self) -> Spend:
        return await self.database.read(ledger.spend, RUN_ID)

    async def rows(self, table: sa.Table) -> list[Mapping[str, Any]]:
        """All rows of the spend or hold table."""

        def select(c: sa.Connection) -> list[Mapping[str, Any]]:
            return [dict(row) for row in c.execute(sa.select(table)).mappings()]

        return await self.database.read(select)

    async def settled(self, calls: int = 1) -> Spend:
        """The spend once that many calls are settled, none is under way, and all were told."""
        while True:
            spend = await self.spend()
            told = len(self.witness.spent) >= spend.calls
            if spend.calls >= calls and not spend.held and told:
                return spend
            await asyncio.sleep(0.01)


@dataclass
class Answer:
    """A reply, read whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(text: str = "hello", **more: Any) -> dict[str, Any]:
    """A request as an agent makes it."""
    messages = [{"role": "user", "content": text}]
    return {"model": MODEL, "max_tokens": 1000, "messages": messages, "stream": True} | more


def asking(path: str, text: str = "hello", **more: Any) -> dict[str, Any]:
    """A request as agents of that dialect make it."""
    said = [{"role": "user", "content": text}]
    if path.startswith(MESSAGES):
        return ask(text, **more)
    if path.startswith("/gemini/"):
        contents = [{"role": "user", "parts": [{"text": text}]}]
        return {"contents": contents, "generationConfig": {"maxOutputTokens": 1000}} | more
    if path == RESPONSES:
        body = {"model": GPT, "input": said, "max_output_tokens": 1000, "store": False}
    else:
        body = {"model": GPT, "messages": said, "max_completion_tokens": 1000}
    return body | {"stream": True} | more


@contextlib.asynccontextmanager
async def bench(
    script: Script | None = None,
    *,
    budget: int = 1_000_000,
    key: str = REAL_KEY,
    desk: Desk | None = None,
    cassette: Cassette | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    **more: Any,
) -> AsyncIterator[Bench]:
    """A bench whose run may spend `budget` micro-dollars; `more` goes to `GatewaySettings`."""
    with tempfile.TemporaryDirectory(prefix="gw") as name:
        directory = Path(name)
        key_file = directory / "key"
        key_file.write_text(f"{REAL_KEY}\n")
        database = Database.open(directory)
        await database.write(add_run, RUN_ID, budget, limits=limits)
        witness = Witnessed()
        async with Rehearsal(script, key=key) as endpoint:
            upstream = Upstream(
                name="anthropic",
                url=endpoint.url,
                dialects=("anthropic", "responses", "chat", "gemini"),
                key=f"file:{key_file}",
            )
            # One try: the tests of faults are about one; those of trying again say how many.
            chosen: dict[str, Any] = {"upstreams": (upstream,), "attempts": 1}
            settings = GatewaySettings(**(chosen | more))
            async with Gateway(
                settings, StoreLedger(database), witness, prices=Prices(settings), desk=desk
            ) as gateway:
                socket = directory / "s" / "abcde.1" / "gateway.sock"
                await gateway.open(RUN_ID, socket, RUN_KEY, cassette=cassette or Cassette())
                yield Bench(gateway, endpoint, witness, database, socket)
        database.close()


def add_run(
    c: sa.Connection, /, run: RunId, budget: int, agent: str = "claude-code", **of_task: Any
) -> None:
    """A run, and its task, that may spend so many micro-dollars."""
    task = TaskId(run.partition(".")[0])
    money = Micros(budget)
    tasks.add_task(
        c,
        Task(
            id=task, goal="g", repo="/r", target="main", base="main", agent=agent, budget=money,
            created=0.0, **of_task,
        ),
    )  # fmt: skip
    tasks.add_run(
        c,
        Run(
            id=run, task=task, number=1, state=RunState.WORKING, agent=agent, harness="h",
            model="m", sandbox="memory", budget=money, created=0.0,
        ),
    )  # fmt: skip


@dataclass
class RawUpstream:
    """A provider that says exactly the given bytes and keeps exactly what it was sent."""

    reply: bytes
    received: list[bytes] = field(default_factory=list)
    url: str = ""

    @property
    def head(self) -> str:
        """Request line and headers of the last request, in lower case."""
        return self.received[-1].partition(b"\r\n\r\n")[0].decode().lower()

    @property
    def body(self) -> Any:
        return json.loads(self.received[-1].partition(b"\r\n\r\n")[2])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        self.received.append(head + await reader.readexactly(length))
        writer.write(self.reply)
        await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def raw_upstream(
    reply: bytes, tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawUpstream]:
    """Serve those bytes as the answer to every request."""
    upstream = RawUpstream(reply)
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0, ssl=tls)
    base = "https://localhost" if tls else "http://127.0.0.1"
    upstream.url = f"{base}:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield upstream


def http(status: str, body: bytes, **headers: str) -> bytes:
    """An HTTP reply as bytes."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
