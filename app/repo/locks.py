"""Locks between processes, named by purpose. They vanish with their holder, however it dies."""

import asyncio
import contextlib
import fcntl
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

from app.domain.errors import RepoError

_LOOK_AGAIN = 0.05


@contextlib.asynccontextmanager
async def held(directory: Path, purpose: str, *, patience: float = 120.0) -> AsyncIterator[None]:
    """Hold the lock `purpose` of that directory; one holder at a time on this machine."""
    assert re.fullmatch(r"[a-z0-9.-]+", purpose), purpose
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(directory / f"{purpose}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        await _take(file, directory / f"{purpose}.lock", patience)
        yield
    finally:
        os.close(file)


async def _take(file: int, path: Path, patience: float) -> None:
    loop = asyncio.get_running_loop()
    give_up = loop.time() + patience
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        if loop.time() > give_up:
            raise RepoError(
                f"another swarm process holds {path}",
                hint="Wait for it to finish, or look for a hanging `swarm` process.",
            )
        await asyncio.sleep(_LOOK_AGAIN)
