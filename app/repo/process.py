"""One bounded child process: its time, output and resources have ceilings, and it never outlives its caller."""

import asyncio
import contextlib
import os
import resource
import signal
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

MIB = 1024**2
TAIL = 8 * 1024
_CHUNK = 64 * 1024
_LIMITED = 'ulimit -v "$1"; ulimit -t "$2"; ulimit -f "$3"; shift 3; exec "$@"'


class Bounds(msgspec.Struct, frozen=True):
    """Ceilings for one child process."""

    seconds: float = 60.0
    output: int = 64 * MIB
    """Bytes of standard output."""
    memory: int = 8192 * MIB
    """Bytes of address space."""
    file_size: int = 8192 * MIB
    """Bytes of any one file it writes."""
    grace: float = 0.0
    """Seconds it may go on when its caller is cancelled, for work that is worse half done."""


ORDINARY: Final = Bounds()
SLOW: Final = Bounds(seconds=600.0, grace=20.0)
"""For work on whole checkouts of any size, which is worse half done than late."""


class Finished(msgspec.Struct, frozen=True):
    """How a child process ended."""

    code: int
    stdout: bytes
    stderr: str
    """The end of what it wrote to standard error."""
    timed_out: bool = False
    truncated: bool = False
    """Whether it wrote more than its ceiling, and was stopped for it."""


async def finish(
    argv: Sequence[str], bounds: Bounds, *, env: Mapping[str, str], stdin: bytes = b""
) -> Finished:
    """Run `argv` in `/` until it ends or breaks a bound; its whole process group goes with it."""
    # A task of its own, because a cancelled start would kill the child without any grace.
    work = asyncio.ensure_future(_run(argv, bounds, env, stdin))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work], timeout=bounds.grace)
        raise
    finally:
        work.cancel()
        await asyncio.wait([work])
        if not work.cancelled():
            work.exception()


async def _run(
    argv: Sequence[str], bounds: Bounds, env: Mapping[str, str], stdin: bytes
) -> Finished:
    child = await asyncio.create_subprocess_exec(
        *_limited(argv, bounds),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(env),
        cwd="/",
        start_new_session=True,
    )
    talk = asyncio.ensure_future(_talk(child, stdin, bounds.output))
    try:
        async with asyncio.timeout(bounds.seconds):
            said = await asyncio.shield(talk)
    except TimeoutError:
        return Finished(124, b"", "", timed_out=True)
    finally:
        await _end(child, talk)
    code = child.returncode if child.returncode is not None else -1
    return Finished(code, said.out, said.err.decode(errors="replace").strip(), truncated=said.over)


def _limited(argv: Sequence[str], bounds: Bounds) -> list[str]:
    # Threads share the CPU limit, so it is only the backstop behind the clock.
    memory = _ceiling(resource.RLIMIT_AS, bounds.memory)
    seconds = _ceiling(resource.RLIMIT_CPU, int(bounds.seconds) * 4 + 4)
    size = _ceiling(resource.RLIMIT_FSIZE, bounds.file_size)
    ceilings = (memory // 1024, seconds, size // 512)
    return ["sh", "-c", _LIMITED, "sh", *(str(ceiling) for ceiling in ceilings), *argv]


def _ceiling(kind: int, wanted: int) -> int:
    """A tighter limit that is already in force stays."""
    return min([wanted, *(each for each in resource.getrlimit(kind) if each >= 0)])


class _Said(msgspec.Struct, frozen=True):
    out: bytes
    err: bytes
    over: bool


async def _talk(child: asyncio.subprocess.Process, stdin: bytes, limit: int) -> _Said:
    assert child.stderr is not None
    _, (out, over), err = await asyncio.gather(
        _feed(child, stdin), _read(child, limit), _tail(child.stderr)
    )
    await child.wait()
    return _Said(out, err, over)


async def _feed(child: asyncio.subprocess.Process, stdin: bytes) -> None:
    assert child.stdin is not None
    # A child may end without reading everything; its exit code says whether that is an error.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        child.stdin.write(stdin)
        await child.stdin.drain()
        child.stdin.close()
        await child.stdin.wait_closed()


async def _read(child: asyncio.subprocess.Process, limit: int) -> tuple[bytes, bool]:
    assert child.stdout is not None
    kept = bytearray()
    over = False
    while chunk := await child.stdout.read(_CHUNK):
        if over or len(kept) + len(chunk) > limit:
            over = True
            _signal(child, signal.SIGKILL)
            continue
        kept += chunk
    return bytes(kept), over


async def _tail(stream: asyncio.StreamReader) -> bytes:
    kept = b""
    while chunk := await stream.read(_CHUNK):
        kept = (kept + chunk)[-TAIL:]
    return kept


async def _end(child: asyncio.subprocess.Process, talk: asyncio.Future[_Said]) -> None:
    """Leave nothing behind. Asked to end first, so that it removes its own lock files."""
    if child.returncode is None:
        _signal(child, signal.SIGTERM)
        await asyncio.wait([talk], timeout=2.0)
    _signal(child, signal.SIGKILL)
    await asyncio.wait([talk])


def _signal(child: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
