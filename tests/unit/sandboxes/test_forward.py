"""The way from a TCP port to the gateway's socket."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from sandboxes import forward

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def socket() -> str:
    return str(Path(tempfile.mkdtemp(prefix="swarm-")) / "gateway.sock")


@contextlib.asynccontextmanager
async def forwarding(socket: str, serve: Serve | None) -> AsyncIterator[int]:
    """The port that leads to the socket, at which `serve` answers."""
    async with contextlib.AsyncExitStack() as ending:
        ending.callback(shutil.rmtree, Path(socket).parent)
        if serve is not None:
            await ending.enter_async_context(await asyncio.start_unix_server(serve, socket))

        async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await forward.forward(reader, writer, socket)

        server = await asyncio.start_server(pipe, "127.0.0.1", 0)
        await ending.enter_async_context(server)
        yield server.sockets[0].getsockname()[1]


async def asked(port: int, data: bytes) -> bytes:
    """All that comes back, after sending this and ending our half."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1000):
        writer.write(data)
        await writer.drain()
    writer.write(b"the end")
    writer.close()


async def test_bytes_pass_unchanged_both_ways(socket: str) -> None:
    sent = bytes(range(256)) * 5000
    async with forwarding(socket, echo) as port:
        assert await asked(port, sent) == sent + b"the end"


async def test_a_gateway_that_stays_away_is_told_as_an_http_error(
    socket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forward, "PATIENCE", 0.0)
    async with forwarding(socket, None) as port:
        assert (await asked(port, b"")).startswith(b"HTTP/1.1 503 ")


async def test_a_reply_that_breaks_off_does_not_end_like_a_whole_one(socket: str) -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3)
        writer.write(b"half a rep")
        await writer.drain()
        # What was not read when the connection goes makes it break, as when the gateway is killed.
        writer.transport.abort()

    async with forwarding(socket, break_off) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"ask" + b"x" * 1_000_000)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def test_a_port_that_is_taken_gives_way_to_a_free_one(
    socket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with forwarding(socket, echo) as taken:
        running = asyncio.ensure_future(forward.main(f"127.0.0.1:{taken}", socket))
        said = ""
        while not said:
            await asyncio.sleep(0.01)
            said = capsys.readouterr().out
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    word, port = said.split()
    assert (word, int(port) != taken) == ("ready", True)


async def test_each_port_leads_to_its_own_socket(
    socket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"the other")
        writer.close()

    second = f"{socket}.2"
    async with forwarding(socket, echo), await asyncio.start_unix_server(other, second):
        stay = tmp_path / "stay"
        stay.mkdir()
        ways = ("127.0.0.1:0", socket, "127.0.0.1:0", second)
        running = asyncio.ensure_future(forward.main(*ways, str(stay)))
        said = ""
        while not said:
            await asyncio.sleep(0.01)
            said = capsys.readouterr().out
        _ready, first_port, second_port = said.split()
        answers = (await asked(int(first_port), b"x"), await asked(int(second_port), b""))
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    assert answers == (b"xthe end", b"the other")


async def test_a_forwarder_ends_with_its_directory(socket: str, tmp_path: Path) -> None:
    shutil.rmtree(Path(socket).parent)
    await forward.main("127.0.0.1:0", socket, str(tmp_path / "removed"))
