"""What the gateway adds to the first byte and takes of the throughput, with metering, reservation and ledger on.

Provider, gateway and client are processes of their own. Every round goes through all ways in turn: direct, through
the gateway, and through the LiteLLM proxy, which is installed for this and removed again (`SWARM_BENCH_LITELLM=0`
leaves it out). So each number stands beside its floor of the same minute.
"""

import asyncio
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp

from app.domain.budget import Claim
from app.domain.ids import RunId
from app.domain.money import Charge, Micros
from app.gateway.settings import Upstream
from app.store.database import Database
from app.supervisor.money import StoreLedger
from tests.benchmarks.litellm_proxy import Proxy, litellm_proxy
from tests.support.home import answering, home_at, supervisor_process
from tests.support.model_endpoint import MESSAGES, MODEL, RUN_KEY, Bench, add_run, ask, bench

NAME = "gateway"
_FIRST = 300
_SECONDS = 2.0
_ROUNDS = 3
_CLIENTS = (1, 16, 100)
_OPEN = 50
_PROMPT = "some words of a prompt " * 90

Row = tuple[str, float, str]


def measure() -> list[Row]:
    """Rows of (what, value, unit)."""
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    stub = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.stub", stdout=asyncio.subprocess.PIPE
    )
    assert stub.stdout is not None
    try:
        url = (await stub.stdout.readline()).decode().strip()
        return [*await _ready(), *await _pairs(), *await _beside(url)]
    finally:
        stub.terminate()
        await stub.wait()


async def _beside(url: str) -> list[Row]:
    there = Upstream(name="stub", url=url, timeout=60)
    hangs = Upstream(name="hang", url=f"{url}/hang", timeout=60)
    limits: dict[str, Any] = {"connections": 256, "calls_at_once": 256, "calls_per_minute": 10**9}
    async with AsyncExitStack() as stack:
        b = await stack.enter_async_context(
            bench(budget=10**14, upstreams=(there, hangs), **limits)
        )
        ways = {"direct": f"{url}/v1/messages", "gateway": f"unix:{b.socket}"}
        rows = await _open_streams(b)
        other: Proxy | str = "left out"
        if os.environ.get("SWARM_BENCH_LITELLM") != "0":
            other = await stack.enter_async_context(litellm_proxy(url))
            if isinstance(other, Proxy):
                ways[f"LiteLLM {other.version}"] = other.url
                rows += [("LiteLLM ready, started again", other.ready, "s")]
            else:
                sys.stderr.write(f"NOT COMPARED with LiteLLM: {other}\n")
        rows += await _client(json.dumps(ways))
        if isinstance(other, Proxy):
            rows += [("memory of LiteLLM after that", _memory(other.pid), "MiB")]
    return [*rows, ("memory of gateway and ledger after that", _memory(os.getpid()), "MiB")]


async def _ready() -> list[Row]:
    """A supervisor from nothing to its first answer, and a run's socket from there."""
    with tempfile.TemporaryDirectory() as root, home_at(Path(root)) as home:
        home.configure({"sandbox": {"driver": "memory"}})
        seconds = []
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            async with supervisor_process(home):
                await answering(home)
                seconds.append(time.perf_counter() - began)
    async with bench() as b:
        began = time.perf_counter()
        await b.gateway.open(RunId("other.1"), b.socket.parent.parent / "o/gateway.sock", RUN_KEY)
        took = time.perf_counter() - began
    return [
        ("supervisor ready, gateway included", statistics.median(seconds), "s"),
        ("a run's gateway ready", took * 1000, "ms"),
    ]


