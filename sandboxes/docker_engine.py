"""The one door to the Docker Engine: a client, threads of its own, and errors in our words."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import docker.errors
import requests.exceptions
import urllib3.exceptions
from docker import APIClient
from docker.utils import kwargs_from_env

from sandboxes.errors import EngineAway, SandboxFailed, SandboxUnavailable

T = TypeVar("T")
C = TypeVar("C", "Wire", "Stream")

USUAL = "unix:///var/run/docker.sock"
THREADS = 64
"""Every follower of output and every wait takes a thread; asyncio's own pool would be starved by seven."""
ANSWER = 60.0
"""Seconds in which the engine answers whatever is asked of it, or is late."""
_PIECE = 64 * 1024
BROKEN = (
    OSError,
    ValueError,
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
)
"""How a stream says that its connection was closed, by us or by the engine."""


class Gone(SandboxFailed):
    """The engine knows no such container, volume or program."""


class Late(SandboxUnavailable):
    """The engine has taken the request, and has not answered in time; it may still be at work on it."""


class Taken(SandboxFailed):
    """The engine already has one of that name, or it is not in a state for this."""


class Restless(SandboxFailed):
    """What was to be halted never stood still while the engine looked; asked again it may."""


class Engine:
    """Calls the engine without blocking the event loop."""

    def __init__(self, patience: float = ANSWER) -> None:
        self._patience = patience
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="docker")
        self._open: set[Wire | Stream] = set()
        self._client: APIClient | None = None
        self._making = threading.Lock()

    async def call(self, what: str, work: Callable[[APIClient], T]) -> T:
        """Do the work in a thread; `what` ends the sentence "Docker could not …"."""
        return await self.thread(lambda: self._call(what, work))

    async def thread(self, work: Callable[[], T]) -> T:
        """Do the work in a thread of this engine."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def stream(
        self, what: str, opened: Callable[[APIClient], Any]
    ) -> AsyncGenerator[Any, None]:
        """Pieces of a stream until its end, or until its connection is lost."""
        stream = await self.call(what, lambda api: self._kept(Stream(opened(api))))
        try:
            while (piece := await self.thread(stream.next)) is not None:
                yield piece
        finally:
            self.let_go(stream)

    async def wire(self, what: str, opened: Callable[[APIClient], Any]) -> "Wire":
        """A raw connection. Give it back with `let_go`."""
        return await self.call(what, lambda api: self._kept(Wire(opened(api))))

    def let_go(self, connection: "Wire | Stream") -> None:
        """Close a connection; safe to repeat."""
        self._open.discard(connection)
        connection.close()

    def close(self) -> None:
        """Let go of the connections; threads end with their streams."""
        for connection in list(self._open):
            self.let_go(connection)
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            self._client.close()

    def _kept(self, connection: C) -> C:
        # Noted in the thread that made it: whoever waits for it may be cancelled meanwhile.
        self._open.add(connection)
        return connection

    def _call(self, what: str, work: Callable[[APIClient], T]) -> T:
        try:
            return work(self._connected())
        except docker.errors.ImageNotFound as error:
            raise image_missing(error) from error
        except docker.errors.NotFound as error:
            raise Gone(f"Docker could not {what}: {error.explanation}") from error
        except docker.errors.APIError as error:
            raise _refused(what, error) from error
        except requests.exceptions.Timeout as error:
            raise Late(
                f"Docker could not {what} within {self._patience:g} seconds",
                hint="See what it is busy with: `docker ps`, `docker system df`, the load of its disk.",
            ) from error
        except (
            docker.errors.DockerException,
            requests.exceptions.RequestException,
            OSError,
        ) as error:
            raise unreachable(error) from error

    def _connected(self) -> APIClient:
        with self._making:
            if self._client is None:
                settings: dict[str, Any] = {**kwargs_from_env(), "timeout": self._patience}
                knock(settings.get("base_url", ""))
                self._client = APIClient(version="auto", max_pool_size=THREADS, **settings)
            return self._client


def knock(address: str) -> None:
    """Raise the system's own error when nobody answers at the socket; the SDK would leave it open."""
    scheme, _, path = (address or USUAL).partition("://")
    if scheme in ("unix", "http+unix"):
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.connect(path)


