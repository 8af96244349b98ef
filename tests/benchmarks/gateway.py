"""What the gateway adds to the first byte and takes of the throughput, with metering, reservation and ledger on.

Provider, gateway and client are processes of their own. Every round goes through all ways in turn, so that each
number stands beside its floor of the same minute. With SWARM_BENCH_OTHER=NAME=URL another proxy that passes
Anthropic Messages on is measured beside them; its provider is the address printed on standard error.
"""

import asyncio
import json
import os
import resource
import statistics
import sys
import time
from contextlib import AsyncExitStack
from typing import Any

import aiohttp

from app.gateway.settings import Upstream
from tests.support.model_endpoint import MESSAGES, RUN_KEY, ask, bench

NAME = "gateway"
_FIRST = 300
_SECONDS = 2.0
_ROUNDS = 3
_CLIENTS = (1, 16, 100)
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
        there = Upstream(name="stub", url=url, timeout=60)
        limits: dict[str, Any] = {"connections": 256, "calls_at_once": 256}
        async with bench(budget=10**14, upstreams=(there,), calls_per_minute=10**9, **limits) as b:
            ways = {"direct": f"{url}/v1/messages", "gateway": f"unix:{b.socket}"}
            name, _, address = os.environ.get("SWARM_BENCH_OTHER", "").partition("=")
            if address:
                sys.stderr.write(f"provider for {name}: {url}\n")
                ways[name] = address
            rows = await _client(ways)
    finally:
        stub.terminate()
        await stub.wait()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [*rows, ("memory of gateway and ledger", memory, "MiB")]


async def _client(ways: dict[str, str]) -> list[Row]:
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __spec__.name, json.dumps(ways), stdout=asyncio.subprocess.PIPE
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


def _at(numbers: list[float], share: float) -> float:
    return sorted(numbers)[min(len(numbers) - 1, int(len(numbers) * share))]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_main(json.loads(sys.argv[1])))))
