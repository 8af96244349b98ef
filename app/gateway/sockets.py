"""Listening at a path that is mounted into a run's sandbox."""

import os
import socket
from pathlib import Path

from app.domain.errors import EnvironmentProblem

_PATH_LIMIT = 100
"""What fits into a socket address, with room for the temporary name."""


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
