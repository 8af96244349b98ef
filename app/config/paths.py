"""Where things live. Computed on demand; nothing is created here. Standard library only: every verb needs it."""

import hashlib
import os
from pathlib import Path

ROOM = 1024 * 1024
"""Bytes: a disk with less is full, whatever a program that failed on it had to say."""


def state_dir() -> Path:
    """`SWARM_STATE_DIR`, else `swarm` below the XDG state directory."""
    named = os.environ.get("SWARM_STATE_DIR")
    return Path(named).absolute() if named else _xdg("XDG_STATE_HOME", ".local/state") / "swarm"


def config_dir() -> Path:
    """`SWARM_CONFIG_DIR`, else `swarm` below the XDG configuration directory."""
    named = os.environ.get("SWARM_CONFIG_DIR")
    return Path(named).absolute() if named else _xdg("XDG_CONFIG_HOME", ".config") / "swarm"


def runtime_dir(state: Path) -> Path:
    """A short, owner-only directory for sockets, one per state directory.

    Short because a unix socket's path has at most 107 bytes, and state directories can be deep.
    """
    name = hashlib.sha256(os.fsencode(state.resolve())).hexdigest()[:10]
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and len(base) < 40:
        return Path(base) / f"swarm-{name}"
    import tempfile

    return Path(tempfile.gettempdir()) / f"swarm-{os.getuid()}-{name}"


def api_socket(state: Path) -> Path:
    """Where the supervisor of that state directory listens."""
    return runtime_dir(state) / "api.sock"


def refuse_closed(state: Path) -> None:
    """Raises `EnvironmentProblem` when the state directory is there, and nothing can be written into it."""
    from app.domain.errors import EnvironmentProblem

    if state.is_dir() and not os.access(state, os.W_OK):
        raise EnvironmentProblem(
            f"the state directory {state} cannot be written",
            hint="Mount its disk for writing, or set SWARM_STATE_DIR to a directory of yours.",
        )


def full(place: Path) -> bool:
    """Whether the disk has less room than anything needs."""
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize < ROOM


def _xdg(variable: str, below_home: str) -> Path:
    named = os.environ.get(variable)
    return Path(named) if named and Path(named).is_absolute() else Path.home() / below_home
