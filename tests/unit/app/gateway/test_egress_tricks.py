"""Ways to a host that is not allowed, or to a place that is no host of the internet; each gets nowhere."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from app.domain.network import NetworkRefusal as No
from app.store.database import Database
from tests.support.way_out import GOOD, OTHER, Outside, outside

TARGETS = {
    "another host": (f"{OTHER}:443", No.NOT_ALLOWED),
    "a host with an allowed one as its beginning": (f"{GOOD}.evil.example:443", No.NOT_ALLOWED),
    "a host with an allowed one as its end": (f"x{GOOD}:443", No.NOT_ALLOWED),
    "a host below an allowed one": (f"x.{GOOD}:443", No.NOT_ALLOWED),
    "a dot at the end": (f"{GOOD}.:443", No.NOT_A_HOST),
    "capitals": (f"{GOOD.upper()}:443", No.NOT_A_HOST),
    "percent": (f"{GOOD.replace('.', '%2e')}:443", No.NOT_A_HOST),
    "a user": (f"{GOOD}@{OTHER}:443", No.NOT_A_HOST),
    "a user with a port": (f"{GOOD}:443@{OTHER}:443", No.NOT_A_HOST),
    "another port": (f"{GOOD}:22", No.NOT_A_HOST),
    "no port": (GOOD, No.NOT_A_HOST),
    "a port with a zero": (f"{GOOD}:0443", No.NOT_A_HOST),
    "an address": ("127.0.0.1:443", No.NOT_A_HOST),
    "a public address": ("93.184.215.1:443", No.NOT_A_HOST),
    "an address as a number": ("2130706433:443", No.NOT_A_HOST),
    "an address in hexadecimal": ("0x7f000001:443", No.NOT_A_HOST),
    "an address of version 6": ("[::1]:443", No.NOT_A_HOST),
    "an address of version 4 in one of version 6": ("[::ffff:127.0.0.1]:443", No.NOT_A_HOST),
    "the host itself": ("localhost:443", No.NOT_A_HOST),
    "a page": (f"https://{GOOD}/", No.NOT_A_HOST),
}
REQUESTS = {
    "a page without TLS": (f"GET http://{GOOD}/ HTTP/1.1\r\nHost: {GOOD}", No.NOT_CONNECT),
    "a page of another host": (f"GET http://{GOOD}/ HTTP/1.1\r\nHost: {OTHER}", No.NOT_CONNECT),
    "a path": (f"GET / HTTP/1.1\r\nHost: {GOOD}", No.NOT_CONNECT),
    "an upload": (f"POST http://{GOOD}/ HTTP/1.1\r\nHost: {GOOD}", No.NOT_CONNECT),
    "another Host": (f"CONNECT {GOOD}:443 HTTP/1.1\r\nHost: {OTHER}", No.NOT_A_HOST),
    "two Hosts": (
        f"CONNECT {GOOD}:443 HTTP/1.1\r\nHost: {GOOD}\r\nHost: {OTHER}",
        No.NOT_A_REQUEST,
    ),
    "a body": (
        f"CONNECT {GOOD}:443 HTTP/1.1\r\nHost: {GOOD}\r\nContent-Length: 5",
        No.NOT_A_REQUEST,
    ),
    "NUL": (f"CONNECT {GOOD}\0.evil.example:443 HTTP/1.1\r\nHost: {GOOD}", No.NOT_A_REQUEST),
    "a line break": (f"CONNECT {GOOD}\n:443 HTTP/1.1\r\nHost: {GOOD}", No.NOT_A_REQUEST),
    "a space": (f"CONNECT {GOOD} {OTHER}:443 HTTP/1.1\r\nHost: {GOOD}", No.NOT_A_REQUEST),
    "SOCKS": ("\x05\x01\x00", No.NOT_A_REQUEST),
    "an endless head": (f"CONNECT {GOOD}:443 HTTP/1.1\r\nx: {'x' * 20_000}", No.NOT_A_REQUEST),
}
PLACES = {
    "this machine": ["127.0.0.1"],
    "this machine, among public ones": ["93.184.215.1", "127.0.0.1"],
    "the same, version 6": ["::1"],
    "version 4 in version 6": ["::ffff:127.0.0.1"],
    "by 6to4": ["2002:7f00:1::"],
    "by a translator": ["64:ff9b::a9fe:a9fe"],
    "by a translator of the network": ["64:ff9b:1::1"],
    "metadata of a cloud": ["169.254.169.254"],
    "the local network": ["192.168.1.1"],
    "a container": ["172.17.0.2"],
    "carriers' own": ["100.64.0.1"],
    "everybody": ["255.255.255.255"],
    "anybody": ["0.0.0.0"],
    "a group": ["224.0.0.1"],
    "a local one, version 6": ["fe80::1%eth0"],
    "a unique local one": ["fd00::1"],
    "a site": ["fec0::1"],
    "no address at all": ["pypi.org"],
}


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outside]:
    database = Database.open(tmp_path_factory.mktemp("state"))
    async with outside(database) as out:
        yield out
    database.close()


@pytest.fixture
def out(shared: Outside) -> Iterator[Outside]:
    """The way out, with nothing looked up yet."""
    net, names = shared.net, dict(shared.net.names)
    net.looked_up.clear()
    net.dialled.clear()
    yield shared
    net.names = names


@pytest.mark.parametrize(("target", "refused"), TARGETS.values(), ids=TARGETS.keys())
async def test_only_an_allowed_host_at_its_port_is_dialled(
    out: Outside, target: str, refused: No
) -> None:
    run = await out.run()
    with pytest.raises(ConnectionRefusedError, match=f"403 .*{refused}"):
        await out.get(run, OTHER, target=target)
    assert (out.net.looked_up, out.net.dialled) == ([], [])
    shown = target.removesuffix(":443") if refused is No.NOT_ALLOWED else target
    assert await out.refusals(run) == [(shown, refused)]


@pytest.mark.parametrize(("head", "refused"), REQUESTS.values(), ids=REQUESTS.keys())
async def test_only_connect_is_served(out: Outside, head: str, refused: No) -> None:
    run = await out.run()
    answer = await out.say(run, head.encode() + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 405 " if refused is No.NOT_CONNECT else b"HTTP/1.1 403 ")
    assert (out.net.looked_up, out.net.dialled) == ([], [])
    assert [why for _host, why in await out.refusals(run)] == [refused]


@pytest.mark.parametrize("addresses", PLACES.values(), ids=PLACES.keys())
async def test_an_allowed_name_that_leads_elsewhere_is_not_dialled(
    out: Outside, addresses: list[str]
) -> None:
    run = await out.run()
    out.net.names[GOOD] = addresses
    with pytest.raises(ConnectionRefusedError, match=No.NOT_PUBLIC):
        await out.get(run, GOOD)
    assert out.net.dialled == []


async def test_a_name_that_changes_between_two_looks_is_looked_at_once(out: Outside) -> None:
    run = await out.run()
    answers = [["127.0.0.1"], out.net.names[GOOD]]
    real = out.net.names[GOOD]

    class Rebinding(dict[str, list[str]]):
        def __getitem__(self, name: str) -> list[str]:
            return answers.pop()

        def __contains__(self, name: object) -> bool:
            return True

    out.net.names = Rebinding()
    await out.get(run, GOOD)
    assert (out.net.dialled, answers) == ([(real[0], 443)], [["127.0.0.1"]])
