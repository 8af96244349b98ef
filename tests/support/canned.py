"""A supervisor that only knows prepared answers, on a real unix socket, to test the command line's own part."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app import wire
from app.config import paths
from app.domain.errors import SwarmError
from app.domain.events import Event


@dataclass
class Asked:
    """A request as it came in."""

    method: str
    target: str
    body: bytes


@dataclass
class Canned:
    """Answers by method and path; a callable is called first, and may add events."""

    state: Path
    answers: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    cuts: int = 0
    """So many event streams are cut after their first event."""

    def on(self, route: str, answer: object | Callable[[], object]) -> None:
        """`GET /v1/runs` is answered by this value, error, bytes, or what the callable gives."""
        self.answers[route] = answer

    def sent(self, route: str) -> list[bytes]:
        """Bodies of the requests to that route."""
        return [a.body for a in self.asked if f"{a.method} {a.target.partition('?')[0]}" == route]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split(" ", 2)
        length = next(
            int(line.partition(":")[2])
            for line in head.splitlines()
            if line.lower().startswith("content-length:")
        )
        request = Asked(method, target, await reader.readexactly(length))
        self.asked.append(request)
        try:
            if target.startswith("/v1/events"):
                await self._stream(target, writer)
            else:
                writer.write(_reply(self._answer(request)))
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def _answer(self, request: Asked) -> object:
        answer = self.answers.get(f"{request.method} {request.target.partition('?')[0]}")
        if callable(answer) and not isinstance(answer, type):
            answer = answer()
        if answer is None:
            return SwarmError(f"no answer was prepared for {request.method} {request.target}")
        return answer

    async def _stream(self, target: str, writer: asyncio.StreamWriter) -> None:
        """All events after `since`, `caught-up`, and then whatever is added, until the reader leaves."""
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        query = dict(part.split("=") for part in target.partition("?")[2].split("&") if part)
        since = int(query.get("since", 0))
        told = False
        while not writer.is_closing():
            for event in [e for e in self.events if e.seq > since]:
                since = event.seq
                writer.write(b"id: %d\ndata: %s\n\n" % (since, wire.encode(event)))
                if self.cuts:
                    self.cuts -= 1
                    return
            if not told:
                writer.write(b"event: caught-up\nid: %d\n\n" % since)
                told = True
            await writer.drain()
            if query.get("follow") == "0":
                return
            await asyncio.sleep(0.01)


def _reply(answer: object) -> bytes:
    status, body = 200, answer
    if isinstance(answer, SwarmError):
        status = 409
        body = wire.Problem(kind=answer.kind, message=answer.message, hint=answer.hint)
    data = body if isinstance(body, bytes) else wire.encode(body)
    return b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n" % (status, len(data)) + data


@contextmanager
def canned(state: Path) -> Iterator[Canned]:
    """Serve in a thread while the block runs, where clients of `state` look for their supervisor."""
    supervisor = Canned(state)
    hello = wire.Hello(
        version="0", protocol=wire.PROTOCOL, pid=os.getpid(), state_dir=str(state), started=0.0,
        host="here", sandbox="memory",
    )  # fmt: skip
    supervisor.on("GET /v1/hello", hello)
    ready, done = threading.Event(), threading.Event()
    socket = paths.api_socket(state)

    async def main() -> None:
        socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        async with await asyncio.start_unix_server(supervisor.serve, socket):
            ready.set()
            while not done.is_set():
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=lambda: asyncio.run(main()), name="canned supervisor")
    thread.start()
    try:
        assert ready.wait(10)
        yield supervisor
    finally:
        done.set()
        thread.join(10)
        socket.unlink(missing_ok=True)
        socket.parent.rmdir()
