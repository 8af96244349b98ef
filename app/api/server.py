"""Serves the API on a unix socket only its owner can open."""

import asyncio
import os
import socket
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from app.domain.errors import EnvironmentProblem

LONGEST_PATH = 107
"""Bytes in the path of a unix socket."""


def bind(path: Path) -> socket.socket:
    """A listening socket at `path`, in a directory and with a mode that shut everybody else out."""
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise EnvironmentProblem(
            f"the path of the API socket is too long for a unix socket: {path}",
            hint="Set XDG_RUNTIME_DIR to a shorter directory.",
        )
    own_directory(path.parent)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old = os.umask(0o177)
    try:
        listener.bind(os.fspath(path))
    finally:
        os.umask(old)
    listener.listen(128)
    listener.settimeout(0)
    return listener


def own_directory(path: Path) -> None:
    """Make sure the directory exists, is ours and closed to others. Raises `EnvironmentProblem`."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.lstat()
    if path.is_symlink() or status.st_uid != os.getuid():
        raise EnvironmentProblem(
            f"{path} belongs to somebody else", hint="Set XDG_RUNTIME_DIR to a directory of yours."
        )
    path.chmod(0o700)


class Server:
    """uvicorn in the supervisor's own event loop, without its signal handlers."""

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        self._server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
        )
        self._listener = listener
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        # `_serve` is `serve` without taking over the process's signals, which are the daemon's.
        serve = self._server._serve(sockets=[self._listener])  # noqa: SLF001
        self._task = asyncio.create_task(serve, name="local API")

    async def close(self) -> None:
        self._server.should_exit = True
        if self._task:
            await self._task