async def _pairs() -> list[Row]:
    """Reservations and their settlements in the ledger, one after another and side by side."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        database = Database.open(Path(name))
        run = RunId("abcde.1")
        await database.write(add_run, run, 10**14)
        ledger = StoreLedger(database)
        charge = Charge(micros=Micros(100), model=MODEL, input=500, output=120)
        claim = Claim(micros=Micros(20_000), tokens=9000, output=8192)

        async def work(client: int, until: float) -> int:
            done = 0
            while time.perf_counter() < until:
                hold = f"{client}-{until}-{done}"
                await ledger.reserve(run, hold, lambda _: claim, model=MODEL, lane="")
                await ledger.settle(hold, charge)
                done += 1
            return done

        for clients in (1, 16):
            until = time.perf_counter() + _SECONDS
            done = await asyncio.gather(*(work(client, until) for client in range(clients)))
            rows.append((f"reserve and settle, {clients} at once", sum(done) / _SECONDS, "/s"))
        database.close()
    return rows


async def _open_streams(b: Bench) -> list[Row]:
    """What streams take that are open and say nothing."""
    await b.post(ask(_PROMPT))
    gc.collect()
    idle = _memory(os.getpid())
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __spec__.name, "--open", str(b.socket)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert client.stdout is not None
    assert await client.stdout.readline() == b"open\n"
    busy = _memory(os.getpid())
    # Without something to send, its input would stay open.
    await client.communicate(b"")
    while b.gateway._lines.of(RunId("abcde.1")).slots._value < 256:
        await asyncio.sleep(0.01)
    return [(f"memory for {_OPEN} open streams, above idle", busy - idle, "MiB")]


def _memory(pid: int) -> float:
    """Proportional set size of a process and its children, in MiB."""
    total = 0.0
    for each in [pid, *_children(pid)]:
        text = Path(f"/proc/{each}/smaps_rollup").read_text()
        found = (line for line in text.splitlines() if line.startswith("Pss:"))
        total += int(next(found).split()[1]) / 1024
    return total


def _children(pid: int) -> list[int]:
    """Those that serve with it; not what this benchmark itself has started."""
    if pid == os.getpid():
        return []
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


async def _client(ways: str) -> list[Row]:
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __spec__.name, ways, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await client.communicate()
    return [(str(what), float(value), str(unit)) for what, value, unit in json.loads(output)]


class _Way:
    """One address, asked over connections that are kept."""

    def __init__(self, address: str) -> None:
        is_socket = address.startswith("unix:")
        self.connector: aiohttp.BaseConnector = (
            aiohttp.UnixConnector(address.removeprefix("unix:"), limit=0)
            if is_socket
            else aiohttp.TCPConnector(limit=0)
        )
        self.url = f"http://gateway{MESSAGES}" if is_socket else address
        self.session = aiohttp.ClientSession(connector=self.connector)

    async def call(self) -> float:
        """Seconds to the first byte of the body; the rest is read as well."""
        began = time.perf_counter()
        headers = {"authorization": f"Bearer {RUN_KEY}"}
        async with self.session.post(self.url, json=ask(_PROMPT), headers=headers) as response:
            response.raise_for_status()
            await response.content.readany()
            first = time.perf_counter() - began
            async for _ in response.content.iter_any():
                pass
        return first


async def _main(addresses: dict[str, str]) -> list[Row]:
    async with AsyncExitStack() as stack:
        ways = {name: _Way(address) for name, address in addresses.items()}
        for way in ways.values():
            await stack.enter_async_context(way.session)
        return [*await _first_bytes(ways), *[r for n in _CLIENTS for r in await _streams(ways, n)]]


async def _first_bytes(ways: dict[str, _Way]) -> list[Row]:
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_FIRST):
        for name, way in ways.items():
            seconds[name].append(await way.call())
    rows = []
    for name in list(ways)[1:]:
        for what, pick in (("p50", 0.5), ("p99", 0.99)):
            added = _at(seconds[name], pick) - _at(seconds["direct"], pick)
            rows.append((f"first byte, added by the {name}, {what}", added * 1000, "ms"))
    return rows


async def _streams(ways: dict[str, _Way], clients: int) -> list[Row]:
    """Streams a second, and the first byte under that load."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    firsts: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_ROUNDS):
        for name, way in ways.items():
            until = time.perf_counter() + _SECONDS
            done = await asyncio.gather(*(_until(way, until) for _ in range(clients)))
            rates[name].append(sum(map(len, done)) / _SECONDS)
            firsts[name] += [second for each in done for second in each]
    rows = []
    for name in ways:
        rows.append((f"streams, {clients} clients, {name}", statistics.median(rates[name]), "/s"))
        rows.append(
            (f"first byte p99, {clients} clients, {name}", _at(firsts[name], 0.99) * 1000, "ms")
        )
    return rows


async def _until(way: _Way, moment: float) -> list[float]:
    done = []
    while time.perf_counter() < moment:
        done.append(await way.call())
    return done


async def _hold_open(socket: str) -> None:
    """Open streams that say nothing more, until the other side has looked."""
    connector = aiohttp.UnixConnector(socket, limit=0)
    headers = {"authorization": f"Bearer {RUN_KEY}"}
    body = ask(_PROMPT) | {"model": f"hang/{MODEL}"}
    async with aiohttp.ClientSession(connector=connector) as session:
        posts = [
            session.post(f"http://g{MESSAGES}", json=body, headers=headers) for _ in range(_OPEN)
        ]
        for response in await asyncio.gather(*posts):
            response.raise_for_status()
            await response.content.readany()
        sys.stdout.write("open\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


def _at(numbers: list[float], share: float) -> float:
    return sorted(numbers)[min(len(numbers) - 1, int(len(numbers) * share))]


if __name__ == "__main__":
    if sys.argv[1] == "--open":
        asyncio.run(_hold_open(sys.argv[2]))
    else:
        sys.stdout.write(json.dumps(asyncio.run(_main(json.loads(sys.argv[1])))))