class ImageMissing(SandboxUnavailable):
    """An image is not on this machine."""


def image_missing(error: docker.errors.APIError) -> ImageMissing:
    """An image is not on this machine."""
    return ImageMissing(
        f"Docker has no such image: {error.explanation}",
        hint="Build the images with `swarm image build`.",
    )


def _refused(what: str, error: docker.errors.APIError) -> SandboxFailed | SandboxUnavailable:
    said = str(error.explanation or error)
    if error.status_code == 409:
        return Taken(f"Docker could not {what}: {said}")
    if "nknown runtime" in said:
        return SandboxUnavailable(
            f"Docker could not {what}: {said}",
            hint="Install that container runtime, or leave `runtime` empty.",
        )
    if "unable to freeze" in said:
        return Restless(f"Docker could not {what}: {said}")
    return SandboxFailed(f"Docker could not {what}: {said}")


def unreachable(error: BaseException) -> SandboxUnavailable:
    """No engine answers: why, and what to do."""
    causes = list(_causes(error))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return SandboxUnavailable(
            "Docker runs, but you may not use its socket (permission denied)",
            hint="Join the group `docker` (`sudo usermod -aG docker $USER`) and log in again.",
        )
    if any(isinstance(cause, FileNotFoundError | ConnectionRefusedError) for cause in causes):
        return EngineAway(
            "Docker is not running: nothing answers at its socket",
            hint="Install and start Docker, for example `sudo systemctl start docker`.",
        )
    return EngineAway(
        f"Docker does not answer: {error}", hint="See whether `docker version` works."
    )


def _causes(error: object) -> Iterator[BaseException]:
    """The error and everything inside it; urllib3 and requests carry causes as arguments."""
    pending, seen = [error], set[int]()
    while pending:
        one = pending.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            pending += [*one.args, one.__cause__, one.__context__]
            pending.append(getattr(one, "reason", None))


class Stream:
    """Pieces of a reply that goes on."""

    def __init__(self, pieces: Any) -> None:
        self._pieces = pieces

    def next(self) -> Any:
        """The next piece; None at the end."""
        try:
            return next(self._pieces, None)
        except BROKEN:
            return None

    def close(self) -> None:
        """End it at once; a thread that reads comes back."""
        # A plain generator that is read right now refuses; its thread ends with it.
        with contextlib.suppress(ValueError):
            self._pieces.close()
        response = getattr(self._pieces, "_response", None)
        if response is not None:
            with contextlib.suppress(*BROKEN):
                response.close()


class Wire:
    """A raw two-way connection to a container's or program's streams."""

    def __init__(self, connection: Any) -> None:
        self._socket = getattr(connection, "_sock", connection)
        # Output that came with the reply's headers waits in the reply's buffer, not in the socket.
        self._reader = connection._response.raw._fp.fp  # noqa: SLF001
        self._connection = connection

    def write(self, data: bytes) -> None:
        self._socket.sendall(data)

    def end(self) -> None:
        """Say that nothing more is written."""
        self._socket.shutdown(socket.SHUT_WR)

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Pieces of output with the number of their stream: 1 standard output, 2 standard error."""
        try:
            while len(header := self._reader.read(8)) == 8:
                stream, length = struct.unpack(">BxxxL", header)
                yield stream, self._reader.read(length)
        except BROKEN:
            return

    def piece(self) -> bytes:
        """What a terminal put out, as soon as there is any; empty at the end."""
        try:
            return bytes(self._reader.read1(_PIECE))
        except BROKEN:
            return b""

    def close(self) -> None:
        """End both directions at once; a thread that reads comes back."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(*BROKEN):
            self._connection._response.close()  # noqa: SLF001
        self._socket.close()
