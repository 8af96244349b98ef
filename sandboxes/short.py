"""Short trusted programs on this host: run to the end, within a time and an amount of output."""

import asyncio
import contextlib
import fcntl
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from sandboxes.errors import SandboxFailed
from sandboxes.lines import STDERR_TAIL, tail_of
from sandboxes.spec import Completed

TIMED_OUT = 124
OUTPUT_LIMIT = 64 * 1024**2
_CHUNK = 64 * 1024


async def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: bytes = b"",
    timeout: float,
    limit: int = OUTPUT_LIMIT,
    held: int | None = None,
) -> Completed:
    """Run it; past `timeout` its whole process group is killed. `held` is a file it keeps open until its end."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=cwd,
        env=dict(env),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        pass_fds=() if held is None else (held,),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = Kept(head=limit), Kept(tail=STDERR_TAIL)
    readers = asyncio.gather(
        out.take(process.stdout), err.take(process.stderr), _feed(process, stdin)
    )
    code = await _end(process, timeout)
    # A daemon it left behind may hold the pipes; what it would still say is not waited for.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1.0):
            await readers
    return Completed(
        code=code, stdout=bytes(out.data), stderr=tail_of(bytes(err.data)), truncated=out.lost
    )


class Kept:
    """The first or the last bytes of a stream."""

    def __init__(self, *, head: int | None = None, tail: int = 0) -> None:
        self.data = bytearray()
        self.lost = False
        self._head = head
        self._tail = tail

    def add(self, piece: bytes) -> None:
        room = len(piece) if self._head is None else self._head - len(self.data)
        self.lost = self.lost or len(piece) > room
        self.data += piece[:room]
        if self._tail:
            del self.data[: -self._tail]

    async def take(self, stream: asyncio.StreamReader) -> None:
        while piece := await stream.read(_CHUNK):
            self.add(piece)


async def _feed(process: asyncio.subprocess.Process, stdin: bytes) -> None:
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(stdin)
        await process.stdin.drain()
    process.stdin.close()


async def _end(process: asyncio.subprocess.Process, timeout: float) -> int:
    """The exit code; nothing of its process group survives, however this is left."""
    try:
        async with asyncio.timeout(timeout):
            code = await process.wait()
    except TimeoutError:
        return TIMED_OUT
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return code if code >= 0 else 128 - code


@contextlib.asynccontextmanager
async def turn(path: Path, timeout: float) -> AsyncIterator[int]:
    """Wait for one's turn at a lock file, also behind programs a dead supervisor left running.

    Pass the descriptor on as `held`: the lock then lasts until the program itself has ended.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        async with asyncio.timeout(timeout):
            while not _locked(descriptor):
                await asyncio.sleep(0.02)
        yield descriptor
    except TimeoutError as error:
        raise SandboxFailed(
            f"Another program still works in {path.parent} after {timeout:.0f} seconds"
        ) from error
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
