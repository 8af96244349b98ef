"""A program in a container of its own: its lines, its input, its end."""

import asyncio
import calendar
import math
import time
from collections.abc import AsyncGenerator, Iterator
from functools import partial
from typing import Any

import msgspec

from sandboxes.docker_engine import BROKEN, Engine, Gone, Taken, Wire
from sandboxes.lines import STDERR_TAIL, exit_of, tail_of, text_of
from sandboxes.spec import MAX_LINE, Exit, Line

_STAMP = len("2006-01-02T15:04:05.000000000Z")
_WAIT = 2.0
"""Seconds one request waits for the end; short, so that a closing supervisor is not held up."""


class Box:
    """A `Process` that is a container."""

    def __init__(self, engine: Engine, name: str, side: str = "") -> None:
        """`side`: the container in whose network it is."""
        self._engine = engine
        self._name = name
        self._side = side
        self._sending = asyncio.Lock()
        self._input: Wire | None = None

    async def lines(self) -> AsyncGenerator[Line, None]:
        last = 0
        while True:
            # Asked before reading: a reading that began after the end is complete.
            ended = not await self._runs()
            async for line in self._read(ended=ended):
                if line.pos > last:
                    last = line.pos
                    yield line
            if ended:
                return

    async def send(self, line: str) -> None:
        data = line.encode() + b"\n"
        async with self._sending:
            # A connection from before the engine was restarted breaks once; the next one is new.
            if not await self._write(data):
                await self._write(data)

    async def wait(self) -> Exit:
        try:
            state = await self.end()
            stderr = await self._stderr()
            left = await self._was_left(state)
        except Gone:
            return Exit(code=None, reason="lost")
        finally:
            self._let_go()
        ended = exit_of(state["ExitCode"], stderr, starved=state["OOMKilled"])
        return msgspec.structs.replace(ended, reason="lost") if left else ended

    async def _was_left(self, state: dict[str, Any]) -> bool:
        """Whether its side died before it did. One that was started anew has another network."""
        if not self._side:
            return False
        found = await self._engine.call(
            f"look at {self._side}", lambda api: api.inspect_container(self._side)
        )
        began = nanoseconds(found["State"]["StartedAt"])
        return not found["State"]["Running"] or began > nanoseconds(state["StartedAt"])

    async def end(self) -> dict[str, Any]:
        """Wait until it has ended; the engine's account of it. Raises `Gone` when there is none."""
        while not await self._engine.call(f"wait for {self._name}", self._wait_a_while):
            pass
        found = await self._engine.call(
            f"look at {self._name}", lambda api: api.inspect_container(self._name)
        )
        return dict(found["State"])

    async def stop(self, grace: float = 10.0) -> None:
        seconds = math.ceil(grace)
        try:
            await self._engine.call(
                f"stop {self._name}", lambda api: api.stop(self._name, timeout=seconds)
            )
        except Gone:
            return
        finally:
            self._let_go()

    async def _runs(self) -> bool:
        try:
            found = await self._engine.call(
                f"look at {self._name}", lambda api: api.inspect_container(self._name)
            )
        except Gone:
            return False
        return bool(found["State"]["Running"])

    async def _read(self, *, ended: bool) -> AsyncGenerator[Line, None]:
        assembled = Assembler()
        try:
            async for entry in self._engine.stream(f"read {self._name}", self._follow):
                for line in assembled.feed(entry):
                    yield line
        except Gone:
            return
        if ended:
            for line in assembled.end():
                yield line

    def _follow(self, api: Any) -> Any:
        return api.logs(
            self._name, stdout=True, stderr=False, stream=True, follow=True, timestamps=True
        )

    def _wait_a_while(self, api: Any) -> bool:
        try:
            api.wait(self._name, timeout=_WAIT)
        except BROKEN as error:
            if "timed out" not in str(error).lower():
                raise
            return False
        return True

    async def _stderr(self) -> str:
        kept = bytearray()
        stream = self._engine.stream(
            f"read {self._name}",
            lambda api: api.logs(
                self._name, stdout=False, stderr=True, stream=True, follow=False, tail=200
            ),
        )
        async for piece in stream:
            kept += piece
            del kept[:-STDERR_TAIL]
        return tail_of(bytes(kept))

    async def _write(self, data: bytes) -> bool:
        """Whether it was written, or nobody is there to read it."""
        try:
            self._input = self._input or await self._attach()
            await self._engine.thread(partial(self._input.write, data))
        except (Gone, Taken):
            return True
        except BROKEN:
            self._let_go()
            return False
        return True

    async def _attach(self) -> Wire:
        return await self._engine.wire(
            f"attach to {self._name}",
            lambda api: api.attach_socket(self._name, params={"stdin": 1, "stream": 1}),
        )

    def _let_go(self) -> None:
        if self._input is not None:
            self._engine.let_go(self._input)
            self._input = None


class Assembler:
    """Entries of the engine's log in, lines out.

    The engine cuts long lines into entries of 16 kB; an entry without an end of line goes on in the next.
    A line's position is its first entry's time in nanoseconds, pushed up where the clock did not advance.
    """

    def __init__(self) -> None:
        self._kept = bytearray()
        self._stamp = 0
        self._last = 0

    def feed(self, entry: bytes) -> Iterator[Line]:
        """The line that this entry completes, if any."""
        stamp, text = entry[:_STAMP], entry[_STAMP + 1 :]
        self._stamp = self._stamp or nanoseconds(stamp.decode())
        self._kept += text[: 4 * MAX_LINE - len(self._kept)]
        if text.endswith(b"\n"):
            yield self._cut()

    def end(self) -> Iterator[Line]:
        """The last line, when the program ended without an end of line."""
        if self._stamp:
            yield self._cut()

    def _cut(self) -> Line:
        self._last = max(self._last + 1, self._stamp)
        line = Line(pos=self._last, text=text_of(bytes(self._kept).removesuffix(b"\n")))
        self._kept.clear()
        self._stamp = 0
        return line


def nanoseconds(stamp: str) -> int:
    """Nanoseconds since 1970 of the engine's own way to write a time."""
    seconds, _, fraction = stamp.removesuffix("Z").partition(".")
    return calendar.timegm(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(fraction)


def seconds(stamp: str) -> float | None:
    """Seconds since 1970; None for the engine's way to write `never`."""
    return None if stamp.startswith("0001-") else nanoseconds(stamp) / 10**9
