"""What the gateway adds to first byte and throughput, against asking the scripted endpoint directly.

The client is a process of its own, as an agent is: in one process it would wait for the ledger's threads.
"""

import asyncio
import json
import resource
import statistics
import sys
import time

import aiohttp

from tests.support.model_endpoint import MESSAGES, REAL_KEY, RUN_KEY, ask, bench

NAME = "gateway"
_ROUNDS = 200
_PARALLEL = 16
_LONG = "[[usage input=20 output=10 text='" + "word " * 2000 + "']]"


def measure() -> list[tuple[str, float, str]]:
    """Rows of (what, value, unit)."""
    return asyncio.run(_measure())


async def _measure() -> list[tuple[str, float, str]]:
    async with bench(budget=10**9, calls_per_minute=10**6) as b:
        client = await asyncio.create_subprocess_exec(
            sys.executable, "-m", __spec__.name, str(b.socket), b.endpoint.url,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await client.communicate()
    rows = [(str(what), float(value), str(unit)) for what, value, unit in json.loads(output)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [*rows, ("memory of gateway, ledger and endpoint together", memory, "MiB")]


async def _client(socket: str, endpoint: str) -> list[tuple[str, float, str]]:
    connector = aiohttp.UnixConnector(socket, limit=0)
    async with (
        aiohttp.ClientSession(connector=connector) as through,
        aiohttp.ClientSession() as direct,
    ):
        ways = {
            "direct": (direct, f"{endpoint}/v1/messages"),
            "through": (through, f"http://gateway{MESSAGES}"),
        }
        return [*await _first_bytes(ways), *await _streams(ways)]


_Ways = dict[str, tuple[aiohttp.ClientSession, str]]


async def _first_bytes(ways: _Ways) -> list[tuple[str, float, str]]:
    """Interleaved, so that both see the same machine."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(_ROUNDS):
        for way, (session, url) in ways.items():
            seconds[way].append(await _call(session, url))
    direct, through = (statistics.median(seconds[way]) for way in ("direct", "through"))
    return [
        ("first byte, through/direct", through / direct, "x"),
        ("first byte, added", (through - direct) * 1000, "ms"),
    ]


async def _streams(ways: _Ways) -> list[tuple[str, float, str]]:
    """Streams of about 420 events, several at a time."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(3):
        for way, (session, url) in ways.items():
            began = time.perf_counter()
            await asyncio.gather(*(_call(session, url, _LONG) for _ in range(_PARALLEL)))
            seconds[way].append(time.perf_counter() - began)
    ratio = statistics.median(seconds["through"]) / statistics.median(seconds["direct"])
    return [(f"{_PARALLEL} long streams at once, through/direct", ratio, "x")]


async def _call(session: aiohttp.ClientSession, url: str, text: str = "hi") -> float:
    """Seconds to the first byte of the body; the rest is read as well."""
    key = RUN_KEY if url.startswith("http://gateway") else REAL_KEY
    began = time.perf_counter()
    headers = {"authorization": f"Bearer {key}"}
    async with session.post(url, json=ask(text), headers=headers) as response:
        response.raise_for_status()
        await response.content.readany()
        first = time.perf_counter() - began
        async for _ in response.content.iter_any():
            pass
    return first


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_client(sys.argv[1], sys.argv[2]))))
