"""Serves the API: on a unix socket that only its owner can open, and over TLS where that is configured."""

import asyncio
import os
import socket
import ssl
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from app.config.api import ApiSettings
from app.domain.errors import ConfigError, EnvironmentProblem

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


def bind_network(settings: ApiSettings) -> socket.socket:
    """A listening socket at the configured address. Raises `EnvironmentProblem`."""
    host, _, port = settings.listen.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    try:
        listener = socket.create_server((host.strip("[]"), int(port)), family=family, backlog=128)
    except OSError as error:
        raise EnvironmentProblem(
            f"nobody can be served at {settings.listen}: {error.strerror or error}",
            hint="Mend `api.listen` in your config.yaml, or leave it out.",
        ) from error
    listener.settimeout(0)
    return listener


def tls_of(settings: ApiSettings) -> dict[str, str]:
    """Certificate and key, as uvicorn takes them. Raises `ConfigError` when they are no pair."""
    files = [os.path.expanduser(each) for each in (settings.certificate, settings.key)]  # noqa: PTH111
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*files)
    except OSError as error:
        raise ConfigError(
            f"api.certificate and api.key cannot be used: {error.strerror or error}",
            hint="Both are PEM files that the supervisor can read, and belong together.",
        ) from error
    return {"ssl_certfile": files[0], "ssl_keyfile": files[1]}


def own_directory(path: Path, named_by: str = "XDG_RUNTIME_DIR") -> None:
    """Make sure the directory exists, is ours and closed to others. Raises `EnvironmentProblem`.

    `named_by` is the variable with which a person chooses another one.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.lstat()
    if path.is_symlink() or status.st_uid != os.getuid():
        raise EnvironmentProblem(
            f"{path} belongs to somebody else", hint=f"Set {named_by} to a directory of yours."
        )
    path.chmod(0o700)


class Server:
    """uvicorn in the supervisor's own event loop, without its signal handlers."""

    def __init__(self, app: Starlette, listener: socket.socket, **tls: str) -> None:
        config = uvicorn.Config(
            app,
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=1,
            **tls,  # type: ignore[arg-type]
        )
        self._server = uvicorn.Server(config)
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
