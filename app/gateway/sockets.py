"""Listening at a path that is mounted into a run's sandbox."""

import asyncio
import os
import socket
from pathlib import Path

from app.domain.errors import EnvironmentProblem

_PATH_LIMIT = 100
"""What fits into a socket address, with room for the temporary name."""


class Place:
    """A path at which we listen, as long as nobody else has taken it since."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._inode = 0

    async def take(self) -> socket.socket:
        """A listening socket there; one that was left by a dead supervisor is replaced."""
        bound = await asyncio.to_thread(bound_at, self.path)
        self._inode = self.path.stat().st_ino
        return bound

    @property
    def is_ours(self) -> bool:
        """Whether our socket is in place."""
        try:
            return self._inode != 0 and self.path.stat().st_ino == self._inode
        except OSError:
            return False

    def leave(self) -> None:
        """Remove our socket; one of somebody else stays."""
        if self.is_ours:
            self.path.unlink(missing_ok=True)
        self._inode = 0


def bound_at(path: Path) -> socket.socket:
    """A listening socket at the path; one that was left there by a dead supervisor is replaced.

    The directory is mounted into the run's sandbox, whose programs have another user id, so it can be
    entered and the socket be written by anyone; what keeps other users of the host out is the directory
    above it, made for the owner alone.
    """
    try:
        return _bind_in(path)
    except OSError as error:
        raise EnvironmentProblem(
            f"the gateway cannot listen at {path}: {error.strerror or error}",
            hint="Choose a state directory that you own, with SWARM_STATE_DIR.",
        ) from error


def _bind_in(path: Path) -> socket.socket:
    path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o711, exist_ok=True)
    path.parent.chmod(0o711)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _bind_to(bound, fresh)
        fresh.chmod(0o666)
        bound.listen(128)
        # The rename makes the new socket appear whole, in place of an old one.
        fresh.replace(path)
    except OSError:
        bound.close()
        raise
    return bound


def _bind_to(bound: socket.socket, path: Path) -> None:
    if len(os.fsencode(path)) <= _PATH_LIMIT:
        bound.bind(str(path))
        return
    # A socket address holds about a hundred bytes; Linux lets us name the directory by its descriptor.
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        bound.bind(f"/proc/self/fd/{directory}/{path.name}")
    finally:
        os.close(directory)
