"""A supervisor that only answers what the screen asks: a hundred tasks, a diff of any length, events at any rate.

Usage: python -m tests.benchmarks.screen_stub STATE LINES EVENTS_PER_SECOND
"""

import asyncio
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from app import wire
from app.api.server import Server, bind, own_directory
from app.api.stream import server_sent
from app.config import paths
from app.domain.events import Event, Spent
from app.domain.ids import RunId
from app.domain.run import RunState
from harnesses import events as agent
from tests.support.fleet import RecordedSwarm, Recording, row

TASKS = 100
AGENTS = 50
BATCHES = 50
"""Times a second that events are sent."""
FILE, HUNK = 1000, 50
CHANGED = (
    "-    def total_{}(self, rows: list[Row]) -> float:",
    '-        """What the rows of {} cost."""',
    "-        found = [{}.price for each in rows if each.kind == 'paid']",
    '-        log.info("{} has %d rows", len(found))',
    "-        return sum(found) if found else {}  # nothing was sold",
    "+    def total_{}(self, rows: Sequence[Row], *, limit: int = 500) -> Decimal:",
    '+        """What the first `limit` rows of {} cost. Raises `KeyError`."""',
    "+        found = [{}.price * each.count for each in rows[:limit] if each.kind in PAID]",
    '+        log.debug("{} has %d rows of %d", len(found), len(rows))',
    "+        return sum(found, Decimal(0)) if found else {}  # nothing was sold yet",
)
"""Lines of a method before and after a change, one for each number in turn."""


def diff_of(lines: int) -> bytes:
    """That many changed lines of Python, each with its number: `FILE` in a file, `HUNK` below each heading."""
    parts = []
    for first in range(0, lines, HUNK):
        if first % FILE == 0:
            name = f"src/shop/part{first // FILE:04}.py"
            parts.append(f"diff --git a/{name} b/{name}\n--- a/{name}\n+++ b/{name}\n")
        begin, count = first % FILE // 2 + 1, min(HUNK, lines - first)
        parts.append(f"@@ -{begin},{count // 2} +{begin},{count // 2} @@ class Shop:\n")
        for number in range(first, first + count):
            parts.append(CHANGED[number % len(CHANGED)].format(f"row{number:07}") + "\n")
    return "".join(parts).encode()


def recording(lines: int) -> Recording:
    rows = [
        row(f"b{number:03}x", f"task number {number}", RunState.WORKING, lines=(lines, 0, 1))
        for number in range(TASKS)
    ]
    return Recording(rows=rows, diffs={each.run.id: diff_of(lines) for each in rows[:1]} | {
        each.run.id: b"" for each in rows[1:]
    })  # fmt: skip


async def happening(rate: int, runs: list[RunId]) -> AsyncIterator[Event | int]:
    """Caught up at once; then so many events a second, of all agents in turn."""
    yield 0
    numbers, whose = itertools.count(1), itertools.cycle(runs)
    while rate:
        await asyncio.sleep(1 / BATCHES)
        for _ in range(rate // BATCHES):
            number, run = next(numbers), next(whose)
            body: agent.MessageChunk | agent.ToolCall | Spent
            match number % 3:
                case 0:
                    body = agent.ToolCall(f"t{number}", f"Bash: make step-{number}", "execute")
                case 1:
                    body = agent.MessageChunk(f"I am at {number}. ", f"m{number % 40}")
                case _:
                    body = Spent(10, number, "claude-sonnet-4-5", 100, 10, 0, 0)
            yield Event(seq=number, run=run, at=time.time(), body=body)
    await asyncio.Event().wait()


def app(lines: int, rate: int) -> Starlette:
    """The few routes that the board, the detail and the diff use."""
    known = RecordedSwarm(recording(lines))
    runs = [each.run.id for each in known.recording.rows[:AGENTS]]
    here = {"version": "0", "protocol": wire.PROTOCOL, "pid": os.getpid(), "state_dir": ""}
    hello = {**here, "started": 0.0, "host": "stub", "sandbox": "docker", "isolation": "container"}
    fixed = {"hello": hello, "approvals": (), "screen": wire.Look()}
    about = {"why": known.why, "network": known.network}

    async def says(request: Request) -> Response:
        run, what = request.path_params.get("run", ""), request.url.path.rpartition("/")[2]
        if what == "diff":
            return Response(await known.diff(run), media_type="text/x-diff")
        if what == "runs":
            return _json(await known.board())
        return _json(fixed[what] if what in fixed else await about.get(what, known.detail)(run))

    async def events(request: Request) -> Response:
        live = request.query_params.get("follow") != "0"
        stream = happening(rate, runs) if live else _past()
        return StreamingResponse(server_sent(stream), media_type="text/event-stream")

    asked = ("hello", "runs", "runs/{run}", "runs/{run}/{what}", "approvals", "screen")
    routes = [Route(f"/v1/{path}", says) for path in asked]
    return Starlette(routes=[*routes, Route("/v1/events", events)])


async def _past() -> AsyncIterator[Event | int]:
    yield 0


def _json(value: object) -> Response:
    return Response(wire.encode(value), media_type="application/json")


async def _serve(state: Path, lines: int, rate: int) -> None:
    socket = paths.api_socket(state)
    own_directory(socket.parent)
    server = Server(app(lines, rate), bind(socket))
    server.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
