"""The way out over its real socket: what passes, what does not, and what is written down about it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.domain.network import NetworkRefusal as No
from app.gateway import egress_line
from app.store import network
from app.store.database import Database
from tests.support.way_out import GOOD, OTHER, CutOff, Outside, outside


@pytest.fixture
async def out(tmp_path: Path) -> AsyncIterator[Outside]:
    database = Database.open(tmp_path)
    async with outside(database) as out:
        yield out
    database.close()


async def test_an_allowed_host_is_reached(out: Outside) -> None:
    run = await out.run()
    assert await out.get(run, GOOD, "/simple") == f"{GOOD}/simple".encode()


async def test_what_passed_is_written_down(out: Outside) -> None:
    run = await out.run()
    for _ in range(2):
        await out.get(run, GOOD, "/bytes/5000")
    while not (rows := await out.rows(run)) or rows[0].received < 10_000:
        await asyncio.sleep(0.01)
    assert [(row.host, row.allowed, row.times) for row in rows] == [(GOOD, True, 2)]
    assert 1000 < rows[0].sent < 10_000 < rows[0].received < 20_000


async def test_a_name_is_looked_up_once_and_its_address_is_dialled(out: Outside) -> None:
    run = await out.run()
    await out.get(run, GOOD)
    assert out.net.looked_up == [GOOD]
    assert out.net.dialled == [(out.net.names[GOOD][0], 443)]


async def test_another_host_is_refused_and_not_even_looked_up(out: Outside) -> None:
    run = await out.run()
    words = f"403 swarm refuses {OTHER}: it is not allowed for this run"
    with pytest.raises(ConnectionRefusedError, match=words):
        await out.get(run, OTHER)
    assert out.net.looked_up == []
    assert await out.refusals(run) == [(OTHER, No.NOT_ALLOWED)]


async def test_what_a_person_allows_is_reached_at_once(out: Outside) -> None:
    run = await out.run()
    await out.database.write(network.grant, run, OTHER, by="ada", at=1.0)
    assert await out.get(run, OTHER) == f"{OTHER}/".encode()


async def test_the_first_of_several_addresses_that_answers_is_used(out: Outside) -> None:
    run = await out.run()
    out.net.names[GOOD].insert(0, "93.184.216.99")
    await out.get(run, GOOD)
    assert [address for address, _port in out.net.dialled] == out.net.names[GOOD]


async def test_a_name_without_an_address_is_told(out: Outside) -> None:
    run = await out.run()
    del out.net.names[GOOD]
    with pytest.raises(ConnectionRefusedError, match="the name cannot be looked up"):
        await out.get(run, GOOD)


async def test_a_host_that_does_not_answer_is_told(out: Outside) -> None:
    run = await out.run()
    out.net.names[GOOD] = ["93.184.216.99"]
    with pytest.raises(ConnectionRefusedError, match="nothing answers there"):
        await out.get(run, GOOD)


async def test_at_the_limit_the_connection_is_cut_and_a_row_says_so(out: Outside) -> None:
    run = await out.run(limit=100_000)
    with pytest.raises(CutOff):
        await out.get(run, GOOD, "/bytes/200000")
    with pytest.raises(ConnectionRefusedError, match="used up what it may send and receive"):
        await out.get(run, GOOD)
    assert await out.refusals(run) == [(GOOD, No.SPENT)]
    (passed,) = [row for row in await out.rows(run) if row.allowed]
    assert passed.sent + passed.received <= 100_000


async def test_the_limit_of_one_run_is_nobody_elses(out: Outside) -> None:
    spent, other = await out.run(limit=100_000), await out.run()
    with pytest.raises(CutOff):
        await out.get(spent, GOOD, "/bytes/200000")
    assert len(await out.get(other, GOOD, "/bytes/200000")) == 200_000


async def test_what_was_used_before_a_restart_counts(out: Outside) -> None:
    run = await out.run(limit=100_000)
    await out.get(run, GOOD, "/bytes/80000")
    await out.egress.close(run)
    while await out.database.read(network.left, run) > 20_000:
        await asyncio.sleep(0.01)
    await out.egress.open(run, out.socket(run))
    with pytest.raises(CutOff):
        await out.get(run, GOOD, "/bytes/80000")


async def test_opening_again_keeps_what_is_open(out: Outside) -> None:
    run = await out.run()
    reader, writer = await out.tunnel(run, f"{GOOD}:443")
    await out.egress.open(run, out.socket(run))
    writer.write(b"not TLS")
    assert await reader.read() == b""
    assert await out.refusals(run) == [(GOOD, No.NOT_TLS)]
    writer.close()


async def test_closing_cuts_what_is_open_and_removes_the_socket(out: Outside) -> None:
    run = await out.run()
    reader, writer = await out.tunnel(run, f"{GOOD}:443")
    await out.egress.close(run)
    assert await reader.read() == b""
    assert not out.socket(run).exists()
    writer.close()


async def test_a_flood_of_connections_is_cut_and_told_once(
    out: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress_line, "PER_MINUTE", 3)
    run = await out.run()
    answers = [await out.say(run, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(6)]
    assert [bool(answer) for answer in answers] == [True] * 3 + [False] * 3
    told = {row.why: row.times for row in await out.rows(run)}
    assert told == {No.NOT_CONNECT: 3, No.FLOOD: 1}


async def test_a_run_has_no_more_than_so_many_connections(
    out: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress_line, "CONNECTIONS", 2)
    run, other = await out.run(), await out.run()
    kept = [await out.tunnel(run, f"{GOOD}:443") for _ in range(2)]
    assert await out.say(run, b"CONNECT x") == b""
    assert await out.get(other, GOOD) == f"{GOOD}/".encode()
    for _reader, writer in kept:
        writer.close()


async def test_a_hello_in_many_pieces_is_put_together(out: Outside) -> None:
    run = await out.run()
    reader, writer = await out.tunnel(run, f"{GOOD}:443")
    for byte in client_hello(GOOD):
        writer.write(bytes([byte]))
        await writer.drain()
    assert (await reader.readexactly(1)) == b"\x16"
    writer.close()


async def test_a_hello_may_come_with_the_request(out: Outside) -> None:
    run = await out.run()
    reader, writer = await asyncio.open_unix_connection(out.socket(run))
    writer.write(f"CONNECT {GOOD}:443 HTTP/1.0\r\n\r\n".encode() + client_hello(GOOD))
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 200 connected\r\n\r\n"
    assert (await reader.readexactly(1)) == b"\x16"
    writer.close()


def client_hello(name: str | None, **more: ssl.TLSVersion) -> bytes:
    """What a real client begins with."""
    context = ssl.create_default_context()
    context.check_hostname = False
    for key, value in more.items():
        setattr(context, key, value)
    sent = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


HELLOS = {
    "the same name": (client_hello(GOOD), None),
    "the same name in TLS 1.2": (
        client_hello(GOOD, maximum_version=ssl.TLSVersion.TLSv1_2),
        None,
    ),
    "another name": (client_hello(OTHER), No.OTHER_NAME),
    "capitals": (client_hello(GOOD.upper()), No.OTHER_NAME),
    "a dot at the end": (client_hello(f"{GOOD}."), No.OTHER_NAME),
    "no name": (client_hello(None), No.NOT_TLS),
    "an address": (client_hello("127.0.0.1"), No.NOT_TLS),
    "NUL in the name": (client_hello(GOOD).replace(b"pypi.", b"pypi\0"), No.NOT_TLS),
    "plain HTTP": (b"GET / HTTP/1.1\r\n\r\n", No.NOT_TLS),
    "ssh": (b"SSH-2.0-OpenSSH_9.2\r\n", No.NOT_TLS),
    "nothing but zeros": (bytes(200), No.NOT_TLS),
    "a hello without an end": (
        b"\x16\x03\x01\x40\x00\x01\x00\xff\xff\x03\x03" + bytes(80_000),
        No.NOT_TLS,
    ),
}


@pytest.mark.parametrize(("hello", "refused"), HELLOS.values(), ids=HELLOS.keys())
async def test_tls_must_begin_with_the_name_that_was_asked_for(
    out: Outside, hello: bytes, refused: No | None
) -> None:
    run = await out.run()
    reader, writer = await out.tunnel(run, f"{GOOD}:443")
    writer.write(hello)
    answer = await reader.read(1)
    assert (answer == b"\x16") is (refused is None)
    assert await out.refusals(run) == ([(GOOD, refused)] if refused else [])
    writer.close()
