"""A program as a detached process of this host, started exactly once and attached to ever after.

The keeper (`sandboxes.keep`) starts it and writes down what happens; this side only reads the directory, so any
number of supervisors, one after another, see the same program.
"""

import asyncio
import contextlib
import errno
import json
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sandboxes import keep
from sandboxes.errors import SandboxFailed
from sandboxes.lines import STDERR_TAIL, LineCutter, exit_of, tail_of
from sandboxes.spec import Exit, Line

POLL = 0.05
"""Seconds between two looks; there is no event to wait for across processes."""
LOST_POLL = 1.0
"""Seconds between two looks whether it was lost with its keeper; else its keeper writes down how it ended."""
_CHUNK = 64 * 1024


class Detached:
    """A `Process` described by its directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._sending = asyncio.Lock()

    async def lines(self) -> AsyncGenerator[Line, None]:
        cutter, watch = LineCutter(), self._watch()
        with (self._directory / "out").open("rb") as out:
            while True:
                # Asked before reading: what is read after the end is complete.
                ended = watch() is not None
                while data := out.read(_CHUNK):
                    for line in cutter.feed(data):
                        yield line
                if ended:
                    break
                await asyncio.sleep(POLL)
        for line in cutter.end():
            yield line

    async def send(self, line: str) -> None:
        async with self._sending:
            await self._write(line.encode() + b"\n")

    async def wait(self) -> Exit:
        watch = self._watch()
        while (ended := watch()) is None:
            await asyncio.sleep(POLL)
        return ended

    async def stop(self, grace: float = 10.0) -> None:
        while self.ended() is None and self._read("pid") is None:
            await asyncio.sleep(POLL)  # claimed, and about to start
        await self._ask_to_end()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self.wait()
        while self.ended() is None:
            self._signal(signal.SIGKILL)
            await asyncio.sleep(POLL)

    async def pause(self) -> None:
        """Halt it with all it started. Safe to repeat."""
        halted: set[int] = set()
        # What is not halted yet may start more meanwhile.
        while fresh := set(await self._family()) - halted:
            for pid in fresh:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            halted |= fresh

    async def go_on(self) -> None:
        for pid in reversed(await self._family()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    async def _family(self) -> list[int]:
        """The program and all it started, each after what started it, while it runs."""
        mark = self._read("pid")
        return await family(mark["pid"]) if mark is not None and keep.lives(mark) else []

    def ended(self) -> Exit | None:
        """How it ended; None while it runs."""
        status = self._read("status")
        if status is None and not self._runs():
            # It may have ended between the two looks.
            status = self._read("status")
            if status is None:
                return Exit(code=None, reason="lost", stderr=self._stderr())
        return None if status is None else exit_of(status["code"], self._stderr())

    def _watch(self) -> Callable[[], Exit | None]:
        """`ended`, to be asked often: whether it was lost is looked up only now and then."""
        status, due = self._directory / "status", 0.0

        def ended() -> Exit | None:
            nonlocal due
            if time.monotonic() < due and not status.exists():
                return None
            due = time.monotonic() + LOST_POLL
            return self.ended()

        return ended

    def _runs(self) -> bool:
        marks = [self._read("claim"), self._read("pid")]
        return any(keep.lives(mark) for mark in marks if mark is not None)

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            return dict(json.loads((self._directory / name).read_text()))
        except FileNotFoundError:
            return None

    def _stderr(self) -> str:
        try:
            with (self._directory / "err").open("rb") as err:
                err.seek(max(0, err.seek(0, os.SEEK_END) - STDERR_TAIL))
                return tail_of(err.read())
        except FileNotFoundError:
            return ""

    async def _ask_to_end(self) -> None:
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        mark = self._read("pid")
        if mark is not None and keep.lives(mark):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(mark["pid"], number)

    async def _write(self, data: bytes) -> None:
        pipe = await self._input()
        if pipe is None:
            return
        try:
            while data and self.ended() is None:
                try:
                    data = data[os.write(pipe, data) :]
                except BlockingIOError:
                    await asyncio.sleep(POLL)
                except BrokenPipeError:
                    return
        finally:
            os.close(pipe)

    async def _input(self) -> int | None:
        """Its standard input, open for writing; None when it has none, or nobody reads it any more."""
        while True:
            begun = self._read("pid") is not None
            try:
                return os.open(self._directory / "stdin", os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO or begun or self.ended() is not None:
                    return None
            await asyncio.sleep(POLL)  # claimed, and about to be opened by its keeper


async def family(pid: int) -> list[int]:
    """That process and all below it: each after its parent, the older of brothers first."""
    asked = await asyncio.create_subprocess_exec(
        *("ps", "-A", "-o", "pid=,ppid="), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asked.communicate()
    children: dict[int, list[int]] = {}
    for line in said.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found = [pid]
    for each in found:
        found += sorted(children.get(each, ()))
    return found


def find(directory: Path, kind: type[Detached] = Detached) -> Detached | None:
    """The program of that directory, if it was ever started."""
    return kind(directory) if (directory / "claim").exists() else None


async def ensure(
    directory: Path,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    interactive: bool = False,
    kind: type[Detached] = Detached,
) -> Detached:
    """Start the program, or attach to it if it was ever started in that directory."""
    found = find(directory, kind)
    if found is not None:
        return found
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("out", "err"):
        (directory / name).touch(mode=0o600)
    if interactive:
        with contextlib.suppress(FileExistsError):
            os.mkfifo(directory / "stdin", 0o600)
    wanted = {"argv": list(argv), "env": dict(env), "cwd": str(cwd)}
    keep.put(directory / "program.json", wanted)
    await _launch(directory, env)
    return kind(directory)


async def _launch(directory: Path, env: Mapping[str, str]) -> None:
    # The keeper gets the program's environment, not the supervisor's: any process of this user can read it.
    keeper = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        keep.__file__,
        str(directory),
        env=dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, stderr = await keeper.communicate()
    if keeper.returncode != 0:
        raise SandboxFailed(
            f"The program in {directory} could not be started: {tail_of(stderr).strip()}"
        )
