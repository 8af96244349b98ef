"""On what kind of disk a directory lies, as far as the kernel tells."""

import contextlib
from pathlib import Path
from typing import Final

from app.domain.errors import EnvironmentProblem

_MOUNTS: Final = Path("/proc/self/mountinfo")
_OF_OTHERS: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "gpfs", "beegfs"}
    | {"fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "fuse.ceph"}
)
"""Locks and shared memory of SQLite's journal do not hold there: https://www.sqlite.org/wal.html"""


def refuse_network_disk(directory: Path, mounts: str | None = None) -> None:
    """Raise `EnvironmentProblem` where SQLite would lose what it was given. Nothing where that cannot be told."""
    kind = kind_of(directory, mounts)
    if kind in _OF_OTHERS:
        raise EnvironmentProblem(
            f"the state directory {directory} is on a network file system ({kind}): SQLite's locks do not hold",
            hint="Set SWARM_STATE_DIR to a directory on a disk of this machine, or name a PostgreSQL `database` "
            "in your config.yaml.",
        )


def kind_of(directory: Path, mounts: str | None = None) -> str:
    """The type of the file system, as in `mount`; empty when unknown. `mounts` is what the kernel says of them."""
    if mounts is None:
        mounts = ""
        with contextlib.suppress(OSError):
            mounts = _MOUNTS.read_text(errors="surrogateescape")
            directory = directory.resolve()
    best, kind = -1, ""
    for line in mounts.splitlines():
        own, _, rest = line.partition(" - ")
        place = Path(own.split(" ")[4].encode().decode("unicode_escape"))
        if directory.is_relative_to(place) and len(place.parts) >= best:
            best, kind = len(place.parts), rest.split(" ")[0]
    return kind
